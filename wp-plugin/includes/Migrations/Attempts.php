<?php
/**
 * Migration 4: requests to CRMs, and sums of them.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Counters;
use TenantCRM\Migrations;
use TenantCRM\Schema;

final class Attempts {

	/** @return list<string> */
	public static function statements(): array {
		$end     = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$buckets = '';
		foreach ( array_keys( Counters::BUCKETS ) as $column ) {
			$buckets .= "$column BIGINT UNSIGNED NOT NULL DEFAULT 0, ";
		}
		return array_merge(
			array(
				// at: UTC. attempt: from 1 within a call. sent, received: bytes. run: 0 outside of one. An index for each filter, with the primary key as
				// its last part: the newest rows come first, and are found without sorting.
				'CREATE TABLE IF NOT EXISTS `' . Schema::table( 'attempts' ) . "` (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					run BIGINT UNSIGNED NOT NULL DEFAULT 0,
					at DATETIME(3) NOT NULL,
					method VARBINARY(16) NOT NULL,
					operation VARCHAR(1000) NOT NULL,
					status SMALLINT UNSIGNED NULL,
					micros BIGINT UNSIGNED NOT NULL,
					attempt INT UNSIGNED NOT NULL,
					sent BIGINT UNSIGNED NOT NULL,
					received BIGINT UNSIGNED NOT NULL,
					outcome VARBINARY(24) NOT NULL,
					excerpt VARCHAR(1000) NULL,
					trace_id BINARY(16) NULL,
					span_id BINARY(8) NULL,
					PRIMARY KEY (id),
					KEY tenant (tenant, id),
					KEY tenant_outcome (tenant, outcome, id),
					KEY outcome (outcome, id),
					KEY status (status, id),
					KEY at (at),
					KEY run (run, id),
					KEY trace_id (trace_id)
				) $end",
				// Sums since the beginning, which outlive the rows that they count.
				'CREATE TABLE IF NOT EXISTS `' . Schema::table( 'counters' ) . "` (
					tenant INT UNSIGNED NOT NULL,
					outcome VARBINARY(24) NOT NULL,
					requests BIGINT UNSIGNED NOT NULL DEFAULT 0,
					micros BIGINT UNSIGNED NOT NULL DEFAULT 0,
					sent BIGINT UNSIGNED NOT NULL DEFAULT 0,
					received BIGINT UNSIGNED NOT NULL DEFAULT 0,
					$buckets
					changed_at DATETIME NOT NULL,
					PRIMARY KEY (tenant, outcome)
				) $end",
			),
			// The trace that the calls of a run are part of, as a W3C traceparent.
			Migrations::columns( 'runs', array( 'trace' => 'VARBINARY(55) NULL' ) )
		);
	}
}
