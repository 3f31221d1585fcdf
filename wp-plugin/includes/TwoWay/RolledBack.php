<?php
/**
 * Ends a transaction whose effect was only to be seen; see Trial.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Progress;

final class RolledBack extends \RuntimeException {

	/**
	 * @param mixed                               $result Of the work.
	 * @param array<string, array<mixed>>         $state  What the database had behind it.
	 * @param list<array{0: Subject, 1: Settled}> $sent   What the CRM would get.
	 */
	public function __construct( public readonly mixed $result, public readonly Progress $progress, public readonly array $state, public readonly array $sent ) {
		parent::__construct( 'Nothing was stored: this was a preview.' );
	}
}
