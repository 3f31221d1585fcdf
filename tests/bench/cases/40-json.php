<?php
/** JSON to arrays: pages of two sizes and one very large answer, against json_decode(). */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$sizes  = [ [ 100, 2.0, 3.0 ], [ 500, 2.0, 3.0 ], [ $bench->pick( 50000, 50000, 500 ), 1.7, 2.5 ] ];
	$memory = [];
	foreach ( $sizes as [ $leads, $floor, $aim ] ) {
		$bench->quiet();
		$key = "json-$leads";
		$bench->crm->tenant( $key, $leads, [ 'paging' => 'none' ] );
		$got = Side::php( 'json', [ 'url' => $bench->crm->url(), 'key' => $key, 'ca' => $bench->crm->ca, 'rounds' => $bench->rounds( $leads > 1000 ? 9 : 41, $leads > 1000 ? 5 : 21 ), 'repeat' => max( 1, intdiv( 20000, $leads ) ) ], [ 'zend.enable_gc' => '0' ] );
		$work = 'JSON to arrays, ' . ( $got['bytes'] < 1e6 ? round( $got['bytes'] / 1e3 ) . ' KB' : round( $got['bytes'] / 1e6 ) . ' MB' );
		$run  = new Series( $got['samples'] );
		$bench->row( "json-$leads", $work, 'json_decode', 'x', true, $floor, $aim, $run->times( 'php' ) );
		$memory[] = $run->times( 'ours', 'php', 'memory' );
		foreach ( [ 'ours', 'php' ] as $side ) {
			$times   = $run->of( $side );
			$table[] = [ 'title' => $work, 'what' => 'wall', 'unit' => 'ms', 'sides' => [ $side => [ 'min' => min( $times ), 'median' => Statistics::median( $times ), 'max' => max( $times ) ] ] ];
		}
		$bench->crm->forget( $key );
	}
	array_push( $bench->sides, ...$table );
	$bench->row( 'json-memory', 'JSON to arrays: memory of the result', 'json_decode', 'share', false, 0.9, 0.85, array_merge( ...$memory ) );
};
