<?php
/**
 * What the CRM says, or does not say, of records that are gone. Neither is believed: each record is looked for by its id (Looks).
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Cursors;
use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Leases;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;

final class Deletions {

	/** Seconds between two looks into the feed. */
	private const INTERVAL = 240;

	/** Days after which a feed may have forgotten what was deleted: the shortest memory of a CRM's is 15. */
	private const MEMORY = 14;

	/** Name of the feed's cursor. */
	private const FEED = 'deleted';

	/** Reads the feed of deletions, where the CRM has one. */
	public static function feed( Session $session ): void {
		$tenant = $session->tenant;
		$table  = Schema::table( 'cursors' );
		if ( $session->rules->is_mirror() || ! $session->remote->can( 'deleted' )
			|| Sql::rows( "SELECT 1 FROM `$table` WHERE tenant = {$tenant->key} AND object = '" . self::FEED . "' AND updated_at > UTC_TIMESTAMP() - INTERVAL " . self::INTERVAL . ' SECOND' ) ) {
			return;
		}
		if ( Sql::rows( "SELECT 1 FROM `$table` WHERE tenant = {$tenant->key} AND object = '" . self::FEED . "' AND updated_at < UTC_TIMESTAMP() - INTERVAL " . self::MEMORY . ' DAY' ) ) {
			// Nobody could ask for so long (an outage, a pause): only a list of everything shows what is gone since.
			Jobs::backfill( $tenant->key, $session->job->object );
		}
		$hash = $session->fields->hash();
		foreach ( $session->remote->client()->pull_deleted( $session->job->object, Cursors::read( $tenant->key, self::FEED, $hash ) ) as $batch ) {
			Leases::renew( $session->job );
			Looks::hint( $tenant->key, $session->job->object, $batch->ids() );
			if ( '' !== $batch->watermark() ) {
				Sql::change( Cursors::write_sql( $tenant->key, self::FEED, $hash, $batch->watermark() ) );
			}
		}
	}

	/**
	 * After the last page of a list of everything: what was there before it began and is not in it.
	 *
	 * @param Job $job The pull's; a run that did not read everything from its beginning says nothing of what is absent.
	 */
	public static function after_scan( Job $job, Tenant $tenant ): void {
		if ( empty( $job->payload['full'] ) || Rules::BOTH !== Rules::of( $tenant, $job->object )->direction ) {
			return;
		}
		$table  = Schema::table( 'records' );
		$runs   = Schema::table( 'runs' );
		$absent = sprintf( "tenant = %d AND object = %s AND gone = 0 AND base IS NOT NULL AND hint = 0 AND scan <> %d AND synced_at <= (SELECT started_at FROM `$runs` WHERE id = %3\$d)", $tenant->key, Sql::bytes( $job->object ), $job->run );
		$count  = (int) Sql::rows( "SELECT COUNT(*) AS n FROM `$table` WHERE $absent" )[0]['n'];
		$brake  = new Brake( new Session( $job, $tenant ) );
		if ( $brake->lets_look( $count ) && $count ) {
			Sql::change( "UPDATE `$table` SET hint = " . Looks::LOOK . ", version = version + 1 WHERE $absent" );
		}
	}

	/** Has what the last full list did not show looked for, though it is much. */
	public static function allow( int $tenant, string $object ): void {
		$table = Schema::table( 'records' );
		$own   = sprintf( 'tenant = %d AND object = %s', $tenant, Sql::bytes( $object ) );
		$scan  = (int) Sql::rows( "SELECT MAX(scan) AS last FROM `$table` WHERE $own" )[0]['last'];
		Sql::change( "UPDATE `$table` SET hint = " . Looks::ALLOWED . ", version = version + 1 WHERE $own AND gone = 0 AND base IS NOT NULL AND scan < $scan" );
	}
}
