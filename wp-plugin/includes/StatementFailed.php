<?php
/**
 * One statement of a transaction failed. Its code is the database's; only Transaction sees it.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class StatementFailed extends \RuntimeException {
}
