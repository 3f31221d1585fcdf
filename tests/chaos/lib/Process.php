<?php
/**
 * A process of the portal's, as the web user: a worker, cron, a command. Watched, stopped and killed from outside.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

final class Process {

	/** @var array<int, self> Those that were started and not yet seen to end, by process id. */
	private static array $all = array();

	public readonly int $pid;

	/** @var resource */
	private $process;

	/** @var resource */
	private $output;

	/** Seen once, it is forgotten by PHP. */
	private ?int $code = null;

	/**
	 * @param list<string>          $script      The script and its arguments.
	 * @param list<string>          $php         Options of PHP.
	 * @param array<string, string> $environment
	 * @param list<string>          $within      A command that starts it.
	 */
	private function __construct( array $script, array $php, array $environment, array $within, string $input ) {
		$stack        = (string) getenv( 'TCS_STACK' );
		$user         = (string) getenv( 'TCS_USER' );
		$this->output = tmpfile();
		$environment += array( 'PHP_INI_SCAN_DIR' => getenv( 'TCS_PHP_INI_DIR' ) . ":$stack/chaos.d", 'TMPDIR' => "$stack/tmp" );
		$become       = 0 === posix_getuid() ? array( 'setpriv', "--reuid=$user", "--regid=$user", '--clear-groups' ) : array();
		$variables    = array_map( static fn( string $name, string $value ): string => "$name=$value", array_keys( $environment ), $environment );
		$command      = array( ...$within, ...$become, 'env', ...$variables, PHP_BINARY, '-d', 'memory_limit=256M', '-d', 'log_errors=1', '-d', "error_log=$stack/log/php-cli.log", ...$php, ...$script );
		$this->process = proc_open( $command, array( 0 => array( 'pipe', 'r' ), 1 => $this->output, 2 => $this->output ), $pipes, (string) getenv( 'TCS_WWW' ) );
		fwrite( $pipes[0], $input );
		fclose( $pipes[0] );
		$this->pid               = proc_get_status( $this->process )['pid'];
		self::$all[ $this->pid ] = $this;
	}

	/** bin/tenant-crm. @param list<string> $arguments */
	public static function command( array $arguments, array $php = array(), array $environment = array(), array $within = array() ): self {
		$www = (string) getenv( 'TCS_WWW' );
		return new self( array( "$www/wp-content/plugins/tenant-crm-sync/bin/tenant-crm", "--path=$www", '--url=' . getenv( 'TCS_URL' ), ...$arguments ), $php, $environment, $within, '' );
	}

	/** A worker that works until it is told to stop. */
	public static function worker( array $php = array(), array $environment = array(), array $within = array() ): self {
		return self::command( array( 'work', '--watch' ), $php, $environment, $within );
	}

	/** The door of www/portal.php, on the command line. */
	public static function door( string $do, array $php = array(), array $environment = array(), array $within = array(), string $input = '' ): self {
		return new self( array( getenv( 'TCS_WWW' ) . '/portal.php', $do ), $php, $environment, $within, $input );
	}

	/** @return array{0: int, 1: string} Exit code and output, when it ends. */
	public function end(): array {
		unset( self::$all[ $this->pid ] );
		$code = proc_close( $this->process );
		rewind( $this->output );
		return array( $this->code ?? $code, (string) stream_get_contents( $this->output ) );
	}

	/** @return array{0: int, 1: string} */
	public function kill(): array {
		proc_terminate( $this->process, SIGKILL );
		return $this->end();
	}

	/** Tells it to stop, as systemd would. @return array{0: int, 1: string} */
	public function stop(): array {
		proc_terminate( $this->process, SIGTERM );
		return $this->end();
	}

	public function is_running(): bool {
		$status     = proc_get_status( $this->process );
		$this->code = $status['running'] || -1 === $status['exitcode'] ? $this->code : $status['exitcode'];
		return $status['running'];
	}

	public static function kill_all(): void {
		foreach ( self::$all as $process ) {
			$process->kill();
		}
	}
}
