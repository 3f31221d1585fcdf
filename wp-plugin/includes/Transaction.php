<?php
/**
 * One transaction on WordPress's connection, replayed as a whole where the database asks for it.
 *
 * wpdb reconnects in silence, also in the middle of a transaction: the first half would be lost and the second stay. So
 * statements here go to the connection that began the transaction, and to no other, and reconnect_retries is 0 meanwhile for
 * whatever a hook sends through wpdb. What it runs is its caller's business; it must be able to run twice.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Transaction {

	private const TRIES = 5;

	/** Lock wait, deadlock, duplicate of a concurrent insert, changed row, interrupted, shutdown; and the ways to lose a connection. */
	private const REPLAY = array( 1205, 1213, 1062, 1020, 1317, 1053, 1927, 2006, 2013, 2055, 4031 );

	/** Warnings that mean: not stored as it was sent. Out of range, cut, wrong character, no default, too long. */
	private const CHANGED = array( 1264, 1265, 1366, 1406, 1300, 3988 );

	/** Bytes of one statement, so that it fits every server's max_allowed_packet and a replica's relay log. */
	private const STATEMENT = 1000000;

	private static ?int $packet = null;

	private ?\mysqli $connection = null;

	private function __construct() {
	}

	/**
	 * @template T
	 * @param callable(self): T $work
	 * @param bool              $only_taken Whether locks are kept only on rows that were taken, not on those read on the way.
	 * @return T
	 * @throws StoreException Where the database refuses for good, or again and again.
	 */
	public static function run( callable $work, bool $only_taken = false ) {
		global $wpdb;
		self::$packet ??= max( 65536, (int) $wpdb->get_var( 'SELECT @@max_allowed_packet' ) );
		for ( $try = 1; ; $try++ ) {
			$self    = new self();
			$retries = $wpdb->reconnect_retries;
			try {
				$self->begin( $only_taken );
				$wpdb->reconnect_retries = 0;
				$result                  = $work( $self );
				$self->query( 'COMMIT' );
				return $result;
			} catch ( StatementFailed $e ) {
				$self->undo();
				if ( $try >= self::TRIES || ! in_array( $e->getCode(), self::REPLAY, true ) ) {
					throw new StoreException( "The database refused to store a batch ({$e->getMessage()}). Nothing of it was stored.", (int) $e->getCode(), $e );
				}
			} catch ( \Throwable $e ) {
				$self->undo();
				throw $e;
			} finally {
				$wpdb->reconnect_retries = $retries;
				Sql::use_connection( null );
			}
			usleep( wp_rand( 5000, 50000 ) * $try );
			if ( ! $wpdb->check_connection( false ) ) {
				throw new StoreException( 'The database cannot be reached. Nothing of the batch was stored; the sync goes on when it is back.' );
			}
		}
	}

	/**
	 * For statements that WordPress sent and that failed: an error that has nothing to do with the values must not be held against them.
	 *
	 * @throws StoreException
	 */
	public static function stop_if_transient(): void {
		global $wpdb;
		$code = $wpdb->dbh instanceof \mysqli ? mysqli_errno( $wpdb->dbh ) : 0;
		if ( in_array( $code, self::REPLAY, true ) ) {
			throw new StoreException( "The database could not store a lead just now ({$wpdb->last_error}). The sync goes on when it can.", $code );
		}
	}

	/**
	 * @return \mysqli_result|bool
	 * @throws StatementFailed
	 */
	public function query( string $sql ) {
		global $wpdb;
		/** This filter is documented in wp-includes/class-wpdb.php: loggers see these statements as they see all others. */
		$sql = (string) apply_filters( 'query', $sql );
		++$wpdb->num_queries;
		if ( ! $this->connection ) {
			$result = $wpdb->query( $sql ); // phpcs:ignore WordPress.DB.PreparedSQL -- whoever calls this is checked.
			if ( false === $result ) {
				throw new StatementFailed( $wpdb->last_error ? $wpdb->last_error : 'the connection is gone', 2006 );
			}
			return true;
		}
		try {
			$result = mysqli_query( $this->connection, $sql );
		} catch ( \mysqli_sql_exception $e ) {
			throw new StatementFailed( $e->getMessage(), (int) $e->getCode(), $e );
		}
		if ( false === $result ) {
			throw new StatementFailed( mysqli_error( $this->connection ), mysqli_errno( $this->connection ) );
		}
		return $result;
	}

	/** @return list<array<string, string|null>> */
	public function rows( string $sql ): array {
		global $wpdb;
		$result = $this->query( $sql );
		if ( $result instanceof \mysqli_result ) {
			return $result->fetch_all( MYSQLI_ASSOC );
		}
		return json_decode( (string) wp_json_encode( $wpdb->last_result ), true );
	}

	/** Number of rows that the last statement changed. */
	public function affected(): int {
		global $wpdb;
		return $this->connection ? (int) mysqli_affected_rows( $this->connection ) : (int) $wpdb->rows_affected;
	}

	/**
	 * A multi-row statement, in as many pieces as its size asks for.
	 *
	 * @param list<string> $rows  SQL of one row each.
	 * @param bool         $exact False for the log: a value of it that the database cuts is no reason to refuse a record.
	 * @throws BadValue Where the database changed a value, or a row is too large for it.
	 */
	public function insert( string $head, array $rows, string $tail = '', bool $exact = true ): void {
		$limit = min( self::STATEMENT, (int) ( 0.9 * (int) self::$packet ) - strlen( $head ) - strlen( $tail ) );
		$piece = array();
		$size  = 0;
		foreach ( $rows as $row ) {
			$length = strlen( $row ) + 1;
			if ( $piece && $size + $length > $limit ) {
				$this->write( $head . implode( ',', $piece ) . $tail, $exact );
				$piece = array();
				$size  = 0;
			}
			if ( $length > 0.9 * (int) self::$packet ) {
				throw new BadValue( 'it is larger than the database takes in one statement (max_allowed_packet is ' . self::$packet . ' bytes)' );
			}
			$piece[] = $row;
			$size   += $length;
		}
		if ( $piece ) {
			$this->write( $head . implode( ',', $piece ) . $tail, $exact );
		}
	}

	/**
	 * WordPress switches strict mode off: a value that does not fit is cut in silence. Here it is not.
	 */
	private function write( string $sql, bool $exact ): void {
		$this->query( $sql );
		if ( ! $exact || ! $this->connection || 0 === mysqli_warning_count( $this->connection ) ) {
			return;
		}
		$count    = mysqli_warning_count( $this->connection );
		$warnings = $this->rows( 'SHOW WARNINGS' );
		if ( count( $warnings ) < $count ) {
			// The server keeps max_error_count of them: which the others are nobody can say. Fewer records at once bring fewer.
			throw new BadValue( "the database has $count warnings and shows only " . count( $warnings ) . ' (max_error_count)' );
		}
		foreach ( $warnings as $warning ) {
			if ( in_array( (int) $warning['Code'], self::CHANGED, true ) ) {
				throw new BadValue( 'the database cannot hold one of its values as it is: ' . preg_replace( "/: '.*' for column/s", ' for column', (string) $warning['Message'] ) );
			}
		}
	}

	/** The only statement that wpdb may reconnect for: nothing is lost yet. A drop-in that splits reads and writes picks its primary here. */
	private function begin( bool $only_taken ): void {
		global $wpdb;
		if ( $only_taken ) {
			$wpdb->query( 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED' );
		}
		if ( false === $wpdb->query( 'START TRANSACTION' ) ) {
			throw new StatementFailed( $wpdb->last_error ? $wpdb->last_error : 'the connection is gone', 2006 );
		}
		$this->connection = $wpdb->dbh instanceof \mysqli ? $wpdb->dbh : null;
		Sql::use_connection( $this->connection );
	}

	private function undo(): void {
		try {
			$this->query( 'ROLLBACK' );
		} catch ( StatementFailed $e ) {
			// The connection is gone, and the server rolled back when it noticed.
			return;
		}
	}
}
