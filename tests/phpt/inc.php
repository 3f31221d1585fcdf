<?php
/**
 * What the phpt files share: checks that are counted, a sandbox CRM for one test, keys, and PHP in a process of its own.
 * Every test ends with done(), which tells how many checks held: a check that is skipped changes the number.
 */

declare(strict_types=1);

use TenantCRM\Tests\Sandbox;

require __DIR__ . '/../parity/lib/Sandbox.php';

const KEY = 'k3y-of+the/tenant=';
// The form of PHP's own tests: warnings are part of the output.
error_reporting( E_ALL );
ini_set( 'error_log', folder() . '/error.log' );

/** This test's own folder; removed at the end. */
function folder(): string {
	static $folder = null;
	if ( null === $folder ) {
		$folder = sys_get_temp_dir() . '/tcs-phpt-' . bin2hex( random_bytes( 8 ) );
		mkdir( $folder, 0700 );
		$owner = getmypid();
		register_shutdown_function(
			static function () use ( $folder, $owner ): void {
				if ( getmypid() === $owner ) {
					// After the sandbox has ended, which was registered later.
					register_shutdown_function( static fn() => exec( 'rm -rf ' . escapeshellarg( $folder ) ) );
				}
			}
		);
	}
	return $folder;
}

function check( string $what, mixed $expected, mixed $actual ): void {
	if ( $expected === $actual ) {
		$GLOBALS['checks_held'] = ( $GLOBALS['checks_held'] ?? 0 ) + 1;
		return;
	}
	$shown = static fn( mixed $value ): string => substr( preg_replace( '/\s+/', ' ', var_export( $value, true ) ), 0, 500 );
	echo "FAILED $what\n  expected {$shown( $expected )}\n  actual   {$shown( $actual )}\n";
}

function check_contains( string $what, string $part, string $text ): void {
	check( $what, true, str_contains( $text, $part ) ? true : $text );
}

/** The call must throw this class with this in its message; gives what was thrown. */
function check_throws( string $what, string $class, string $part, callable $call ): ?Throwable {
	try {
		$result = $call();
	} catch ( Throwable $thrown ) {
		check( $what, $class, get_class( $thrown ) );
		check_contains( "$what: message", $part, $thrown->getMessage() );
		return $thrown;
	}
	check( $what, "throws $class", $result );
	return null;
}

function done(): void {
	echo $GLOBALS['checks_held'] ?? 0, " checks hold\n";
}

function crm(): Sandbox {
	static $crm = null;
	return $crm ??= new Sandbox( (string) getenv( 'TCS_SANDBOX' ), folder() . '/crm' );
}

/** @param array<string, mixed> $more How the sandbox's tenant behaves. */
function tenant( string $id = 'acme', array $more = [], string $key = KEY ): void {
	crm()->tenant( $id, $key, $more );
}

/** A connection to the sandbox. @param array<string, mixed> $more */
function sync( string $id = 'acme', array $more = [], string $class = 'TenantCRMSync' ): TenantCRMSync {
	return $class::with_settings( $id, $more + [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] );
}

/** @param array<string, string> $headers */
function answer( string $body, int $status = 200, array $headers = [], ?int $times = null, string $id = 'acme' ): void {
	crm()->faults( $id, [ [ 'kind' => 'canned', 'times' => $times, 'status' => $status, 'headers' => (object) $headers, 'body_base64' => base64_encode( $body ) ] ] );
}

/** @param list<array<string, mixed>|string> $rows Texts are served byte for byte. */
function rows( array $rows, string $id = 'acme' ): void {
	$raw = array_values( array_filter( $rows, 'is_string' ) );
	crm()->call( 'POST', '/rows', [ 'tenant' => $id, 'object' => 'leads', 'rows' => array_values( array_filter( $rows, 'is_array' ) ), 'raw_base64' => array_map( 'base64_encode', $raw ) ] );
}

function seed( int $count, string $id = 'acme' ): void {
	crm()->call( 'POST', '/seed', [ 'tenant' => $id, 'object' => 'leads', 'count' => $count, 'seed' => 1, 'bytes' => 300 ] );
}

/** @return list<string> What arrived since the last time: method, target. */
function wire(): array {
	return array_map( static fn( $one ) => "{$one['method']} {$one['path']}" . ( '' === ( $one['query'] ?? '' ) ? '' : "?{$one['query']}" ), crm()->requests() );
}

/** What was logged since the last time. */
function logged(): string {
	$file = folder() . '/error.log';
	$text = is_file( $file ) ? (string) file_get_contents( $file ) : '';
	@unlink( $file );
	return $text;
}

/** A file of host keys; the first one wraps. @param list<string> $keys */
function host_keys( array $keys = [], int $mode = 0600, string $name = 'host.key' ): string {
	$file = folder() . "/$name";
	// The one before may not be writable.
	@unlink( $file );
	file_put_contents( $file, "# keys of this test\n" . implode( "\n", $keys ?: [ base64_encode( random_bytes( 32 ) ) ] ) . "\n" );
	chmod( $file, $mode );
	return $file;
}

/**
 * Settings that switch opcache on in a command line: it is part of PHP since 8.5, a module before.
 *
 * @return array<string, string|int>
 */
function opcache(): array {
	return ( PHP_VERSION_ID < 80500 ? [ 'zend_extension' => getenv( 'TCS_OPCACHE' ) ?: 'opcache' ] : [] ) + [ 'opcache.enable_cli' => 1 ];
}

/**
 * PHP in a process of its own, with the extension.
 *
 * @param array<string, string|int> $ini
 * @param ?callable                 $ready Called when the script has printed a line.
 * @return array{out: string, code: int}
 */
function php( string $code, array $ini = [], array $environment = [], ?callable $ready = null ): array {
	static $number = 0;
	$file = folder() . '/script-' . ++$number . '.php';
	file_put_contents( $file, $code );
	return php_file( $file, $ini, $environment, $ready );
}

/** @return array{out: string, code: int} */
function php_file( string $file, array $ini = [], array $environment = [], ?callable $ready = null ): array {
	$ini    += [ 'display_errors' => 'stderr', 'error_reporting' => E_ALL, 'tenant_crm_sync.allow_http' => 1, 'tenant_crm_sync.allow_private_networks' => 1 ];
	if ( getenv( 'TCS_JIT' ) ) {
		$ini += opcache() + [ 'opcache.jit' => 'tracing', 'opcache.jit_buffer_size' => '32M' ];
	}
	$command = [ PHP_BINARY, '-n', '-d', 'extension=' . getenv( 'TCS_EXTENSION' ) ];
	foreach ( $ini as $name => $value ) {
		array_push( $command, '-d', "$name=$value" );
	}
	$out     = folder() . '/out';
	@unlink( $out );
	// Both append: what one says must not be written over by the other.
	$process = proc_open( [ ...$command, $file ], [ [ 'file', '/dev/null', 'r' ], [ 'file', $out, 'a' ], [ 'file', $out, 'a' ] ], $pipes, folder(), $environment + getenv() );
	while ( null !== $ready && proc_get_status( $process )['running'] ) {
		if ( str_contains( (string) file_get_contents( $out ), "\n" ) ) {
			$ready();
			break;
		}
		usleep( 2000 );
	}
	$code = proc_close( $process );
	return [ 'out' => (string) file_get_contents( $out ), 'code' => $code ];
}
