<?php
/** What is expected of the sides that run the article's code. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

/** The reference does what the article says; otherwise equality with it would show little. */
function judge_guzzle( Checks $checks, array $guzzle ): void {
	$is   = SIDES['guzzle']['is'];
	$done = array_combine( TENANTS, array_map( static fn( string $tenant ): string => "CRM leads synced successfully for tenant $tenant.", TENANTS ) );
	$checks->same( "$is: the job is scheduled", [ 'next_two_o_clock' => true, 'schedule' => 'daily' ], $guzzle['activated'] );
	$checks->same( "$is: the button says", $done, $guzzle['demand']['said'] );
	$checks->same( "$is: every lead has a post, less the one of the pair", count_of( 'leads' ) - 1, count( $guzzle['demand']['posts'] ) );
	$checks->same( "$is: a user's posts are WordPress's own work: WP-Cron makes the same", plain( $guzzle['demand']['posts'] ), plain( $guzzle['cron']['posts'] ) );
	$checks->same( "$is: the same after changes", plain( $guzzle['demand_changed']['posts'] ), plain( $guzzle['cron_changed']['posts'] ) );
	$checks->same( "$is: the changes were seen", 8, count( array_filter( changed_titles( $guzzle ), static fn( string $key ): bool => str_starts_with( $key, TENANTS[0] . '/' ) ) ) );
	$checks->same( "$is: a refused key, an unknown tenant", [ TENANTS[0] => 'Failed to sync CRM leads for tenant ' . TENANTS[0] . '. Check logs.', UNKNOWN => 'Error initializing CRM sync. Please contact support.' ], $guzzle['refused']['said'] );
	$checks->same( "$is: the job is gone after deactivation", null, $guzzle['deactivated'] );
}

/** Everything as with Guzzle: words, posts with all that belongs to them, times, requests, the article's lines in the log. */
function judge_native( Checks $checks, array $guzzle, array $native, string $is ): void {
	$checks->same( "$is: scheduling", $guzzle['activated'], $native['activated'] );
	foreach ( [ 'demand' => 'on demand', 'demand_changed' => 'on demand, after changes', 'refused' => 'a refused key, an unknown tenant' ] as $stage => $words ) {
		$checks->same( "$is: $words: what the button says", $guzzle[ $stage ]['said'], $native[ $stage ]['said'] );
	}
	foreach ( [ 'demand' => 'on demand', 'demand_changed' => 'on demand, after changes', 'cron' => 'by WP-Cron', 'cron_changed' => 'by WP-Cron, after changes', 'cron_again' => 'by WP-Cron, once more', 'refused' => 'after a refused key' ] as $stage => $words ) {
		$checks->same( "$is: $words: posts and meta", without( $guzzle[ $stage ]['posts'], 'number' ), without( $native[ $stage ]['posts'], 'number' ) );
	}
	$checks->same( "$is: WP-Cron's second run makes no post anew", numbers( $native['cron_changed']['posts'] ), numbers( $native['cron_again']['posts'] ) );
	foreach ( [ 'cron', 'cron_changed', 'refused' ] as $stage ) {
		$checks->same( "$is: the job's next time ($stage)", [ 24, 24 ], [ $guzzle[ $stage ]['hours_to_next'], $native[ $stage ]['hours_to_next'] ] );
	}
	$checks->same( "$is: the requests", $guzzle['requests'], $native['requests'] );
	foreach ( [ 'log', 'cron_log', 'refused_log' ] as $log ) {
		$checks->same( "$is: the article's lines in the error log ($log)", articles_lines( $guzzle[ $log ] ), articles_lines( $native[ $log ] ) );
		$checks->same( "$is: no notices of PHP ($log)", notices( $guzzle[ $log ] ), notices( $native[ $log ] ) );
	}
	$checks->same( "$is: no key in the log", [], preg_grep( '/key-of-|no-such-key/', array_merge( $native['log'], $native['cron_log'], $native['refused_log'] ) ) );
	$checks->same( "$is: the job is gone after deactivation", $guzzle['deactivated'], $native['deactivated'] );
}

/** Our plugin beside the article's: it leaves the site's functions alone, and its own sync goes on with the posts that are there. */
function judge_beside( Checks $checks, array $beside ): void {
	$is     = SIDES['beside']['is'];
	$before = numbers( $beside['refused']['posts'] );
	$checks->same( "$is: the site's functions win", [ 'sources' => array_fill_keys( TENANTS, 'function' ), 'functions_of_the_site' => 4 ], $beside['plugin'] );
	$runs = array_column( $beside['sync']['runs'], null, 'tenant' );
	$checks->same( "$is: our own sync ends well", array_fill_keys( TENANTS, 'done' ), array_column( $runs, 'state', 'tenant' ) );
	$checks->same( "$is: our own sync makes a post for the lead that the article merged with another, and no other", [ TENANTS[0] => 0, TENANTS[1] => 1, TENANTS[2] => 0 ], array_column( $runs, 'created', 'tenant' ) );
	$checks->same( "$is: posts were adopted, not made anew", $before, array_diff_key( numbers( $beside['sync']['posts'] ), [ '42/00QAbC' => 0 ] ) );
	$checks->same( "$is: after our own sync they hold what ours are to hold", ours( plain( $beside['refused']['posts'] ), 'changed' ), plain( $beside['sync']['posts'] ) );
	$again = array_column( $beside['resync']['runs'], null, 'tenant' );
	$checks->same( "$is: a second sync changes nothing", array_fill_keys( TENANTS, [ 'done', 0, 0 ] ), array_map( static fn( array $run ): array => [ $run['state'], $run['created'], $run['updated'] ], $again ) );
	$checks->same( "$is: and writes nothing", $beside['sync']['posts'], $beside['resync']['posts'] );
	$checks->same( "$is: the article's job and ours in one run of WP-Cron double nothing", numbers( $beside['sync']['posts'] ), numbers( $beside['both']['posts'] ) );
	$checks->same( "$is: the article's plugin can be activated while ours is active", [ 'next_two_o_clock' => true, 'schedule' => 'daily' ], $beside['activated_again'] );
}

/** @return list<string> Leads whose posts the changes changed or made. */
function changed_titles( array $side ): array {
	$first   = plain( $side['cron']['posts'] );
	$changed = array_filter( plain( $side['cron_changed']['posts'] ), static fn( array $copies, $key ): bool => $copies !== ( $first[ $key ] ?? null ), ARRAY_FILTER_USE_BOTH );
	return array_map( 'strval', array_keys( $changed ) );
}

function count_of( string $leads ): int {
	return array_sum( array_map( static fn( string $tenant ): int => count( ( __NAMESPACE__ . "\\$leads" )( $tenant ) ), TENANTS ) );
}

/** @return list<string> Lines that the article's functions write; those of the class begin alike and go on as each sees fit. */
function articles_lines( array $log ): array {
	$lines = preg_grep( '/^(Scheduled CRM sync|Error during scheduled|Error initializing|CRM API request failed for tenant)/', $log );
	return array_values( preg_replace( '/^(CRM API request failed for tenant).*/', '$1', $lines ) );
}

/** @return list<string> Not WordPress's own: it is older than this PHP, and misses the world outside. */
function notices( array $log ): array {
	return array_values( array_filter( preg_grep( '/^PHP /', $log ), static fn( string $line ): bool => ! str_contains( $line, '/wp-includes/' ) ) );
}
