<?php
/**
 * What a tenant's CRM tells the portal: signed as the connector wants it, late, doubled, in the wrong order, by HTTP or straight to the endpoint.
 */

use TenantCRM\Tenant;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Endpoint;

final class Webhooks {

	private const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

	/** @var list<array{late: int, over: string, body: string, message: string}> */
	private array $waiting = array();

	private int $sent = 0;

	private function __construct( private readonly Tenant $tenant, private readonly string $url ) {
	}

	/** @return array<string, mixed> What a tenant's settings need. */
	public static function settings(): array {
		return array( 'connection' => array( 'webhook_secret' => self::SECRET ) );
	}

	public static function of( Tenant $tenant ): ?self {
		return new self( $tenant, Addresses::make( $tenant ) );
	}

	/** @param int $late Rounds. */
	public function later( string $id, string $type, int $copies, int $late, string $over ): void {
		$body    = (string) json_encode( array( 'type' => $type, 'timestamp' => gmdate( 'Y-m-d\TH:i:s\Z' ), 'data' => array( 'id' => $id ) ) );
		$message = "msg_{$this->tenant->id}_" . ++$this->sent;
		for ( $copy = 0; $copy < $copies; $copy++ ) {
			// The last comes first, and each copy a round later.
			array_unshift( $this->waiting, array( 'late' => $late + $copy, 'over' => $over, 'body' => $body, 'message' => $message ) );
		}
	}

	public function deliver( bool $all ): void {
		foreach ( $this->waiting as $number => $webhook ) {
			if ( $webhook['late'] <= 0 || $all ) {
				unset( $this->waiting[ $number ] );
				$this->send( $webhook );
			} else {
				--$this->waiting[ $number ]['late'];
			}
		}
	}

	/** @param array{over: string, body: string, message: string} $webhook */
	private function send( array $webhook ): void {
		$time    = time();
		$body    = $webhook['body'];
		$headers = array(
			'webhook-id'        => $webhook['message'],
			'webhook-timestamp' => (string) $time,
			'webhook-signature' => 'v1,' . base64_encode( hash_hmac( 'sha256', "{$webhook['message']}.$time.$body", base64_decode( substr( self::SECRET, 6 ) ), true ) ),
			'content-type'      => 'application/json',
		);
		if ( 'http' === $webhook['over'] ) {
			$lines  = array_map( static fn( string $name, string $value ): string => "$name: $value", array_keys( $headers ), $headers );
			$answer = file_get_contents( $this->url, false, stream_context_create( array( 'http' => array( 'method' => 'POST', 'header' => $lines, 'content' => $body, 'ignore_errors' => true ) ) ) );
		} else {
			$key    = substr( (string) parse_url( $this->url, PHP_URL_PATH ), strlen( '/wp-json/' . Addresses::PATH ) );
			$answer = Endpoint::answer( $key, 'POST', $this->url, $headers, strlen( $body ), static fn(): string => $body )[1];
		}
		if ( '{"ok":true}' !== $answer ) {
			throw new RuntimeException( "a webhook of tenant {$this->tenant->id} was answered: $answer" );
		}
	}
}
