<?php
/**
 * One process and very many calls: of a limiter, of the merge, of webhooks, of sealing; and so many requests to a CRM, over one connection.
 * Memory after the first calls, and at the end.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Soak;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

/** A process may grow by so much over all calls of one kind. */
const CALLS_KB = 1024;

return static function ( Checks $checks, Sandbox $sandbox, int $requests ): void {
	$checks->group( '' . 4 * (int) getenv( 'EACH' ) . ' calls without a CRM' );
	$flat = static function ( string $what, int $times, callable $call ) use ( $checks ): float {
		$first = null;
		$bad   = 0;
		$start = microtime( true );
		for ( $number = 0; $number < $times; $number++ ) {
			$bad += (int) ! $call( $number );
			// The extension keeps its last 2,000 requests for whoever asks.
			if ( null === $first && $number >= max( $times / 10, min( 2500, $times / 2 ) ) ) {
				gc_collect_cycles();
				$first = Usage::of( 'self' );
			}
		}
		gc_collect_cycles();
		$took = microtime( true ) - $start;
		$last = Usage::of( 'self' );
		printf( "figure: %s: %d calls, %.0f a second; kB of memory %d -> %d\n", $what, $times, $times / $took, $first->kilobytes, $last->kilobytes );
		$checks->same( "$what: none fails", 0, $bad );
		$checks->is( "$what: memory grows by less than " . CALLS_KB . ' kB', $last->kilobytes - $first->kilobytes < CALLS_KB, ( $last->kilobytes - $first->kilobytes ) . ' kB' );
		$checks->is( "$what: no thread and no file more", $last->threads <= $first->threads && $last->files <= $first->files, "$first->threads -> $last->threads, $first->files -> $last->files" );
		return $times / $took;
	};

	$each    = (int) getenv( 'EACH' );
	$limiter = \TenantCRMSync::limiter( 'a million', 1000000000, 1.0 );
	$flat( 'limiter', $each, static fn(): bool => 0.0 === $limiter->admit() );
	$base = array( 'name' => 'Ann', 'city' => 'Bonn', 'tags' => array( 'a', 'b' ) );
	$flat( 'merge', $each, static fn( int $number ): bool => "Ann $number" === \TenantCRMSync::merge( $base, array( 'name' => "Ann $number" ) + $base, array( 'city' => 'Köln' ) + $base )['to_portal']['name'] );
	$sync = \TenantCRMSync::with_settings( 'soak', array( 'api_key' => 'key-of-soak', 'api_endpoint' => (string) getenv( 'TCS_SANDBOX_URL' ), 'webhook_secret' => 'whsec_' . base64_encode( str_repeat( 's', 24 ) ) ) );
	$body = '{"type":"lead.updated","timestamp":"2026-11-24T10:00:00Z","data":{"id":"1"}}';
	$flat(
		'verify_webhook',
		$each,
		static function ( int $number ) use ( $sync, $body ): bool {
			$time   = time();
			$signed = 0 === $number % 2 ? $body : "$body ";
			$found  = $sync->verify_webhook( 'POST', 'https://portal.example.test/hook', array( 'webhook-id' => "m$number", 'webhook-timestamp' => (string) $time, 'webhook-signature' => 'v1,' . base64_encode( hash_hmac( 'sha256', "m$number.$time.$signed", str_repeat( 's', 24 ), true ) ) ), $body );
			return ( 0 === $number % 2 ) === is_array( $found );
		}
	);
	$flat( 'encrypt_credential', $each, static fn( int $number ): bool => str_starts_with( \TenantCRMSync::encrypt_credential( 'soak', "key $number", 'api_key', 'https://crm.example.test' ), 'tcs1.' ) );

	if ( $requests > 0 ) {
		$checks->group( "$requests requests of one process" );
		$id = $sync->fetch_leads()[0]['id'];
		$flat( 'get_lead', $requests, static fn(): bool => $id === ( $sync->get_lead( $id )['id'] ?? null ) );
	}
};
