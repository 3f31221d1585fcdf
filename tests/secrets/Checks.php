<?php
/** Checks that are counted, and a PHP process that uses one connection the way a worker does: it stays, and is told what to do line by line. */

declare(strict_types=1);

namespace TenantCRM\Tests;

final class Checks {

	public static int $held   = 0;
	public static int $failed = 0;

	public static function same( string $what, mixed $expected, mixed $actual ): void {
		if ( $expected === $actual ) {
			++self::$held;
			return;
		}
		++self::$failed;
		$shown = static fn( mixed $value ): string => substr( (string) preg_replace( '/\s+/', ' ', var_export( $value, true ) ), 0, 700 );
		echo "FAILED $what\n  expected {$shown( $expected )}\n  actual   {$shown( $actual )}\n";
	}

	public static function has( string $what, string $part, string $text ): void {
		self::same( $what, true, str_contains( $text, $part ) ? true : $text );
	}
}

final class Worker {

	/** @var resource */
	private $process;
	/** @var array<int, resource> */
	private array $pipes = [];
	public string $log;

	/** @param array<string, string|int> $ini */
	public function __construct( array $ini ) {
		static $number = 0;
		$this->log = getenv( 'TCS_WORK' ) . '/worker-' . ++$number . '.log';
		$command   = [ PHP_BINARY, '-n', '-d', 'extension=' . getenv( 'TCS_EXTENSION' ), '-d', 'display_errors=stderr', '-d', 'error_reporting=-1', '-d', "error_log=$this->log" ];
		foreach ( $ini as $name => $value ) {
			array_push( $command, '-d', "tenant_crm_sync.$name=$value" );
		}
		$this->process = proc_open( [ ...$command, __DIR__ . '/worker.php' ], [ [ 'pipe', 'r' ], [ 'pipe', 'w' ], [ 'file', $this->log, 'a' ] ], $this->pipes );
	}

	/** @param array<string, mixed> $settings @return array<string, mixed> */
	public function ask( string $what, string $tenant, array $settings, mixed ...$more ): array {
		fwrite( $this->pipes[0], json_encode( [ $what, $tenant, $settings, $more ], JSON_THROW_ON_ERROR ) . "\n" );
		$line = fgets( $this->pipes[1] );
		return false === $line ? [ 'ended' => (string) file_get_contents( $this->log ) ] : json_decode( $line, true, 64, JSON_THROW_ON_ERROR );
	}

	public function __destruct() {
		array_map( 'fclose', $this->pipes );
		proc_close( $this->process );
	}
}
