<?php
/**
 * A worker of the plugin, as cron or systemd would start it: a process of bin/tenant-crm, watched, stopped and killed from outside.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

final class Worker {

	/** @var array<int, self> Those that were started and not yet seen to end, by process id. */
	private static array $all = array();

	public readonly int $pid;

	/** @var resource */
	private $process;

	/** @var resource */
	private $output;

	/**
	 * @param list<string> $arguments
	 * @param list<string> $php       Options of PHP.
	 */
	private function __construct( array $arguments, array $php ) {
		$script        = getenv( 'TCS_WWW' ) . '/wp-content/plugins/tenant-crm-sync/bin/tenant-crm';
		$log           = getenv( 'TCS_STACK' ) . '/log/php-cli.log';
		$this->output  = tmpfile();
		$command       = array( PHP_BINARY, '-d', 'memory_limit=256M', '-d', 'log_errors=1', '-d', "error_log=$log", ...$php, $script, '--path=' . getenv( 'TCS_WWW' ), '--url=' . getenv( 'TCS_URL' ), ...$arguments );
		$this->process = proc_open( $command, array( 0 => array( 'file', '/dev/null', 'r' ), 1 => $this->output, 2 => $this->output ), $pipes );
		$this->pid     = proc_get_status( $this->process )['pid'];
		self::$all[ $this->pid ] = $this;
	}

	/** One that works until it is told to stop. */
	public static function start(): self {
		return new self( array( 'work', '--watch' ), array() );
	}

	/**
	 * Runs a command to its end.
	 *
	 * @param list<string> $arguments
	 * @param list<string> $php
	 * @return array{0: int, 1: string} Exit code and output.
	 */
	public static function run( array $arguments, array $php = array() ): array {
		$one = new self( $arguments, $php );
		return $one->end();
	}

	/** @return array{0: int, 1: string} */
	public function end(): array {
		unset( self::$all[ $this->pid ] );
		$code = proc_close( $this->process );
		rewind( $this->output );
		return array( $code, (string) stream_get_contents( $this->output ) );
	}

	public function signal( int $signal ): void {
		proc_terminate( $this->process, $signal );
	}

	public function kill(): void {
		$this->signal( SIGKILL );
		$this->end();
	}

	public function is_running(): bool {
		return proc_get_status( $this->process )['running'];
	}

	/** Tells it to stop, as systemd would. @return array{0: int, 1: string} */
	public function stop(): array {
		$this->signal( SIGTERM );
		return $this->end();
	}

	public static function kill_all(): void {
		foreach ( self::$all as $worker ) {
			$worker->kill();
		}
	}
}
