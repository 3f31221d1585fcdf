<?php
/**
 * Talks to PocketBase with PHP's own HTTP client: sets up the collection, changes records behind our back, and says what
 * is really there. Never uses the extension: it is what the extension is judged by.
 */

declare(strict_types=1);

namespace TenantCRM\Tests;

final class PocketBase {

	/** Of the superuser. */
	public readonly string $token;

	public function __construct( public readonly string $url, string $user, string $password ) {
		$this->token = $this->call( 'POST', '/api/collections/_superusers/auth-with-password', [ 'identity' => $user, 'password' => $password ], false )['token'];
	}

	/** @param array<string, mixed>|null $body */
	public function call( string $method, string $path, ?array $body = null, bool $authorised = true ): mixed {
		$header = [ 'Content-Type: application/json', 'Connection: close' ];
		if ( $authorised ) {
			$header[] = "Authorization: $this->token";
		}
		$http = [ 'method' => $method, 'header' => $header, 'ignore_errors' => true, 'timeout' => 60 ];
		if ( null !== $body ) {
			$http['content'] = json_encode( $body, JSON_THROW_ON_ERROR );
		}
		$got    = file_get_contents( $this->url . $path, false, stream_context_create( [ 'http' => $http ] ) );
		$status = (int) explode( ' ', $http_response_header[0] ?? 'none 0' )[1];
		if ( $status < 200 || $status >= 300 ) {
			throw new \RuntimeException( "PocketBase: $method $path answered $status: $got" );
		}
		return '' === $got ? null : json_decode( (string) $got, true, 64, JSON_THROW_ON_ERROR );
	}

	/** The collection `leads`, and PocketBase's own batches, which only this class uses. */
	public function set_up(): void {
		$this->call( 'PATCH', '/api/settings', [ 'batch' => [ 'enabled' => true, 'maxRequests' => 100, 'timeout' => 30 ] ] );
		$this->call(
			'POST',
			'/api/collections',
			[
				'name'    => 'leads',
				'type'    => 'base',
				'fields'  => [
					[ 'name' => 'name', 'type' => 'text', 'required' => true ],
					[ 'name' => 'email', 'type' => 'email' ],
					[ 'name' => 'phone', 'type' => 'text' ],
					[ 'name' => 'company', 'type' => 'text' ],
					[ 'name' => 'updated', 'type' => 'autodate', 'onCreate' => true, 'onUpdate' => true ],
				],
				'indexes' => [ 'CREATE INDEX leads_updated ON leads (updated, id)' ],
			]
		);
	}

	/** @param list<array<string, string>> $rows */
	public function add( array $rows ): void {
		foreach ( array_chunk( $rows, 100 ) as $some ) {
			$requests = array_map( static fn( array $row ): array => [ 'method' => 'POST', 'url' => '/api/collections/leads/records', 'body' => $row ], $some );
			$this->call( 'POST', '/api/batch', [ 'requests' => $requests ] );
		}
	}

	/** @param array<string, string> $fields */
	public function change( string $id, array $fields ): void {
		$this->call( 'PATCH', '/api/collections/leads/records/' . rawurlencode( $id ), $fields );
	}

	public function remove( string $id ): void {
		$this->call( 'DELETE', '/api/collections/leads/records/' . rawurlencode( $id ) );
	}

	/** @return array<string, array<string, string>> What is there, by id, page by page: nothing writes meanwhile. */
	public function leads(): array {
		$leads = [];
		$page  = 1;
		do {
			$got = $this->call( 'GET', "/api/collections/leads/records?sort=id&perPage=500&page=$page" );
			foreach ( $got['items'] as $item ) {
				$leads[ $item['id'] ] = $item;
			}
		} while ( $page++ < $got['totalPages'] );
		if ( count( $leads ) !== $got['totalItems'] ) {
			throw new \RuntimeException( 'PocketBase listed ' . count( $leads ) . " of its {$got['totalItems']} leads" );
		}
		return $leads;
	}
}
