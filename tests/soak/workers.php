<?php
/**
 * Four FPM workers under load for so long: what they use after a warm-up, and at the end.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Soak;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\FastCgi;
use TenantCRM\Tests\Fpm\Master;
use TenantCRM\Tests\Fpm\Sandbox;

/** A worker may be so much larger at the end than after the warm-up: caches fill, and the allocator keeps some. */
const WORKER_KB = 4096;

return static function ( Checks $checks, Sandbox $sandbox, float $seconds ): void {
	$checks->group( sprintf( 'FPM workers for %.0f s', $seconds ) );
	$sandbox->tenant( 'soak', 300, 'key-of-soak' );
	$sandbox->call( 'POST', '/tenants', array( 'id' => 'soak', 'key' => 'key-of-soak', 'paging' => 'page' ) );
	$oauth = array( 'client_id' => 'client-of-tokens', 'client_secret' => 'secret-of-tokens', 'refresh_token' => 'refresh-of-tokens' );
	$sandbox->tenant( 'tokens', 3, 'key-of-tokens' );
	$sandbox->call( 'POST', '/tenants', array( 'id' => 'tokens', 'key' => 'key-of-tokens', 'dialect' => 'hubspot', 'oauth' => $oauth + array( 'rotation' => 'single_use' ) ) );
	$file               = getenv( 'TCS_STACK' ) . '/settings.json';
	$settings           = json_decode( (string) file_get_contents( $file ), true );
	$settings['tokens'] = $oauth + array( 'connector' => 'hubspot', 'auth' => 'oauth', 'api_endpoint' => getenv( 'TCS_SANDBOX_URL' ) );
	file_put_contents( $file, (string) json_encode( $settings ) );

	$end   = microtime( true ) + $seconds;
	$files = array();
	for ( $client = 0; $client < 5; $client++ ) {
		$file = getenv( 'TCS_STACK' ) . "/tmp/client-$client";
		$pid  = pcntl_fork();
		if ( 0 === $pid ) {
			mt_srand( 77 + $client );
			$ways = array( 'pull', 'many', 'write', 'write', 'fail', 'count', 'token', 'pure' );
			$seen = array( 'requests' => 0, 'calls' => array(), 'errors' => array() );
			while ( microtime( true ) < $end ) {
				$do  = $ways[ mt_rand( 0, count( $ways ) - 1 ) ];
				$got = FastCgi::get( 'soak', 'work.php', array( 'do' => $do ) );
				++$seen['requests'];
				if ( ! is_array( $got['json'] ) || $got['json']['errors'] ) {
					$seen['errors'][] = "$do: " . substr( $got['body'] . $got['stderr'], 0, 500 );
				}
				$seen['calls'][ $do ] = ( $got['json']['calls'] ?? 0 ) + ( $seen['calls'][ $do ] ?? 0 );
			}
			file_put_contents( $file, json_encode( $seen ) );
			posix_kill( getmypid(), SIGKILL ); // Not exit(): the parent's shutdown code is not the child's to run.
		}
		$files[ $pid ] = $file;
	}

	$workers = Master::workers( 'soak' );
	$first   = array();
	$warm    = $end - $seconds * 0.75;
	// Not so often that one call could meet it twice: then it fails, and should. The longer it goes on, the sooner one of them is held up.
	$spacing = max( 6, (int) ( $seconds / 15 ) );
	for ( $half = 1; microtime( true ) < $end - 0.2; $half++ ) {
		usleep( 500000 );
		if ( ! $first && microtime( true ) > $warm ) {
			$first = array_map( array( Usage::class, 'of' ), $workers );
		}
		0 === $half % $spacing && $sandbox->call( 'POST', '/oauth/expire', array( 'tenant' => 'tokens' ) );
	}
	$calls  = array();
	$errors = array();
	$asked  = 0;
	foreach ( $files as $pid => $file ) {
		pcntl_waitpid( $pid, $status );
		$seen   = (array) json_decode( (string) file_get_contents( $file ), true );
		$asked += $seen['requests'];
		$errors = array( ...$errors, ...$seen['errors'] );
		foreach ( $seen['calls'] as $do => $count ) {
			$calls[ $do ] = $count + ( $calls[ $do ] ?? 0 );
		}
	}
	$checks->same( 'the same workers did all of it', array( 4, $workers ), array( count( $workers ), Master::workers( 'soak' ) ) );
	$last = array_map( array( Usage::class, 'of' ), $workers );
	$show = static fn( string $what ): string => implode( ' ', array_map( static fn( ?Usage $one ): string => (string) $one?->$what, $first ) ) . ' -> ' . implode( ' ', array_map( static fn( ?Usage $one ): string => (string) $one?->$what, $last ) );
	ksort( $calls );
	printf( "figure: soak: %d requests, %d calls (%s), %d errors in %.0f s\n", $asked, array_sum( $calls ), implode( ', ', array_map( static fn( string $do, int $count ): string => "$do $count", array_keys( $calls ), $calls ) ), count( $errors ), $seconds );
	printf( "figure: soak: kB of memory %s; threads %s; open files %s\n", $show( 'kilobytes' ), $show( 'threads' ), $show( 'files' ) );
	$checks->same( 'no call failed', array(), array_slice( $errors, 0, 3 ) );
	$checks->is( 'each kind of work was done', 7 === count( array_filter( $calls ) ), (string) json_encode( $calls ) );
	$tokens = $sandbox->call( 'GET', '/oauth?tenant=tokens' );
	$checks->is( 'tokens were renewed, and none was spent twice', $tokens['refreshes'] > 1 && 0 === $tokens['refused'], (string) json_encode( $tokens ) );
	foreach ( $workers as $number => $pid ) {
		$grown = ( $last[ $number ]?->kilobytes ?? PHP_INT_MAX ) - ( $first[ $number ]?->kilobytes ?? 0 );
		$checks->is( "worker $number grows by less than " . WORKER_KB . ' kB', $grown < WORKER_KB, "$grown kB" );
		$checks->is( "worker $number has no more threads and files than a few", $last[ $number ]?->threads <= 8 && $last[ $number ]?->files <= $first[ $number ]?->files + 6, $show( 'threads' ) . ', ' . $show( 'files' ) );
	}
	$log = (string) preg_replace( '/^.*for tenant soak: (?:(?:GET|PATCH) .*404.*|the webhook is refused: mismatch)\n/m', '', (string) @file_get_contents( getenv( 'TCS_STACK' ) . '/log/php.log' ) );
	$checks->same( 'the log has the refusals that were wanted, and nothing else', '', substr( $log, 0, 1000 ) );
};
