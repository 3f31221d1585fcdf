<?php
/** What a lead costs where there are a million of them, against ten thousand. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$rows  = [
		'new'       => 'a new lead at 1,000,000 rows',
		'changed'   => 'a changed lead at 1,000,000 rows',
		'unchanged' => 'an unchanged lead at 1,000,000 rows',
	];
	if ( 'quick' === $bench->mode ) {
		foreach ( $rows as $cell => $work ) {
			$bench->skip( "growth-$cell", $work, 'the same at 10,000 rows', 'x', false, 1.5, 1.1 );
		}
		return;
	}
	$database = new Database();
	$store    = static fn( int $from, int $count, string $phone = '' ): array => Side::php( 'wordpress', [ 'way' => 'store', 'tenant' => 'growth', 'from' => $from, 'count' => $count, 'phone' => $phone ] );
	$little   = $bench->pick( 10000, 10000, 500 );
	$much     = $bench->pick( 1000000, 1000000, 1500 );
	$few      = $bench->pick( 2000, 2000, 50 );
	$measure  = static function ( int $rows, int $rounds ) use ( $store, $few, $database ): array {
		$times = [];
		$last  = $database->last_post();
		for ( $round = 0; $round < $rounds; $round++ ) {
			// Leads from all over the table, in runs: a page of changes is not one block of ids.
			$from                 = 1 + $round * intdiv( $rows - $few, $rounds );
			$times['new'][]       = $store( 50000000 + $round * $few, $few )['wall'];
			$times['changed'][]   = $store( $from, $few, " changed $round $rows" )['wall'];
			$times['unchanged'][] = $store( $from, $few, " changed $round $rows" )['wall'];
		}
		$database->forget_after( $last );
		return $times;
	};
	$database->forget_leads();
	$bench->quiet();
	$store( 1, $little );
	$before = $measure( $little, 3 );
	for ( $from = $little + 1; $from <= $much; $from += 30000 ) {
		$store( $from, min( 30000, $much + 1 - $from ) );
	}
	$database->query( 'ANALYZE TABLE wp_posts, wp_postmeta, wp_tenant_crm_records' );
	$large = $measure( $much, 6 );
	$database->forget_leads();
	$store( 1, $little );
	// Before and after: what changed on the machine meanwhile shows in the spread.
	$small = array_merge_recursive( $before, $measure( $little, 3 ) );
	$database->forget_leads();
	foreach ( $rows as $cell => $work ) {
		$bench->row( "growth-$cell", $work, 'the same at 10,000 rows', 'x', false, 1.5, 1.1, array_map( static fn( float $a, float $b ): float => $a / $b, $large[ $cell ], $small[ $cell ] ) );
		foreach ( [ '1,000,000' => $large, '10,000' => $small ] as $size => $times ) {
			$bench->sides[] = [ 'title' => "$cell lead at $size rows", 'what' => 'wall', 'unit' => 'ms', 'sides' => [ 'ours' => [ 'min' => min( $times[ $cell ] ), 'median' => Statistics::median( $times[ $cell ] ), 'max' => max( $times[ $cell ] ) ] ] ];
		}
	}
};
