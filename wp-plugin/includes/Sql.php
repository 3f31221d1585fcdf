<?php
/**
 * Literals for SQL that is put together in bulk, where one prepare() a value would cost more than the query.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Sql {

	/** How often a statement is sent that had no effect: because of a deadlock, of a lock that was held for too long, of a changed row. */
	private const AGAIN = array(
		1213 => 10,
		1205 => 2,
		1020 => 5,
	);

	/** Rows of one DELETE. */
	private const PIECE = 1000;

	/** Bytes for VARBINARY and BINARY columns: compared as they are, in no character set. */
	public static function bytes( string $value ): string {
		return '' === $value ? "''" : 'x\'' . bin2hex( $value ) . '\'';
	}

	/** The connection of the transaction that is open: asking wpdb for its own costs more than the escaping. */
	private static ?\mysqli $connection = null;

	public static function use_connection( ?\mysqli $connection ): void {
		self::$connection = $connection;
	}

	/** Whether a batch is being stored just now. */
	public static function is_in_transaction(): bool {
		return null !== self::$connection;
	}

	/**
	 * Whether WordPress has lost its connection and gets no other. Whatever is put together for the database then is for nobody, and wpdb
	 * complains in the log of each value that it cannot escape. A drop-in keeps its connections elsewhere.
	 */
	public static function is_lost(): bool {
		global $wpdb;
		return 'wpdb' === get_class( $wpdb ) && ! $wpdb->dbh && ! $wpdb->db_connect( false );
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
		$rows = $wpdb->get_results( $sql, ARRAY_A ); // phpcs:ignore WordPress.DB.PreparedSQL -- whoever calls this is checked.
		if ( '' !== $wpdb->last_error || ! is_array( $rows ) ) {
			throw new StoreException( "The database did not answer ({$wpdb->last_error}). Nothing of the batch was stored; the sync goes on when it does." );
		}
		return $rows;
	}

	/**
	 * One statement that stands for itself. A deadlock had no effect: it is sent again, and no log hears of it.
	 *
	 * @return int Rows that were changed.
	 * @throws StoreException Where the database refuses for good, or again and again.
	 */
	public static function change( string $sql ): int {
		global $wpdb;
		$quiet = $wpdb->suppress_errors( true );
		try {
			for ( $try = 1; ; $try++ ) {
				$changed = $wpdb->query( $sql ); // phpcs:ignore WordPress.DB.PreparedSQL -- whoever calls this is checked.
				if ( false !== $changed ) {
					return (int) $changed;
				}
				$code = $wpdb->dbh instanceof \mysqli ? mysqli_errno( $wpdb->dbh ) : 0;
				if ( $try >= ( self::AGAIN[ $code ] ?? 1 ) ) {
					throw new StoreException( "The database refused a change of the queue ({$wpdb->last_error}).", $code );
				}
				usleep( wp_rand( 1000, 20000 ) * $try );
			}
		} finally {
			$wpdb->suppress_errors( $quiet );
		}
	}

	/**
	 * Deletes rows of one of our tables in small pieces, oldest first, so that nobody waits for it.
	 *
	 * @param int $most Rows to delete at most; the rest goes next time.
	 */
	public static function prune( string $name, string $where, int $most = 100000 ): void {
		$table = Schema::table( $name );
		for ( $gone = 0; $gone < $most; $gone += self::PIECE ) {
			// Read without locks, deleted by key: rows that are being written are not touched, nor the gaps between them.
			$ids = array_map( 'intval', array_column( self::rows( "SELECT id FROM `$table` WHERE $where ORDER BY id LIMIT " . self::PIECE ), 'id' ) );
			if ( $ids ) {
				self::change( "DELETE FROM `$table` WHERE id IN (" . implode( ',', $ids ) . ')' );
			}
			if ( count( $ids ) < self::PIECE ) {
				return;
			}
		}
	}

	public static function nullable( ?string $value ): string {
		return null === $value ? 'NULL' : self::text( $value );
	}
}
