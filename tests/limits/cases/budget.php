<?php
/** FPM workers, and processes of the command line as cron and WP-CLI start them: one user, one budget. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$own = array( array( 'amount' => 40, 'seconds' => 86400, 'exact' => true ) );
	Crowd::tenant( $sandbox, 'budget', array( array( 'requests' => 40, 'per_ms' => 86400000 ) ), $own );
	$settings = json_decode( (string) file_get_contents( getenv( 'TCS_STACK' ) . '/settings.json' ), true )['budget'];
	$here     = \TenantCRMSync::with_settings( 'budget', $settings );
	for ( $call = 0, $ok = 0; $call < 15; $call++ ) {
		$ok += is_array( $here->fetch_leads() ) ? 1 : 0;
	}
	$checks->same( 'the command line takes its 15', 15, $ok );
	$found = Crowd::workers( 4, array( 'tenant' => 'budget', 'seconds' => 20 ) );
	$checks->same( 'four FPM workers take what is left', 25, array_sum( array_map( static fn( $one ) => $one['found']['ok'] ?? 0, $found ) ) );
	$checks->is( 'and say until when', (bool) preg_match( '/the limit of 40 requests in 24 h is used up until \d{4}-/', (string) $found[0]['last'] ), (string) $found[0]['last'] );
	$checks->same( 'the command line sees it', false, $here->fetch_leads() );
	$limit = $here->limits()[0];
	$checks->same( 'used and left', array( 40, 0 ), array( $limit['used'], $limit['left'] ) );
	$checks->same( 'the CRM saw 40, and refused none', array( 40, 0 ), ( static fn( $seen ) => array( $seen['arrivals'], $seen['refused'] ) )( $sandbox->call( 'GET', '/limits?tenant=budget' ) ) );
};
