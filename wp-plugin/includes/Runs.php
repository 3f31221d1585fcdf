<?php
/**
 * What each sync did: one row a run, kept after its job is gone, so that a dead one can still say why.
 *
 * Jobs moves a run from state to state; Store adds to its counters in the transaction of each batch.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Runs {

	/** Finished runs are kept this many days, and at most this many of them. */
	private const KEEP_DAYS = 90;
	private const KEEP_ROWS = 20000;

	private const COUNTERS = array( 'fetched', 'created', 'updated', 'unchanged', 'refused', 'pages' );
	public const STATES    = array( 'queued', 'running', 'waiting', 'done', 'failed', 'cancelled' );

	/** @return array<string, mixed>|null */
	public static function get( int $id ): ?array {
		return self::list( array( 'id' => $id ) )[0] ?? null;
	}

	/** @return array<string, mixed>|null The newest pull of a tenant. */
	public static function latest( int $tenant ): ?array {
		return self::list(
			array(
				'tenant' => $tenant,
				'kind'   => 'pull',
				'limit'  => 1,
			)
		)[0] ?? null;
	}

	/**
	 * The same of many tenants, in one query.
	 *
	 * @param list<int> $tenants
	 * @return array<int, array<string, mixed>> By tenant; without those that have none.
	 */
	public static function latest_of( array $tenants ): array {
		$table = Schema::table( 'runs' );
		$in    = implode( ',', array_map( 'intval', $tenants ) );
		$rows  = $tenants ? Sql::rows( "SELECT r.* FROM `$table` r JOIN (SELECT MAX(id) AS id FROM `$table` WHERE tenant IN ($in) AND kind = 'pull' GROUP BY tenant) newest ON newest.id = r.id" ) : array();
		return array_column( array_map( array( self::class, 'typed' ), $rows ), null, 'tenant' );
	}

	/**
	 * Newest first.
	 *
	 * @param array{id?: int, tenant?: int, kind?: string, state?: string, before?: int, limit?: int} $args before: an id, for the next page.
	 * @return list<array<string, mixed>>
	 */
	public static function list( array $args = array() ): array {
		global $wpdb;
		$where = array( '1 = 1' );
		foreach ( array( 'id', 'tenant' ) as $column ) {
			if ( isset( $args[ $column ] ) ) {
				$where[] = $wpdb->prepare( "$column = %d", $args[ $column ] );
			}
		}
		if ( isset( $args['state'] ) && in_array( $args['state'], self::STATES, true ) ) {
			$where[] = $wpdb->prepare( 'state = %s', $args['state'] );
		}
		if ( isset( $args['kind'] ) ) {
			$where[] = $wpdb->prepare( 'kind = %s', $args['kind'] );
		}
		if ( isset( $args['before'] ) ) {
			$where[] = $wpdb->prepare( 'id < %d', $args['before'] );
		}
		$limit = max( 1, min( 1000, (int) ( $args['limit'] ?? 50 ) ) );
		$table = Schema::table( 'runs' );
		$rows  = $wpdb->get_results( "SELECT * FROM `$table` WHERE " . implode( ' AND ', $where ) . " ORDER BY id DESC LIMIT $limit", ARRAY_A );
		return array_map( array( self::class, 'typed' ), $rows );
	}

	/** Ends a run that is not yet over. A worker that holds it stores nothing more. */
	public static function cancel( int $id ): bool {
		return Jobs::cancel( $id );
	}

	/** Keeps the table bounded. A queue that was busy leaves much behind: this is called until there is nothing more, but not for ever. */
	public static function prune(): void {
		global $wpdb;
		$table = Schema::table( 'runs' );
		Sql::prune( 'runs', $wpdb->prepare( 'finished_at < UTC_TIMESTAMP() - INTERVAL %d DAY', self::KEEP_DAYS ) );
		$floor = (int) $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$table` ORDER BY id DESC LIMIT 1 OFFSET %d", self::KEEP_ROWS ) );
		if ( $floor ) {
			Sql::prune( 'runs', "id <= $floor AND finished_at IS NOT NULL" );
		}
	}

	/**
	 * @param array<string, string|null> $row
	 * @return array<string, mixed>
	 */
	private static function typed( array $row ): array {
		foreach ( array_merge( array( 'id', 'tenant' ), self::COUNTERS ) as $name ) {
			$row[ $name ] = (int) $row[ $name ];
		}
		return $row;
	}
}
