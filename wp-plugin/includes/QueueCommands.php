<?php
/**
 * The commands of bin/tenant-crm that are about the queue: what waits, what runs, and what failed for good.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class QueueCommands {

	private const MOST = 200;

	/** @param array<string, mixed> $options */
	public static function run( array $options ): int {
		$words = $options['words'];
		return match ( $words[1] ?? 'list' ) {
			'list'   => self::list( $options ),
			'dead'   => self::dead( $options ),
			'retry'  => self::retry( self::id( $words ) ),
			'drop'   => self::drop( self::id( $words ) ),
			'cancel' => self::cancel( self::id( $words ) ),
			default  => throw new \DomainException( "\"{$words[1]}\" is nothing that a queue can do" ),
		};
	}

	/** @param array<string, mixed> $options */
	private static function list( array $options ): int {
		$jobs = Schema::table( 'jobs' );
		$runs = Schema::table( 'runs' );
		$rows = Sql::rows( "SELECT j.id, j.run, j.tenant, j.kind, j.object, j.state, j.priority, j.attempts, j.available_at, r.error FROM `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run WHERE j.state <> 'dead' ORDER BY j.state = 'running' DESC, j.priority, j.available_at, j.id LIMIT " . self::MOST );
		Output::rows( array_map( array( self::class, 'named' ), $rows ), $options['format'], 'Nothing is queued.' );
		return 0;
	}

	/** @param array<string, mixed> $options */
	private static function dead( array $options ): int {
		Output::rows( array_map( array( self::class, 'named' ), DeadLetters::list( null, self::MOST ) ), $options['format'], 'Nothing has failed for good.' );
		return 0;
	}

	private static function retry( int $id ): int {
		$run = DeadLetters::retry( $id );
		if ( null === $run ) {
			throw new \RuntimeException( "nothing that failed for good has the number $id; see tenant-crm queue dead" );
		}
		echo "queued again as run $run\n";
		return 0;
	}

	private static function drop( int $id ): int {
		if ( ! DeadLetters::drop( $id ) ) {
			throw new \RuntimeException( "nothing that failed for good has the number $id; see tenant-crm queue dead" );
		}
		echo "forgotten\n";
		return 0;
	}

	private static function cancel( int $run ): int {
		if ( ! Runs::cancel( $run ) ) {
			throw new \RuntimeException( "no run $run waits or is worked; see tenant-crm queue" );
		}
		echo "cancelled\n";
		return 0;
	}

	/** @param list<string> $words */
	private static function id( array $words ): int {
		return ctype_digit( $words[2] ?? '' ) ? (int) $words[2] : throw new \DomainException( 'say which: a number that tenant-crm queue shows' );
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
