<?php
/** Leads into WordPress: 5,000 new ones beside 20,000, and 20,000 that have not changed, from end to end. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$present = $bench->pick( 20000, 20000, 200 );
	$new     = $bench->pick( 5000, 5000, 100 );
	$rounds  = $bench->rounds( 5 );
	// At least 200 in all rounds together: one takes a tenth of a second.
	$sample  = (int) ceil( $bench->pick( 200, 40, 2 ) / $rounds );
	$indexed = $bench->pick( 200, 100, 2 );
	$bench->crm->tenant( 'store', $present );
	$database = new Database();
	$database->forget_leads();
	$inside = static fn( string $way, array $more = [] ): array => Side::php( 'wordpress', [ 'way' => $way, 'tenant' => 'store', 'key' => 'store' ] + $more );
	$made   = $inside( 'set_up', [ 'url' => $bench->crm->url(), 'sync' => true ] )['posts'];
	if ( (int) $made !== $present || $database->leads() !== $present ) {
		throw new \RuntimeException( "of $present leads {$database->leads()} were stored" );
	}
	$last = $database->last_post();
	// Ids that neither the CRM nor an earlier sample has.
	$next  = 10000000;
	$fresh = static function ( string $way, int $count, bool $index ) use ( $inside, $database, $last, &$next ): callable {
		return static function () use ( $way, $count, $index, $inside, $database, $last, &$next ): array {
			$database->index( $index );
			$got   = $inside( $way, [ 'from' => $next, 'count' => $count ] );
			$next += $count;
			$database->forget_after( $last );
			if ( $got['made'] !== $count ) {
				throw new \RuntimeException( "$way: of $count new leads {$got['made']} were stored" );
			}
			return $got;
		};
	};
	$work = sprintf( '%s new leads as posts, %s present', number_format( $new ), number_format( $present ) );
	$got  = $bench->compare( "$work: a lead", $rounds, [ 'ours' => $fresh( 'store', $new, false ), 'article' => $fresh( 'article', $sample, false ), 'article with an index on postmeta' => $fresh( 'article', $indexed, true ) ] );
	$bench->row( 'store-article', $work, "the article's function", 'x', true, 500, 1500, $got->times( 'article' ) );
	$bench->row( 'store-index', $work, 'the same with the missing index added', 'x', true, 25, 80, $got->times( 'article with an index on postmeta' ) );

	$rows  = $bench->crm->call( 'GET', '/rows?tenant=store&object=leads' );
	$known = static function ( int $count, bool $index ) use ( $inside, $database, $rows, $present, $bench ): callable {
		return static function () use ( $count, $index, $inside, $database, $rows, $present, $bench ): array {
			$database->index( $index );
			$leads = array_map( static fn( int $at ): array => $rows[ $at ], (array) array_rand( $rows, $count ) );
			// All pages are fetched, some leads are stored: all would take the better part of an hour.
			$fetch = Side::php( 'pages', [ 'way' => 'guzzle', 'url' => $bench->crm->url(), 'key' => 'store', 'ca' => $bench->crm->ca, 'size' => 100, 'at_once' => 1, 'pages' => 0 ] )['wall'];
			$got   = $inside( 'article', [ 'leads' => $leads ] );
			if ( 0 !== $got['made'] ) {
				throw new \RuntimeException( "the article's function made {$got['made']} posts of leads that were there" );
			}
			return [ 'wall' => $fetch + $present * $got['wall'] ];
		};
	};
	$again = static function () use ( $inside, $database, $present ): array {
		$database->index( false );
		$got = $inside( 'resync' );
		if ( $got['fetched'] !== $present || $got['unchanged'] !== $present ) {
			throw new \RuntimeException( "of $present leads {$got['fetched']} came and {$got['unchanged']} were unchanged" );
		}
		return $got;
	};
	$work = sprintf( 're-sync of %s unchanged leads, end to end', number_format( $present ) );
	$got  = $bench->compare( $work, $rounds, [ 'ours' => $again, 'article' => $known( $sample, false ), 'article with an index on postmeta' => $known( $indexed, true ) ] );
	$bench->row( 'resync-article', $work, "the article's", 'x', true, 1000, 5000, $got->times( 'article' ) );
	$bench->row( 'resync-index', $work, 'the same with the missing index added', 'x', true, 100, 400, $got->times( 'article with an index on postmeta' ) );
	$database->index( false );
	$database->forget_leads();
	$bench->crm->forget( 'store' );
};
