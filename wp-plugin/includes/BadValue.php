<?php
/**
 * The database would have changed or cut a value. Store looks for the record that it belongs to and refuses that one alone.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class BadValue extends StoreException {
}
