<?php
/**
 * The plugin's workers, two at a time as on a busy site, some of them killed; and time, which passes at once instead of slowly.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Worker;

final class Workers {

	/** Seconds that a worker may take; none should come near. */
	private const SECONDS = 60.0;

	/**
	 * All waits of these tenants are over: of jobs for their next attempt, of leases whose workers died, of changes, of writes whose outcome is
	 * not known, of breakers and of CRMs that asked to wait.
	 *
	 * @param list<int> $tenants
	 */
	public static function pass( array $tenants ): void {
		global $wpdb;
		if ( ! $tenants ) {
			return;
		}
		$own = 'tenant IN (' . implode( ',', $tenants ) . ')';
		self::sql( 'UPDATE `' . Schema::table( 'jobs' ) . "` SET available_at = UTC_TIMESTAMP(3), held = 0 WHERE state = 'queued' AND $own" );
		self::sql( 'UPDATE `' . Schema::table( 'jobs' ) . "` SET lease_until = '2020-01-01' WHERE state = 'running' AND $own" );
		self::sql( 'UPDATE `' . Schema::table( 'changes' ) . "` SET available_at = UTC_TIMESTAMP(3), sent_at = sent_at - INTERVAL 1 HOUR WHERE $own" );
		$limits = (string) ini_get( 'tenant_crm_sync.limit_file' );
		if ( is_file( $limits ) ) {
			unlink( $limits );
		}
	}

	/** @param array{pull: bool, push: bool, full: bool} $work */
	public static function enqueue( int $tenant, bool $is_two_way, array $work ): void {
		if ( $work['pull'] ) {
			Jobs::enqueue( $tenant, 'pull', 'leads', Jobs::PRIORITY_CLICK, $work['full'] ? array( 'full' => true ) : array() );
		}
		if ( $work['push'] && $is_two_way ) {
			Jobs::enqueue( $tenant, 'push', 'leads', Jobs::PRIORITY_CLICK );
		}
	}

	/** A worker that takes up one job and is killed before a statement of its. */
	public static function killed( int $tenant, string $kind, int $query ): void {
		$run = Jobs::enqueue( $tenant, $kind, 'leads', Jobs::PRIORITY_CLICK );
		Child::start( static fn() => Worker::run( self::SECONDS, $run ), $query )->wait();
	}

	/** Two workers until nothing is due. @param callable(): void|null $during What happens meanwhile. */
	public static function run( ?callable $during = null ): void {
		$workers = array();
		for ( $number = 0; $number < 2; $number++ ) {
			$workers[] = Child::start( static fn() => Worker::run( self::SECONDS ) );
		}
		if ( $during ) {
			$during();
		}
		foreach ( $workers as $worker ) {
			$worker->wait();
		}
		wp_cache_flush();
	}

	/** @param list<int> $tenants @return list<string> What is still to be done, or cannot be done, for people. */
	public static function left( array $tenants ): array {
		return array_map( static fn( array $row ): string => "{$row['what']} " . json_encode( array_diff_key( $row, array( 'what' => 1 ) ) ), self::waiting( $tenants ) );
	}

	/** @param list<int> $tenants @return list<array<string, string|null>> */
	public static function waiting( array $tenants ): array {
		global $wpdb;
		$own  = 'tenant IN (' . implode( ',', $tenants ) . ')';
		$left = array();
		foreach ( array(
			'job'      => 'SELECT tenant, kind, state, attempts, deaths, reason FROM `' . Schema::table( 'jobs' ) . "` WHERE $own",
			'change'   => 'SELECT tenant, post_id, record, refused, attempts, verb, reason FROM `' . Schema::table( 'changes' ) . "` WHERE $own",
			'hint'     => 'SELECT tenant, id, crm_id, post_id, hint, gone FROM `' . Schema::table( 'records' ) . "` WHERE hint > 0 AND $own",
			'conflict' => 'SELECT tenant, id, record, kind, field, crm, portal FROM `' . Schema::table( 'conflicts' ) . "` WHERE state = 'open' AND $own",
		) as $what => $sql ) {
			foreach ( $wpdb->get_results( $sql, ARRAY_A ) as $row ) {
				$left[] = compact( 'what' ) + $row;
			}
		}
		return $left;
	}

	private static function sql( string $sql ): void {
		global $wpdb;
		$wpdb->query( $sql );
	}
}
