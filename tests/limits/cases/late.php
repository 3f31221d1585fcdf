<?php
/** A request that would have no time left for its answer is not sent: of a write nobody would know what became of it. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	Crowd::tenant( $sandbox, 'late', array(), array( array( 'amount' => 2, 'seconds' => 3, 'burst' => 1 ) ) );
	$sandbox->call( 'POST', '/behaviour', array( 'tenant' => 'late', 'latency_ms' => 400 ) );
	$settings = json_decode( (string) file_get_contents( getenv( 'TCS_STACK' ) . '/settings.json' ), true )['late'];
	$first    = \TenantCRMSync::with_settings( 'late', $settings );
	$checks->same( 'the first may go', 3, count( (array) $first->fetch_leads() ) );
	$wait   = $first->limits()[0]['free_at'] - microtime( true );
	$second = \TenantCRMSync::with_settings( 'late', array( 'timeout' => 1.05 * $wait ) + $settings );
	$began  = microtime( true );
	$checks->same( 'one that could go only at the end of its time is refused', array( false, 'rate_limited', 0 ), array( $second->create_lead( array( 'name' => 'Zoë' ) ), $second->last_error()['kind'] ?? null, $second->last_error()['attempts'] ?? null ) );
	$checks->is( 'at once', microtime( true ) - $began < $wait / 2 );
	$checks->same( 'and not sent', 1, $sandbox->call( 'GET', '/limits?tenant=late' )['arrivals'] );
};
