<?php
/**
 * Migration 9: people and records that were erased and do not come back.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Schema;

final class Suppressions {

	/** @return list<string> */
	public static function statements(): array {
		$table = Schema::table( 'suppressions' );
		$id    = Schema::MAX_ID;
		return array(
			// tenant 0: a person, of any tenant. hash: keyed, see Privacy\Suppressions. crm_id: only while the CRM is still to delete it.
			"CREATE TABLE IF NOT EXISTS `$table` (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL DEFAULT 0,
				object VARBINARY(32) NOT NULL DEFAULT '',
				hash BINARY(32) NOT NULL,
				crm_id VARBINARY($id) NULL,
				created_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY hash (hash),
				KEY tenant (tenant, id)
			) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		);
	}
}
