<?php
/** What a decision costs, asked from PHP: the call, the clock and the counter that all processes share. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks ): void {
	$calls   = 5000;
	$limiter = \TenantCRMSync::limiter( bin2hex( random_bytes( 8 ) ), 1000000000, 1.0, 500000000 );
	$empty   = new class() {
		public function admit(): float {
			return 0.0;
		}
	};
	$time    = static function ( object $asked ) use ( $calls ): float {
		$began = hrtime( true );
		for ( $call = 0; $call < $calls; $call++ ) {
			$asked->admit();
		}
		return ( hrtime( true ) - $began ) / $calls;
	};
	$ours    = array();
	$nothing = array();
	for ( $round = 0; $round < 601; $round++ ) {
		$nothing[] = $time( $empty );
		$ours[]    = $time( $limiter );
	}
	sort( $ours );
	sort( $nothing );
	printf( "figure: a decision: median %.0f ns (%.0f to %.0f); an empty method of PHP's own: median %.0f ns (from %.0f)\n", $ours[300], $ours[0], $ours[600], $nothing[300], $nothing[0] );
	// The machine's other work only ever adds: of many short rounds the best one met none.
	$checks->is( 'at most 100 ns', $ours[0] <= 100.0, sprintf( '%.0f ns', $ours[0] ) );
	$checks->same( 'and it was admitted', 0.0, $limiter->admit() );
};
