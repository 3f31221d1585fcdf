<?php
/**
 * The queue: work is a row that a worker claims for a while. Terminal states are the run's (Runs); a job that is over is deleted, so
 * this table holds only what is still to be done.
 *
 * All times are the database's, so that hosts whose clocks differ agree. Every change names the lease it was made under: a worker
 * that lost its lease changes nothing.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Jobs {

	/** A worker that says nothing for so long is taken for dead. Every batch says something. */
	public const LEASE_SECONDS = 120;

	/** After so many attempts without a stored batch a job fails. Its tenant's next automatic pull starts anew. */
	public const MAX_ATTEMPTS = 8;

	/** A click comes with this priority; it also brings a waiting job forward. */
	public const PRIORITY_CLICK = 10;

	private const BACKOFF_FIRST = 15;
	private const BACKOFF_MAX   = 900;
	private const HOLD_MAX      = DAY_IN_SECONDS;

	/**
	 * Asks for work. What is already queued or running for the same tenant, kind and object is returned instead of doubled.
	 *
	 * @param array<string, mixed> $payload `full` (bool): read everything again, not only what changed. Also reaches a job that has not begun.
	 * @return int The run's id.
	 * @throws \RuntimeException Where the database refuses.
	 */
	public static function enqueue( int $tenant, string $kind = 'pull', string $object = 'leads', int $priority = 50, array $payload = array() ): int {
		global $wpdb;
		$jobs     = Schema::table( 'jobs' );
		$runs     = Schema::table( 'runs' );
		$priority = max( 0, min( 255, $priority ) );
		$dedupe   = "$kind:$tenant:$object";
		for ( $try = 0; $try < 3; $try++ ) {
			$run = self::raise( $dedupe, $priority, $payload );
			if ( $run ) {
				return $run;
			}
			$made = $wpdb->query( $wpdb->prepare( "INSERT INTO `$runs` (tenant, kind, object, queued_at) VALUES (%d, %s, %s, UTC_TIMESTAMP())", $tenant, $kind, $object ) ); // phpcs:ignore WordPress.DB.PreparedSQL
			$run  = (int) $wpdb->insert_id;
			if ( ! $made ) {
				break;
			}
			$made = $wpdb->query(
				$wpdb->prepare(
					"INSERT IGNORE INTO `$jobs` (run, tenant, kind, object, dedupe, priority, available_at, payload) VALUES (%d, %d, %s, %s, %s, %d, UTC_TIMESTAMP(3), %s)", // phpcs:ignore WordPress.DB.PreparedSQL
					$run,
					$tenant,
					$kind,
					$object,
					$dedupe,
					$priority,
					(string) wp_json_encode( $payload )
				)
			);
			if ( $made ) {
				return $run;
			}
			// Another request was faster: its run is the answer, ours never was.
			$wpdb->delete( $runs, array( 'id' => $run ), '%d' );
		}
		throw new \RuntimeException( 'The sync could not be queued: the database says: ' . $wpdb->last_error );
	}

	/**
	 * Takes the most urgent job that is due, or that of one run.
	 *
	 * @throws StoreException Where the database refuses, again and again.
	 */
	public static function claim( ?int $run = null ): ?Job {
		global $wpdb;
		self::expire();
		$jobs  = Schema::table( 'jobs' );
		$which = null === $run ? '' : $wpdb->prepare( ' AND run = %d', $run );
		$lease = bin2hex( random_bytes( 16 ) );
		for ( $try = 0; $try < 3; $try++ ) {
			// Only the row that is taken stays locked; with the default level the rows read on the way would be, too.
			// A server that logs statements refuses to write at that level, so it is not asked for again.
			if ( 0 === $try ) {
				$wpdb->query( 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED' );
			}
			$wpdb->query( 'START TRANSACTION' );
			$row = $wpdb->get_row( "SELECT * FROM `$jobs` WHERE state = 'queued' AND available_at <= UTC_TIMESTAMP(3) $which ORDER BY priority, available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED", ARRAY_A ); // phpcs:ignore WordPress.DB.PreparedSQL
			$error = $wpdb->last_error;
			// The state is asked again, since wpdb may have reconnected between the two and lost the lock.
			$taken = $row ? $wpdb->query( $wpdb->prepare( "UPDATE `$jobs` SET state = 'running', lease = %s, held = 0, lease_until = UTC_TIMESTAMP(3) + INTERVAL %d SECOND WHERE id = %d AND state = 'queued'", $lease, self::LEASE_SECONDS, $row['id'] ) ) : 0; // phpcs:ignore WordPress.DB.PreparedSQL
			$error = $row && ! $taken ? $wpdb->last_error : $error;
			if ( false === $wpdb->query( 'COMMIT' ) ) {
				$taken = 0;
				$error = $wpdb->last_error;
			}
			if ( $taken ) {
				$job  = Job::from_row( array( 'lease' => $lease ) + $row );
				$runs = Schema::table( 'runs' );
				$wpdb->query( $wpdb->prepare( "UPDATE `$runs` SET state = 'running', retry_at = NULL, started_at = COALESCE(started_at, UTC_TIMESTAMP()) WHERE id = %d", $job->run ) ); // phpcs:ignore WordPress.DB.PreparedSQL
				return $job;
			}
			if ( ! $row && '' === $error ) {
				return null;
			}
		}
		if ( '' !== $error ) {
			throw new StoreException( "No job can be claimed: the database says: $error" );
		}
		return null;
	}

	/**
	 * A lease for work that runs in this very request and needs no queue. Should the request die, a worker cleans up after it.
	 */
	public static function hold( int $tenant, string $object ): Job {
		global $wpdb;
		$jobs  = Schema::table( 'jobs' );
		$lease = bin2hex( random_bytes( 16 ) );
		$made  = $wpdb->query( $wpdb->prepare( "INSERT INTO `$jobs` (run, tenant, kind, object, state, available_at, lease, lease_until, payload) VALUES (0, %d, 'import', %s, 'running', UTC_TIMESTAMP(3), %s, UTC_TIMESTAMP(3) + INTERVAL %d SECOND, '[]')", $tenant, $object, $lease, self::LEASE_SECONDS ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( ! $made ) {
			throw new \RuntimeException( 'The leads could not be stored: the database says: ' . $wpdb->last_error );
		}
		return new Job( (int) $wpdb->insert_id, 0, $tenant, 'import', $object, $lease, 0, 0, array() );
	}

	/**
	 * The first statement of every batch: no lease, no batch. The row stays locked until the batch is stored.
	 *
	 * @return list<int>|null Posts of the attempt before, where that one was stored after all and only the answer to its COMMIT was lost.
	 * @throws LeaseLost
	 */
	public static function lock( Transaction $transaction, Job $job ): ?array {
		$row = $transaction->rows( sprintf( 'SELECT batches, touched FROM `%s` WHERE id = %d AND lease = %s FOR UPDATE', Schema::table( 'jobs' ), $job->id, Sql::bytes( $job->lease ) ) )[0] ?? null;
		if ( ! $row ) {
			throw new LeaseLost( 'The job was cancelled or taken over by another worker. Nothing of this batch was stored.' );
		}
		return (int) $row['batches'] === $job->batches ? null : array_map( 'intval', array_filter( explode( ',', (string) $row['touched'] ) ) );
	}

	/** Says that the worker lives. False: the job is no longer its own. */
	public static function heartbeat( Job $job ): bool {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$wpdb->query( $wpdb->prepare( "UPDATE `$jobs` SET lease_until = UTC_TIMESTAMP(3) + INTERVAL %d SECOND WHERE id = %d AND lease = %s", self::LEASE_SECONDS, $job->id, $job->lease ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$jobs` WHERE id = %d AND lease = %s", $job->id, $job->lease ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** Gives a job back unfinished, for the next worker to go on with. */
	public static function release( Job $job ): void {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$wpdb->query( $wpdb->prepare( "UPDATE `$jobs` SET state = 'queued', lease = NULL, lease_until = NULL, touched = NULL, available_at = UTC_TIMESTAMP(3) WHERE id = %d AND lease = %s", $job->id, $job->lease ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/**
	 * Lets a job wait. Without a time it backs off; the time that a CRM named is kept, also when somebody clicks.
	 *
	 * @param bool $counts Whether this was an attempt that failed; a pause of the tenant is none, and a click may end that wait.
	 */
	public static function postpone( Job $job, string $reason, ?float $retry_after = null, bool $counts = true ): void {
		global $wpdb;
		$seconds = null === $retry_after ? self::backoff( $job->progressed ? 0 : $job->attempts ) : min( self::HOLD_MAX, max( 1.0, $retry_after ) ) * ( 1 + wp_rand( 0, 100 ) / 1000 );
		$jobs    = Schema::table( 'jobs' );
		$runs    = Schema::table( 'runs' );
		$wpdb->query(
			$wpdb->prepare(
				"UPDATE `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run
				SET j.state = 'queued', j.lease = NULL, j.lease_until = NULL, j.touched = NULL, j.attempts = j.attempts + %d, j.held = %d, j.available_at = UTC_TIMESTAMP(3) + INTERVAL %d SECOND,
					r.state = 'waiting', r.error = %s, r.retry_at = UTC_TIMESTAMP() + INTERVAL %d SECOND
				WHERE j.id = %d AND j.lease = %s", // phpcs:ignore WordPress.DB.PreparedSQL
				(int) $counts,
				(int) ( null !== $retry_after && $counts ),
				(int) ceil( $seconds ),
				$reason,
				(int) ceil( $seconds ),
				$job->id,
				$job->lease
			)
		);
	}

	/** Ends a job and its run. The run first: a worker that dies between the two only does harmless work again. */
	public static function finish( Job $job, string $state = 'done', ?string $error = null ): void {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		$wpdb->query(
			$wpdb->prepare(
				"UPDATE `$runs` r JOIN `$jobs` j ON j.run = r.id SET r.state = %s, r.error = NULLIF(%s, ''), r.retry_at = NULL, r.finished_at = UTC_TIMESTAMP() WHERE j.id = %d AND j.lease = %s", // phpcs:ignore WordPress.DB.PreparedSQL
				$state,
				(string) $error,
				$job->id,
				$job->lease
			)
		);
		$wpdb->query( $wpdb->prepare( "DELETE FROM `$jobs` WHERE id = %d AND lease = %s", $job->id, $job->lease ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** Waits for a batch that is just being stored, then takes the job from its worker. */
	public static function cancel( int $run ): bool {
		global $wpdb;
		$jobs    = Schema::table( 'jobs' );
		$runs    = Schema::table( 'runs' );
		$touched = $wpdb->get_col( $wpdb->prepare( "SELECT touched FROM `$jobs` WHERE run = %d AND run > 0", $run ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		$wpdb->query( $wpdb->prepare( "DELETE FROM `$jobs` WHERE run = %d AND run > 0", $run ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		Caches::clean( array_map( 'intval', array_filter( explode( ',', (string) ( $touched[0] ?? '' ) ) ) ) );
		return (bool) $wpdb->query( $wpdb->prepare( "UPDATE `$runs` SET state = 'cancelled', retry_at = NULL, finished_at = UTC_TIMESTAMP() WHERE id = %d AND state IN ('queued', 'running', 'waiting')", $run ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** Whether anybody else waits who is not less urgent: a long job then gives way. */
	public static function any_due( Job $job ): bool {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$jobs` WHERE state = 'queued' AND priority <= (SELECT priority FROM `$jobs` WHERE id = %d) AND available_at <= UTC_TIMESTAMP(3) LIMIT 1", $job->id ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** Whether the job of a run reads everything; one that had begun before that was asked for does not. */
	public static function is_full( int $run ): bool {
		global $wpdb;
		$jobs    = Schema::table( 'jobs' );
		$payload = json_decode( (string) $wpdb->get_var( $wpdb->prepare( "SELECT payload FROM `$jobs` WHERE run = %d", $run ) ), true ); // phpcs:ignore WordPress.DB.PreparedSQL
		return ! empty( $payload['full'] );
	}

	/** Brings a tenant's waiting jobs forward, except those that the CRM told to wait. */
	public static function wake( int $tenant ): void {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$wpdb->query( $wpdb->prepare( "UPDATE `$jobs` SET available_at = LEAST(available_at, UTC_TIMESTAMP(3)) WHERE tenant = %d AND held = 0", $tenant ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** Runs whose job is gone without a word (a restored backup, a crash between two statements) are shown as failed. */
	public static function reap(): void {
		global $wpdb;
		self::expire();
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		// Read without locks first: an UPDATE over both tables would wait for the batches that are just being stored.
		$ids = $wpdb->get_col( "SELECT r.id FROM `$runs` r LEFT JOIN `$jobs` j ON j.run = r.id WHERE r.state IN ('queued', 'running', 'waiting') AND j.id IS NULL AND r.queued_at < UTC_TIMESTAMP() - INTERVAL 1 MINUTE LIMIT 1000" ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( $ids ) {
			$wpdb->query( "UPDATE `$runs` SET state = 'failed', finished_at = UTC_TIMESTAMP(), retry_at = NULL, error = 'The job of this run is gone. What it had stored is kept; start the sync again.' WHERE state IN ('queued', 'running', 'waiting') AND id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ')' ); // phpcs:ignore WordPress.DB.PreparedSQL
		}
	}

	/** Seconds until the next attempt: doubled each time, half of it by chance so that tenants do not come back all at once. */
	public static function backoff( int $attempts ): float {
		$full = min( self::BACKOFF_MAX, self::BACKOFF_FIRST * 2 ** min( $attempts, 16 ) );
		return $full * ( 0.5 + wp_rand( 0, 500 ) / 1000 );
	}

	/** Puts the jobs of workers that died back into the queue. A death counts as an attempt. Locks nothing while all live. */
	private static function expire(): void {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$ids  = $wpdb->get_col( "SELECT id FROM `$jobs` WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(3)" ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( $ids ) {
			$wpdb->query( "UPDATE `$jobs` SET state = 'queued', lease = NULL, lease_until = NULL, attempts = attempts + 1, available_at = UTC_TIMESTAMP(3) WHERE id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ") AND state = 'running' AND lease_until < UTC_TIMESTAMP(3)" ); // phpcs:ignore WordPress.DB.PreparedSQL
		}
	}

	/** @param array<string, mixed> $payload */
	private static function raise( string $dedupe, int $priority, array $payload ): int {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$run  = (int) $wpdb->get_var( $wpdb->prepare( "SELECT run FROM `$jobs` WHERE dedupe = %s", $dedupe ) ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( $run ) {
			$wpdb->query(
				$wpdb->prepare(
					"UPDATE `$jobs` SET priority = LEAST(priority, %d), available_at = IF(held = 0 AND %d <= %d, LEAST(available_at, UTC_TIMESTAMP(3)), available_at), payload = IF(%d = 1 AND batches = 0, %s, payload) WHERE dedupe = %s", // phpcs:ignore WordPress.DB.PreparedSQL
					$priority,
					$priority,
					self::PRIORITY_CLICK,
					(int) (bool) $payload,
					(string) wp_json_encode( $payload ),
					$dedupe
				)
			);
		}
		return $run;
	}
}
