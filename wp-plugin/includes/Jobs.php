<?php
/**
 * The queue: work is a row that a worker claims for a while. A job that is done is deleted, its run (Runs) stays; one that failed for good
 * stays as a dead letter (DeadLetters) until a newer one of its kind or a person replaces it. So the table is bounded by what is to be done.
 *
 * All times are the database's, so that hosts whose clocks differ agree. Every change names the lease it was made under (Leases): a
 * worker that lost its lease changes nothing. Deadlocks between workers are answered by trying again, and no log hears of them.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Jobs {

	/** A click comes with this priority; it also brings a waiting job forward. */
	public const PRIORITY_CLICK = 10;

	/** A full read beside the pulls of changes: its own job, its own cursor, and after everything else. */
	public const BACKFILL          = 'backfill';
	public const PRIORITY_BACKFILL = 200;

	/** The error by which a server that logs statements refuses to write at the level of isolation that claims ask for. */
	private const NOT_AT_THIS_LEVEL = 1665;

	private static bool $has_levels = true;

	/**
	 * Asks for work. What is already queued or running for the same tenant, kind and object is returned instead of doubled.
	 *
	 * @param array<string, mixed> $payload `full` (bool): read everything again, not only what changed. Also reaches a job that has not begun.
	 * @return int The run's id.
	 * @throws StoreException Where the database refuses.
	 */
	public static function enqueue( int $tenant, string $kind = 'pull', string $object = 'leads', int $priority = 50, array $payload = array() ): int {
		$run = self::ask( $tenant, $kind, $object, max( 0, min( 255, $priority ) ), $payload );
		if ( $priority <= self::PRIORITY_CLICK ) {
			Wakers::ring();
		}
		return $run;
	}

	/**
	 * Asks for everything to be read again while pulls of changes go on; one that was begun goes on from where it is.
	 *
	 * @return int The run's id.
	 * @throws StoreException Where the database refuses.
	 */
	public static function backfill( int $tenant, string $object = 'leads' ): int {
		return self::enqueue( $tenant, self::BACKFILL, $object, self::PRIORITY_BACKFILL, array( 'full' => true ) );
	}

	/** @param array<string, mixed> $payload */
	private static function ask( int $tenant, string $kind, string $object, int $priority, array $payload ): int {
		global $wpdb;
		$jobs   = Schema::table( 'jobs' );
		$runs   = Schema::table( 'runs' );
		$dedupe = "$kind:$tenant:$object";
		for ( $try = 0; $try < 3; $try++ ) {
			$run = self::raise( $dedupe, $priority, $payload );
			if ( $run ) {
				return $run;
			}
			Sql::change( $wpdb->prepare( "INSERT INTO `$runs` (tenant, kind, object, queued_at) VALUES (%d, %s, %s, UTC_TIMESTAMP())", $tenant, $kind, $object ) );
			$run  = (int) $wpdb->insert_id;
			$made = Sql::change(
				$wpdb->prepare(
					"INSERT IGNORE INTO `$jobs` (run, tenant, kind, object, dedupe, priority, queued_at, available_at, payload) VALUES (%d, %d, %s, %s, %s, %d, UTC_TIMESTAMP(), UTC_TIMESTAMP(3), %s)",
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
				DeadLetters::replace( $tenant, $kind, $object );
				if ( 'pull' === $kind ) {
					Tenants::begin( $tenant );
				}
				return $run;
			}
			// Another request was faster: its run is the answer, ours never was.
			Sql::change( "DELETE FROM `$runs` WHERE id = $run" );
		}
		throw new StoreException( 'The sync could not be queued: others queue and end it at the same time. Try again.' );
	}

	/**
	 * Takes the most urgent job that is due, or that of one run.
	 *
	 * @throws StoreException Where the database refuses, again and again.
	 */
	public static function claim( ?int $run = null ): ?Job {
		return self::claim_some( 1, 1, $run )[0] ?? null;
	}

	/**
	 * Takes the most urgent jobs that are due. One over which workers died is taken alone, so that it cannot take others with it.
	 *
	 * @param int  $pulls    At most so many pulls.
	 * @param int  $limit    At most so many jobs in all.
	 * @param int  $priority Only those that are at least as urgent as this.
	 * @param bool $is_busy  Whether the worker has other jobs.
	 * @return list<Job>
	 * @throws StoreException Where the database refuses, again and again.
	 */
	public static function claim_some( int $pulls, int $limit, ?int $run = null, int $priority = 255, bool $is_busy = false ): array {
		self::expire();
		$which = null === $run ? "priority <= $priority" : "run = $run";
		$which = $is_busy ? "$which AND deaths < " . Retries::DEATHS_IN_COMPANY : $which;
		try {
			return self::take( $which, $pulls, $limit );
		} catch ( StoreException $e ) {
			if ( ! self::$has_levels || self::NOT_AT_THIS_LEVEL !== $e->getCode() ) {
				throw new StoreException( "No job can be claimed: {$e->getMessage()}", $e->getCode(), $e );
			}
		}
		self::$has_levels = false;
		return self::take( $which, $pulls, $limit );
	}

	/** @return list<Job> */
	private static function take( string $which, int $pulls, int $limit ): array {
		$lease = bin2hex( random_bytes( 16 ) );
		// Locks are kept only on the rows that are taken; those of other workers are passed by.
		$rows  = Transaction::run(
			static function ( Transaction $transaction ) use ( $which, $pulls, $limit, $lease ): array {
				$jobs = Schema::table( 'jobs' );
				$runs = Schema::table( 'runs' );
				$rows = self::together( $transaction->rows( "SELECT *, TIMESTAMPDIFF(SECOND, failing_since, UTC_TIMESTAMP()) AS failing FROM `$jobs` WHERE state = 'queued' AND available_at <= UTC_TIMESTAMP(3) AND $which ORDER BY priority, available_at, id LIMIT $limit FOR UPDATE SKIP LOCKED" ), $pulls );
				if ( ! $rows ) {
					return array();
				}
				$ids     = implode( ',', array_map( 'intval', array_column( $rows, 'id' ) ) );
				$of_runs = implode( ',', array_map( 'intval', array_column( $rows, 'run' ) ) );
				$transaction->query( sprintf( "UPDATE `$jobs` SET state = 'running', lease = '%s', held = 0, lease_until = UTC_TIMESTAMP(3) + INTERVAL %d SECOND WHERE id IN (%s)", $lease, Leases::SECONDS, $ids ) );
				$transaction->query( "UPDATE `$runs` SET state = 'running', retry_at = NULL, started_at = COALESCE(started_at, UTC_TIMESTAMP()), trace = " . Traces::named_sql( bin2hex( random_bytes( 16 ) ) ) . " WHERE id IN ($of_runs)" );
				$traces = array_column( $transaction->rows( "SELECT id, trace FROM `$runs` WHERE id IN ($of_runs)" ), 'trace', 'id' );
				return array_map( static fn( array $row ): array => array( 'trace' => $traces[ $row['run'] ] ?? null ) + $row, $rows );
			},
			self::$has_levels
		);
		return array_map( static fn( array $row ): Job => Job::from_row( array( 'lease' => $lease ) + $row ), $rows );
	}

	/**
	 * Which of these jobs one worker may have at once.
	 *
	 * @param list<array<string, string|null>> $rows
	 * @return list<array<string, string|null>>
	 */
	private static function together( array $rows, int $pulls ): array {
		if ( $rows && (int) $rows[0]['deaths'] >= Retries::DEATHS_IN_COMPANY ) {
			return array( $rows[0] );
		}
		$taken = array();
		foreach ( $rows as $row ) {
			if ( (int) $row['deaths'] < Retries::DEATHS_IN_COMPANY && ( ! in_array( $row['kind'], Job::PULLS, true ) || $pulls-- > 0 ) ) {
				$taken[] = $row;
			}
		}
		return $taken;
	}

	/**
	 * A lease for work that runs in this very request and needs no queue. Should the request die, a worker cleans up after it.
	 *
	 * @throws StoreException
	 */
	public static function hold( int $tenant, string $object ): Job {
		global $wpdb;
		$jobs  = Schema::table( 'jobs' );
		$lease = bin2hex( random_bytes( 16 ) );
		Sql::change( $wpdb->prepare( "INSERT INTO `$jobs` (run, tenant, kind, object, state, queued_at, available_at, lease, lease_until, payload) VALUES (0, %d, 'import', %s, 'running', UTC_TIMESTAMP(), UTC_TIMESTAMP(3), %s, UTC_TIMESTAMP(3) + INTERVAL %d SECOND, '[]')", $tenant, $object, $lease, Leases::SECONDS ) );
		return new Job( (int) $wpdb->insert_id, 0, $tenant, 'import', $object, $lease, 0, 0, 0, 0, array() );
	}

	/** Gives jobs of this process back unfinished, for the next worker to go on with. */
	public static function release( Job ...$jobs ): void {
		$table = Schema::table( 'jobs' );
		if ( $jobs ) {
			Sql::change( "UPDATE `$table` SET state = 'queued', lease = NULL, lease_until = NULL, touched = NULL, available_at = UTC_TIMESTAMP(3) WHERE " . Leases::own( $jobs ) );
		}
	}

	/**
	 * Lets a job wait after a failure. Without a time it backs off; the time that a CRM named is kept, also when somebody clicks.
	 *
	 * @param bool $counts Whether this was an attempt that failed, and not only a CRM that said "later".
	 */
	public static function postpone( Job $job, string $reason, ?float $retry_after = null, bool $counts = true ): void {
		$seconds = null === $retry_after ? Retries::backoff( $job->progressed ? 0 : $job->attempts ) : Retries::told( $retry_after );
		self::wait( $job, $reason, $seconds, sprintf( 'j.attempts = j.attempts + %d, j.held = %d, j.failing_since = COALESCE(j.failing_since, UTC_TIMESTAMP())', (int) $counts, (int) ( null !== $retry_after ) ) );
	}

	/** Lets a job wait although nothing failed, until somebody wakes it or the time is over. */
	public static function pause( Job $job, string $reason, float $seconds ): void {
		self::wait( $job, $reason, $seconds, 'j.held = 0' );
	}

	private static function wait( Job $job, string $reason, float $seconds, string $set ): void {
		$jobs    = Schema::table( 'jobs' );
		$runs    = Schema::table( 'runs' );
		$seconds = (int) ceil( $seconds );
		Sql::change(
			"UPDATE `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run
			SET $set, j.state = 'queued', j.lease = NULL, j.lease_until = NULL, j.touched = NULL, j.available_at = UTC_TIMESTAMP(3) + INTERVAL $seconds SECOND,
				r.state = 'waiting', r.error = " . Sql::text( $reason ) . ", r.retry_at = UTC_TIMESTAMP() + INTERVAL $seconds SECOND
			WHERE " . Leases::own( array( $job ), 'j.' )
		);
	}

	/** Ends jobs of this process and their runs. */
	public static function finish( Job ...$jobs ): void {
		if ( ! $jobs ) {
			return;
		}
		Transaction::run(
			static function ( Transaction $transaction ) use ( $jobs ): void {
				$table = Schema::table( 'jobs' );
				$runs  = Schema::table( 'runs' );
				$transaction->query( "UPDATE `$table` j JOIN `$runs` r ON r.id = j.run SET r.state = 'done', r.error = NULL, r.retry_at = NULL, r.finished_at = UTC_TIMESTAMP() WHERE " . Leases::own( $jobs, 'j.' ) );
				$transaction->query( "DELETE FROM `$table` WHERE " . Leases::own( $jobs ) );
			}
		);
	}

	/**
	 * Ends a job in the transaction that does its work: then both are done, or neither.
	 *
	 * @throws LeaseLost
	 */
	public static function finish_in( Transaction $transaction, Job $job ): void {
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		$transaction->query( "DELETE FROM `$jobs` WHERE " . Leases::own( array( $job ) ) );
		if ( 1 !== $transaction->affected() ) {
			throw new LeaseLost( 'The job was cancelled or taken over by another worker. Nothing of it was stored.' );
		}
		$transaction->query( "UPDATE `$runs` SET state = 'done', error = NULL, retry_at = NULL, finished_at = UTC_TIMESTAMP() WHERE id = {$job->run}" );
		$job->is_finished = true;
	}

	/** Ends a job that no further attempt can help: its run has failed, and it stays as a dead letter. */
	public static function bury( Job $job, string $reason ): void {
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		$text = Sql::text( $reason );
		Sql::change(
			"UPDATE `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run
			SET j.state = 'dead', j.dedupe = NULL, j.lease = NULL, j.lease_until = NULL, j.touched = NULL, j.held = 0, j.attempts = j.attempts + 1,
				j.failing_since = COALESCE(j.failing_since, UTC_TIMESTAMP()), j.died_at = UTC_TIMESTAMP(), j.reason = $text,
				r.state = 'failed', r.error = $text, r.retry_at = NULL, r.finished_at = UTC_TIMESTAMP()
			WHERE " . Leases::own( array( $job ), 'j.' )
		);
	}

	/** Ends a run that is not yet over: waits for a batch that is just being stored, then takes the job from its worker. */
	public static function cancel( int $run ): bool {
		global $wpdb;
		$jobs    = Schema::table( 'jobs' );
		$runs    = Schema::table( 'runs' );
		$touched = $wpdb->get_col( $wpdb->prepare( "SELECT touched FROM `$jobs` WHERE run = %d AND run > 0", $run ) );
		Sql::change( "DELETE FROM `$jobs` WHERE run = $run AND run > 0 AND state <> 'dead'" );
		Caches::clean( array_map( 'intval', array_filter( explode( ',', (string) ( $touched[0] ?? '' ) ) ) ) );
		return Sql::change( "UPDATE `$runs` SET state = 'cancelled', retry_at = NULL, finished_at = UTC_TIMESTAMP() WHERE id = $run AND state IN ('queued', 'running', 'waiting')" ) > 0;
	}

	/** Whether anybody else waits who is not less urgent: a long job then gives way. */
	public static function any_due( Job $job ): bool {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		return null !== $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$jobs` WHERE state = 'queued' AND deaths < " . Retries::DEATHS_IN_COMPANY . " AND priority <= (SELECT priority FROM `$jobs` WHERE id = %d) AND available_at <= UTC_TIMESTAMP(3) LIMIT 1", $job->id ) );
	}

	/** @return string|null `queued` (it may wait) or `running`; null where there is no such job. */
	public static function state( int $tenant, string $kind, string $object ): ?string {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		return $wpdb->get_var( $wpdb->prepare( "SELECT state FROM `$jobs` WHERE dedupe = %s", "$kind:$tenant:$object" ) );
	}

	/** Whether the job of a run reads everything; one that had begun before that was asked for does not. */
	public static function is_full( int $run ): bool {
		global $wpdb;
		$jobs    = Schema::table( 'jobs' );
		$payload = json_decode( (string) $wpdb->get_var( $wpdb->prepare( "SELECT payload FROM `$jobs` WHERE run = %d", $run ) ), true );
		return ! empty( $payload['full'] );
	}

	/** Brings a tenant's waiting jobs forward, except those that the CRM told to wait. */
	public static function wake( int $tenant ): void {
		$jobs = Schema::table( 'jobs' );
		Sql::change( "UPDATE `$jobs` SET available_at = LEAST(available_at, UTC_TIMESTAMP(3)) WHERE tenant = $tenant AND held = 0 AND state = 'queued'" );
	}

	/** @return array{queued: int, due: int, running: int, dead: int} How many jobs there are. */
	public static function counts(): array {
		$jobs = Schema::table( 'jobs' );
		$rows = Sql::rows( "SELECT state, COUNT(*) AS n, SUM(state = 'queued' AND available_at <= UTC_TIMESTAMP(3)) AS due FROM `$jobs` GROUP BY state" );
		$many = array_column( $rows, 'n', 'state' );
		return array(
			'queued'  => (int) ( $many['queued'] ?? 0 ),
			'due'     => (int) array_sum( array_column( $rows, 'due' ) ),
			'running' => (int) ( $many['running'] ?? 0 ),
			'dead'    => (int) ( $many['dead'] ?? 0 ),
		);
	}

	/** Seconds for which the oldest job that nobody has taken has been due. */
	public static function overdue(): int {
		$jobs = Schema::table( 'jobs' );
		return (int) Sql::rows( "SELECT TIMESTAMPDIFF(SECOND, MIN(available_at), UTC_TIMESTAMP()) AS age FROM `$jobs` WHERE state = 'queued' AND available_at <= UTC_TIMESTAMP(3)" )[0]['age'];
	}

	/** Runs whose job is gone without a word (a restored backup, a crash between two statements) are shown as failed. */
	public static function reap(): void {
		global $wpdb;
		self::expire();
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		// Read without locks first: an UPDATE over both tables would wait for the batches that are just being stored.
		$ids = $wpdb->get_col( "SELECT r.id FROM `$runs` r LEFT JOIN `$jobs` j ON j.run = r.id WHERE r.state IN ('queued', 'running', 'waiting') AND j.id IS NULL AND r.queued_at < UTC_TIMESTAMP() - INTERVAL 1 MINUTE LIMIT 1000" );
		if ( $ids ) {
			Sql::change( "UPDATE `$runs` SET state = 'failed', finished_at = UTC_TIMESTAMP(), retry_at = NULL, error = 'The job of this run is gone. What it had stored is kept; start the sync again.' WHERE state IN ('queued', 'running', 'waiting') AND id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ')' );
		}
	}

	/** Puts the jobs of workers that died back into the queue. A death counts as an attempt. Locks nothing while all live. */
	private static function expire(): void {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$ids  = $wpdb->get_col( "SELECT id FROM `$jobs` WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(3)" );
		if ( $ids ) {
			Sql::change( "UPDATE `$jobs` SET state = 'queued', lease = NULL, lease_until = NULL, attempts = attempts + 1, deaths = deaths + 1, failing_since = COALESCE(failing_since, UTC_TIMESTAMP()), available_at = UTC_TIMESTAMP(3) WHERE id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ") AND state = 'running' AND lease_until < UTC_TIMESTAMP(3)" );
		}
	}

	/** @param array<string, mixed> $payload */
	private static function raise( string $dedupe, int $priority, array $payload ): int {
		global $wpdb;
		$jobs = Schema::table( 'jobs' );
		$run  = (int) $wpdb->get_var( $wpdb->prepare( "SELECT run FROM `$jobs` WHERE dedupe = %s", $dedupe ) );
		if ( $run ) {
			Sql::change(
				$wpdb->prepare(
					"UPDATE `$jobs` SET priority = LEAST(priority, %d), available_at = IF(held = 0 AND %d <= %d, LEAST(available_at, UTC_TIMESTAMP(3)), available_at), payload = IF(%d = 1 AND batches = 0, %s, payload) WHERE dedupe = %s",
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
