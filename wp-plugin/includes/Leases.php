<?php
/**
 * Leases of jobs: every change is made under one, and a worker that lost it changes nothing more. All times are the database's.
 *
 * A worker has several jobs at once, and may spend a long time on one of them: whoever gives a sign of life gives it for all jobs of
 * this process.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Leases {

	/** A worker that says nothing for so long is taken for dead. Every batch says something. */
	public const SECONDS = 120;

	/** Seconds between two signs of life of all jobs of a process. */
	private const BEAT = 20.0;

	/** @var array<int, Job> Jobs of this process, by id. */
	private static array $held = array();

	private static float $beaten = 0.0;

	/** From now on the lease is kept alive together with the others. */
	public static function keep( Job $job ): void {
		if ( ! self::$held ) {
			self::$beaten = microtime( true );
		}
		self::$held[ $job->id ] = $job;
	}

	public static function forget( Job $job ): void {
		unset( self::$held[ $job->id ] );
	}

	/** @return list<Job> Jobs of this process that nobody forgot. */
	public static function held(): array {
		return array_values( self::$held );
	}

	/**
	 * The first statement of every batch: no lease, no batch. The row stays locked until the batch is stored.
	 *
	 * @return list<int>|null Posts of the attempt before, where that one was stored after all and only the answer to its COMMIT was lost.
	 * @throws LeaseLost
	 * @throws TenantChanged
	 */
	public static function lock( Transaction $transaction, Job $job ): ?array {
		$row = $transaction->rows( self::query( $job ) . ' FOR UPDATE' )[0] ?? null; // phpcs:ignore WordPress.DB.PreparedSQL -- query() quotes.
		self::check( $job, $row );
		return (int) $row['batches'] === $job->batches ? null : array_map( 'intval', array_filter( explode( ',', (string) $row['touched'] ) ) );
	}

	/**
	 * Says that the worker lives, and looks whether it may go on.
	 *
	 * @throws LeaseLost
	 * @throws TenantChanged
	 */
	public static function renew( Job $job ): void {
		self::extend( array( $job->id => $job ) );
		self::beat();
		self::check( $job, Sql::rows( self::query( $job ) )[0] ?? null ); // phpcs:ignore WordPress.DB.PreparedSQL -- query() quotes.
	}

	/** Says the same for all jobs of this process, if it was not said a moment ago. */
	public static function beat(): void {
		if ( self::$held && microtime( true ) - self::$beaten >= self::BEAT ) {
			self::extend( self::$held );
			self::$beaten = microtime( true );
		}
	}

	/**
	 * Jobs that must not go on: without batches of their own they would not hear of it for a long time.
	 *
	 * @param array<int|string, Job> $jobs
	 * @return array<int|string, StoreException> By the same keys: LeaseLost or TenantChanged.
	 */
	public static function ended( array $jobs ): array {
		if ( ! $jobs ) {
			return array();
		}
		$table   = Schema::table( 'jobs' );
		$tenants = Schema::table( 'tenants' );
		$ids     = implode( ',', array_map( static fn( Job $job ): int => $job->id, $jobs ) );
		$rows    = array_column( Sql::rows( "SELECT id, lease, (SELECT CONCAT(t.paused, ' ', t.revision) FROM `$tenants` t WHERE t.id = j.tenant) AS tenant FROM `$table` j WHERE id IN ($ids)" ), null, 'id' );
		$ended   = array();
		foreach ( $jobs as $key => $job ) {
			$row = $rows[ $job->id ] ?? null;
			try {
				self::check( $job, $row && $row['lease'] === $job->lease ? $row : null );
			} catch ( StoreException $e ) {
				$ended[ $key ] = $e;
			}
		}
		return $ended;
	}

	private static function query( Job $job ): string {
		$table  = Schema::table( 'jobs' );
		$tenant = null === $job->revision ? 'NULL' : "(SELECT CONCAT(t.paused, ' ', t.revision) FROM `" . Schema::table( 'tenants' ) . "` t WHERE t.id = {$job->tenant})";
		// Only the job's row is locked: a locking read does not reach into its subqueries.
		return "SELECT batches, touched, $tenant AS tenant FROM `$table` WHERE id = {$job->id} AND lease = " . Sql::bytes( $job->lease );
	}

	/** @param array<string, string|null>|null $row */
	private static function check( Job $job, ?array $row ): void {
		if ( ! $row ) {
			throw new LeaseLost( 'The job was cancelled or taken over by another worker. Nothing of this batch was stored.' );
		}
		if ( null !== $job->revision && "0 {$job->revision}" !== $row['tenant'] ) {
			throw new TenantChanged( 'The tenant was paused or changed. Nothing of this batch was stored; the sync goes on with what is set now.' );
		}
	}

	/** @param array<int, Job> $jobs */
	private static function extend( array $jobs ): void {
		Sql::change( sprintf( 'UPDATE `%s` SET lease_until = UTC_TIMESTAMP(3) + INTERVAL %d SECOND WHERE ', Schema::table( 'jobs' ), self::SECONDS ) . self::own( $jobs ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- own() quotes.
	}

	/**
	 * SQL: rows of jobs, each under the lease that this process has or had.
	 *
	 * @param array<Job> $jobs
	 * @param string     $prefix Alias of the table, with its point.
	 */
	public static function own( array $jobs, string $prefix = '' ): string {
		$leases = array_unique( array_map( static fn( Job $job ): string => Sql::bytes( $job->lease ), $jobs ) );
		$ids    = array_map( static fn( Job $job ): int => $job->id, $jobs );
		sort( $ids );
		return sprintf( '%1$sid IN (%2$s) AND %1$slease IN (%3$s)', $prefix, implode( ',', $ids ), implode( ',', $leases ) );
	}
}
