<?php
/**
 * Processes of their own, forked from this one: workers, and edits that are killed before they are done. Each ends by SIGKILL, whatever it
 * has done until then, so that nothing of it is tidied up and nothing that it shares with its parent is closed.
 */

final class Child {

	/** The parent's connections, which must not be closed here. */
	private static array $kept = array();

	private function __construct( private readonly int $pid ) {
	}

	/**
	 * @param callable(): void $work
	 * @param int|null         $query Number of the statement before which it is killed.
	 */
	public static function start( callable $work, ?int $query = null ): self {
		$pid = pcntl_fork();
		if ( $pid < 0 ) {
			throw new RuntimeException( 'no process can be forked' );
		}
		if ( 0 === $pid ) {
			try {
				self::connect();
				if ( null !== $query ) {
					self::kill_before( $query );
				}
				$work();
			} catch ( \Throwable $e ) {
				fwrite( STDERR, "$e\n" );
				posix_kill( getmypid(), SIGABRT );
			}
			posix_kill( getmypid(), SIGKILL );
		}
		return new self( $pid );
	}

	/** @throws RuntimeException Where it ended in another way. */
	public function wait(): void {
		pcntl_waitpid( $this->pid, $status );
		if ( ! pcntl_wifsignaled( $status ) || SIGKILL !== pcntl_wtermsig( $status ) ) {
			throw new RuntimeException( 'a process failed; what it said is above' );
		}
	}

	private static function connect(): void {
		global $wpdb;
		self::$kept[] = $wpdb->dbh;
		$wpdb->dbh    = null;
		mt_srand();
		$wpdb->db_connect();
		wp_cache_flush();
	}

	private static function kill_before( int $query ): void {
		add_filter(
			'query',
			static function ( $sql ) use ( &$query ) {
				if ( --$query < 0 ) {
					posix_kill( getmypid(), SIGKILL );
				}
				return $sql;
			}
		);
	}
}
