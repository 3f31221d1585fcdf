<?php
/**
 * A worker that dies before its Nth statement, for every second N (the seed says which): by kill -9, by memory_limit, by max_execution_time. The next one finishes its work,
 * and nothing of it happens twice. Every step of pulls, of writes to the CRM and of their bookkeeping is one of these.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->add(
		array(
			'pulled'  => array( 'leads' => 24, 'page_size' => 8 ),
			'hooks'   => array( 'leads' => 4, 'hooks' => true ),
			'written' => array( 'leads' => 4, 'direction' => 'both' ),
		)
	);
	$crowd    = $site->crowd( 0 );
	$accepted = 0;
	$push     = static function () use ( $site, $crowd, &$accepted ): void {
		$domain = $site->tenants['written']['domain'];
		$email  = 's' . ++$accepted . "@$domain";
		$answer = json_decode( (string) file_get_contents( getenv( 'TCS_URL' ) . '/portal.php?' . http_build_query( array( 'do' => 'push', 'tenant' => 'written', 'name' => "Step $accepted of written", 'email' => $email ) ) ), true );
		isset( $answer['post'] ) ? $crowd->accepted[ $email ] = 'written' : $crowd->unknown[ $email ] = 'written';
	};
	// First a worker that meets all there is to do for the first time, then workers that find changes on both sides.
	$died  = array();
	$die   = static function ( string $way, int $step ) use ( $checks, $site, $push, &$died ): bool {
		$push();
		\Sandbox::post( '/touch', array( 'tenant' => 'pulled', 'object' => 'leads', 'count' => 10 ) );
		\Sandbox::post( '/touch', array( 'tenant' => 'hooks', 'object' => 'leads', 'count' => 1 ) );
		$site->click();
		// Each death stands for itself: a job over which eight workers died is given up, and that is tested elsewhere.
		$site->sql( 'UPDATE {jobs} SET deaths = 0' );
		list( $code, $said ) = Process::door( 'cron', environment: array( 'TCS_CHAOS' => "$way:$step" ) )->end();
		$is_dead             = str_contains( $said, 'died before:' );
		if ( ! $is_dead && ( 0 !== $code || ! str_ends_with( $said, '{"worked":true}' ) ) ) {
			$checks->is( "step $step: a worker ends well or is killed", false, "$code: $said" );
		}
		if ( $is_dead ) {
			$died[ $way ] = 1 + ( $died[ $way ] ?? 0 );
			$site->fault( array( 'kill' => 'workers killed (-9)', 'memory' => 'out of memory', 'time' => 'out of time' )[ $way ] . ' before a statement' );
		}
		$site->let_time_pass();
		return $is_dead;
	};
	$last = 0;
	for ( $step = mt_rand( 1, 2 ); $step < 400; $step += IS_SHORT ? mt_rand( 30, 80 ) : 2 ) {
		$way = IS_SHORT || 0 !== $step % 3 ? 'kill' : 'memory';
		if ( ! $die( $way, $step ) ) {
			break;
		}
		$last = $step;
	}
	for ( $more = 0; $more < ( IS_SHORT ? 1 : 20 ); $more++ ) {
		$die( 'memory', mt_rand( 1, intdiv( $last, 2 ) ) );
	}
	for ( $more = 0; $more < ( IS_SHORT ? 1 : 12 ); $more++ ) {
		$die( 'time', mt_rand( 1, intdiv( $last, 2 ) ) );
	}
	$checks->is( 'workers died in each way', isset( $died['kill'], $died['memory'], $died['time'] ) && $last > 20, json_encode( $died ) . ", the last before statement $last" );
	return array( '~Aborted connection~', '~Allowed memory size of \d+ bytes exhausted .*tcs-chaos\.php|Maximum execution time of 1 second exceeded in .*tcs-chaos\.php~', '~^(Stack trace:|#\d+ |  thrown in )~' );
};
