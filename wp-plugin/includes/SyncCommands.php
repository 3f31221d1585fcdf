<?php
/**
 * The commands that sync: at once, in the background, or as a worker of the queue; and how the last syncs ended.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class SyncCommands {

	/** Seconds after which a worker that waits for a click looks into the queue by itself. */
	private const PATIENCE = 5.0;

	/** @param array<string, mixed> $options */
	public static function sync( array $options ): int {
		if ( $options['dry-run'] ) {
			return PreviewCommands::preview( $options );
		}
		return self::pull( $options, 'pull' );
	}

	/** @param array<string, mixed> $options */
	public static function backfill( array $options ): int {
		return self::pull( $options + array( 'full' => false ), Jobs::BACKFILL );
	}

	/** @param array<string, mixed> $options */
	private static function pull( array $options, string $kind ): int {
		$tenants = CommandLine::chosen( $options );
		self::obey_signals();
		$runs = array();
		foreach ( $tenants as $tenant ) {
			// "All" are those that can be pulled; one that is named says why it cannot.
			if ( $options['all'] && ( $tenant->paused || ! $tenant->is_configured() ) ) {
				continue;
			}
			$run          = Jobs::BACKFILL === $kind ? Jobs::backfill( $tenant->key ) : Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK, $options['full'] ? array( 'full' => true ) : array() );
			$runs[ $run ] = $tenant;
			if ( $options['full'] && ! Jobs::is_full( $run ) ) {
				fwrite( STDERR, "note: a sync of tenant \"{$tenant->id}\" had begun already and goes on without --full; say it again when that one is over\n" );
			}
		}
		$rows = array();
		$code = CommandLine::GOOD;
		$bar  = new ProgressBar( ! $options['porcelain'] && 'table' === $options['format'] );
		foreach ( $runs as $run => $tenant ) {
			$row    = $options['background'] ? Runs::get( $run ) ?? array( 'state' => 'gone' ) : self::until_over( $run, $tenant, $bar );
			$rows[] = Output::run( $tenant->id, $row );
			if ( ! $options['background'] && 'done' !== $row['state'] ) {
				$code = 'waiting' === $row['state'] && CommandLine::FAILED !== $code && ! self::is_failing( $run ) ? CommandLine::WAITS : CommandLine::FAILED;
			}
		}
		Output::rows( $rows, $options['porcelain'] ? array( 'format' => 'ids' ) : $options, 'There is no tenant that can be synced.', 'run' );
		return $code;
	}

	/**
	 * Works a run, or watches whoever else does.
	 *
	 * @return array<string, mixed>
	 */
	private static function until_over( int $run, Tenant $tenant, ProgressBar $bar ): array {
		$bar->begin( $tenant->id, Standings::of( array( $tenant->key ) )[ $tenant->key ]['expected'] );
		try {
			while ( true ) {
				$result = Worker::run( $bar->is_shown() ? 1.0 : 5.0, $run );
				$row    = Runs::get( $run );
				if ( null === $row || ! in_array( $row['state'], array( 'queued', 'running' ), true ) || Budget::is_spent() ) {
					return $row ?? array( 'state' => 'gone' );
				}
				$bar->show( $row['fetched'], $row['pages'] );
				if ( 0 === $result['slices'] ) {
					usleep( 300000 );
				}
			}
		} finally {
			$bar->end();
		}
	}

	/** Whether a run waits because something failed, and not only for its turn at the CRM. */
	private static function is_failing( int $run ): bool {
		return (bool) Sql::rows( sprintf( 'SELECT 1 FROM `%s` WHERE run = %d AND attempts > 0', Schema::table( 'jobs' ), $run ) );
	}

	/** @param array<string, mixed> $options */
	public static function work( array $options ): int {
		if ( $options['dry-run'] ) {
			return self::due( $options );
		}
		self::obey_signals();
		$deadline = $options['watch'] ? INF : microtime( true ) + $options['seconds'];
		$total    = array(
			'slices' => 0,
			'done'   => 0,
			'failed' => 0,
		);
		do {
			Wakers::seen( $options['watch'] ? 'work --watch' : 'work' );
			Cron::enqueue_due();
			Webhooks\Subscriptions::enqueue_due();
			Webhooks\Inbox::sweep();
			$result = Worker::run( max( 0.0, min( 30.0, $deadline - microtime( true ) ) ) );
			Alerts::check();
			foreach ( $result as $name => $count ) {
				$total[ $name ] += $count;
			}
			if ( 0 === $result['slices'] ) {
				// Looking through a long queue would take the time of those that wait in it.
				Jobs::reap();
				Cron::prune();
				$left = min( self::PATIENCE, $deadline - microtime( true ) );
				if ( $left > 0 && ! Budget::is_spent() ) {
					Wakers::wait( $left );
				}
			}
		} while ( microtime( true ) + 1 < $deadline && ! Budget::is_spent() );
		if ( 'table' === $options['format'] ) {
			printf( "%d slices, %d runs done, %d failed\n", $total['slices'], $total['done'], $total['failed'] );
		} else {
			Output::rows( array( $total ), $options );
		}
		return $total['failed'] ? CommandLine::FAILED : CommandLine::GOOD;
	}

	/** What a worker would find to do just now. @param array<string, mixed> $options */
	private static function due( array $options ): int {
		$rows      = array();
		$tenants   = array_filter( Tenants::all(), static fn( Tenant $tenant ): bool => ! $tenant->paused && $tenant->is_configured() );
		$standings = Standings::of( array_values( array_map( static fn( Tenant $tenant ): int => $tenant->key, $tenants ) ) );
		foreach ( $tenants as $tenant ) {
			if ( (string) $standings[ $tenant->key ]['next_at'] <= gmdate( 'Y-m-d H:i:s' ) ) {
				$rows[] = array(
					'tenant' => $tenant->id,
					'kind'   => 'pull',
					'state'  => 'due since ' . $standings[ $tenant->key ]['next_at'],
				);
			}
		}
		foreach ( Sql::rows( sprintf( "SELECT t.external_id AS tenant, j.kind, j.state FROM `%s` j JOIN `%s` t ON t.id = j.tenant WHERE j.state = 'queued' AND j.available_at <= UTC_TIMESTAMP(3) ORDER BY j.priority, j.available_at, j.id LIMIT 1000", Schema::table( 'jobs' ), Schema::table( 'tenants' ) ) ) as $row ) {
			$rows[] = $row;
		}
		Output::rows( $rows, $options, 'Nothing is due.' );
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function status( array $options ): int {
		$rows = array();
		foreach ( Tenants::all() as $tenant ) {
			$rows[] = Output::run( $tenant->id, Runs::latest( $tenant->key ) ?? array( 'state' => 'never run' ) );
		}
		Output::rows( $rows, $options );
		$extension = \TenantCRMSync::status();
		if ( 'table' === $options['format'] ) {
			$next = wp_next_scheduled( Cron::EVENT );
			printf( "extension %s, host keys %d%s, next cron event %s\n", $extension['version'], $extension['keys'], $extension['key_error'] ? " ({$extension['key_error']})" : '', $next ? gmdate( 'Y-m-d H:i:s', $next ) . ' UTC' : 'not scheduled' );
		}
		return $extension['key_error'] ? CommandLine::FAILED : CommandLine::GOOD;
	}

	/** Ctrl-C and kill end the slice after its batch, so that the next worker need not wait for the lease. */
	private static function obey_signals(): void {
		if ( function_exists( 'pcntl_async_signals' ) ) {
			pcntl_async_signals( true );
			foreach ( array( SIGINT, SIGTERM ) as $signal ) {
				pcntl_signal( $signal, static fn() => Budget::stop() );
			}
		}
	}
}
