<?php
/** What a worker of FPM holds for good after some calls, and what it takes to stream very many leads. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	Fpm::prepare();
	$bench->crm->tenant( 'call', 100 );
	file_put_contents( getenv( 'TCS_WWW' ) . '/page.json', json_encode( [ 'data' => $bench->crm->call( 'GET', '/rows?tenant=call&object=leads' ) ] ) );
	$idle = static fn( string $side ): callable => static function () use ( $bench, $side ): array {
		$query = [ 'url' => $bench->crm->url(), 'ca' => $bench->crm->ca, 'memory' => '1' ];
		// A fresh worker each time: FPM starts one where one has ended.
		posix_kill( Fpm::get( $side, [ 'side' => 'nothing' ] + $query )['pid'], SIGTERM );
		usleep( 300000 );
		// What PHP itself takes for its first requests, and for the same arrays however they come, is not the call's.
		for ( $call = 0; $call < 3; $call++ ) {
			$before = Fpm::get( $side, [ 'side' => 'arrays' ] + $query )['own'];
		}
		for ( $call = 0; $call < 10; $call++ ) {
			Fpm::get( $side, [ 'side' => $side ] + $query );
		}
		return [ 'own' => ( Fpm::get( $side, [ 'side' => 'arrays' ] + $query )['own'] - $before ) * 1024 / 1e9 ];
	};
	$got = $bench->compare( 'memory that a worker holds after ten calls', $bench->rounds( 7 ), [ 'ours' => $idle( 'ours' ), 'tuned' => $idle( 'tuned' ), 'article' => $idle( 'article' ) ], [], [ 'own' => 'MB' ] );
	$bench->row( 'memory-idle', 'memory of an idle worker after ten calls, above one without', '', 'MB', false, 1, 0.7, array_map( static fn( float $gb ): float => 1000 * $gb, $got->of( 'ours', 'own' ) ) );
	$bench->crm->forget( 'call' );

	$leads = $bench->pick( 1000000, 100000, 2000 );
	$bench->crm->tenant( 'stream', $leads, [ 'paging' => 'cursor' ] );
	$above = [];
	for ( $round = 0; $round < $bench->rounds( 5, 5 ); $round++ ) {
		$got = Side::php( 'stream', [ 'url' => $bench->crm->url(), 'key' => 'stream' ] );
		if ( $got['count'] !== $leads ) {
			throw new \RuntimeException( "of $leads leads {$got['count']} came" );
		}
		$above[] = (float) $got['above'];
	}
	$bench->row( 'memory-stream', sprintf( "memory of streaming %s leads, above a page's arrays", number_format( $leads ) ), '', 'MB', false, 16, 8, $above );
	$bench->crm->forget( 'stream' );
};
