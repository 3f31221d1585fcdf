<?php
/**
 * One of the soak's two parts, `workers` or `million`; see `run`. Memory is RssAnon: what is this process's own, without what it shares.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Soak;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\FastCgi;
use TenantCRM\Tests\Fpm\Master;
use TenantCRM\Tests\Fpm\Sandbox;

foreach ( array( 'Checks', 'FastCgi', 'Sandbox', 'Master' ) as $name ) {
	require dirname( __DIR__ ) . "/fpm/$name.php";
}
require __DIR__ . '/Usage.php';

$checks  = new Checks();
$sandbox = new Sandbox( (string) getenv( 'TCS_SANDBOX_CONTROL' ) );
$amount  = array( 'workers' => 60.0 * (float) getenv( 'MINUTES' ), 'million' => (int) getenv( 'CALLS' ) );
( require __DIR__ . "/$argv[1].php" )( $checks, $sandbox, $amount[ $argv[1] ] );
exit( $checks->finish() );
