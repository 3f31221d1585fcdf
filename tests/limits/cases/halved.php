<?php
/** The CRM halves a limit behind our back: what is in flight is refused, then all wait until its time, and go on more slowly. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$limits = static fn( int $requests ) => array( array( 'requests' => $requests, 'per_ms' => 2000 ) );
	Crowd::tenant( $sandbox, 'halved', $limits( 200 ), array( array( 'amount' => 200, 'seconds' => 2 ) ) );
	$halve = static function () use ( $sandbox, $limits ): void {
		usleep( 5000000 );
		$sandbox->call( 'POST', '/behaviour', array( 'tenant' => 'halved', 'limits' => $limits( 100 ) ) );
	};
	Crowd::workers( 32, array( 'tenant' => 'halved', 'seconds' => 14 ), $halve );
	$seen    = $sandbox->call( 'GET', '/limits?tenant=halved&window_ms=2000' );
	$seconds = static fn( ?string $time ): ?float => null === $time ? null : (float) ( new \DateTimeImmutable( $time ) )->format( 'U.u' );
	$all     = array_map( static fn( $one ) => array( $seconds( $one['at'] ), $seconds( $one['answered_at'] ), $one['status'] ), $sandbox->call( 'GET', '/requests?tenant=halved' ) );
	$refused = array_values( array_filter( $all, static fn( $one ) => 429 === $one[2] ) );
	$checks->is( 'the CRM has refused some', array() !== $refused );
	if ( array() === $refused ) {
		return;
	}
	// It asks to wait for whole seconds, so for one at least.
	$read   = min( array_column( $refused, 1 ) );
	$before = array_filter( $all, static fn( $one ) => $one[0] <= $read );
	$within = array_filter( $all, static fn( $one ) => $one[0] > $read + 0.1 && $one[0] < $read + 0.98 );
	$after  = array_filter( $all, static fn( $one ) => $one[0] >= $read + 0.98 );
	$late   = array_filter( $after, static fn( $one ) => 429 === $one[2] );
	printf( "figure: 32 workers: %d requests before, %d answers 429, %d requests while told to wait, %d after\n", count( $before ), count( $refused ), count( $within ), count( $after ) );
	$checks->is( 'no more answers 429 than requests in flight', count( $refused ) <= 32, (string) count( $refused ) );
	$checks->same( 'no request starts after the first 429 was read until its time', 0, count( $within ) );
	$checks->same( 'and then none is refused any more', 0, count( $late ) );
	$checks->is( 'but work goes on, at half the pace', count( $after ) > 150, (string) count( $after ) );
	$checks->is( 'before, it was near the limit', $seen['most'] > 170, (string) $seen['most'] );
};
