<?php
/**
 * Runs the cases of tests/limits in order and counts their checks. Started by the script `run`, which keeps the servers.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

foreach ( array( 'fpm/Checks', 'fpm/FastCgi', 'fpm/Sandbox', 'redis/lib/Admissions', 'limits/Crowd' ) as $name ) {
	require dirname( __DIR__ ) . "/$name.php";
}

$checks  = new Checks();
$sandbox = new Sandbox( (string) getenv( 'TCS_SANDBOX_CONTROL' ) );

foreach ( array( 'accuracy', 'cost', 'budget', 'late', 'places', 'quotas', 'halved', 'resumed' ) as $case ) {
	$checks->group( $case );
	try {
		( require __DIR__ . "/cases/$case.php" )( $checks, $sandbox );
	} catch ( \Throwable $error ) {
		$checks->is( "the case runs to its end ($error)", false );
	}
}
exit( $checks->finish() );
