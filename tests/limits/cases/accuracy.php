<?php
/** Eight processes, one limit: as many as it takes, and never more, in whichever window one looks. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Redis\Admissions;

return static function ( Checks $checks ): void {
	$second = 1000000000;
	$asked  = static function ( array $limiters, int $seconds ) use ( $second ): Admissions {
		$from   = hrtime( true ) + $second;
		$orders = array_map( static fn( $limiter ) => array( 'do' => 'admit', 'limiter' => $limiter, 'at' => $from, 'until' => $from + $seconds * $second ), $limiters );
		return Admissions::of( Crowd::processes( $orders ) );
	};
	$name   = bin2hex( random_bytes( 8 ) );
	$all    = $asked( array_fill( 0, 8, array( $name, 110, 1.0, 10 ) ), 5 );
	$ideal  = $all->ideal( 100, 10 );
	printf( "figure: 8 processes, 5 s, 100/s and 10 at once: admitted %d of 510, ideal for when they asked %d; at most %d in any second\n", $all->count(), $ideal, $all->most_in( $second ) );
	$checks->is( 'within 1 % of the ideal', abs( $all->count() / $ideal - 1 ) <= 0.01, "{$all->count()} of $ideal" );
	$checks->is( 'which is near 510', $ideal > 459 && $ideal < 550, (string) $ideal );
	$checks->is( 'never more than 110 in any second', $all->most_in( $second ) <= 110, (string) $all->most_in( $second ) );
	$checks->is( 'never more than 35 in any quarter of a second', $all->most_in( intdiv( $second, 4 ) ) <= 35, (string) $all->most_in( intdiv( $second, 4 ) ) );
	$alone = $asked( array_map( static fn( $number ) => array( "$name-$number", 110, 1.0, 10 ), range( 1, 8 ) ), 1 );
	$checks->is( 'processes that count each for itself take more, and this is seen', $alone->most_in( $second ) > 400 && $alone->count() > 2 * $alone->ideal( 100, 10 ), (string) $alone->most_in( $second ) );
};
