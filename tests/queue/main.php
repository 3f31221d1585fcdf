<?php
/**
 * Runs the cases in order and counts. What is asked of the site is in lib/Site.php, what a worker is in lib/Worker.php.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

require __DIR__ . '/../wordpress/site.php';
require __DIR__ . '/../wordpress/Sandbox.php';
require __DIR__ . '/../fpm/Checks.php';
require __DIR__ . '/lib/Site.php';
require __DIR__ . '/lib/Worker.php';

use TenantCRM\Tests\Fpm\Checks;

$checks = new Checks();
$site   = new Site();
register_shutdown_function( array( $site, 'clean' ) );
$names = array_slice( $argv, 1 );
foreach ( $names ? $names : array( 'units', 'slices', 'turns', 'control', 'kills', 'neighbours', 'crowd' ) as $name ) {
	$site->clean();
	$start = microtime( true );
	( require __DIR__ . '/cases/' . basename( $name ) . '.php' )( $checks, $site );
	printf( "  (%s: %.1f s)\n", $name, microtime( true ) - $start );
}
$site->clean();
exit( $checks->finish() );
