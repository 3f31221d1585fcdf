<?php
/**
 * What counts together: a user with a file of counters. Its processes are started with their orders, and read when they end.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Redis;

final class Host {

	private string $folder;

	/** @var list<array{0: resource, 1: resource}> */
	private array $running = array();

	/**
	 * @param string                $user     Whose processes they are, where we may choose.
	 * @param array<string, string> $settings INI, without `tenant_crm_sync.`.
	 */
	public function __construct( private string $user, private string $redis_url, private array $settings = array() ) {
		static $number = 0;
		$this->folder  = getenv( 'TCS_WORK' ) . '/host-' . ++$number;
		mkdir( $this->folder, 0700 );
		if ( '0' === getenv( 'TCS_UID' ) ) {
			chown( $this->folder, $user );
		}
	}

	/** The same host, which is told of another Redis. */
	public function with( string $redis_url ): self {
		$other            = clone $this;
		$other->redis_url = $redis_url;
		return $other;
	}

	/** @param array<string, mixed> $order See worker.php. */
	public function start( array $order ): void {
		$ini     = array( 'redis_url' => $this->redis_url, 'limit_file' => "{$this->folder}/limits", 'limit_slots' => '1024' ) + $this->settings;
		$command = '0' === getenv( 'TCS_UID' ) ? array( 'setpriv', "--reuid={$this->user}", '--regid=65534', '--clear-groups' ) : array();
		array_push( $command, PHP_BINARY, '-n', '-d', 'extension=' . getenv( 'TCS_WORK' ) . '/tenant_crm_sync.so' );
		foreach ( $ini as $name => $value ) {
			array_push( $command, '-d', "tenant_crm_sync.$name=\"$value\"" );
		}
		array_push( $command, dirname( __DIR__ ) . '/worker.php', (string) json_encode( $order ) );
		$this->running[] = array( proc_open( $command, array( 1 => array( 'pipe', 'w' ) ), $pipes ), $pipes[1] );
	}

	/** @return list<mixed> What each process has found; null where it has died. */
	public function finish(): array {
		$found = array();
		foreach ( $this->running as list( $process, $output ) ) {
			$found[] = json_decode( (string) stream_get_contents( $output ), true );
			proc_close( $process );
		}
		$this->running = array();
		return $found;
	}

	/** @param array<string, mixed> $order */
	public function does( array $order ): mixed {
		$this->start( $order );
		return $this->finish()[0];
	}
}
