<?php
/**
 * kill -9 of PHP-FPM's workers at random times, while they take forms, fetch leads and run cron.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Master;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$crowd = $site->crowd( 4 );
	for ( $kill = 0; $kill < ( IS_SHORT ? 8 : 60 ); $kill++ ) {
		$site->touch();
		0 === $kill % 5 && $site->click();
		usleep( mt_rand( 50000, 300000 ) );
		$workers = Master::workers( 'www' );
		if ( $workers ) {
			posix_kill( $workers[ mt_rand( 0, count( $workers ) - 1 ) ], SIGKILL );
			$site->fault( 'FPM workers killed' );
		}
		$site->end_leases( 2.0 );
	}
	$crowd->leave();
	$checks->is( 'some died at work', isset( $crowd->answers['push 502'] ) || isset( $crowd->answers['fetch 502'] ) || isset( $crowd->answers['cron 502'] ), json_encode( $crowd->answers ) );
	return array( '~Aborted connection~', '~exited on signal 9|\(SIGKILL~', '~upstream prematurely closed|recv\(\) failed .*Connection reset|connect\(\) to unix:.*failed|prematurely closed FastCGI~' );
};
