<?php
/**
 * No noisy neighbour: fifty small tenants beside one with 100,000 rows and one whose CRM answers after 9 s, all of one worker. How much
 * longer the small ones wait than without the two, side by side in turns.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Jobs;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	$checks->group( 'A huge tenant and a slow one beside fifty small ones' );
	$small = array();
	for ( $number = 1; $number <= 50; $number++ ) {
		$small[] = $site->tenant( "small-$number", 100 );
	}
	$noisy = array( $site->tenant( 'huge', 100000 ), $site->tenant( 'slow', 100, array(), 9000 ) );
	$site->put_off();

	/** Seconds from the first that begins until the median one is done. */
	$delay = static function ( bool $with ) use ( $site, $small, $noisy ): float {
		foreach ( $small as $tenant ) {
			\Sandbox::post( '/touch', array( 'tenant' => $tenant->id, 'object' => 'leads', 'count' => 100 ) );
		}
		// The noisy ones come first.
		$others = $with ? array_map( array( $site, 'click' ), $noisy ) : array();
		$runs   = array_map( array( $site, 'click' ), $small );
		$list   = implode( ',', $runs );
		$worker = Worker::start();
		Site::wait( static fn(): bool => 0 < $site->number( "SELECT COUNT(*) FROM {runs} WHERE id IN ($list) AND state <> 'queued'" ), 30.0, 0.005 );
		$began = microtime( true );
		$done  = array();
		Site::wait(
			static function () use ( $site, $list, $began, &$done, $runs ): bool {
				while ( count( $done ) < $site->number( "SELECT COUNT(*) FROM {runs} WHERE id IN ($list) AND state = 'done'" ) ) {
					$done[] = microtime( true ) - $began;
				}
				return count( $done ) === count( $runs );
			},
			60.0,
			0.01
		);
		array_map( array( Jobs::class, 'cancel' ), $others );
		$worker->stop();
		return $done[ intdiv( count( $runs ), 2 ) ] ?? INF;
	};
	// What is stored for the first time takes longer.
	$delay( false );
	$ratios  = array();
	$without = array();
	for ( $round = 0; $round < 5; $round++ ) {
		$without[] = $delay( false );
		$ratios[]  = $delay( true ) / end( $without );
	}
	sort( $ratios );
	sort( $without );
	printf( "figure: small tenants wait %.2f times as long beside a huge and a slow one (%.2f to %.2f in %d rounds; without them %.2f s)\n", $ratios[2], $ratios[0], $ratios[4], count( $ratios ), $without[2] );
	$checks->is( 'at most 1.5 times', $ratios[2] <= 1.5, sprintf( '%.2f', $ratios[2] ) );
	$checks->is( 'the huge one has got on meanwhile', $site->number( "SELECT COUNT(*) FROM {records} WHERE tenant = {$noisy[0]->key}" ) > 0 );
	$checks->same( 'and every small one is as in its CRM', array(), array_merge( ...array_map( array( $site, 'differences' ), array( $small[0], $small[24], $small[49] ) ) ) );
};
