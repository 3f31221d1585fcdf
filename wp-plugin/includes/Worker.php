<?php
/**
 * Works jobs for a bounded time, several at once: whichever page comes next is stored, and the place of a job that ended is taken by the
 * next one. Whoever wakes it (Wakers says who) gives the time; what is not finished then goes on in the next slice from the watermark that
 * was stored last.
 *
 * Whose turn it is among the pages that have come, the extension decides, by what each tenant's batches cost. How a batch is stored is
 * the business of Store; what a failure means, that of Failure; when a slice must end, that of Budget.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\Webhooks\Fetching;
use TenantCRM\Webhooks\Inbox;
use TenantCRM\Webhooks\Subscriptions;

final class Worker {

	/** Jobs at once, and places beside them that only clicks get. */
	private const PLACES = 8;
	private const CLICKS = 2;

	/** A job gives way after so many seconds if others wait. */
	private const TURN = 5.0;

	/** Seconds that a slice waits at its end for the first page of a slow CRM, which would else never get further than that. */
	private const GRACE = 12.0;

	/** Seconds between two looks at the queue, and at what became of the jobs that are worked. */
	private const LOOK  = 1.0;
	private const CHECK = 5.0;

	/** Seconds between two times that the requests which were sent are written down. */
	private const NOTE = 2.0;

	/** Short jobs that are claimed together at most, and the seconds for which a worker holds what others could do. */
	private const TOGETHER = 100;
	private const HELD     = 0.5;

	/** A job that took longer is ended at once, not together with others: what a crash repeats must be little. */
	private const SHORT = 0.02;

	/** Seconds after which a wait for pages is interrupted for such a look. */
	private const WAIT = 0.25;

	/** @var array{slices: int, done: int, failed: int} */
	private array $result = array(
		'slices' => 0,
		'done'   => 0,
		'failed' => 0,
	);

	/** @var array<string, Pulling|Fetching> */
	private array $active = array();

	/** Null while nothing is pulled. */
	private ?\TenantCRMSync\Pulls $pulls = null;

	private float $looked  = 0.0;
	private float $checked = 0.0;
	private float $noted   = 0.0;

	/** Jobs that can be done in the time for which a worker holds them, while nothing but short ones comes; else 0. */
	private int $together = 0;

	/** @var list<Job> Short jobs that are done, and not yet ended in the database. */
	private array $done = array();

	/** Whether the run that this slice is for has come to an end. */
	private bool $is_over = false;

	/** @var array<string, callable> Kinds of jobs that other code does. */
	private readonly array $kinds;

	private function __construct( private readonly Budget $budget, private readonly ?int $run, private readonly ?string $trace ) {
		/**
		 * Kinds of jobs beside `pull`; our own is `push`. The function does the whole job, which should take milliseconds and never more than a minute; what it
		 * throws is tried again. Jobs::finish_in() ends the job in the same transaction as its effect. Without it the job is ended a moment later,
		 * for many at once; a crash in between repeats it.
		 *
		 * @param array<string, callable( Job ): void> $kinds By name, of at most 16 bytes.
		 */
		$this->kinds = (array) apply_filters( 'tenant_crm_sync_job_kinds', array( Subscriptions::KIND => array( Subscriptions::class, 'work' ), TwoWay\Changes::KIND => array( TwoWay\Push::class, 'job' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/**
	 * @param float       $seconds At most so long, plus the time of one page.
	 * @param int|null    $run     Only the job of this run.
	 * @param string|null $trace   The `traceparent` that whoever asked for this slice sent.
	 * @return array{slices: int, done: int, failed: int}
	 * @throws StoreException Where the database cannot be asked for jobs.
	 */
	public static function run( float $seconds, ?int $run = null, ?string $trace = null ): array {
		Limits::restore();
		if ( null !== $run && null !== $trace ) {
			Traces::keep( $run, $trace );
		}
		$worker = new self( new Budget( $seconds ), $run, $trace );
		try {
			// Whoever asked for it: a person's own view must not hide from other code what it has stored before.
			Tenancy\Viewer::as_system( static fn() => $worker->work() );
		} finally {
			$worker->end_done();
			$worker->give_back( Leases::held() );
			Traces::resume();
			Attempts::collect();
			Limits::checkpoint();
		}
		return $worker->result;
	}

	private function work(): void {
		$is_first = true;
		while ( $is_first || ! $this->budget->is_over() ) {
			$is_first = false;
			$this->fill( true );
			if ( ! $this->active ) {
				return;
			}
			foreach ( $this->pulls as $key => $item ) {
				if ( null !== $item && isset( $this->active[ $key ] ) ) {
					$this->take( (string) $key, $item );
				}
				$this->look_around();
				$this->fill();
			}
			$this->pulls = null;
		}
	}

	/** Takes what comes next for a job: a page, or why there is none. */
	private function take( string $key, object $item ): void {
		$pulling = $this->active[ $key ];
		if ( $item instanceof \Throwable ) {
			$this->end( $key, Failure::settle( $pulling->job, $pulling->tenant, $item ) );
			return;
		}
		try {
			$pulling->batch( $item );
			if ( $item->is_last() ) {
				$pulling->finish();
				$this->end( $key, 'done' );
			} elseif ( microtime( true ) - $pulling->began >= self::TURN && Jobs::any_due( $pulling->job ) ) {
				$this->let_go( array( $key ) );
			}
		} catch ( \Throwable $e ) {
			$this->end( $key, Failure::settle( $pulling->job, $pulling->tenant, $e ) );
		}
	}

	/** Signs of life, jobs that must not go on, and the end of the slice. */
	private function look_around(): void {
		Leases::beat();
		$now = microtime( true );
		if ( $this->active && $now - $this->checked >= self::CHECK ) {
			$this->checked = $now;
			foreach ( Leases::ended( array_map( static fn( Pulling|Fetching $pulling ): Job => $pulling->job, $this->active ) ) as $key => $e ) {
				$this->end( (string) $key, Failure::settle( $this->active[ $key ]->job, $this->active[ $key ]->tenant, $e ) );
			}
		}
		if ( $now - $this->noted >= self::NOTE ) {
			$this->noted = $now;
			Attempts::collect();
		}
		if ( $this->budget->is_over() ) {
			$patient = ! $this->budget->must_stop() && $this->budget->seconds_left() > -self::GRACE;
			$this->let_go( array_keys( array_filter( $this->active, static fn( Pulling|Fetching $pulling ): bool => ! $patient || $pulling->batches > 0 ) ) );
		}
	}

	/**
	 * Claims jobs for the places that are free.
	 *
	 * @param bool $at_once Else only if the last look at an empty queue was a while ago.
	 */
	private function fill( bool $at_once = false ): void {
		do {
			$free    = ( null === $this->run ? self::PLACES : 1 ) - count( $this->active );
			$is_full = $free <= 0;
			if ( $is_full && null === $this->run ) {
				$free += self::CLICKS;
			}
			if ( $free <= 0 || ! $this->may_claim( $at_once ) ) {
				return;
			}
			$this->looked = microtime( true );
			$jobs         = Jobs::claim_some( $free, $this->together( $free ), $this->run, $is_full ? Jobs::PRIORITY_CLICK : 255, (bool) $this->active );
			$this->start_all( $jobs );
			// There may be more, where these took no place or ended at once. Pages that have come meanwhile go first.
			$at_once = $jobs && ! $this->active;
		} while ( $at_once );
	}

	private function may_claim( bool $at_once ): bool {
		if ( $this->is_over || Budget::is_stopped() || ( $this->looked > 0 && $this->budget->is_over() ) ) {
			return false;
		}
		foreach ( $this->active as $pulling ) {
			if ( $pulling->is_suspect() ) {
				return false;
			}
		}
		return $at_once || microtime( true ) - $this->looked >= self::LOOK;
	}

	/** @param list<Job> $jobs */
	private function start_all( array $jobs ): void {
		array_map( array( Leases::class, 'keep' ), $jobs );
		$began = microtime( true );
		$short = 0;
		foreach ( $jobs as $number => $job ) {
			if ( Sql::is_lost() || ( $number > 0 && $this->budget->is_over() ) ) {
				$this->give_back( array_slice( $jobs, $number ) );
				break;
			}
			Leases::beat();
			++$this->result['slices'];
			$short += (int) ! $job->is_pull();
			$this->start( $job );
		}
		$this->end_done();
		$this->together = $jobs && count( $jobs ) === $short ? (int) max( 1, min( self::TOGETHER, $short * self::HELD / max( 0.001, microtime( true ) - $began ) ) ) : 0;
	}

	/** How many jobs are to be claimed where there is place for so many pulls. */
	private function together( int $free ): int {
		if ( null !== $this->run || 0 === $this->together ) {
			return $free;
		}
		return $this->active ? min( $free, $this->together ) : $this->together;
	}

	/** Ends the short jobs that are done. */
	private function end_done(): void {
		$jobs       = $this->done;
		$this->done = array();
		try {
			Jobs::finish( ...$jobs );
		} catch ( StoreException $e ) {
			// The database is away: they are done again, as after a crash.
			unset( $e );
		}
	}

	private function start( Job $job ): void {
		$key    = (string) $job->id;
		$tenant = null;
		if ( isset( $this->active[ $key ] ) ) {
			// Its lease ran out unnoticed, as when the database was away, and nobody else was there to take it.
			$this->end( $key, 'released' );
			Leases::keep( $job );
		}
		try {
			Traces::follow( $job, $this->trace );
			$end = $this->end_without_pull( $job, $tenant );
			if ( null !== $end ) {
				$this->end( $key, $end, $job );
				return;
			}
			$pulling       = Inbox::KIND === $job->kind ? Fetching::begin( $job, $tenant ) : Pulling::begin( $job, $tenant );
			$this->pulls ??= \TenantCRMSync::pull_many( array(), array( 'wait' => self::WAIT ) );
			$pulling->add_to( $this->pulls, $key );
			$this->active[ $key ] = $pulling;
		} catch ( \Throwable $e ) {
			$this->end( $key, Failure::settle( $job, $tenant ?? ( Sql::is_lost() ? null : Tenants::get( $job->tenant ) ), $e ), $job );
		}
	}

	/**
	 * Jobs that need no pull, or cannot have one.
	 *
	 * @param Tenant|null $tenant Set to the job's tenant, where it matters.
	 * @return string|null How it ended; null: it is to be pulled.
	 */
	private function end_without_pull( Job $job, ?Tenant &$tenant ): ?string {
		$is_short = isset( $this->kinds[ $job->kind ] );
		if ( $is_short && $job->deaths < Retries::MAX_DEATHS ) {
			$began = microtime( true );
			( $this->kinds[ $job->kind ] )( $job );
			if ( ! $job->is_finished ) {
				$this->done[] = $job;
			}
			if ( microtime( true ) - $began > self::SHORT ) {
				$this->end_done();
			}
			return 'done';
		}
		$tenant = Tenants::get( $job->tenant );
		// What a dead worker stored may still be hidden behind its old cache entries.
		Caches::clean( $job->touched );
		if ( $job->deaths >= Retries::MAX_DEATHS ) {
			return Failure::bury( $job, sprintf( 'The sync of tenant "%s" was cut off %d times without storing anything, most likely by a limit of time or memory. Look into the error log of PHP, then start it again.', $tenant ? $tenant->id : $job->tenant, $job->deaths ) );
		}
		if ( 'import' === $job->kind ) {
			Jobs::finish( $job );
			return 'done';
		}
		if ( ! $job->is_pull() ) {
			return Failure::bury( $job, "This version cannot do what was asked for (\"{$job->kind}\")." );
		}
		if ( ! $tenant ) {
			return Failure::bury( $job, 'The tenant of this run was deleted.' );
		}
		if ( $tenant->paused ) {
			return Failure::pause( $job, $tenant );
		}
		$missing = $tenant->missing();
		if ( $missing ) {
			return Failure::bury( $job, sprintf( 'Tenant "%s" cannot be synced yet, its connection lacks: %s. Enter that where the tenant is set up, then start the sync again.', $tenant->id, implode( ', ', $missing ) ) );
		}
		return null;
	}

	/** @param string $end done, failed, waiting, released or lost. */
	private function end( string $key, string $end, ?Job $job = null ): void {
		$job ??= $this->active[ $key ]->job;
		Leases::forget( $job );
		if ( isset( $this->active[ $key ] ) ) {
			$this->pulls->drop( $key );
			unset( $this->active[ $key ] );
		}
		if ( isset( $this->result[ $end ] ) ) {
			++$this->result[ $end ];
		}
		// A change of the tenant ends a slice of its run, and the next one begins at once.
		$this->is_over = null !== $this->run && 'released' !== $end;
		$this->looked  = min( $this->looked, microtime( true ) - self::LOOK );
	}

	/** @param array<int|string> $keys */
	private function let_go( array $keys ): void {
		$this->give_back( array_map( fn( $key ): Job => $this->active[ $key ]->job, $keys ) );
	}

	/** @param list<Job> $jobs */
	private function give_back( array $jobs ): void {
		try {
			Jobs::release( ...$jobs );
		} catch ( StoreException $e ) {
			// The database is away: the leases run out.
			unset( $e );
		}
		foreach ( $jobs as $job ) {
			$this->end( (string) $job->id, 'released', $job );
		}
	}
}
