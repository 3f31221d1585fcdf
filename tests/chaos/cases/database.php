<?php
/**
 * kill -9 of MariaDB in the middle of everything, and its start a moment later: what was answered is kept, what was not can be sent again.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$crowd   = $site->crowd( 3 );
	$workers = array( Process::worker(), Process::worker() );
	$stack   = (string) getenv( 'TCS_STACK' );
	$ended   = 0;
	for ( $kill = 0; $kill < ( IS_SHORT ? 1 : 8 ); $kill++ ) {
		$site->click();
		$site->touch();
		usleep( mt_rand( 200000, 1500000 ) );
		$pid = (int) file_get_contents( "$stack/run/db.pid" );
		posix_kill( $pid, SIGKILL );
		$site->fault( 'MariaDB killed' );
		for ( $tries = 0; $tries < 200 && is_dir( "/proc/$pid" ) && ! str_contains( (string) @file_get_contents( "/proc/$pid/stat" ), ') Z ' ); $tries++ ) {
			usleep( 50000 );
		}
		usleep( mt_rand( 0, 700000 ) );
		exec( escapeshellarg( (string) getenv( 'TCS_STACK_SCRIPT' ) ) . ' mariadb 2>&1', $output, $code );
		if ( 0 !== $code ) {
			throw new \RuntimeException( 'MariaDB does not start: ' . implode( "\n", $output ) );
		}
		foreach ( $workers as $number => $worker ) {
			if ( ! $worker->is_running() ) {
				// As systemd would.
				++$ended;
				list( , $said ) = $worker->end();
				if ( ! preg_match( '/^(?:error: .*(?:database|job|queue).*|.*Error establishing a database connection.*)$/mi', $said ) ) {
					$checks->is( 'a worker that ends says that it was the database', false, $said );
				}
				$workers[ $number ] = Process::worker();
			}
		}
		$site->end_leases( 2.0 );
		usleep( mt_rand( 300000, 1000000 ) );
	}
	$crowd->leave();
	foreach ( $workers as $worker ) {
		$worker->stop();
	}
	$site->notes[] = "$ended workers ended and were started again";
	return array(
		'~Aborted connection~',
		'~WordPress database error |mysqli?_|MySQL server has gone away|Lost connection|Connection refused|The database (?:cannot be reached|refused|did not answer)|Error while sending QUERY packet|No job can be claimed|The queue|The job of this run is gone|The database was away~',
		// MariaDB on its recovery.
		'~\[Warning\]|^recovered pages:|^ \(\d~',
	);
};
