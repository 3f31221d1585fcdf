<?php
/**
 * A redis-server of our own, without persistence: started, killed and started again. Its folder is private, its port a free one.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Redis;

final class Server {

	/** @var resource|null */
	private $process = null;

	/** @param list<string> $options What a redis-server takes on its command line. */
	public function __construct( private string $folder, private array $options ) {
		is_dir( $folder ) || mkdir( $folder, 0755 );
	}

	public function start(): void {
		$command       = array( 'redis-server', ...$this->options, '--save', '', '--appendonly', 'no', '--dir', $this->folder );
		$log           = array( 'file', "{$this->folder}/log", 'a' );
		$this->process = proc_open( $command, array( array( 'file', '/dev/null', 'r' ), $log, $log ), $pipes );
		$started       = microtime( true );
		while ( ! str_contains( $this->last_log(), 'eady to accept connections' ) && microtime( true ) < $started + 10 ) {
			usleep( 10000 );
		}
	}

	/** As the machine's own killer does: at once. */
	public function kill(): void {
		if ( null !== $this->process ) {
			proc_terminate( $this->process, 9 );
			proc_close( $this->process );
			$this->process = null;
		}
	}

	/** As a disk or a neighbour does that takes all of the machine: for so many microseconds. */
	public function freeze( int $microseconds ): void {
		proc_terminate( $this->process, 19 );
		usleep( $microseconds );
		proc_terminate( $this->process, 18 );
	}

	/** What the last start has written down so far. */
	private function last_log(): string {
		$log = (string) file_get_contents( "{$this->folder}/log" );
		return substr( $log, (int) strrpos( $log, 'oO0OoO0OoO0Oo' ) );
	}
}
