<?php
/**
 * Migration 3: what the queue needs to try again, and to give up.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Migrations;

use TenantCRM\Migrations;
use TenantCRM\Schema;

final class Queue {

	/** @return list<string> */
	public static function statements(): array {
		$jobs = Schema::table( 'jobs' );
		return array_merge(
			// deaths: workers that died over the job. failing_since: the first failure after the last stored batch. reason, died_at: of a dead letter.
			Migrations::columns(
				'jobs',
				array(
					'deaths'        => 'SMALLINT UNSIGNED NOT NULL DEFAULT 0',
					'queued_at'     => 'DATETIME NULL',
					'failing_since' => 'DATETIME NULL',
					'died_at'       => 'DATETIME NULL',
					'reason'        => 'TEXT NULL',
				)
			),
			// Counts the changes of what a pull depends on: one that began before a change ends, the next one uses the new settings.
			Migrations::columns( 'tenants', array( 'revision' => 'INT UNSIGNED NOT NULL DEFAULT 0' ) ),
			array( "UPDATE `$jobs` SET queued_at = UTC_TIMESTAMP() WHERE queued_at IS NULL" )
		);
	}
}
