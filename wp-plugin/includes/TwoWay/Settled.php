<?php
/**
 * What is left to be done once a lead was settled: fields, or a deletion, for the CRM.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

final class Settled {

	/**
	 * @param array<string, mixed> $to_crm Fields to be written there.
	 * @param bool                 $delete Whether the record is to be deleted there.
	 * @param bool                 $anew   Whether the CRM's record is gone, and the lead is to become a new one.
	 */
	public function __construct( public readonly array $to_crm = array(), public readonly bool $delete = false, public readonly bool $anew = false ) {
	}

	/** Whether the portal still has something that the CRM must get. */
	public function is_dirty(): bool {
		return $this->to_crm || $this->delete || $this->anew;
	}
}
