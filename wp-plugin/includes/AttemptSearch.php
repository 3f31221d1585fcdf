<?php
/**
 * Finds requests to CRMs, newest first: by tenant, outcome, status, method, run, time, and words or a trace id. Who may see whose is for the
 * caller to say. Writing and pruning them is the business of Attempts.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class AttemptSearch {

	/** In place of an outcome: all but `ok`. */
	public const FAILED = 'failed';

	private readonly string $where;
	private readonly string $hint;

	/**
	 * @param list<int>|null       $tenants Integer keys whose requests may be seen; null: all.
	 * @param array<string, mixed> $filter  outcome: one of Counters::OUTCOMES, or FAILED. status: `404`, or `4xx`. method. run: a number. since, until:
	 *                                      UTC, as the database writes it. words: a part of the address or of what went wrong, or a whole trace
	 *                                      id. What is empty, or makes no sense, filters nothing.
	 */
	public function __construct( ?array $tenants, array $filter = array() ) {
		global $wpdb;
		$text  = static fn( string $name ): string => is_scalar( $filter[ $name ] ?? null ) ? (string) $filter[ $name ] : '';
		$parts = array( '1 = 1' );
		if ( null !== $tenants ) {
			$parts[] = $tenants ? 'tenant IN (' . implode( ',', array_map( 'intval', $tenants ) ) . ')' : '1 = 0';
		}
		if ( '' !== $text( 'outcome' ) ) {
			$parts[] = self::FAILED === $text( 'outcome' ) ? 'outcome IN (' . implode( ',', array_map( array( Sql::class, 'bytes' ), array_diff( array_merge( Counters::OUTCOMES, array( Counters::OTHER ) ), array( 'ok' ) ) ) ) . ')' : 'outcome = ' . Sql::bytes( $text( 'outcome' ) );
		}
		if ( 1 === preg_match( '/^([1-5])xx$/D', $text( 'status' ), $class ) ) {
			$parts[] = "status BETWEEN {$class[1]}00 AND {$class[1]}99";
		} elseif ( ctype_digit( $text( 'status' ) ) ) {
			$parts[] = 'status = ' . (int) $text( 'status' );
		}
		if ( '' !== $text( 'method' ) ) {
			$parts[] = 'method = ' . Sql::bytes( $text( 'method' ) );
		}
		if ( ctype_digit( $text( 'run' ) ) && (int) $text( 'run' ) > 0 ) {
			$parts[] = 'run = ' . (int) $text( 'run' );
		}
		foreach ( array(
			'since' => '>=',
			'until' => '<',
		) as $name => $compare ) {
			if ( '' !== $text( $name ) ) {
				$parts[] = "at $compare " . Sql::text( $text( $name ) );
			}
		}
		$words = $text( 'words' );
		if ( 1 === preg_match( '/^[0-9a-f]{32}$/D', $words ) ) {
			$parts[] = "trace_id = x'$words'";
		} elseif ( '' !== $words ) {
			$like    = Sql::text( '%' . $wpdb->esc_like( $words ) . '%' );
			$parts[] = "(operation COLLATE utf8mb4_unicode_520_ci LIKE $like OR excerpt COLLATE utf8mb4_unicode_520_ci LIKE $like)";
		}
		$this->where = implode( ' AND ', $parts );
		// For one tenant there is an index that holds its outcomes in order: MariaDB, which has but an estimate, sometimes joins both and sorts.
		$this->hint = 1 === count( $tenants ?? array() ) && '' !== $text( 'outcome' ) && self::FAILED !== $text( 'outcome' ) ? 'IGNORE INDEX (outcome)' : '';
	}

	/** @throws StoreException */
	public function count(): int {
		return (int) Sql::rows( 'SELECT COUNT(*) AS n FROM `' . Schema::table( 'attempts' ) . "` WHERE {$this->where}" )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- quoted in the constructor.
	}

	/**
	 * @param int $number Page, from 1.
	 * @return list<array{id: int, tenant: int, run: int, at: string, method: string, operation: string, status: ?int, milliseconds: float, attempt: int, sent: int, received: int, outcome: string, excerpt: ?string, trace_id: ?string, span_id: ?string}>
	 * @throws StoreException
	 */
	public function page( int $size, int $number = 1 ): array {
		return array_map( array( self::class, 'typed' ), Sql::rows( $this->sql( $size, $number ) ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- quoted in the constructor.
	}

	public function sql( int $size, int $number = 1 ): string {
		return sprintf(
			'SELECT id, tenant, run, at, method, operation, status, micros, attempt, sent, received, outcome, excerpt, LOWER(HEX(trace_id)) AS trace_id, LOWER(HEX(span_id)) AS span_id FROM `%s` %s WHERE %s ORDER BY id DESC LIMIT %d OFFSET %d',
			Schema::table( 'attempts' ),
			$this->hint,
			$this->where,
			$size,
			$size * ( $number - 1 )
		);
	}

	/**
	 * @param array<string, string|null> $row
	 * @return array<string, mixed>
	 */
	private static function typed( array $row ): array {
		$typed = array();
		foreach ( $row as $name => $value ) {
			if ( 'micros' === $name ) {
				$typed['milliseconds'] = round( (int) $value / 1000, 1 );
			} else {
				$typed[ $name ] = null !== $value && in_array( $name, array( 'id', 'tenant', 'run', 'status', 'attempt', 'sent', 'received' ), true ) ? (int) $value : $value;
			}
		}
		return $typed;
	}
}
