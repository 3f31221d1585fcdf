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

	public static function nullable( ?string $value ): string {
		return null === $value ? 'NULL' : self::text( $value );
	}
}
