<?php
/**
 * A second connection to the site's database: opened when it is first needed, with autocommit, and opened again when it broke.
 *
 * What is sent over it must do no harm when it is sent twice. What is stored is the business of TokenStore.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tokens;

use TenantCRM\StoreException;

final class Connection {

	/** Seconds to wait for the database to take us. */
	private const PATIENCE = 5;

	/** "Server has gone away", "lost connection", "killed", and refused while it starts or shuts down. */
	private const BROKEN = array( 2002, 2003, 2006, 2013, 2055, 1053, 1152, 1927, 3169 );

	/** A deadlock, and a lock that was waited for too long: the statement had no effect. */
	private const AGAIN = array( 1205, 1213 );

	private ?\mysqli $link = null;

	/** @return array<string, string|null>|null The first row, if there is one. */
	public function row( string $sql ): ?array {
		$result = $this->send( $sql );
		$row    = $result instanceof \mysqli_result ? $result->fetch_assoc() : null;
		return is_array( $row ) ? $row : null;
	}

	/** How many rows a statement changed. */
	public function change( string $sql ): int {
		$this->send( $sql );
		return max( 0, (int) $this->link->affected_rows );
	}

	/** A literal. */
	public function text( string $text ): string {
		$this->open();
		return "'" . $this->link->real_escape_string( $text ) . "'";
	}

	/** @return \mysqli_result|bool */
	private function send( string $sql ) {
		for ( $attempt = 1; ; $attempt++ ) {
			$this->open();
			try {
				$result = $this->link->query( $sql );
				$number = $this->link->errno;
				$reason = $this->link->error;
			} catch ( \mysqli_sql_exception $e ) {
				// WordPress turns these off; another plugin may have turned them on.
				$result = false;
				$number = $e->getCode();
				$reason = $e->getMessage();
			}
			if ( false !== $result ) {
				return $result;
			}
			$is_broken = in_array( $number, self::BROKEN, true );
			if ( $is_broken ) {
				$this->link = null;
			}
			if ( $attempt >= 3 || ! ( $is_broken || in_array( $number, self::AGAIN, true ) ) ) {
				throw new StoreException( "The database did not take a token ($reason). Nothing of it was used; the sync goes on when it does." );
			}
			usleep( 50000 * $attempt );
		}
	}

	private function open(): void {
		global $wpdb;
		if ( $this->link ) {
			return;
		}
		$address = $wpdb->parse_db_host( DB_HOST );
		if ( ! $address ) {
			$address = array( DB_HOST, null, null, false );
		}
		list( $host, $port, $socket, $is_ipv6 ) = $address;
		if ( $is_ipv6 && extension_loaded( 'mysqlnd' ) ) {
			$host = "[$host]";
		}
		$flags  = defined( 'MYSQL_CLIENT_FLAGS' ) ? MYSQL_CLIENT_FLAGS : 0;
		$link   = mysqli_init();
		$reason = '';
		$link->options( MYSQLI_OPT_CONNECT_TIMEOUT, self::PATIENCE );
		try {
			$opened = @$link->real_connect( $host, DB_USER, DB_PASSWORD, DB_NAME, (int) $port, $socket, $flags ) // phpcs:ignore WordPress.PHP.NoSilencedErrors, Generic.PHP.NoSilencedErrors -- the failure is thrown below.
				&& $link->set_charset( 'utf8mb4' )
				&& $link->query( "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = " . self::PATIENCE );
		} catch ( \mysqli_sql_exception $e ) {
			$opened = false;
			$reason = $e->getMessage();
		}
		if ( ! $opened ) {
			$reason = $reason ? $reason : ( $link->connect_error ?? $link->error );
			throw new StoreException( "The database did not open a second connection, which tokens need ($reason). Check the limit of connections of the database user." );
		}
		$this->link = $link;
	}
}
