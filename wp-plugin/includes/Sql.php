<?php
/**
 * Literals for SQL that is put together in bulk, where one prepare() a value would cost more than the query.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Sql {

	/** Bytes for VARBINARY and BINARY columns: compared as they are, in no character set. */
	public static function bytes( string $value ): string {
		return '' === $value ? "''" : 'x\'' . bin2hex( $value ) . '\'';
	}

	/** The connection of the transaction that is open: asking wpdb for its own costs more than the escaping. */
	private static ?\mysqli $connection = null;

	public static function use_connection( ?\mysqli $connection ): void {
		self::$connection = $connection;
	}

	/** Text. The connection does the escaping, since it depends on its character set and sql_mode. */
	public static function text( string $value ): string {
		if ( self::$connection ) {
			return "'" . mysqli_real_escape_string( self::$connection, $value ) . "'";
		}
		global $wpdb;
		return "'" . $wpdb->remove_placeholder_escape( esc_sql( $value ) ) . "'";
	}

	/**
	 * Rows of a query through wpdb, whose answer to a failed query cannot be told from "no rows".
	 *
	 * @return list<array<string, string|null>>
	 * @throws StoreException
	 */
	public static function rows( string $sql ): array {
		global $wpdb;
		$rows = $wpdb->get_results( $sql, ARRAY_A ); // phpcs:ignore WordPress.DB.PreparedSQL
		if ( '' !== $wpdb->last_error || ! is_array( $rows ) ) {
			throw new StoreException( "The database did not answer ({$wpdb->last_error}). Nothing of the batch was stored; the sync goes on when it does." );
		}
		return $rows;
	}

	public static function nullable( ?string $value ): string {
		return null === $value ? 'NULL' : self::text( $value );
	}
}
