<?php
/**
 * Migration 2: tokens of OAuth.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Schema;

final class Tokens {

	/** @return list<string> */
	public static function statements(): array {
		$table = Schema::table( 'tokens' );
		return array(
			// version: counts the commits. envelope: sealed by the extension. expires_at: seconds since 1970. lease: whoever renews it now.
			"CREATE TABLE IF NOT EXISTS `$table` (
				tenant INT UNSIGNED NOT NULL,
				version BIGINT UNSIGNED NOT NULL DEFAULT 0,
				envelope MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
				expires_at BIGINT NULL,
				state VARBINARY(16) NOT NULL DEFAULT 'ok',
				reason TEXT NULL,
				lease VARBINARY(32) NULL,
				lease_until DATETIME(3) NULL,
				changed_at DATETIME NULL,
				PRIMARY KEY (tenant)
			) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		);
	}
}
