<?php
/**
 * Migration 1: tenants, ledger, cursors, jobs, runs and log.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Schema;

final class First {

	/** @return list<string> */
	public static function statements(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array(
			// settings: JSON. next_due_at: UTC. api_key: an envelope, never plain text.
			"CREATE TABLE IF NOT EXISTS {$name('tenants')} (
				id INT UNSIGNED NOT NULL AUTO_INCREMENT,
				external_id VARBINARY(190) NOT NULL,
				label VARCHAR(190) NOT NULL DEFAULT '',
				connector VARCHAR(64) NOT NULL DEFAULT 'rest',
				endpoint VARCHAR(2048) NOT NULL DEFAULT '',
				api_key VARBINARY(8192) NULL,
				settings LONGTEXT NOT NULL,
				paused TINYINT UNSIGNED NOT NULL DEFAULT 0,
				next_due_at DATETIME NOT NULL,
				created_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY external_id (external_id),
				KEY due (paused, next_due_at)
			) $end",
			// The ledger (what was last agreed with the CRM) and the projection that lists read: an index for each order of a list, with the
			// primary key as its last part, so that a page of a long list is read without sorting all of it.
			"CREATE TABLE IF NOT EXISTS {$name('records')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL,
				id_hash BINARY(32) NOT NULL,
				post_id BIGINT UNSIGNED NULL,
				fingerprint BINARY(16) NOT NULL,
				base LONGTEXT NULL,
				crm_revision VARBINARY(190) NOT NULL DEFAULT '',
				name VARCHAR(190) NOT NULL DEFAULT '',
				email VARCHAR(190) NOT NULL DEFAULT '',
				state VARCHAR(64) NOT NULL DEFAULT '',
				owner VARCHAR(190) NOT NULL DEFAULT '',
				crm_created_at DATETIME NULL,
				crm_updated_at DATETIME NULL,
				synced_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				UNIQUE KEY post_id (post_id),
				KEY by_name (tenant, object, name),
				KEY by_email (tenant, object, email),
				KEY by_state (tenant, object, state),
				KEY by_time (tenant, object, crm_updated_at)
			) $end",
			// mapping: hash of the mapped fields; another mapping wants a full pull.
			"CREATE TABLE IF NOT EXISTS {$name('cursors')} (
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				watermark BLOB NULL,
				mapping BINARY(16) NOT NULL,
				updated_at DATETIME NOT NULL,
				PRIMARY KEY (tenant, object)
			) $end",
			// dedupe: NULL or what may be there only once. touched: post ids whose caches the last batch still owes. batches: commits so far.
			"CREATE TABLE IF NOT EXISTS {$name('jobs')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				run BIGINT UNSIGNED NOT NULL,
				tenant INT UNSIGNED NOT NULL,
				kind VARBINARY(16) NOT NULL,
				object VARBINARY(32) NOT NULL,
				dedupe VARBINARY(96) NULL,
				priority TINYINT UNSIGNED NOT NULL DEFAULT 50,
				state VARBINARY(8) NOT NULL DEFAULT 'queued',
				available_at DATETIME(3) NOT NULL,
				held TINYINT UNSIGNED NOT NULL DEFAULT 0,
				attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
				lease VARBINARY(32) NULL,
				lease_until DATETIME(3) NULL,
				batches INT UNSIGNED NOT NULL DEFAULT 0,
				touched MEDIUMTEXT NULL,
				payload TEXT NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY dedupe (dedupe),
				KEY claim (state, priority, available_at, id),
				KEY lease_until (state, lease_until),
				KEY run (run),
				KEY tenant (tenant)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('runs')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				kind VARBINARY(16) NOT NULL,
				object VARBINARY(32) NOT NULL,
				state VARBINARY(10) NOT NULL DEFAULT 'queued',
				fetched BIGINT UNSIGNED NOT NULL DEFAULT 0,
				created BIGINT UNSIGNED NOT NULL DEFAULT 0,
				updated BIGINT UNSIGNED NOT NULL DEFAULT 0,
				unchanged BIGINT UNSIGNED NOT NULL DEFAULT 0,
				refused BIGINT UNSIGNED NOT NULL DEFAULT 0,
				pages BIGINT UNSIGNED NOT NULL DEFAULT 0,
				error TEXT NULL,
				retry_at DATETIME NULL,
				queued_at DATETIME NOT NULL,
				started_at DATETIME NULL,
				finished_at DATETIME NULL,
				PRIMARY KEY (id),
				KEY tenant (tenant, id),
				KEY state (state, id),
				KEY finished_at (finished_at)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('log')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL DEFAULT 0,
				level VARBINARY(8) NOT NULL,
				message TEXT NOT NULL,
				context MEDIUMTEXT NULL,
				created_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				KEY tenant (tenant, id),
				KEY level (level, id)
			) $end",
		);
	}
}
