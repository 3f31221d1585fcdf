<?php
/**
 * This version of the plugin cannot do what was asked for: trying again does not help.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class NotSupported extends StoreException {
}
