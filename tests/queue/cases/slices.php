<?php
/**
 * FAULTS A17: a first sync that is longer than PHP lets any worker live, by time and by memory. It gets to its end all the same, from
 * where it was each time.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Runs;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	// A tenth of 120,000 rows, in slices of a second: what 30 s are to all of them on a host that is three times as slow.
	$leads = 12000;
	$page  = 250;
	$checks->group( "FAULTS A17: a first sync of $leads rows, one worker at a time" );
	$tenant = $site->tenant( 'huge', $leads, array( 'page_size' => $page ), 30 );
	$site->put_off();
	$run     = $site->click( $tenant );
	$fetched = array();
	$work    = static function ( int $seconds, string ...$php ) use ( $checks, $run, &$fetched ): int {
		list( $code, $output ) = Worker::run( array( 'work', "--seconds=$seconds" ), $php );
		if ( 0 !== $code ) {
			$checks->same( 'a worker ends well', 0, "$code: $output" );
		}
		$fetched[] = Runs::get( $run )['fetched'];
		return end( $fetched );
	};

	$ballast = dirname( __DIR__ ) . '/ballast.php';
	$checks->same( 'a worker that is nearly out of memory stores a page and ends', $page, $work( 30, '-d', 'memory_limit=192M', '-d', "auto_prepend_file=$ballast" ) );
	$checks->same( 'the next one the next page', 2 * $page, $work( 30, '-d', 'memory_limit=192M', '-d', "auto_prepend_file=$ballast" ) );
	putenv( 'TCS_QUEUE_BURN=0.3' );
	$after = $work( 30, '-d', 'max_execution_time=2' );
	putenv( 'TCS_QUEUE_BURN' );
	$checks->is( 'one that may compute for 2 s, of which other code takes 0.3 s a page, ends before PHP ends it', $after > 3 * $page && $after < 10 * $page, "$after rows" );

	// However fast the machine is, a worker of one second cannot store more than ten of the forty pages that are left.
	putenv( 'TCS_QUEUE_BURN=0.1' );
	for ( $workers = 0; 'done' !== Runs::get( $run )['state'] && $workers < 60; $workers++ ) {
		$work( 1 );
	}
	putenv( 'TCS_QUEUE_BURN' );
	$sorted = $fetched;
	sort( $sorted );
	$checks->same( 'progress never falls back', $sorted, $fetched );
	$checks->is( 'it took several workers', $workers >= 3, "$workers" );
	$row = Runs::get( $run );
	$checks->same( 'and is done', array( 'done', $leads, $leads, 0 ), array( $row['state'], $row['fetched'], $row['created'], $row['refused'] ) );
	$checks->same( 'CRM, ledger and posts are equal', array(), $site->differences( $tenant ) );
	$pages = intdiv( $leads, $page );
	$asked = count( $site->requests( $tenant ) );
	// Each worker may have asked ahead for pages that it could not store any more.
	$checks->is( 'no page was asked for again but those', $asked <= $pages + 3 * ( $workers + 3 ), "$asked requests for $pages pages" );
	$checks->same( 'nothing reached a log', '', $site->logged() );
	printf( "  %d workers, %d requests for %d pages\n", $workers + 3, $asked, $pages );
};
