<?php
/**
 * A CRM that answers with what is no answer: slowly byte by byte, cut off anywhere, nothing at all, a gigabyte out of a megabyte, chunks, headers
 * and hints without end. Each call ends in time and in bounds, and what was half done is done once.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate( proxied: true );
	// What writes meet: an effect without an answer, an answer without an effect.
	$writes = array(
		array( 'kind' => 'cut_after_read', 'process' => true, 'method' => 'POST', 'times' => 2 ),
		array( 'kind' => 'cut_before_read', 'method' => 'POST', 'after' => 1, 'times' => 1 ),
		array( 'kind' => 'status', 'status' => 503, 'process' => true, 'method' => 'POST', 'after' => 2, 'times' => 1 ),
		array( 'kind' => 'truncated_json', 'method' => 'GET', 'after' => 3, 'times' => 1 ),
		array( 'kind' => 'cut_mid_body', 'method' => 'GET', 'after' => 5, 'times' => 2 ),
	);
	foreach ( array( 'both', 'out' ) as $tenant ) {
		\Sandbox::post( '/faults', array( 'tenant' => $tenant, 'faults' => $writes ) );
	}
	$site->fault( 'faults of writes', 14 );
	$crowd = $site->crowd( 2 );
	$peak  = 0;
	$moods = IS_SHORT ? array( 'gzip bomb', 'header of 1 GB' ) : Moods::bad_answers();
	foreach ( $moods as $mood ) {
		Proxy::mood( $mood );
		$site->forget_breakers();
		$site->click();
		$site->touch();
		$began  = microtime( true );
		$worker = Process::door( 'cron' );
		while ( $worker->is_running() && microtime( true ) < $began + 60.0 ) {
			$peak = max( $peak, preg_match( '/^VmHWM:\s+(\d+)/m', (string) @file_get_contents( "/proc/$worker->pid/status" ), $match ) ? (int) $match[1] : 0 );
			usleep( 20000 );
		}
		$is_over = ! $worker->is_running();
		list( $code, $said ) = $is_over ? $worker->end() : $worker->kill();
		$checks->is( "$mood: the worker ends by itself", $is_over && 0 === $code && '{"worked":true}' === $said, sprintf( '%.1f s, %s', microtime( true ) - $began, $said ) );
		$site->fault( "times $mood" );
		$sent = Proxy::sent( $mood );
		// An answer of 64 MB is allowed (max_response_bytes), and the kernel has buffers. Hints before an answer are thrown away as they come: they are
		// bounded by the call's time alone.
		if ( 'endless 103' !== $mood ) {
			$checks->is( "$mood: it listens within bounds", $sent < 80 << 20, "$sent bytes" );
		}
		Proxy::mood( 'well' );
		$site->forget_breakers();
		$site->let_time_pass();
		$worker = Process::door( 'cron' );
		$checks->same( "$mood: then all goes on", array( 0, '{"worked":true}' ), $worker->end() );
	}
	$crowd->leave();
	printf( "figure: answers: a worker took %d MB at most\n", $peak >> 10 );
	$checks->is( 'no answer is more than a worker can hold', $peak > 10000 && $peak < 400 * 1024, "$peak kB" );
	return array( '~CRM API request failed for tenant ~' );
};
