<?php
/** What is expected of a site that has no such functions of its own, against the recorded posts of the article's code. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

/** @param array{first: array<string, mixed>, changed: array<string, mixed>} $expected */
function judge_own( Checks $checks, array $expected, array $own ): void {
	$is    = SIDES['own']['is'];
	$stale = [];
	$first = ours( $expected['first'], 'first', $stale );
	$after = ours( $expected['changed'], 'changed', $stale );
	$checks->same( 'every difference in differences.php is one', [], $stale );
	foreach ( [ 'demand' => 'on demand', 'cron' => 'by WP-Cron, after all posts were deleted' ] as $stage => $words ) {
		$checks->same( "$is: $words", $first, plain( $own[ $stage ]['posts'] ) );
	}
	foreach ( [ 'demand_changed' => 'on demand, after changes', 'cron_changed' => 'by WP-Cron, after changes', 'cron_again' => 'by WP-Cron, once more', 'refused' => 'after a refused key' ] as $stage => $words ) {
		$checks->same( "$is: $words", $after, plain( $own[ $stage ]['posts'] ) );
	}
	$said = static fn( string $leads ): array => array_combine( TENANTS, array_map( static fn( string $tenant ): string => count( ( __NAMESPACE__ . "\\$leads" )( $tenant ) ) . " leads of $tenant", TENANTS ) );
	$checks->same( "$is: all leads came", $said( 'leads' ), $own['demand']['said'] );
	$checks->same( "$is: then only the changed ones", $said( 'changes' ), $own['demand_changed']['said'] );
	$checks->same( "$is: a refused key, an unknown tenant", [ TENANTS[0] => 'nothing came for ' . TENANTS[0], UNKNOWN => 'CRM settings not configured for tenant ' . UNKNOWN . '.' ], $own['refused']['said'] );
	$checks->same( "$is: a refused key of one tenant leaves the others alone", [ 'nothing came for ' . TENANTS[0], ...array_values( array_slice( $said( 'changes' ), 1 ) ) ], array_values( preg_grep( '/ leads of |^nothing came/', $own['refused_log'] ) ) );
	$checks->same( "$is: WP-Cron's second run makes no post anew", numbers( $own['cron_changed']['posts'] ), numbers( $own['cron_again']['posts'] ) );
	$checks->same( "$is: no key in the log", [], preg_grep( '/key-of-|no-such-key/', array_merge( $own['log'], $own['cron_log'], $own['refused_log'] ) ) );
	$checks->same( "$is: scheduled, and gone after deactivation", [ [ 'next_two_o_clock' => false, 'schedule' => 'daily' ], null ], [ $own['activated'], $own['deactivated'] ] );
}
