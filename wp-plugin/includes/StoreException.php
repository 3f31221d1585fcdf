<?php
/**
 * Something could not be stored; the message says what and why in plain words and holds no data of a lead.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

class StoreException extends \RuntimeException {
}
