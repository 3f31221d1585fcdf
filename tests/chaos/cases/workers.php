<?php
/**
 * kill -9 of cron's and the command line's workers at random times, while people are at the portal and the CRMs change.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$crowd   = $site->crowd( 2 );
	$workers = array( Process::worker(), Process::worker(), Process::door( 'cron' ) );
	for ( $kill = 0; $kill < ( IS_SHORT ? 6 : 40 ); $kill++ ) {
		$site->touch();
		0 === $kill % 4 && $site->click();
		usleep( mt_rand( 100000, 600000 ) );
		$victim = mt_rand( 0, 2 );
		$workers[ $victim ]->kill();
		$workers[ $victim ] = 2 === $victim ? Process::door( 'cron' ) : Process::worker();
		$site->fault( 'workers killed' );
		$site->end_leases( 2.0 );
	}
	$crowd->leave();
	foreach ( $workers as $worker ) {
		$worker->kill();
	}
	$site->fault( 'workers killed', 3 );
	return array( '~Aborted connection~' );
};
