<?php
/** A file of counters that cannot be used: plain words, and a small part of the limit instead of all of it or a crash. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks ): void {
	$folder = getenv( 'TCS_STACK' ) . '/tmp';
	$make   = static function ( string $name, string $content, int $mode = 0600 ) use ( $folder ): string {
		file_put_contents( "$folder/$name", $content );
		chmod( "$folder/$name", $mode );
		return "$folder/$name";
	};
	symlink( $make( 'target', '' ), "$folder/link" );
	// What each lets through of 160 in an hour. A file that is broken is made anew, and takes the hour before for used.
	$places = array(
		'somebody else\'s'      => array( '/etc/hostname', 10 ),
		'a link'                => array( "$folder/link", 10 ),
		'writable by everybody' => array( $make( 'open', '', 0666 ), 10 ),
		'in no folder'          => array( "$folder/none/limits", 10 ),
		'a device'              => array( '/dev/full', 10 ),
		'corrupt'               => array( $make( 'corrupt', str_repeat( "\xff", 65536 ) ), 1 ),
		'cut short'             => array( $make( 'short', 'tcslimit' ), 1 ),
	);
	$order  = array( 'do' => 'place', 'limiter' => array( 'places', 160, 3600.0 ), 'times' => 200 );
	foreach ( $places as $what => list( $file, $most ) ) {
		$found = Crowd::processes( array( $order ), array( 'tenant_crm_sync.limit_file' => $file ) )[0];
		$error = (string) ( $found['error'] ?? '' );
		$checks->is( "$what: said in plain words, with its name", str_contains( $error, $file ), $error );
		$checks->is( "$what: a small part of the limit, not all of it", isset( $found['admitted'] ) && $found['admitted'] <= $most, (string) json_encode( $found ) );
	}
	$found = Crowd::processes( array( $order ), array( 'tenant_crm_sync.limit_file' => "$folder/good" ) )[0];
	$checks->same( 'one that is good: no error, the whole limit', array( null, 160 ), array( $found['error'], $found['admitted'] ) );
	$full = Crowd::processes( array( array( 'others' => 64 ) + $order ), array( 'tenant_crm_sync.limit_file' => "$folder/full", 'tenant_crm_sync.limit_slots' => '64' ) )[0];
	$checks->is( 'one that is full: who finds no room has a small part', null === $full['error'] && $full['admitted'] > 0 && $full['admitted'] <= 10, (string) json_encode( $full ) );
	// A head that is good, and any bits behind it.
	$bytes = (string) file_get_contents( "$folder/good" );
	file_put_contents( "$folder/good", substr( $bytes, 0, 256 ) . random_bytes( strlen( $bytes ) - 256 ) );
	$found = Crowd::processes( array( $order ), array( 'tenant_crm_sync.limit_file' => "$folder/good" ) )[0];
	$checks->is( 'one with any bits in it: no crash, and no more than the limit', isset( $found['admitted'] ) && $found['admitted'] <= 160, (string) json_encode( $found ) );
};
