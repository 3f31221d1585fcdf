<?php
/** What is done often and takes little: a decision of the limiter, a webhook's verification. Prints the
 * processor's time of one, round by round: nothing here waits. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'rounds' => $rounds, 'many' => $many ] = json_decode( $argv[1], true );

/** @return list<float> Seconds of one. */
function each_round( int $rounds, int $times, callable $work ): array {
	$seconds = [];
	for ( $round = 0; $round <= $rounds; $round++ ) {
		$start = cpu();
		$work( $times );
		$seconds[] = ( cpu() - $start ) / $times;
	}
	// The first one is for the caches.
	return array_slice( $seconds, 1 );
}

// As many as there are: each is let through. The loop itself is what any PHP code pays.
$open   = \TenantCRMSync::limiter( 'bench-open-' . getmypid(), 2000000000, 1.0 );
$shut   = \TenantCRMSync::limiter( 'bench-shut-' . getmypid(), 2, 60.0 );
$let_in = static function ( int $times ) use ( $open ): void {
	for ( $i = 0; $i < $times; $i++ ) {
		$open->admit();
	}
};
$refuse = static function ( int $times ) use ( $shut ): void {
	for ( $i = 0; $i < $times; $i++ ) {
		$shut->admit();
	}
};
if ( 0.0 !== $open->admit() ) {
	throw new \RuntimeException( 'the open limiter refuses' );
}
for ( $i = 0; $i < 3; $i++ ) {
	$last = $shut->admit();
}
if ( 0.0 === $last ) {
	throw new \RuntimeException( 'the shut limiter lets through' );
}

// Standard Webhooks: a signature over id, time and the raw bytes.
$secret   = random_bytes( 32 );
$settings = [ 'api_key' => 'key', 'api_endpoint' => 'https://crm.example', 'webhook_secret' => 'whsec_' . base64_encode( $secret ) ];
$sync     = \TenantCRMSync::with_settings( 'bench', $settings );
$body     = json_encode( [ 'type' => 'lead.updated', 'timestamp' => '2026-11-01T10:00:00Z', 'data' => [ 'id' => 12, 'notes' => str_repeat( 'She said "yes" to the offer, wants a lower price, and asks to be called again on Tuesday. ', 715 ) ] ] );
$time     = (string) time();
$headers  = [ 'webhook-id' => 'msg_1', 'webhook-timestamp' => $time, 'webhook-signature' => 'v1,' . base64_encode( hash_hmac( 'sha256', "msg_1.$time.$body", $secret, true ) ) ];
$verify   = static function ( int $times ) use ( $sync, $headers, $body ): void {
	for ( $i = 0; $i < $times; $i++ ) {
		$told = $sync->verify_webhook( 'POST', 'https://portal.example/hook', $headers, $body );
	}
	if ( false === $told || [ '12' ] !== $told['events'][0]['ids'] ) {
		throw new \RuntimeException( 'the webhook is refused: ' . json_encode( $sync->last_error() ) );
	}
};
if ( false !== $sync->verify_webhook( 'POST', 'https://portal.example/hook', $headers, "$body " ) ) {
	throw new \RuntimeException( 'a forged webhook is taken' );
}
echo json_encode( [ 'bytes' => strlen( $body ), 'open' => each_round( $rounds, $many, $let_in ), 'shut' => each_round( $rounds, $many, $refuse ), 'webhook' => each_round( $rounds, max( 1, intdiv( $many, 500 ) ), $verify ) ] ), "\n";
