<?php
/** FAULTS A14: a limit of ten seconds and one of the day, 32 FPM workers that never rest: not one 429. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$crm = array( array( 'requests' => 100, 'per_ms' => 10000 ), array( 'requests' => 180, 'per_ms' => 86400000, 'kind' => 'daily' ) );
	$own = array( array( 'amount' => 100, 'seconds' => 10 ), array( 'amount' => 180, 'daily' => true ) );
	Crowd::tenant( $sandbox, 'quotas', $crm, $own );
	$found = Crowd::workers( 32, array( 'tenant' => 'quotas', 'seconds' => 40 ) );
	$seen  = $sandbox->call( 'GET', '/limits?tenant=quotas&window_ms=10000' );
	printf( "figure: 32 workers: the CRM saw %d requests, at most %d in 10 s, and answered 429 %d times\n", $seen['arrivals'], $seen['most'], $seen['answers_429'] );
	$checks->same( 'FAULTS A14: not one 429', array( 0, 0 ), array( $seen['answers_429'], $seen['refused'] ) );
	$checks->same( 'the day is used up to the reserve: 180 less a fifth', 144, $seen['arrivals'] );
	$checks->is( 'ten seconds are used as far as they go', $seen['most'] >= 85 && $seen['most'] <= 100, (string) $seen['most'] );
	$ends = array_map( static fn( $one ) => array_key_last( $one['found'] ), $found );
	$checks->same( 'each worker came to the end of the day', array_fill( 0, 32, 'quota' ), $ends );
	$checks->is( 'and says until when', str_contains( (string) $found[0]['last'], 'the limit of 180 requests a day is used up until' ), (string) $found[0]['last'] );
};
