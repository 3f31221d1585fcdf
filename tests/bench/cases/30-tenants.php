<?php
/** Fifty tenants with ten pages each: one loop of ours, the article's loop, and the best that coroutines can do. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$pages = $bench->pick( 10, 10, 2 );
	$keys  = array_map( static fn( int $number ): string => "many-$number", range( 1, $bench->pick( 50, 50, 3 ) ) );
	foreach ( $keys as $key ) {
		$bench->crm->tenant( $key, 100 * $pages );
	}
	$side = static fn( string $way ): callable => static fn(): array => Side::php( 'tenants', [ 'way' => $way, 'url' => $bench->crm->url( 20 ), 'keys' => $keys, 'ca' => $bench->crm->ca, 'size' => 100, 'pages' => $pages ], 'article' === $way ? [ 'curl.cainfo' => (string) getenv( 'BENCH_BUNDLE' ) ] : [] );
	$work = sprintf( '%d tenants x %d pages, 20 ms', count( $keys ), $pages );
	$got  = $bench->compare( $work, $bench->rounds( 5 ), [ 'ours' => $side( 'ours' ), 'coroutines' => $side( 'coroutines' ), 'coroutines over HTTP/2' => $side( 'coroutines2' ), 'article' => $side( 'article' ) ], 'full' === $bench->mode ? [] : [ 'article' ], [ 'wall' => 'ms', 'cpu' => 'ms of processor' ] );
	$bench->row( 'tenants-article', $work, "the article's loop", 'x', true, 30, 40, $got->times( 'article' ) );
	// Whichever of the two is faster in a round.
	$best = array_map( 'min', $got->times( 'coroutines' ), $got->times( 'coroutines over HTTP/2' ) );
	$bench->row( 'tenants-coroutines', $work, 'best-tuned coroutines', 'x', true, 1.3, 2, $best );
	array_map( [ $bench->crm, 'forget' ], $keys );
};
