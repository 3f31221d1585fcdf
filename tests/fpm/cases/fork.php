<?php
/** A process that forks after it used the extension (Action Scheduler runners, Horizon-like workers, PHPUnit in isolation). */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

return static function ( Checks $checks, Sandbox $sandbox, string $stack ): void {
	$sandbox->tenant( 'forks', 30 );
	$before = $sandbox->connections();
	exec( escapeshellarg( (string) getenv( 'TCS_STACK_SCRIPT' ) ) . ' php ' . escapeshellarg( "$stack/www/fork.php" ) . ' 2>&1', $lines, $code );
	$checks->same( 'the program ends well', 0, $code );
	$said = json_decode( (string) end( $lines ), true );
	$checks->is( 'and reports', is_array( $said ), implode( "\n", $lines ) );
	$checks->same( 'the parent reads before, between and after', [ 30, 30, 30 ], $said['parent'] ?? null );
	$checks->same( 'each of 8 children reads with an object of its own', array_fill( 0, 8, 0 ), $said['children'] ?? null );
	$checks->same( 'over nine connections: children do not touch the parent\'s', 9, $sandbox->connections() - $before );
	$checks->is( 'no child waits for a thread that it does not have (' . ( $said['seconds'] ?? '?' ) . ' s)', ( $said['seconds'] ?? 99 ) < 5 );
};
