<?php
/**
 * The sandbox CRM's control interface, for tests that pull through the extension.
 */

final class Sandbox {

	/** @param array<string, mixed> $body */
	public static function post( string $path, array $body ): void {
		self::call( 'POST', $path, $body );
	}

	/** A tenant of the CRM with some leads. */
	public static function tenant( string $id, int $leads, array $settings = array() ): void {
		self::post( '/tenants', $settings + array( 'id' => $id, 'key' => "key-of-$id", 'paging' => 'page' ) );
		if ( $leads ) {
			self::post( '/seed', array( 'tenant' => $id, 'object' => 'leads', 'count' => $leads, 'seed' => 1 ) );
		}
	}

	public static function reset(): void {
		self::post( '/reset', array() );
	}

	/** @return list<array<string, mixed>> */
	public static function leads( string $id ): array {
		return self::rows( $id, 'leads' );
	}

	/** @return list<array<string, mixed>> */
	public static function rows( string $id, string $object ): array {
		return self::call( 'GET', '/rows?tenant=' . rawurlencode( $id ) . "&object=$object", null );
	}

	/** @return list<array<string, mixed>> What the CRM was asked, oldest first. */
	public static function requests( string $id ): array {
		return self::call( 'GET', '/requests?tenant=' . rawurlencode( $id ), null );
	}

	/** @param list<int|string> $ids */
	public static function delete( string $id, string $object, array $ids ): void {
		self::call( 'DELETE', '/rows', array( 'tenant' => $id, 'object' => $object, 'ids' => $ids ) );
	}

	/** @param array<string, mixed>|null $body */
	private static function call( string $method, string $path, ?array $body ) {
		$context = stream_context_create(
			array(
				'http' => array(
					'method'        => $method,
					'header'        => 'Content-Type: application/json',
					'content'       => null === $body ? '' : json_encode( $body ? $body : new stdClass() ),
					'ignore_errors' => true,
				),
			)
		);
		$answer  = file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . $path, false, $context );
		if ( false === $answer || ! preg_match( '~^HTTP/\S+ 2~', $http_response_header[0] ) ) {
			throw new RuntimeException( "sandbox: $method $path: " . ( $http_response_header[0] ?? 'no answer' ) . " $answer" );
		}
		return '' === $answer ? null : json_decode( $answer, true );
	}
}
