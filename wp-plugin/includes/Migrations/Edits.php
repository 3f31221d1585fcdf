<?php
/**
 * Migration 8: when fields were edited, and by what people are known.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Migrations;

final class Edits {

	/** @return list<string> */
	public static function statements(): array {
		return array_merge(
			// times: JSON, see FieldTimes. person: by what the lead is known now, also where the CRM knows it by something else still.
			Migrations::columns(
				'changes',
				array(
					'times'  => 'TEXT NULL',
					'person' => 'BINARY(16) NULL',
				)
			),
			Migrations::keys( 'changes', array( 'person' => '(tenant, object, person)' ) )
		);
	}
}
