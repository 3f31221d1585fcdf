<?php
/**
 * Runs the cases in order. A case breaks things and puts them right; what must hold then is the same for all (Verdict). Prints what was broken,
 * how much was checked and how long it took, as figures.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

require __DIR__ . '/../wordpress/Sandbox.php';
require __DIR__ . '/../fpm/Checks.php';
require __DIR__ . '/../fpm/Master.php';
foreach ( array( 'Process', 'Crowd', 'Site', 'Authority', 'Proxy', 'Verdict' ) as $name ) {
	require __DIR__ . "/lib/$name.php";
}

use TenantCRM\Tests\Fpm\Checks;

/** A few of each, for every day, or all. */
define( 'TenantCRM\Tests\Chaos\IS_SHORT', 'short' === getenv( 'CHAOS' ) );

$checks = new Checks();
$seed   = (int) ( getenv( 'CHAOS_SEED' ) ?: random_int( 1, 999999 ) );
$site   = new Site( $seed );
Authority::prepare();
$owner = getmypid();
register_shutdown_function(
	static function () use ( $owner ): void {
		if ( getmypid() === $owner ) {
			Process::kill_all();
			Proxy::end();
		}
	}
);
echo "CHAOS_SEED=$seed", IS_SHORT ? ', the short run' : '', 0 === posix_getuid() ? '' : ', not as root: no mounts', "\n";

$names  = array_slice( $argv, 1 );
$all    = array( 'workers', 'fpm', 'database', 'reload', 'redis', 'disk', 'bounds', 'clock', 'answers', 'names', 'nowhere', 'certificates', 'steps', 'memory' );
$short  = array( 'fpm', 'database', 'answers', 'steps' );
$totals = array( 0, 0 );
$began  = microtime( true );
foreach ( $names ? $names : ( IS_SHORT ? $short : $all ) as $name ) {
	$checks->group( $name );
	mt_srand( $seed );
	$start = microtime( true );
	try {
		$site->clean( $name );
		$allowed = ( require __DIR__ . '/cases/' . basename( $name ) . '.php' )( $checks, $site );
		( new Verdict( $checks, $site ) )->give( $allowed );
	} catch ( \Throwable $e ) {
		$checks->is( "the case runs to its end ($e)", false );
		Process::kill_all();
	}
	printf( "figure: %s: %s; %d rows checked; %.1f s\n", $name, $site->told(), $site->checked, microtime( true ) - $start );
	$totals[0] += array_sum( $site->faults );
	$totals[1] += $site->checked;
}
printf( "figure: %d faults injected, %d rows checked, CHAOS_SEED=%d, %.0f s\n", $totals[0], $totals[1], $seed, microtime( true ) - $began );
exit( $checks->finish() );
