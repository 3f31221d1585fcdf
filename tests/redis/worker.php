<?php
/**
 * One PHP process of a host: does what the order (JSON, the only argument) says, prints one line of JSON. Times are CLOCK_MONOTONIC in
 * nanoseconds, one clock for all processes of the machine.
 *
 * admit: asks a limiter from `at` to `until`; each call lies between the two times that are printed, with whether it was admitted. take:
 * asks it `times` times, and waits only where it is told to wait less than 2 s. hear: waits for `times` rings, or until `until`. ring: rings
 * `times` times. status: what status() and phpinfo() say once Redis has been asked. place: as take without waiting, after so many `others`
 * were asked once, and why limits are not counted where they should be.
 */

declare(strict_types=1);

$order   = json_decode( $argv[1], true );
$limiter = isset( $order['limiter'] ) ? TenantCRMSync::limiter( ...$order['limiter'] ) : null;
$found   = array();

switch ( $order['do'] ) {
	case 'admit':
		time_nanosleep( 0, max( 0, min( 999999999, $order['at'] - hrtime( true ) ) ) );
		while ( hrtime( true ) < $order['at'] ) {
			usleep( 1000 );
		}
		while ( ( $before = hrtime( true ) ) < $order['until'] ) {
			$wait    = $limiter->admit();
			$found[] = array( $before, hrtime( true ), 0.0 === $wait );
			if ( $wait > 0.0 ) {
				usleep( (int) ceil( 1e6 * min( $wait, max( 0.0, ( $order['until'] - hrtime( true ) ) / 1e9 ) ) ) );
			}
		}
		break;
	case 'take':
		$admitted = 0;
		for ( $left = $order['times']; $left > 0; ) {
			$wait = $limiter->admit();
			if ( 0.0 < $wait && $wait < 4.0 ) {
				usleep( (int) ceil( 1e6 * $wait ) );
				continue;
			}
			$admitted += 0.0 === $wait ? 1 : 0;
			--$left;
		}
		$found = $admitted;
		break;
	case 'hear':
		while ( count( $found ) < $order['times'] && hrtime( true ) < $order['until'] ) {
			$rang = TenantCRMSync::wait_for_wake( 1.0, 'jobs' );
			if ( false !== $rang ) {
				$found[] = array( $rang, hrtime( true ) );
			}
			if ( null === $rang ) {
				break;
			}
		}
		break;
	case 'ring':
		for ( $ring = 0; $ring < $order['times']; $ring++ ) {
			usleep( 100000 );
			$at      = hrtime( true );
			$found[] = array( TenantCRMSync::wake( 'jobs' ), $at );
		}
		break;
	case 'place':
		for ( $other = 0; $other < ( $order['others'] ?? 0 ); $other++ ) {
			TenantCRMSync::limiter( "place-$other", 160, 3600.0 )->admit();
		}
		for ( $left = $order['times'], $admitted = 0; $left > 0; --$left ) {
			$admitted += 0.0 === $limiter->admit() ? 1 : 0;
		}
		$found = array( 'error' => TenantCRMSync::status()['limit_error'], 'admitted' => $admitted );
		break;
	case 'status':
		TenantCRMSync::wake( 'jobs' );
		ob_start();
		phpinfo( INFO_MODULES | INFO_CONFIGURATION );
		$found = array( TenantCRMSync::status()['redis'], ob_get_clean() );
		break;
}
echo json_encode( $found ), "\n";
