<?php
/**
 * The Redis in which workers count together: killed (-9), started again, frozen, while a tenant with a limit is pulled. The limit holds, and
 * nobody waits for ever.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$limit  = 12;
	$stack  = (string) getenv( 'TCS_STACK' );
	$socket = "$stack/run/redis.sock";
	$redis  = null;
	$start  = static function () use ( &$redis, $stack, $socket ): void {
		@unlink( $socket );
		$become = 0 === posix_getuid() ? array( 'setpriv', '--reuid=' . getenv( 'TCS_USER' ), '--regid=' . getenv( 'TCS_USER' ), '--clear-groups' ) : array();
		$redis  = proc_open( array( ...$become, 'redis-server', '--port', '0', '--unixsocket', $socket, '--save', '', '--dir', "$stack/tmp", '--logfile', "$stack/tmp/redis.log" ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
	};
	$end    = static function () use ( &$redis ): void {
		proc_terminate( $redis, SIGKILL );
		proc_close( $redis );
	};
	$start();
	$site->populate( times: 4 );
	\Sandbox::post( '/behaviour', array( 'tenant' => 'north', 'limits' => array( array( 'requests' => $limit, 'per_ms' => 1000 ) ) ) );
	$site->add( array( 'limited' => array( 'leads' => 400, 'page_size' => 5, 'limits' => array( array( 'amount' => $limit, 'seconds' => 1 ) ) ) ) );
	$with    = array( '-d', "tenant_crm_sync.redis_url=unix://$socket", '-d', 'tenant_crm_sync.hosts=1' );
	$workers = array_map( static fn(): Process => Process::worker( $with ), range( 1, 3 ) );
	for ( $kill = 0; $kill < ( IS_SHORT ? 2 : 6 ); $kill++ ) {
		$site->touch( 60 );
		\Sandbox::post( '/touch', array( 'tenant' => 'limited', 'object' => 'leads', 'count' => 300 ) );
		$site->click();
		usleep( mt_rand( 500000, 3000000 ) );
		if ( 2 === $kill % 3 ) {
			$pid = proc_get_status( $redis )['pid'];
			posix_kill( $pid, SIGSTOP );
			usleep( 2500000 );
			posix_kill( $pid, SIGCONT );
			$site->fault( 'times Redis frozen' );
			continue;
		}
		$end();
		usleep( mt_rand( 100000, 2000000 ) );
		$start();
		$site->fault( 'times Redis killed and started' );
	}
	usleep( 4000000 );
	foreach ( $workers as $worker ) {
		list( , $said ) = $worker->stop();
		$checks->is( 'a worker lived through all of it', 1 === preg_match( '/ 0 failed\n$/', $said ), $said );
	}
	$most = json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/limits?tenant=limited&window_ms=1000' ), true );
	$checks->is( "the CRM that takes $limit requests a second never saw more", $most['most'] <= $limit && $most['arrivals'] > 20, json_encode( $most ) );
	$end();
	return array();
};
