<?php
/**
 * Migration 7: records that could not be stored.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Schema;

final class Refused {

	/** @return list<string> */
	public static function statements(): array {
		$table = Schema::table( 'refused' );
		$id    = Schema::MAX_ID;
		return array(
			// Records of the CRM that could not be stored. by_id: whether the CRM can be asked for it by this id. retry_at: somebody asked for it again.
			"CREATE TABLE IF NOT EXISTS `$table` (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL DEFAULT '',
				id_hash BINARY(32) NOT NULL,
				by_id TINYINT UNSIGNED NOT NULL DEFAULT 1,
				reason TEXT NOT NULL,
				run BIGINT UNSIGNED NOT NULL DEFAULT 0,
				times INT UNSIGNED NOT NULL DEFAULT 1,
				first_at DATETIME NOT NULL,
				last_at DATETIME NOT NULL,
				retry_at DATETIME NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				KEY tenant (tenant, id)
			) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		);
	}
}
