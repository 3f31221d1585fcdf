<?php
/**
 * Migration 5: webhooks, and the records that they named.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Schema;

final class Webhooks {

	/** @return list<string> */
	public static function statements(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array(
			// owner: whose address is called. account: the CRM's name for this tenant's part of it. Tenant 0: what came for no
			// address. address, subscriptions, renew_at: of webhooks that the CRM's API made; the address is an envelope.
			"CREATE TABLE IF NOT EXISTS {$name('webhooks')} (
				tenant INT UNSIGNED NOT NULL,
				owner INT UNSIGNED NOT NULL,
				key_hash BINARY(32) NULL,
				account VARBINARY(190) NULL,
				accepted BIGINT UNSIGNED NOT NULL DEFAULT 0,
				repeated BIGINT UNSIGNED NOT NULL DEFAULT 0,
				ignored BIGINT UNSIGNED NOT NULL DEFAULT 0,
				refused BIGINT UNSIGNED NOT NULL DEFAULT 0,
				reason VARBINARY(16) NULL,
				stranger VARBINARY(190) NULL,
				created_at DATETIME NOT NULL,
				heard_at DATETIME NULL,
				refused_at DATETIME NULL,
				address VARBINARY(8192) NULL,
				subscriptions TEXT NULL,
				renew_at DATETIME NULL,
				PRIMARY KEY (tenant),
				UNIQUE KEY key_hash (key_hash),
				KEY owner (owner),
				KEY renew_at (renew_at)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('webhook_messages')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				replay_key BINARY(32) NOT NULL,
				heard_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY message (tenant, replay_key),
				KEY heard_at (heard_at)
			) $end",
			// version: how often it was named. missing_at: the CRM does not give it any more.
			"CREATE TABLE IF NOT EXISTS {$name('webhook_records')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL,
				id_hash BINARY(32) NOT NULL,
				version INT UNSIGNED NOT NULL DEFAULT 1,
				is_deleted TINYINT UNSIGNED NOT NULL DEFAULT 0,
				heard_at DATETIME NOT NULL,
				missing_at DATETIME NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				KEY waiting (missing_at, tenant, object, id)
			) $end",
		);
	}
}
