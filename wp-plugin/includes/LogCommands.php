<?php
/**
 * The command `log` of bin/tenant-crm: what syncs met, or with --requests what was sent to the CRMs. Newest first.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class LogCommands {

	private const MOST = 200;

	/** @param array<string, mixed> $options */
	public static function run( array $options ): int {
		$tenants = array_map( static fn( string $id ): int => CommandLine::tenant( $id )->key, $options['tenant'] );
		$since   = isset( $options['since'] ) ? self::time( $options['since'] ) : '';
		$rows    = $options['requests'] ? self::requests( $tenants ? $tenants : null, $since, $options ) : self::entries( $tenants ? $tenants : null, $since, $options );
		Output::rows( $rows, $options, 'Nothing in the log that fits.' );
		return 0;
	}

	/**
	 * @param list<int>|null       $tenants
	 * @param array<string, mixed> $options
	 * @return list<array<string, mixed>>
	 */
	private static function requests( ?array $tenants, string $since, array $options ): array {
		$outcome = (string) ( $options['outcome'] ?? '' );
		if ( '' !== $outcome && ! in_array( $outcome, array_merge( array( AttemptSearch::FAILED ), Counters::OUTCOMES ), true ) ) {
			throw new \DomainException( "there is no outcome \"$outcome\"; there are: " . implode( ' ', array_merge( array( AttemptSearch::FAILED ), Counters::OUTCOMES ) ) );
		}
		$search = new AttemptSearch(
			$tenants,
			array(
				'outcome' => $outcome,
				'since'   => $since,
			)
		);
		return array_map(
			static function ( array $row ) use ( $options ): array {
				$named = array(
					'at'        => $row['at'],
					'tenant'    => self::name( $row['tenant'] ),
					'operation' => $row['operation'],
					'status'    => $row['status'],
					'outcome'   => $row['outcome'],
					'ms'        => $row['milliseconds'],
					'attempt'   => $row['attempt'],
				);
				return Output::is_deep( $options['format'] ) ? $named + array_diff_key( $row, array( 'milliseconds' => 0 ) ) : $named + array(
					'received' => $row['received'],
					'excerpt'  => $row['excerpt'],
				);
			},
			$search->page( self::MOST )
		);
	}

	/**
	 * @param list<int>|null       $tenants
	 * @param array<string, mixed> $options
	 * @return list<array<string, mixed>>
	 */
	private static function entries( ?array $tenants, string $since, array $options ): array {
		if ( isset( $options['outcome'] ) ) {
			throw new \DomainException( '--outcome is for --requests' );
		}
		$rows = Log::list(
			array_filter(
				array(
					'tenants' => $tenants,
					'since'   => $since,
					'limit'   => self::MOST,
				)
			)
		);
		return array_map(
			static fn( array $row ): array => array(
				'at'      => $row['created_at'],
				'tenant'  => self::name( $row['tenant'] ),
				'level'   => $row['level'],
				'message' => $row['message'],
			) + ( Output::is_deep( $options['format'] ) ? array( 'context' => $row['context'] ) : array() ),
			$rows
		);
	}

	/** A tenant's id; empty for what belongs to none. */
	private static function name( int $key ): string {
		static $ids = array();
		return $ids[ $key ] ??= $key ? Tenants::get( $key )->id ?? '' : '';
	}

	/** `90m`, `2h`, `7d`, or a date with or without a time, in UTC; as the database writes it. */
	private static function time( string $text ): string {
		if ( 1 === preg_match( '/^(\d{1,6})([smhd])$/D', $text, $span ) ) {
			$seconds = array(
				's' => 1,
				'm' => MINUTE_IN_SECONDS,
				'h' => HOUR_IN_SECONDS,
				'd' => DAY_IN_SECONDS,
			);
			return gmdate( 'Y-m-d H:i:s', time() - (int) $span[1] * $seconds[ $span[2] ] );
		}
		$time = 1 === preg_match( '/^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?Z?)?$/D', $text ) ? strtotime( rtrim( $text, 'Z' ) . ' UTC' ) : false;
		return false === $time ? throw new \DomainException( "--since is a span such as 2h or 7d, or a time such as 2026-02-03T04:05:06Z, not \"$text\"" ) : gmdate( 'Y-m-d H:i:s', $time );
	}
}
