<?php
/**
 * Sums over all requests to CRMs since the beginning, by tenant and outcome: they only ever grow, also when the rows that they count are
 * pruned. Attempts writes them together with those rows; Metrics shows them.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Counters {

	/** Columns that count the requests that took at most so many seconds. */
	public const BUCKETS = array(
		'le_100'   => 0.1,
		'le_250'   => 0.25,
		'le_500'   => 0.5,
		'le_1000'  => 1.0,
		'le_2500'  => 2.5,
		'le_5000'  => 5.0,
		'le_10000' => 10.0,
	);

	/** `ok`, `cancelled`, and the reasons and kinds of the extension's exceptions. */
	public const OUTCOMES = array( 'ok', 'cancelled', 'expired', 'unauthorized', 'forbidden', 'missing', 'duplicate', 'conflict', 'invalid', 'rate_limited', 'quota', 'busy', 'transient', 'stale_cursor', 'connect', 'tls', 'timeout', 'transport', 'http', 'too_large', 'decode', 'encode', 'egress', 'config', 'credential' );

	/** Outcome of what this version knows no name for. */
	public const OTHER = 'other';

	/** Outcome of attempts that were lost before they could be written down: of no tenant, and counted apart. */
	private const LOST = 'lost';

	private const SUMS = array( 'requests', 'micros', 'sent', 'received' );

	/**
	 * @param list<array<string, mixed>> $attempts As the extension tells them; `key`: the tenant's.
	 * @throws StoreException
	 */
	public static function add( array $attempts ): void {
		$sums = array();
		foreach ( $attempts as $attempt ) {
			$outcome = in_array( $attempt['outcome'], self::OUTCOMES, true ) ? $attempt['outcome'] : self::OTHER;
			$micros  = self::micros( $attempt );
			$sum     = &$sums[ $attempt['key'] ][ $outcome ];
			$sum     = $sum ?? array_fill_keys( self::columns(), 0 );
			++$sum['requests'];
			$sum['micros']   += $micros;
			$sum['sent']     += (int) $attempt['sent'];
			$sum['received'] += (int) $attempt['received'];
			foreach ( self::BUCKETS as $column => $seconds ) {
				$sum[ $column ] += (int) ( $micros <= 1e6 * $seconds );
			}
			unset( $sum );
		}
		self::write( $sums );
	}

	/** @throws StoreException */
	public static function add_lost( int $count ): void {
		self::write( array( array( self::LOST => array( 'requests' => $count ) ) ) );
	}

	/**
	 * In the order of their key, in which everybody locks them.
	 *
	 * @param array<int, array<string, array<string, int>>> $sums By tenant and outcome.
	 */
	private static function write( array $sums ): void {
		$columns = self::columns();
		$rows    = array();
		ksort( $sums );
		foreach ( $sums as $tenant => $outcomes ) {
			ksort( $outcomes );
			foreach ( $outcomes as $outcome => $sum ) {
				$rows[] = "($tenant," . Sql::bytes( $outcome ) . ',UTC_TIMESTAMP(),' . implode( ',', array_merge( array_fill_keys( $columns, 0 ), $sum ) ) . ')';
			}
		}
		Sql::change( // phpcs:ignore WordPress.DB.PreparedSQL -- integers and names of our columns.
			'INSERT INTO `' . Schema::table( 'counters' ) . '` (tenant, outcome, changed_at, ' . implode( ', ', $columns ) . ') VALUES ' . implode( ',', $rows )
			. ' ON DUPLICATE KEY UPDATE changed_at = VALUES(changed_at), ' . implode( ', ', array_map( static fn( string $column ): string => "$column = $column + VALUES($column)", $columns ) )
		);
	}

	/**
	 * @return list<array<string, int|string>> One row a tenant and outcome; tenant 0: of tenants that are deleted.
	 * @throws StoreException
	 */
	public static function all(): array {
		$rows = Sql::rows( 'SELECT tenant, outcome, ' . implode( ', ', self::columns() ) . ' FROM `' . Schema::table( 'counters' ) . '` WHERE NOT (tenant = 0 AND outcome = ' . Sql::bytes( self::LOST ) . ') ORDER BY tenant, outcome' );
		return array_map( static fn( array $row ): array => array( 'outcome' => (string) $row['outcome'] ) + array_map( 'intval', $row ), $rows );
	}

	/**
	 * @return array{count: int, at: string}|null Attempts that were lost, at least, and when last.
	 * @throws StoreException
	 */
	public static function lost(): ?array {
		$row = Sql::rows( 'SELECT requests, changed_at FROM `' . Schema::table( 'counters' ) . '` WHERE tenant = 0 AND outcome = ' . Sql::bytes( self::LOST ) )[0] ?? null;
		return $row ? array(
			'count' => (int) $row['requests'],
			'at'    => (string) $row['changed_at'],
		) : null;
	}

	/** @param array<string, mixed> $attempt */
	public static function micros( array $attempt ): int {
		return max( 0, (int) round( 1000 * (float) $attempt['milliseconds'] ) );
	}

	/** @return list<string> */
	private static function columns(): array {
		return array_merge( self::SUMS, array_keys( self::BUCKETS ) );
	}
}
