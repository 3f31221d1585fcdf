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

	/** Text. The connection does the escaping, since it depends on its character set and sql_mode. */
	public static function text( string $value ): string {
		global $wpdb;
		$dbh = $wpdb->dbh;
		return "'" . ( $dbh instanceof \mysqli ? mysqli_real_escape_string( $dbh, $value ) : $wpdb->remove_placeholder_escape( esc_sql( $value ) ) ) . "'";
	}

	public static function nullable( ?string $value ): string {
		return null === $value ? 'NULL' : self::text( $value );
	}
}
