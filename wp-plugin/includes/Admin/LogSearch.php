<?php
/**
 * Finds log entries for the Log screen: by tenant, level and words, newest first. Writing and pruning the log is Log's business; it keeps
 * the table so small that a search may look at every row of it.
 */

namespace TenantCRM\Admin;

use TenantCRM\Schema;

final class LogSearch {

	/** @var string WHERE, prepared. */
	private $where;

	/**
	 * @param list<int>|null $tenants Integer keys whose entries may be seen; null for all, also those of no tenant.
	 * @param string         $level   Empty for every level.
	 * @param string         $words   A part of the message; capitals and accents do not matter.
	 * @param string         $since   UTC, as the database writes it; empty for all.
	 */
	public function __construct( ?array $tenants, string $level, string $words, string $since = '' ) {
		global $wpdb;
		$parts = array( '1 = 1' );
		if ( null !== $tenants ) {
			$parts[] = $tenants ? 'tenant IN (' . implode( ',', array_map( 'intval', $tenants ) ) . ')' : '1 = 0';
		}
		if ( '' !== $level ) {
			$parts[] = $wpdb->prepare( 'level = %s', $level );
		}
		if ( '' !== $since ) {
			$parts[] = $wpdb->prepare( 'created_at >= %s', $since );
		}
		if ( '' !== $words ) {
			$parts[] = $wpdb->prepare( 'message COLLATE utf8mb4_unicode_520_ci LIKE %s', '%' . $wpdb->esc_like( $words ) . '%' );
		}
		$this->where = implode( ' AND ', $parts );
	}

	public function count(): int {
		global $wpdb;
		$table = Schema::table( 'log' );
		return (int) $wpdb->get_var( "SELECT COUNT(*) FROM `$table` WHERE {$this->where}" );
	}

	/** @return list<array{id: int, tenant: int, level: string, message: string, context: array<mixed>, created_at: string}> */
	public function page( int $size, int $number ): array {
		global $wpdb;
		$table = Schema::table( 'log' );
		$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT * FROM `$table` WHERE {$this->where} ORDER BY id DESC LIMIT %d OFFSET %d", $size, $size * ( $number - 1 ) ), ARRAY_A );
		return array_map(
			static function ( array $row ): array {
				$context = json_decode( (string) $row['context'], true );
				return array(
					'id'      => (int) $row['id'],
					'tenant'  => (int) $row['tenant'],
					'context' => is_array( $context ) ? $context : array(),
				) + $row;
			},
			(array) $rows
		);
	}
}
