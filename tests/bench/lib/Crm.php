<?php
/** The sandbox CRM as the benchmark needs it: tenants with many leads, and long wires to it. */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Crm {

	/** How far a round trip may be from what was asked for: timers wake up to a millisecond late, in each direction. */
	private const LATE_MS = 4.0;

	/** @var array<int, int> Ports by round trip. */
	private array $ports = [];

	public readonly string $ca;

	/** @param bool $may_be_late On a busy machine everything is. */
	public function __construct( private readonly bool $may_be_late ) {
		$this->ca = (string) getenv( 'TCS_CA_FILE' );
	}

	/** A tenant whose key is its name. @param array<string, mixed> $settings */
	public function tenant( string $id, int $leads, array $settings = [] ): void {
		$this->call( 'POST', '/tenants', $settings + [ 'id' => $id, 'key' => $id, 'paging' => 'page' ] );
		for ( $from = 0; $from < $leads; $from += 100000 ) {
			$this->call( 'POST', '/seed', [ 'tenant' => $id, 'object' => 'leads', 'count' => min( 100000, $leads - $from ), 'seed' => 1 + $from, 'bytes' => 400 ] );
		}
	}

	public function forget( string $id ): void {
		$this->call( 'DELETE', "/tenants/$id" );
		$this->call( 'DELETE', '/requests' );
	}

	/** The TLS port at this distance. @throws Unmeasurable */
	public function port( int $round_trip_ms ): int {
		$near = (int) getenv( 'TCS_SANDBOX_TLS_PORT' );
		if ( 0 === $round_trip_ms ) {
			return $near;
		}
		if ( ! isset( $this->ports[ $round_trip_ms ] ) ) {
			$this->check( $round_trip_ms );
			$this->ports[ $round_trip_ms ] = $this->call( 'POST', '/rtt', [ 'to' => $near, 'ms' => $round_trip_ms ] )['port'];
		}
		return $this->ports[ $round_trip_ms ];
	}

	public function url( int $round_trip_ms = 0 ): string {
		return 'https://localhost:' . $this->port( $round_trip_ms );
	}

	/** Looks at the wire itself: a kept connection without TLS, whose every request is one round trip. */
	private function check( int $asked ): void {
		$port = $this->call( 'POST', '/rtt', [ 'to' => (int) getenv( 'TCS_SANDBOX_PLAIN_PORT' ), 'ms' => $asked ] )['port'];
		$curl = curl_init( "http://127.0.0.1:$port/api/v1/leads" );
		curl_setopt( $curl, CURLOPT_RETURNTRANSFER, true );
		curl_exec( $curl );
		$times = [];
		for ( $i = 0; $i < 9; $i++ ) {
			$start = hrtime( true );
			curl_exec( $curl );
			$times[] = ( hrtime( true ) - $start ) / 1e6;
		}
		$is = Statistics::median( $times );
		if ( $is < $asked || ( $is > $asked + self::LATE_MS && ! $this->may_be_late ) ) {
			throw new Unmeasurable( sprintf( 'a round trip of %d ms takes %.1f ms here', $asked, $is ) );
		}
	}

	/** @param array<string, mixed>|null $body */
	public function call( string $method, string $path, ?array $body = null ): mixed {
		$http   = [ 'method' => $method, 'header' => 'Content-Type: application/json', 'content' => null === $body ? '' : json_encode( $body ), 'ignore_errors' => true, 'timeout' => 120 ];
		$answer = file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . $path, false, stream_context_create( [ 'http' => $http ] ) );
		if ( false === $answer || ! preg_match( '~^HTTP/\S+ 2~', $http_response_header[0] ) ) {
			throw new \RuntimeException( "sandbox: $method $path: " . ( $http_response_header[0] ?? 'no answer' ) . " $answer" );
		}
		return json_decode( $answer, true );
	}
}
