<?php
/**
 * Tenants that connect by a refresh token: at the sandbox CRM and in WordPress. Questions to the sandbox about both.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

use TenantCRM\Tenants;

final class Crm {

	/** @var array<string, int> Keys of the tenants made here. */
	private array $keys = array();

	/** @var array<string, int> How often each got a refresh token by hand. */
	private array $given = array();

	/** @var array<string, string> */
	private array $rotation = array();

	public function tenant( string $name, string $rotation ): void {
		$this->rotation[ $name ] = $rotation;
		$old                     = Tenants::find( "tokens-$name" );
		if ( $old ) {
			Tenants::delete( $old->key );
		}
		$this->connect_again( $name );
		// What HubSpot calls contacts are leads here.
		self::call( 'POST', '/seed', array( 'tenant' => "tokens-$name", 'object' => 'contacts', 'count' => 3, 'seed' => 1 ) );
	}

	/** A person got a new refresh token from the CRM and entered it. */
	public function connect_again( string $name ): void {
		$id     = "tokens-$name";
		$number = $this->given[ $name ] = ( $this->given[ $name ] ?? 0 ) + 1;
		$token  = "refresh-of-$name-$number";
		$grace  = 'grace' === $this->rotation[ $name ] ? 120000 : 0;
		self::call(
			'POST',
			'/tenants',
			array(
				'id'      => $id,
				'key'     => "key-of-$id",
				'dialect' => 'hubspot',
				'oauth'   => array(
					'client_id'     => "client-$name",
					'client_secret' => 'secret-of-the-client',
					'refresh_token' => $token,
					'access_ttl_s'  => 1800,
					'rotation'      => $this->rotation[ $name ],
					'grace_ms'      => $grace,
				),
			)
		);
		$endpoint            = (string) getenv( 'TCS_SANDBOX_URL' );
		$sealed              = static fn( string $field, string $value ): string => \TenantCRMSync::encrypt_credential( $id, $value, $field, $endpoint );
		$this->keys[ $name ] = Tenants::save(
			array(
				'id'        => $id,
				'connector' => 'hubspot',
				'endpoint'  => $endpoint,
				'settings'  => array(
					'connection' => array(
						'auth'          => 'oauth',
						'client_id'     => "client-$name",
						'client_secret' => $sealed( 'client_secret', 'secret-of-the-client' ),
						'refresh_token' => $sealed( 'refresh_token', $token ),
					),
				),
			)
		)->key;
	}

	/** @return array{refreshes: int, refused: int} */
	public function oauth( string $name ): array {
		return self::call( 'GET', '/oauth?tenant=' . rawurlencode( "tokens-$name" ), null );
	}

	/** Ends all access tokens. */
	public function expire( string $name ): void {
		self::call( 'POST', '/oauth/expire', array( 'tenant' => "tokens-$name" ) );
	}

	/** The next token request is answered late; its work is done at once. */
	public function stall_tokens( string $name, int $milliseconds ): void {
		$fault = array( 'times' => 1, 'kind' => 'stall', 'ms' => $milliseconds, 'path_contains' => '/oauth/' );
		self::call( 'POST', '/faults', array( 'tenant' => "tokens-$name", 'faults' => array( $fault ) ) );
	}

	public function forget_requests(): void {
		self::call( 'DELETE', '/requests', null );
	}

	public function answers( string $name, int $status ): int {
		$all = self::call( 'GET', '/requests?tenant=' . rawurlencode( "tokens-$name" ), null );
		return count( array_filter( $all, static fn( array $request ): bool => $request['status'] === $status ) );
	}

	public function remove(): void {
		foreach ( $this->keys as $name => $key ) {
			Tenants::delete( $key );
			self::call( 'DELETE', '/tenants/' . rawurlencode( "tokens-$name" ), null );
		}
		$this->keys = array();
	}

	/** @param array<string, mixed>|null $body */
	private static function call( string $method, string $path, ?array $body ): mixed {
		$options = array( 'method' => $method, 'header' => 'Content-Type: application/json', 'content' => null === $body ? '' : json_encode( $body ), 'ignore_errors' => true );
		$answer  = file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . $path, false, stream_context_create( array( 'http' => $options ) ) );
		if ( false === $answer || ! preg_match( '~^HTTP/\S+ 2~', $http_response_header[0] ) ) {
			throw new \RuntimeException( "sandbox: $method $path: " . ( $http_response_header[0] ?? 'no answer' ) . " $answer" );
		}
		return '' === $answer ? null : json_decode( $answer, true );
	}
}
