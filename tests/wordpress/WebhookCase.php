<?php
/**
 * What the tests of webhooks share: tenants whose CRM signs, messages as each CRM sends them, and requests over real HTTP or straight to the
 * endpoint.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Endpoint;

abstract class WebhookCase extends PluginCase {

	protected const REFUSED  = array( 403, '{"ok":false}' );
	protected const ACCEPTED = array( 200, '{"ok":true}' );

	/** Standard Webhooks' key of 24 bytes, as its publishers write it in their tests. */
	protected const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
	}

	public static function tearDownAfterClass(): void {
		Sandbox::reset();
		parent::tearDownAfterClass();
	}

	/** A tenant of the article's API whose CRM signs as Standard Webhooks says. */
	protected function signing( string $id, int $leads = 0, string $secret = self::SECRET, array $settings = array() ): Tenant {
		return $this->connected( $id, $leads, array( 'connection' => array( 'webhook_secret' => $secret ) ) + $settings );
	}

	/** A tenant of HubSpot; its contacts are the leads. */
	protected function hubspot( string $id, string $account, int $leads = 0, array $settings = array() ): Tenant {
		Sandbox::post( '/tenants', array( 'id' => $id, 'key' => "key-of-$id", 'dialect' => 'hubspot' ) );
		if ( $leads ) {
			Sandbox::post( '/seed', array( 'tenant' => $id, 'object' => 'contacts', 'count' => $leads, 'seed' => 1 ) );
		}
		$tenant = Tenants::save( array( 'id' => $id, 'connector' => 'hubspot', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-$id", 'settings' => array( 'connection' => array( 'webhook_secret' => 'the app' ) ) + $settings ) );
		return $tenant;
	}

	/** @return array<string, string> Standard Webhooks' headers for a body. */
	protected function signed( string $body, string $message = 'msg_1', ?int $time = null, string $secret = self::SECRET ): array {
		$time ??= time();
		$mac    = hash_hmac( 'sha256', "$message.$time.$body", base64_decode( substr( $secret, 6 ) ), true );
		return array(
			'webhook-id'        => $message,
			'webhook-timestamp' => (string) $time,
			'webhook-signature' => 'v1,' . base64_encode( $mac ),
		);
	}

	/** @return array<string, string> HubSpot's headers for a body sent to an address. */
	protected function signed_by_hubspot( string $url, string $body, ?int $time = null, string $secret = 'the app' ): array {
		$time = (string) ( 1000 * ( $time ?? time() ) );
		return array(
			'X-HubSpot-Request-Timestamp' => $time,
			'X-HubSpot-Signature-v3'      => base64_encode( hash_hmac( 'sha256', "POST$url$body$time", $secret, true ) ),
		);
	}

	/** @param list<int|string> $ids One message of HubSpot with an event for each. */
	protected function hubspot_body( array $ids, string $account, string $type = 'contact.propertyChange', string $property = 'email' ): string {
		static $number = 0;
		return (string) json_encode( array_map( static function ( $id ) use ( $account, $type, $property, &$number ): array {
			return array( 'eventId' => ++$number, 'portalId' => (int) $account, 'occurredAt' => 1764000000000, 'subscriptionType' => $type, 'objectId' => $id, 'propertyName' => $property );
		}, $ids ) );
	}

	protected function body( string|int $id, string $type = 'lead.updated' ): string {
		return (string) json_encode( array( 'type' => $type, 'timestamp' => gmdate( 'Y-m-d\TH:i:s\Z' ), 'data' => array( 'id' => $id ) ) );
	}

	/** Straight to the endpoint. @return array{0: int, 1: string} */
	protected function deliver( string $url, string $body, array $headers, string $method = 'POST' ): array {
		return Endpoint::answer( $this->key_of( $url ), $method, $url, $headers, strlen( $body ), static fn(): string => $body );
	}

	/** Over the web server. @return array{0: int, 1: string} */
	protected function send( string $url, string $body, array $headers, string $method = 'POST' ): array {
		return $this->send_at_once( 1, $url, $body, $headers, $method )[0];
	}

	/** The same request several times, none of which waits for another. @return list<array{0: int, 1: string}> */
	protected function send_at_once( int $count, string $url, string $body, array $headers, string $method = 'POST' ): array {
		$parts   = parse_url( $url );
		$request = "$method {$parts['path']}" . ( isset( $parts['query'] ) ? "?{$parts['query']}" : '' ) . " HTTP/1.1\r\nHost: {$parts['host']}:{$parts['port']}\r\nConnection: close\r\nContent-Length: " . strlen( $body ) . "\r\n";
		foreach ( $headers + array( 'Content-Type' => 'application/json' ) as $name => $value ) {
			$request .= "$name: $value\r\n";
		}
		$sockets = array();
		for ( $number = 0; $number < $count; $number++ ) {
			$socket = stream_socket_client( "tcp://{$parts['host']}:{$parts['port']}" );
			stream_set_timeout( $socket, 20 );
			$sockets[] = $socket;
		}
		foreach ( $sockets as $socket ) {
			fwrite( $socket, "$request\r\n$body" );
		}
		return array_map(
			static function ( $socket ): array {
				list( $head, $text ) = explode( "\r\n\r\n", stream_get_contents( $socket ), 2 );
				// In one chunk, where the server sends chunks.
				$text = preg_match( '/^[0-9a-f]+\r\n(.*)\r\n0\r\n\r\n$/sD', $text, $match ) ? $match[1] : $text;
				return array( (int) explode( ' ', $head )[1], $text );
			},
			$sockets
		);
	}

	protected function key_of( string $url ): string {
		return substr( (string) parse_url( $url, PHP_URL_PATH ), strlen( '/wp-json/' . Addresses::PATH ) );
	}

	/** @return array{0: int, 1: int, 2: int, 3: int} accepted, repeated, ignored, refused */
	protected function counts( Tenant $tenant ): array {
		$row = Addresses::of( $tenant->key );
		return array( $row['accepted'], $row['repeated'], $row['ignored'], $row['refused'] );
	}

	/** @return list<string> Ids of the records of a tenant that wait. */
	protected function waiting( Tenant $tenant ): array {
		global $wpdb;
		return $wpdb->get_col( 'SELECT crm_id FROM ' . Schema::table( 'webhook_records' ) . " WHERE tenant = {$tenant->key} AND missing_at IS NULL ORDER BY id" );
	}

	/** @return list<string> Method and path of what the CRM was asked since the last time. */
	protected function asked( string $tenant ): array {
		$requests = json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . "/requests?tenant=$tenant" ), true );
		file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/requests', false, stream_context_create( array( 'http' => array( 'method' => 'DELETE' ) ) ) );
		return array_map( static fn( array $one ): string => "{$one['method']} {$one['path']}", $requests );
	}
}
