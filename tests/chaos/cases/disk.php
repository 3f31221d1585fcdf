<?php
/**
 * No room: for the file in which processes count together, and for logs. Work goes on, what is said says why, and it heals by itself. As root
 * on a small tmpfs; else, or where nothing may be mounted, as in `bounds`.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$stack = (string) getenv( 'TCS_STACK' );
	$user  = (string) getenv( 'TCS_USER' );
	$mount = static function ( string $place, string $size, string $more = '' ) use ( $stack, $user ): bool {
		exec( "mount -t tmpfs -o {$more}size=$size,mode=755,uid=$(id -u $user) tmpfs " . escapeshellarg( "$stack/$place" ) . ' 2>&1', $output, $code );
		return 0 === $code;
	};
	$says  = static fn( array $within = array() ): string => Process::door( 'status', within: $within )->end()[1];
	if ( 0 !== posix_getuid() || ! $mount( 'shm', '1m' ) ) {
		return ( require __DIR__ . '/bounds.php' )( $checks, $site );
	}

	// A file of limits takes 4 MB.
	$site->populate();
	$crowd = $site->crowd( 3 );
	$site->fault( 'full shared memory' );
	for ( $time = 0; $time < ( IS_SHORT ? 2 : 4 ); $time++ ) {
		$site->click();
		$site->touch();
		list( $code, $said ) = Process::door( 'cron' )->end();
		$checks->is( 'a worker without shared memory goes on', 0 === $code && '{"worked":true}' === $said, $said );
		$site->end_leases( 2.0 );
	}
	$checks->is( 'it is said that there is no room', 1 === preg_match( '/no room for its \d+ bytes/', $says() ), $says() );
	exec( 'mount -o remount,size=16m ' . escapeshellarg( "$stack/shm" ) );
	$checks->is( 'with room again it is said no more', 0 === preg_match( '/no room/', $says() ), $says() );
	$checks->is( 'and the file is there', is_file( "$stack/shm/limits" ) );

	// Filled while processes have it mapped: what is in it stays, and another of its size does not fit beside it.
	@file_put_contents( "$stack/shm/fill", str_repeat( 'x', 16 << 20 ) );
	$site->fault( 'full shared memory' );
	$site->click();
	usleep( 500000 );

	$before = (string) @file_get_contents( "$stack/disk/requests.jsonl" );
	$mount( 'disk', '128k' );
	$site->fault( 'full disk of logs' );
	$filled = static fn(): bool => is_file( "$stack/disk/requests.jsonl" ) && filesize( "$stack/disk/requests.jsonl" ) > 100000;
	for ( $time = 0; $time < ( IS_SHORT ? 2 : 5 ); $time++ ) {
		$site->click();
		$site->touch();
		0 === $time && @file_put_contents( "$stack/disk/fill", str_repeat( 'x', 96 << 10 ) );
		list( $code, $said ) = Process::door( 'cron' )->end();
		$checks->is( 'a worker without room for its log goes on', 0 === $code && '{"worked":true}' === $said, $said );
		$site->end_leases( 2.0 );
	}
	$checks->is( 'the disk is full', disk_free_space( "$stack/disk" ) < 5000 || $filled(), (string) disk_free_space( "$stack/disk" ) );
	unlink( "$stack/disk/fill" );
	$size = filesize( "$stack/disk/requests.jsonl" );
	usleep( 1100000 );
	$site->click();
	Process::door( 'cron' )->end();
	$crowd->leave();
	clearstatcache();
	$checks->is( 'with room again lines are written again', filesize( "$stack/disk/requests.jsonl" ) > $size );
	$torn  = 0;
	$lines = file( "$stack/disk/requests.jsonl" );
	foreach ( $lines as $line ) {
		$torn += (int) ( "\n" !== $line && ! is_array( json_decode( $line, true ) ) );
	}
	$checks->is( 'all lines but those that met the end of the disk are whole', $torn <= 8 && count( $lines ) > 20, "$torn of " . count( $lines ) );
	exec( 'umount -l ' . escapeshellarg( "$stack/disk" ) . ' ' . escapeshellarg( "$stack/shm" ) );
	return array();
};
