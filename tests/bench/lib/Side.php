<?php
/**
 * One side of a comparison as a process of its own: sides/NAME.php, or a program. What it prints last is one line of JSON, its sample.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Side {

	/**
	 * @param array<string, mixed>  $arguments The script gets them as JSON.
	 * @param array<string, string> $ini
	 * @return array<string, mixed>
	 */
	public static function php( string $name, array $arguments, array $ini = [] ): array {
		$command = [ PHP_BINARY, '-d', 'memory_limit=-1', '-d', 'tenant_crm_sync.max_parallel=128', '-d', 'tenant_crm_sync.limit_file=' . getenv( 'BENCH_LIMITS' ) ];
		foreach ( $ini as $key => $value ) {
			array_push( $command, '-d', "$key=$value" );
		}
		return self::run( [ ...$command, dirname( __DIR__ ) . "/sides/$name.php", json_encode( $arguments ) ] );
	}

	/**
	 * @param list<string> $command
	 * @return array<string, mixed>
	 */
	public static function run( array $command ): array {
		$process = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], [ 'redirect', 1 ] ], $pipes );
		$output  = trim( (string) stream_get_contents( $pipes[1] ) );
		$code    = proc_close( $process );
		$sample  = json_decode( (string) substr( "\n$output", 1 + (int) strrpos( "\n$output", "\n" ) ), true );
		if ( 0 !== $code || ! is_array( $sample ) ) {
			throw new \RuntimeException( basename( $command[ count( $command ) - 2 ] ) . ' ' . end( $command ) . " ended with $code: " . substr( $output, -2000 ) );
		}
		return $sample;
	}
}
