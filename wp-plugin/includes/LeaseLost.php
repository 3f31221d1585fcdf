<?php
/**
 * The job was cancelled, or taken by another worker after this one had been silent for too long. Nothing may be stored any more.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class LeaseLost extends StoreException {
}
