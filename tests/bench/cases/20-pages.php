<?php
/** 10,000 leads of one tenant in pages: how close to what the wire allows, and what it costs the processor. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$size  = 100;
	$pages = $bench->pick( 100, 100, 3 );
	$what  = sprintf( '%s leads in %d pages', number_format( $size * $pages ), $pages );
	$bench->crm->tenant( 'pages', $size * $pages );
	$out  = (string) tempnam( sys_get_temp_dir(), 'pages' );
	$side = static fn( string $way, int $rtt, int $at_once ): callable => static fn(): array => Side::php( 'pages', [ 'way' => $way, 'url' => $bench->crm->url( $rtt ), 'key' => 'pages', 'ca' => $bench->crm->ca, 'size' => $size, 'at_once' => $at_once, 'pages' => $pages ] );
	$hyper = static fn( int $rtt, int $at_once ): callable => static function () use ( $bench, $rtt, $at_once, $size, $pages, $out ): array {
		$sample = Side::run( [ (string) getenv( 'BENCH_HYPER' ), (string) $bench->crm->port( $rtt ), $bench->crm->ca, 'pages', (string) $pages, (string) $size, (string) $at_once, $out ] );
		$leads  = [];
		foreach ( file( $out ) as $line ) {
			array_push( $leads, ...json_decode( $line, true )['data'] );
		}
		return $sample + [ 'data' => sha1( serialize( $leads ) ) ];
	};
	$show = [ 'wall' => 'ms', 'cpu' => 'ms of processor' ];

	$work = "$what, 20 ms, 10 at once";
	$far  = $bench->compare( $work, $bench->rounds( 9 ), [ 'ours' => $side( 'ours', 20, 10 ), 'hyper' => $hyper( 20, 10 ), 'curl_multi' => $side( 'curl_multi', 20, 10 ), 'curl_multi_told' => $side( 'curl_multi_told', 20, 10 ), 'guzzle_pool' => $side( 'guzzle_pool', 20, 10 ), 'symfony' => $side( 'symfony', 20, 10 ), 'guzzle' => $side( 'guzzle', 20, 1 ) ], 'full' === $bench->mode ? [] : [ 'guzzle', 'guzzle_pool', 'symfony' ], $show );
	$bench->row( 'pages-limit', $work, "hyper's limit, which knows how many pages there are", 'share', true, 0.90, 0.97, $far->times( 'hyper' ) );
	$bench->row( 'pages-cpu', "$work: processor", 'curl_multi over HTTP/2', 'share', false, 1 / 2, 1 / 3, $far->times( 'ours', 'curl_multi', 'cpu' ) );

	$work    = "$what, 80 ms, 100 at once";
	$further = $bench->compare( $work, $bench->rounds( 9 ), [ 'ours' => $side( 'ours', 80, 100 ), 'curl_multi' => $side( 'curl_multi', 80, 100 ), 'curl_multi_told' => $side( 'curl_multi_told', 80, 100 ), 'hyper' => $hyper( 80, 100 ) ], [], $show );
	$bench->row( 'pages-far', $work, 'curl_multi over HTTP/2', 'x', true, 1.0, 1.25, $further->times( 'curl_multi' ) );
	$bench->row( 'pages-far-told', $work, 'curl_multi over HTTP/2 that is told how many pages there are', 'x', true, null, null, $further->times( 'curl_multi_told' ) );

	$work = "$what, 0 ms";
	$near = $bench->compare( $work, $bench->rounds( 11 ), [ 'ours' => $side( 'ours', 0, 10 ), 'guzzle' => $side( 'guzzle', 0, 1 ), 'curl_multi' => $side( 'curl_multi', 0, 10 ), 'hyper' => $hyper( 0, 10 ) ], [], $show );
	$bench->row( 'pages-near', "$work: time", 'sequential Guzzle', 'x', true, 2.5, 4, $near->times( 'guzzle' ) );
	$bench->row( 'pages-near-cpu', "$work: processor", 'sequential Guzzle', 'x', true, 2.5, 5, $near->times( 'guzzle', 'ours', 'cpu' ) );
	unlink( $out );
	$bench->crm->forget( 'pages' );
};
