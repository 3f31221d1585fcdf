<?php
/**
 * Works jobs for a bounded time. Whoever wakes it (cron, command line, an open screen) gives the time; what is not finished then
 * goes on in the next slice from the watermark that was stored last.
 *
 * How a batch is stored is the business of Store; when a job is tried again, that of Jobs.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Worker {

	/** A job gives way after so many seconds if others wait. */
	private const TURN = 5.0;

	/** Part of memory_limit after which a slice ends. */
	private const MEMORY_SHARE = 0.8;

	/** A paused tenant's job looks again after so many seconds. */
	private const PAUSE_SECONDS = 300.0;

	/** Kinds of failure that another attempt does not cure: a person must change something. */
	private const PERMANENT = array( 'config', 'credential', 'egress', 'encode' );

	private static bool $stopped = false;

	/** Ends the running slice after its batch, and lets no other begin: for signal handlers. */
	public static function stop(): void {
		self::$stopped = true;
	}

	public static function is_stopped(): bool {
		return self::$stopped;
	}

	/**
	 * @param float    $seconds At most so long, plus the time of one page.
	 * @param int|null $run     Only the job of this run.
	 * @return array{slices: int, done: int, failed: int}
	 */
	public static function run( float $seconds, ?int $run = null ): array {
		$result   = array(
			'slices' => 0,
			'done'   => 0,
			'failed' => 0,
		);
		$deadline = microtime( true ) + $seconds;
		do {
			$job = self::$stopped ? null : Jobs::claim( $run );
			if ( ! $job ) {
				break;
			}
			++$result['slices'];
			$end = self::slice( $job, $deadline );
			if ( isset( $result[ $end ] ) ) {
				++$result[ $end ];
			}
		} while ( microtime( true ) < $deadline && ! self::memory_is_short() && ( null === $run || 'released' === $end ) );
		return $result;
	}

	/** @return string done, failed, waiting, released or lost. */
	private static function slice( Job $job, float $deadline ): string {
		// What a dead worker stored may still be hidden behind its old cache entries.
		Caches::clean( $job->touched );
		if ( 'import' === $job->kind ) {
			Jobs::finish( $job );
			return 'done';
		}
		if ( 'pull' !== $job->kind ) {
			return self::fail( $job, "This version cannot do what was asked for (\"{$job->kind}\")." );
		}
		$tenant = Tenants::get( $job->tenant );
		if ( ! $tenant ) {
			return self::fail( $job, 'The tenant of this run was deleted.' );
		}
		if ( $tenant->paused ) {
			Jobs::postpone( $job, "Tenant \"{$tenant->id}\" is paused. The sync goes on when the pause ends.", self::PAUSE_SECONDS, false );
			return 'waiting';
		}
		$missing = $tenant->missing();
		if ( $missing ) {
			return self::fail( $job, sprintf( 'Tenant "%s" cannot be synced yet, its connection lacks: %s. Enter that where the tenant is set up, then start the sync again.', $tenant->id, implode( ', ', $missing ) ) );
		}
		if ( $job->attempts >= Jobs::MAX_ATTEMPTS ) {
			return self::fail( $job, sprintf( 'The sync of tenant "%s" was cut off %d times without storing anything, most likely by a limit of time or memory. Look into the error log of PHP, then start it again.', $tenant->id, $job->attempts ) );
		}
		try {
			return self::pull( $job, $tenant, $deadline );
		} catch ( LeaseLost $e ) {
			return 'lost';
		} catch ( \Throwable $e ) {
			return self::recover( $job, $tenant, $e );
		}
	}

	private static function pull( Job $job, Tenant $tenant, float $deadline ): string {
		if ( 0 === $job->batches || $job->attempts > 0 ) {
			Adoption::run( $job );
		}
		if ( 0 === $job->batches && ! empty( $job->payload['full'] ) ) {
			Cursors::reset( $tenant->key, $job->object );
		}
		$fields = Fields::of( $tenant, $job->object );
		$store  = $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields );
		$cursor = Cursors::read( $tenant->key, $job->object, $fields->hash() );
		$turn   = microtime( true ) + self::TURN;
		$wanted = array( 'fields' => $fields->crm_fields() );
		if ( null !== $tenant->page_size() ) {
			$wanted['page_size'] = $tenant->page_size();
		}
		$pull = $tenant->client()->pull( $job->object, $cursor, $wanted );
		$told = false;
		foreach ( $pull as $batch ) {
			$store->batch( $batch );
			if ( ! $told && $batch->stats()['unasked'] > 0 ) {
				$told = true;
				Log::add_once( $tenant->key, 'warning', "The CRM of tenant \"{$tenant->id}\" sent records that are older than what was asked for: it does not filter by the time of the change. Nothing is lost, but every sync reads more than it needs.", array( 'run' => $job->run ) );
			}
			if ( $batch->is_last() ) {
				continue;
			}
			$now = microtime( true );
			if ( self::$stopped || $now >= $deadline || self::memory_is_short() || ( $now >= $turn && Jobs::any_due( $job ) ) ) {
				Jobs::release( $job );
				return 'released';
			}
		}
		Jobs::finish( $job );
		return 'done';
	}

	/** Decides what a failure means for the job. */
	private static function recover( Job $job, Tenant $tenant, \Throwable $e ): string {
		$kind    = $e instanceof \TenantCRMSync\Exception ? $e->kind : '';
		$status  = $e instanceof \TenantCRMSync\Exception ? (int) $e->status : 0;
		$message = self::words( $tenant, $e );
		$refused = $status >= 400 && $status < 500 && ! in_array( $status, array( 408, 423, 425, 429 ), true );
		// A plain \Exception is what the constructor throws where settings are missing.
		if ( $refused || $e instanceof NotSupported || 'Exception' === get_class( $e ) || in_array( $kind, self::PERMANENT, true ) || ( ! $job->progressed && $job->attempts + 1 >= Jobs::MAX_ATTEMPTS ) ) {
			return self::fail( $job, $message );
		}
		$retry_after = $e instanceof \TenantCRMSync\Exception ? $e->retry_after : null;
		Jobs::postpone( $job, $message, $retry_after );
		Log::add( $tenant->key, 'warning', $message, array( 'run' => $job->run ) );
		return 'waiting';
	}

	private static function fail( Job $job, string $message ): string {
		Jobs::finish( $job, 'failed', $message );
		Log::add( $job->tenant, 'error', $message, array( 'run' => $job->run ) );
		return 'failed';
	}

	private static function words( Tenant $tenant, \Throwable $e ): string {
		$text = $e->getMessage();
		if ( ! $e instanceof \TenantCRMSync\Exception && ! $e instanceof StoreException && 'Exception' !== get_class( $e ) ) {
			// A bug, ours or of a hook: name the place, never the arguments.
			$text = sprintf( '%s (%s in %s, line %d)', $text, get_class( $e ), basename( $e->getFile() ), $e->getLine() );
		}
		return str_contains( $text, $tenant->id ) ? $text : "Tenant \"{$tenant->id}\": $text";
	}

	private static function memory_is_short(): bool {
		static $limit = null;
		$limit ??= wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
		return $limit > 0 && memory_get_usage() > self::MEMORY_SHARE * $limit;
	}
}
