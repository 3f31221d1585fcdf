<?php
/**
 * Many at once: processes of the command line with orders for tests/redis/worker.php, and requests to the 32 workers of a real FPM.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

final class Crowd {

	/**
	 * @param list<array<string, mixed>> $orders One process each.
	 * @param array<string, string>      $ini    Settings beside the stack's.
	 * @return list<mixed> What each has found.
	 */
	public static function processes( array $orders, array $ini = array() ): array {
		$command = array( PHP_BINARY );
		foreach ( $ini as $name => $value ) {
			array_push( $command, '-d', "$name=$value" );
		}
		$all = array();
		foreach ( $orders as $order ) {
			$process = proc_open( array( ...$command, dirname( __DIR__ ) . '/redis/worker.php', (string) json_encode( $order ) ), array( 1 => array( 'pipe', 'w' ) ), $pipes );
			$all[]   = array( $process, $pipes[1] );
		}
		$found = array();
		foreach ( $all as list( $process, $output ) ) {
			$found[] = json_decode( (string) stream_get_contents( $output ), true );
			proc_close( $process );
		}
		return $found;
	}

	/**
	 * One request to each of so many workers; the callback runs while they work.
	 *
	 * @param array<string, scalar> $query Of www/calls.php.
	 * @return list<mixed> What each has answered.
	 */
	public static function workers( int $count, array $query, ?callable $meanwhile = null ): array {
		$code = 'require $argv[1]; echo json_encode( TenantCRM\Tests\Fpm\FastCgi::get( "crowd", "calls.php", json_decode( $argv[2], true ) )["json"] );';
		$all  = array();
		for ( $worker = 0; $worker < $count; $worker++ ) {
			$process = proc_open( array( PHP_BINARY, '-n', '-r', $code, dirname( __DIR__ ) . '/fpm/FastCgi.php', (string) json_encode( $query ) ), array( 1 => array( 'pipe', 'w' ) ), $pipes );
			$all[]   = array( $process, $pipes[1] );
		}
		null === $meanwhile || $meanwhile();
		$found = array();
		foreach ( $all as list( $process, $output ) ) {
			$found[] = json_decode( (string) stream_get_contents( $output ), true );
			proc_close( $process );
		}
		return $found;
	}

	/**
	 * A tenant of the CRM with limits, of which our settings tell.
	 *
	 * @param list<array<string, mixed>> $crm Limits as the CRM counts them.
	 * @param list<array<string, mixed>> $own The setting `limits`.
	 */
	public static function tenant( \TenantCRM\Tests\Fpm\Sandbox $sandbox, string $id, array $crm, array $own ): void {
		$sandbox->tenant( $id, 3 );
		$sandbox->call( 'POST', '/behaviour', array( 'tenant' => $id, 'latency_ms' => 20, 'limits' => $crm ) );
		$file                     = getenv( 'TCS_STACK' ) . '/settings.json';
		$settings                 = json_decode( (string) file_get_contents( $file ), true );
		$settings[ $id ]['limits'] = json_encode( $own );
		file_put_contents( $file, json_encode( $settings ) );
	}
}
