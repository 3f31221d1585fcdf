<?php
/** register_class is a pool's own setting: a site that still declares the article's class lives beside one that uses ours. */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$sandbox->tenant( 'pools', 7 );
	// In turns, so that neither pool can have won by being first.
	for ( $i = 0; $i < 3; $i++ ) {
		$own = FastCgi::get( 'own', 'declares.php' );
		$checks->same( 'register_class=0: the script declares a TenantCRMSync of its own', [ 'mine', true ], $own['json'] ?? $own['body'] . $own['stderr'] );
		$got = FastCgi::get( 'one', 'call.php', [ 'tenant' => 'pools', 'do' => 'fetch' ] );
		$checks->same( 'the other pool of the same master has ours', 7, $got['json']['got'] ?? $got['body'] . $got['stderr'] );
	}
	$clash = FastCgi::get( 'one', 'declares.php' );
	$checks->is( 'with the class registered the same script is a plain fatal error', $clash['answered'] && null === $clash['json'] );
	$checks->same( 'after which the worker goes on', 7, FastCgi::get( 'one', 'call.php', [ 'tenant' => 'pools', 'do' => 'fetch' ] )['json']['got'] ?? null );
};
