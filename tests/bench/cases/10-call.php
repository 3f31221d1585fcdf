<?php
/** One call in each FPM request, as a portal makes them: what a visitor waits for it, and what it costs the worker. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	Fpm::prepare();
	$bench->crm->tenant( 'call', 100 );
	$query = static fn( string $side, int $rtt ): array => [ 'side' => $side, 'url' => $bench->crm->url( $rtt ) ] + ( 'tuned' === $side ? [ 'ca' => $bench->crm->ca ] : [] );
	// The median of some requests; of the processor, what the worker used from one request's end to the last one's end.
	$side = static fn( string $side, int $rtt, int $calls ): callable => static function () use ( $query, $side, $rtt, $calls ): array {
		$cpu   = Fpm::get( $side, $query( $side, $rtt ) )['cpu'];
		$times = [];
		for ( $call = 0; $call < $calls; $call++ ) {
			$got     = Fpm::get( $side, $query( $side, $rtt ) );
			$times[] = $got['wall'];
		}
		return [ 'wall' => Statistics::median( $times ), 'cpu' => ( $got['cpu'] - $cpu ) / $calls ];
	};
	foreach ( [ 'ours', 'tuned', 'article' ] as $name ) {
		$data[ $name ] = Fpm::get( $name, [ 'check' => '1' ] + $query( $name, 0 ) )['data'];
	}
	if ( 1 !== count( array_unique( $data ) ) || null === $data['ours'] ) {
		throw new \RuntimeException( 'the sides did not get the same data: ' . json_encode( $data ) );
	}
	$few = $bench->pick( 9, 7, 1 );
	$got = $bench->compare( 'one call per FPM request, 0 ms', $bench->rounds( 11, 7 ), [ 'ours' => $side( 'ours', 0, 10 * $few ), 'tuned' => $side( 'tuned', 0, 3 * $few ), 'article' => $side( 'article', 0, $few ), 'nothing' => $side( 'nothing', 0, 10 * $few ) ], [], [ 'wall' => 'ms', 'cpu' => 'ms of processor, the request itself included' ] );
	$bench->row( 'call-tuned', 'one call per FPM request, 0 ms', 'best-tuned Guzzle', 'x', true, 5.5, 8, $got->times( 'tuned' ) );
	$bench->row( 'call-article', 'one call per FPM request, 0 ms', 'the article as installed', 'x', true, 45, 80, $got->times( 'article' ) );
	// What a request without a call costs is not the call's.
	$share = array_map( static fn( float $ours, float $tuned, float $nothing ): float => ( $ours - $nothing ) / ( $tuned - $nothing ), $got->of( 'ours', 'cpu' ), $got->of( 'tuned', 'cpu' ), $got->of( 'nothing', 'cpu' ) );
	$bench->row( 'call-cpu', "one call per FPM request: the worker's processor", 'best-tuned Guzzle', 'share', false, 1 / 6, 1 / 10, $share );
	foreach ( [ 20, 80 ] as $rtt ) {
		$calls = $bench->pick( 320, 160, 80 ) / $rtt;
		$got   = $bench->compare( "one call per FPM request, $rtt ms", $bench->rounds( 7 ), [ 'ours' => $side( 'ours', $rtt, $calls ), 'tuned' => $side( 'tuned', $rtt, $calls ), 'article' => $side( 'article', $rtt, $calls ) ] );
		$bench->row( "call-tuned-$rtt", "one call per FPM request, $rtt ms", 'best-tuned Guzzle', 'x', true, 2.9, 3, $got->times( 'tuned' ) );
		$bench->row( "call-article-$rtt", "one call per FPM request, $rtt ms", 'the article as installed', 'x', true, null, null, $got->times( 'article' ) );
	}
	$bench->crm->forget( 'call' );
};
