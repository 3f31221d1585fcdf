<?php
/**
 * The sandbox CRM as one site sees it: its three tenants with keys of their own, and the leads of leads.php. Every site has its own, so that
 * sites can be looked at side by side.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

final class Crm {

	public function __construct( private string $side ) {}

	public function key( string $tenant ): string {
		return "key-of-$this->side-" . bin2hex( $tenant );
	}

	/** Tenants and leads as they are at first. */
	public function fill(): void {
		foreach ( TENANTS as $tenant ) {
			// One answer with everything: the article's class asks for one.
			$this->call( 'POST', '/tenants', [ 'id' => $this->id( $tenant ), 'key' => $this->key( $tenant ), 'paging' => 'none' ] );
			$this->call( 'DELETE', '/rows', [ 'tenant' => $this->id( $tenant ), 'object' => 'leads', 'ids' => array_column( [ ...leads( $tenant ), ...changes( $tenant ) ], 'id' ) ] );
			$this->put( $tenant, leads( $tenant ) );
		}
	}

	public function change(): void {
		foreach ( TENANTS as $tenant ) {
			$this->put( $tenant, changes( $tenant ) );
		}
	}

	/** @return list<string> What each tenant's CRM was asked, without the time of the last sync, which the clock decides. */
	public function requests(): array {
		$seen = [];
		foreach ( TENANTS as $tenant ) {
			foreach ( $this->call( 'GET', '/requests?tenant=' . rawurlencode( $this->id( $tenant ) ) ) as $request ) {
				$headers = $request['headers'];
				$query   = preg_replace( '/\d{4}-\d\d-\d\d%20\d\d%3A\d\d%3A\d\d/', '{last sync}', (string) $request['query'] );
				$seen[]  = "$tenant: {$request['method']} {$request['path']}?$query, " . ( "Bearer {$this->key( $tenant )}" === $headers['authorization'] ? 'its key' : 'another key' ) . ", {$headers['accept']}, {$headers['content-type']}, {$request['status']}";
			}
		}
		return $seen;
	}

	private function id( string $tenant ): string {
		return "$this->side-$tenant";
	}

	/** @param list<array<string, mixed>> $rows */
	private function put( string $tenant, array $rows ): void {
		$this->call( 'POST', '/rows', [ 'tenant' => $this->id( $tenant ), 'object' => 'leads', 'rows' => $rows ] );
	}

	/** @param array<string, mixed>|null $body */
	private function call( string $method, string $path, ?array $body = null ): mixed {
		$http   = [ 'method' => $method, 'header' => 'Content-Type: application/json', 'content' => null === $body ? '' : json_encode( $body, JSON_THROW_ON_ERROR ), 'ignore_errors' => true ];
		$answer = file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . $path, false, stream_context_create( [ 'http' => $http ] ) );
		if ( false === $answer || ! preg_match( '~^HTTP/\S+ 2~', $http_response_header[0] ) ) {
			throw new \RuntimeException( "sandbox: $method $path: " . ( $http_response_header[0] ?? 'no answer' ) . " $answer" );
		}
		return json_decode( $answer, true );
	}
}
