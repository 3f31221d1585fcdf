<?php
/**
 * PHP-FPM reloaded again and again under load: nobody goes without an answer.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Master;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$crowd = $site->crowd( 4 );
	for ( $reload = 0; $reload < ( IS_SHORT ? 2 : 10 ); $reload++ ) {
		$site->touch();
		$site->click();
		usleep( mt_rand( 500000, 1500000 ) );
		$old = Master::workers( 'www' );
		Master::reload();
		$site->fault( 'FPM reloads' );
		for ( $tries = 0; $tries < 400 && ( array_intersect( $old, $now = Master::workers( 'www' ) ) || count( $now ) < 5 ); $tries++ ) {
			usleep( 50000 );
		}
	}
	$crowd->leave();
	$bad = array_filter( array_keys( $crowd->answers ), static fn( string $answer ): bool => ! str_ends_with( $answer, ' 200' ) );
	$checks->same( 'every request was answered', array(), array_values( $bad ) );
	return array();
};
