<?php
/**
 * The commands about the queue: what waits, what runs, and what failed for good.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class QueueCommands {

	private const MOST = 200;

	/** @param array<string, mixed> $options */
	public static function list( array $options ): int {
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		$rows = Sql::rows( "SELECT j.id, j.run, j.tenant, j.kind, j.object, j.state, j.priority, j.attempts, j.available_at, r.error FROM `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run WHERE j.state <> 'dead' ORDER BY j.state = 'running' DESC, j.priority, j.available_at, j.id LIMIT " . self::MOST );
		Output::rows( array_map( array( self::class, 'named' ), $rows ), $options, 'Nothing is queued.' );
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function dead( array $options ): int {
		Output::rows( array_map( array( self::class, 'named' ), DeadLetters::list( null, self::MOST ) ), $options, 'Nothing has failed for good.' );
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function retry( array $options ): int {
		$ids = self::dead_ones( $options );
		foreach ( $options['dry-run'] ? array() : $ids as $id ) {
			$run = DeadLetters::retry( $id );
			echo $options['porcelain'] ? "$run\n" : "$id: queued again as run $run\n";
		}
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function drop( array $options ): int {
		foreach ( self::dead_ones( $options ) as $id ) {
			if ( ! $options['dry-run'] && DeadLetters::drop( $id ) ) {
				echo "$id: forgotten\n";
			}
		}
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function cancel( array $options ): int {
		$code = CommandLine::GOOD;
		foreach ( CommandLine::numbers( $options['arguments'], 'queue list' ) as $run ) {
			$row   = Runs::get( $run );
			$is_on = null !== $row && in_array( $row['state'], array( 'queued', 'running', 'waiting' ), true );
			if ( $is_on && $options['dry-run'] ) {
				echo "$run: would be cancelled\n";
			} elseif ( $is_on && Runs::cancel( $run ) ) {
				echo "$run: cancelled\n";
			} else {
				fwrite( STDERR, "error: no run $run waits or is worked; see tenant-crm queue list\n" );
				$code = CommandLine::FAILED;
			}
		}
		return $code;
	}

	/**
	 * The jobs that are named, all of which have to be there before anything is done. A dry run prints them.
	 *
	 * @param array<string, mixed> $options
	 * @return list<int>
	 */
	private static function dead_ones( array $options ): array {
		$ids = CommandLine::numbers( $options['arguments'], 'queue dead' );
		foreach ( $ids as $id ) {
			if ( null === DeadLetters::get( $id ) ) {
				throw new \RuntimeException( "nothing that failed for good has the number $id; see tenant-crm queue dead" );
			}
		}
		if ( $options['dry-run'] ) {
			Output::rows( array_map( static fn( int $id ): array => self::named( DeadLetters::get( $id ) ), $ids ), array( 'format' => 'table' ) );
		}
		return $ids;
	}

	/**
	 * @param array<string, mixed> $row
	 * @return array<string, mixed>
	 */
	private static function named( array $row ): array {
		$tenant = Tenants::get( (int) $row['tenant'] );
		return array( 'tenant' => $tenant ? $tenant->id : '' ) + array_map( static fn( $value ) => is_string( $value ) && ctype_digit( $value ) ? (int) $value : $value, $row );
	}
}
