<?php
/**
 * What the site's admin may want to read later. Bounded in rows, and each row in bytes.
 *
 * Secrets never get here: messages of the extension are redacted by it, and nothing else holds any.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Log {

	private const LEVELS      = array( 'debug', 'info', 'warning', 'error' );
	private const KEEP_ROWS   = 20000;
	private const MAX_MESSAGE = 2000;
	private const MAX_CONTEXT = 16000;

	/** @param array<string, mixed> $context Shown below the message. */
	public static function add( int $tenant, string $level, string $message, array $context = array() ): void {
		global $wpdb;
		$wpdb->query( self::head() . self::rows( array( array( $tenant, $level, $message, $context ) ) )[0] ); // phpcs:ignore WordPress.DB.PreparedSQL -- rows() quotes.
	}

	/**
	 * The same, if there is no such entry of this run yet, of this or another slice.
	 *
	 * @param array<string, mixed> $context
	 */
	public static function add_once( int $tenant, string $level, string $message, array $context ): void {
		$table = Schema::table( 'log' );
		if ( ! Sql::rows( sprintf( 'SELECT 1 FROM `%s` WHERE tenant = %d AND message = %s AND context = %s LIMIT 1', $table, $tenant, Sql::text( $message ), self::context_sql( $context ) ) ) ) {
			self::add( $tenant, $level, $message, $context );
		}
	}

	/** With rows(): Store runs it inside of a batch's transaction, so that an entry is there exactly if the batch is. */
	public static function head(): string {
		return 'INSERT INTO `' . Schema::table( 'log' ) . '` (tenant, level, message, context, created_at) VALUES ';
	}

	/**
	 * @param list<array{0: int, 1: string, 2: string, 3: array<string, mixed>}> $entries
	 * @return list<string> SQL of one row each.
	 */
	public static function rows( array $entries ): array {
		$rows = array();
		foreach ( $entries as list( $tenant, $level, $message, $context ) ) {
			$level  = in_array( $level, self::LEVELS, true ) ? $level : 'info';
			$rows[] = sprintf( "(%d, '%s', %s, %s, UTC_TIMESTAMP())", $tenant, $level, Sql::text( mb_strcut( $message, 0, self::MAX_MESSAGE, 'UTF-8' ) ), self::context_sql( $context ) );
		}
		return $rows;
	}

	/**
	 * Newest first.
	 *
	 * @param array{tenant?: int, tenants?: list<int>, level?: string, since?: string, before?: int, limit?: int} $args since: UTC, as the database writes it.
	 *        before: an id, for the next page.
	 * @return list<array{id: int, tenant: int, level: string, message: string, context: array<string, mixed>, created_at: string}>
	 */
	public static function list( array $args = array() ): array {
		global $wpdb;
		$where = array( '1 = 1' );
		if ( isset( $args['tenant'] ) ) {
			$where[] = $wpdb->prepare( 'tenant = %d', $args['tenant'] );
		}
		if ( isset( $args['tenants'] ) ) {
			$where[] = $args['tenants'] ? 'tenant IN (' . implode( ',', array_map( 'intval', $args['tenants'] ) ) . ')' : '1 = 0';
		}
		if ( isset( $args['since'] ) ) {
			$where[] = $wpdb->prepare( 'created_at >= %s', $args['since'] );
		}
		if ( isset( $args['level'] ) ) {
			$where[] = $wpdb->prepare( 'level = %s', $args['level'] );
		}
		if ( isset( $args['before'] ) ) {
			$where[] = $wpdb->prepare( 'id < %d', $args['before'] );
		}
		$limit = max( 1, min( 1000, (int) ( $args['limit'] ?? 50 ) ) );
		$table = Schema::table( 'log' );
		$rows  = $wpdb->get_results( "SELECT * FROM `$table` WHERE " . implode( ' AND ', $where ) . " ORDER BY id DESC LIMIT $limit", ARRAY_A );
		foreach ( $rows as &$row ) {
			$context        = json_decode( (string) $row['context'], true );
			$row['id']      = (int) $row['id'];
			$row['tenant']  = (int) $row['tenant'];
			$row['context'] = is_array( $context ) ? $context : array();
		}
		return $rows;
	}

	/** Keeps the table bounded. */
	public static function prune(): void {
		global $wpdb;
		Sql::prune( 'log', sprintf( 'created_at < UTC_TIMESTAMP() - INTERVAL %d DAY', Settings::get( Settings::KEEP_EVENTS ) ) );
		$table = Schema::table( 'log' );
		$floor = $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$table` ORDER BY id DESC LIMIT 1 OFFSET %d", self::KEEP_ROWS ) );
		if ( null !== $floor ) {
			$wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE id <= %d LIMIT 5000", $floor ) );
		}
	}

	/** @param array<string, mixed> $context */
	private static function context_sql( array $context ): string {
		if ( ! $context ) {
			return 'NULL';
		}
		$json = wp_json_encode( $context, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
		if ( false === $json || strlen( $json ) > self::MAX_CONTEXT ) {
			$json = wp_json_encode( array( 'left_out' => 'The details are too long to be kept.' ) );
		}
		return Sql::text( (string) $json );
	}
}
