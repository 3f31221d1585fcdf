<?php
/**
 * Runs the cases of tests/fpm in order and counts their checks. Started by the script `run`, which keeps the servers.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

require __DIR__ . '/Checks.php';
require __DIR__ . '/FastCgi.php';
require __DIR__ . '/Sandbox.php';
require __DIR__ . '/Master.php';

$checks  = new Checks();
$sandbox = new Sandbox( (string) getenv( 'TCS_SANDBOX_CONTROL' ) );
$stack   = (string) getenv( 'TCS_STACK' );

foreach ( [ 'connections', 'survival', 'secrets', 'pools', 'fork' ] as $case ) {
	$checks->group( $case );
	try {
		( require __DIR__ . "/cases/$case.php" )( $checks, $sandbox, $stack );
	} catch ( \Throwable $error ) {
		$checks->is( "the case runs to its end ($error)", false );
	}
}
exit( $checks->finish() );
