<?php
/**
 * Migration 10: whose the erased records were, so that a person who consents again gets them back.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Migrations;

final class Consent {

	/** @return list<string> */
	public static function statements(): array {
		return array_merge(
			// person: the keyed hash of the address.
			Migrations::columns( 'suppressions', array( 'person' => 'BINARY(32) NULL' ) ),
			Migrations::keys( 'suppressions', array( 'person' => '(person)' ) )
		);
	}
}
