<?php
/**
 * Migration 6: changes of the portal and conflicts.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Migrations;
use TenantCRM\Schema;

final class TwoWay {

	/** @return list<string> */
	public static function statements(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array_merge(
			// version: counts settlements. hint: 1 the CRM may have something else, 2 it is gone there and waits for the others, 3 and may go.
			// gone: 1 from the CRM, 2 not wanted in the portal, 3 not wanted in the CRM. seen: hash of what the CRM had when it was settled.
			// mapping: Fields::hash() of the base. unique_hash: of the field by which a person is known. scan: the run that saw it in a full list.
			// origins: JSON of where its fields' values come from, see Origins.
			Migrations::columns(
				'records',
				array(
					'version'     => 'INT UNSIGNED NOT NULL DEFAULT 0',
					'hint'        => 'TINYINT UNSIGNED NOT NULL DEFAULT 0',
					'gone'        => 'TINYINT UNSIGNED NOT NULL DEFAULT 0',
					'seen'        => 'BINARY(16) NULL',
					'mapping'     => 'BINARY(16) NULL',
					'unique_hash' => 'BINARY(16) NULL',
					'scan'        => 'BIGINT UNSIGNED NOT NULL DEFAULT 0',
					'origins'     => 'TEXT NULL',
				)
			),
			Migrations::keys(
				'records',
				array(
					'hinted'      => '(tenant, object, hint)',
					'unique_hash' => '(tenant, object, unique_hash)',
				)
			),
			array(
				// A post that may differ from what was agreed on. marks: hooks that said so. record: in the ledger, where it is known. refused: until the
				// next mark, see Changes. decision, allowed: what a person said of a deletion. verb, sent, sent_id, sent_at: a write to the CRM that is not settled.
				"CREATE TABLE IF NOT EXISTS {$name('changes')} (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					object VARBINARY(32) NOT NULL,
					post_id BIGINT UNSIGNED NOT NULL,
					record BIGINT UNSIGNED NULL,
					unique_hash BINARY(16) NULL,
					marks INT UNSIGNED NOT NULL DEFAULT 1,
					who BIGINT UNSIGNED NOT NULL DEFAULT 0,
					changed_at DATETIME(3) NOT NULL,
					available_at DATETIME(3) NOT NULL,
					attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
					refused TINYINT UNSIGNED NOT NULL DEFAULT 0,
					reason TEXT NULL,
					decision VARBINARY(8) NULL,
					allowed TINYINT UNSIGNED NOT NULL DEFAULT 0,
					verb VARBINARY(8) NULL,
					sent MEDIUMTEXT NULL,
					sent_id VARBINARY($id) NULL,
					sent_at DATETIME(3) NULL,
					PRIMARY KEY (id),
					UNIQUE KEY post_id (post_id),
					KEY due (tenant, object, refused, available_at),
					KEY unique_hash (tenant, object, unique_hash),
					KEY record (record)
				) $end",
				// base, crm, portal: JSON of the values. open_key: while it waits, so that it waits once. undo: what taking it replaced.
				"CREATE TABLE IF NOT EXISTS {$name('conflicts')} (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					object VARBINARY(32) NOT NULL,
					record BIGINT UNSIGNED NOT NULL,
					post_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
					kind VARBINARY(8) NOT NULL DEFAULT 'field',
					field VARBINARY(190) NOT NULL DEFAULT '',
					base LONGTEXT NULL,
					crm LONGTEXT NULL,
					portal LONGTEXT NULL,
					reason VARCHAR(400) NOT NULL DEFAULT '',
					who BIGINT UNSIGNED NOT NULL DEFAULT 0,
					crm_at VARBINARY(190) NOT NULL DEFAULT '',
					portal_at DATETIME NULL,
					state VARBINARY(8) NOT NULL DEFAULT 'open',
					open_key BINARY(16) NULL,
					choice VARBINARY(8) NULL,
					decided_by BIGINT UNSIGNED NULL,
					decided_at DATETIME NULL,
					created_at DATETIME NOT NULL,
					PRIMARY KEY (id),
					UNIQUE KEY open_key (open_key),
					KEY state (state, tenant, id),
					KEY record (record, state),
					KEY tenant (tenant, id)
				) $end",
			)
		);
	}
}
