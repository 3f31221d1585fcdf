<?php
/**
 * Clocks that are wrong and clocks that jump: the CRM's (the sandbox's own), and the workers' by libfaketime (Debian's faketime) where it is
 * installed: ahead, behind, and jumping about while they work. The queue goes by the database's clock alone.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$library = glob( '/usr/lib/*/faketime/libfaketimeMT.so.1' )[0] ?? null;
	$clock   = getenv( 'TCS_STACK' ) . '/chaos/clock';
	$set     = static function ( int $seconds ) use ( $clock ): void {
		file_put_contents( $clock, sprintf( "%+d\n", $seconds ) );
		chmod( $clock, 0644 );
	};
	$set( 0 );
	if ( null === $library ) {
		$site->notes[] = 'there is no libfaketime here: only the CRM\'s clock is wrong';
	}
	// Waiting goes by another clock, which nobody can set.
	$with    = null === $library ? array() : array( 'LD_PRELOAD' => $library, 'FAKETIME_TIMESTAMP_FILE' => $clock, 'FAKETIME_NO_CACHE' => '1', 'DONT_FAKE_MONOTONIC' => '1' );
	$crowd   = $site->crowd( 2 );
	$workers = array( Process::worker( environment: $with ), Process::worker( environment: $with ), Process::worker() );
	$hour    = 3600;
	// Not so far behind that no certificate is valid yet.
	$jumps = IS_SHORT ? array( 2 * $hour, -1 ) : array( 60, -60, $hour, -1, 26 * $hour, -30, 40 * 24 * $hour, 0, -59, 2 * $hour );
	foreach ( $jumps as $number => $jump ) {
		$set( $jump );
		null === $library || $site->fault( 'jumps of the workers\' clock' );
		$skew = array( -7200000, 0, 300000, -90000, 86400000 )[ $number % 5 ];
		foreach ( array( 'north', 'both', 'acme' ) as $tenant ) {
			\Sandbox::post( '/tenants', array( 'id' => $tenant, 'key' => "key-of-$tenant", 'clock_ms' => $skew ) );
		}
		$site->fault( 'jumps of the CRM\'s clock' );
		$site->touch();
		$site->click();
		usleep( mt_rand( 300000, 1200000 ) );
		$site->touch();
		$site->end_leases( 5.0 );
	}
	$crowd->leave();
	foreach ( $workers as $worker ) {
		list( , $said ) = $worker->stop();
		$checks->is( 'a worker lived through all of it', 1 === preg_match( '/ 0 failed\n$/', $said ), $said );
	}
	foreach ( array_keys( $site->tenants ) as $tenant ) {
		\Sandbox::post( '/tenants', array( 'id' => (string) $tenant, 'key' => "key-of-$tenant", 'clock_ms' => 0 ) );
	}
	// What a CRM changed while its clock was set back has times that were read already: `sync --full` finds it.
	$site->click( true );
	return array();
};
