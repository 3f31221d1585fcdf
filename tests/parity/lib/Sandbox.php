<?php
/**
 * Starts the sandbox CRM in a folder of its own, talks to its control port, and ends it with the script that started it.
 * Knows nothing of what is tested. Also used by tests/phpt.
 */

declare(strict_types=1);

namespace TenantCRM\Tests;

final class Sandbox {

	public string $plain = '';
	public string $tls = '';
	public string $ca = '';
	/** What appears in addresses and differs from run to run. */
	public int $plain_port = 0;
	public int $tls_port = 0;
	private string $control = '';
	private int $pid = 0;
	private int $owner;
	/** @var resource|null */
	private $process = null;

	public function __construct( string $binary, private string $folder ) {
		$this->owner = getmypid();
		if ( '' === $binary || ! is_executable( $binary ) ) {
			throw new \RuntimeException( "there is no sandbox at '$binary': set TCS_SANDBOX to the built sandbox-crm" );
		}
		if ( ! is_dir( $folder ) && ! mkdir( $folder, 0700, true ) ) {
			throw new \RuntimeException( "cannot make $folder" );
		}
		$out           = [ 'file', "$folder/sandbox.log", 'a' ];
		$this->process = proc_open( [ $binary, '--dir', $folder ], [ [ 'file', '/dev/null', 'r' ], $out, $out ], $pipes );
		$deadline      = microtime( true ) + 20;
		while ( ! is_file( "$folder/sandbox.json" ) ) {
			if ( microtime( true ) > $deadline ) {
				throw new \RuntimeException( 'the sandbox did not start: ' . file_get_contents( "$folder/sandbox.log" ) );
			}
			usleep( 5000 );
		}
		$said             = json_decode( (string) file_get_contents( "$folder/sandbox.json" ), true, 8, JSON_THROW_ON_ERROR );
		$this->pid        = $said['pid'];
		$this->plain_port = $said['plain_port'];
		$this->tls_port   = $said['tls_port'];
		$this->plain      = "http://127.0.0.1:$this->plain_port";
		// Of what is encrypted valgrind cannot say whether it was ever set.
		$this->tls        = getenv( 'TCS_WITHIN' ) ? $this->plain : "https://127.0.0.1:$this->tls_port";
		$this->control    = "http://127.0.0.1:{$said['control_port']}";
		$this->ca         = "$folder/ca.pem";
		register_shutdown_function( [ $this, 'stop' ] );
	}

	/** Only the process that started it ends it: a forked child runs shutdown functions too. */
	public function stop(): void {
		if ( null === $this->process || getmypid() !== $this->owner ) {
			return;
		}
		proc_terminate( $this->process, 15 );
		proc_close( $this->process );
		$this->process = null;
	}

	/** @param array<string, mixed>|null $body */
	public function call( string $method, string $path, ?array $body = null ): mixed {
		$http = [ 'method' => $method, 'header' => [ 'Content-Type: application/json', 'Connection: close' ], 'ignore_errors' => true, 'timeout' => 60 ];
		if ( null !== $body ) {
			$http['content'] = json_encode( $body, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION );
		}
		$got    = file_get_contents( $this->control . $path, false, stream_context_create( [ 'http' => $http ] ) );
		$status = (int) explode( ' ', $http_response_header[0] ?? 'none 0' )[1];
		if ( $status < 200 || $status >= 300 ) {
			throw new \RuntimeException( "sandbox: $method $path answered $status: $got" );
		}
		return '' === $got ? null : json_decode( (string) $got, true, 512, JSON_THROW_ON_ERROR );
	}

	/** @param array<string, mixed> $more */
	public function tenant( string $id, string $key, array $more = [] ): void {
		$this->call( 'POST', '/tenants', [ 'id' => $id, 'key' => $key ] + $more );
	}

	/** @param list<array<string, mixed>> $faults */
	public function faults( string $tenant, array $faults ): void {
		$this->call( 'POST', '/faults', [ 'tenant' => $tenant, 'faults' => $faults ] );
	}

	/** @return list<array<string, mixed>> What arrived since the last time. */
	public function requests(): array {
		$got = $this->call( 'GET', '/requests' );
		$this->call( 'DELETE', '/requests' );
		return $got['requests'] ?? $got;
	}
}
