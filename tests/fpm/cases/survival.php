<?php
/** Workers that are killed, reloaded or recycled lose nothing: every answer is true, no lead is made twice, the next request works. */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

/**
 * Lets four clients make leads at the same time while something happens to the workers.
 *
 * @param callable(): void $trouble Called every 80 ms until the clients are done.
 * @return array{answered: array<string, int|string>, silent: list<string>} By e-mail address: the id that was answered; or that no answer came.
 */
function create_under( string $tenant, int $each, callable $trouble ): array {
	$clients = [];
	for ( $c = 0; $c < 4; $c++ ) {
		$file = tempnam( (string) getenv( 'TCS_STACK' ), 'client' );
		$pid  = pcntl_fork();
		if ( 0 === $pid ) {
			$seen = [ 'answered' => [], 'silent' => [] ];
			for ( $i = 0; $i < $each; $i++ ) {
				$mail = "$tenant-$c-$i@example.test";
				$got  = FastCgi::get( 'four', 'call.php', [ 'tenant' => $tenant, 'do' => 'create', 'email' => $mail ] );
				if ( $got['answered'] ) {
					$seen['answered'][ $mail ] = $got['json']['got'] ?? $got['body'] . $got['stderr'];
				} else {
					$seen['silent'][] = $mail;
				}
			}
			file_put_contents( $file, json_encode( $seen ) );
			posix_kill( getmypid(), SIGKILL ); // Not exit(): the parent's shutdown code is not the child's to run.
		}
		$clients[ $pid ] = $file;
	}
	$all = [ 'answered' => [], 'silent' => [] ];
	while ( [] !== $clients ) {
		$done = pcntl_waitpid( -1, $status, WNOHANG );
		if ( $done > 0 ) {
			$all = array_merge_recursive( $all, (array) json_decode( (string) file_get_contents( $clients[ $done ] ), true ) );
			unset( $clients[ $done ] );
			continue;
		}
		usleep( 80_000 );
		$trouble();
	}
	return $all;
}

/** What must hold after any trouble. @param array{answered: array<string, int|string>, silent: list<string>} $all */
function check_leads( Checks $checks, Sandbox $sandbox, string $tenant, int $total, array $all ): void {
	$leads = $sandbox->leads_by_email( $tenant );
	$bad   = array_filter( $all['answered'], static fn( $id ) => ! is_int( $id ) );
	$checks->same( "every request ended, with an answer or a dead worker, of $total", $total, count( $all['answered'] ) + count( $all['silent'] ) );
	$checks->same( 'every answer is a lead', [], array_slice( $bad, 0, 3 ) );
	$checks->same( 'every answered lead is in the CRM', [], array_slice( array_keys( array_diff_key( $all['answered'], $leads ) ), 0, 3 ) );
	$checks->same( 'no lead is there twice', [], array_filter( $leads, static fn( $n ) => $n > 1 ) );
}

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$each  = 60;
	$total = 4 * $each;

	$sandbox->tenant( 'killed' );
	$sandbox->call( 'POST', '/behaviour', [ 'tenant' => 'killed', 'latency_ms' => 20 ] );
	$kills = 0;
	$all   = create_under(
		'killed',
		$each,
		static function () use ( &$kills ): void {
			$workers = Master::workers( 'four' );
			if ( $kills < 25 && [] !== $workers ) {
				posix_kill( $workers[ array_rand( $workers ) ], SIGKILL );
				++$kills;
			}
		}
	);
	$checks->is( "workers were killed at work ($kills kills, " . count( $all['silent'] ) . ' unanswered)', $kills >= 5 && [] !== $all['silent'] );
	check_leads( $checks, $sandbox, 'killed', $total, $all );
	$after = [];
	for ( $i = 0; $i < 20; $i++ ) {
		$after[] = FastCgi::get( 'four', 'call.php', [ 'tenant' => 'killed', 'do' => 'fetch' ] )['json']['got'] ?? null;
	}
	$checks->same( 'the next 20 requests all read every lead', array_fill( 0, 20, count( $sandbox->leads_by_email( 'killed' ) ) ), $after );

	$sandbox->tenant( 'reloaded' );
	$sandbox->call( 'POST', '/behaviour', [ 'tenant' => 'reloaded', 'latency_ms' => 20 ] );
	$old     = Master::workers( 'four' );
	$ticks   = 0;
	$reloads = 0;
	$all     = create_under(
		'reloaded',
		$each,
		static function () use ( &$ticks, &$reloads ): void {
			if ( 1 === ++$ticks % 4 && $reloads < 3 ) {
				Master::reload();
				++$reloads;
			}
		}
	);
	Master::wait_until_without( $old );
	$checks->is( "FPM was reloaded at work ($reloads times) and has new workers", $reloads >= 2 && [] === array_intersect( $old, Master::workers( 'four' ) ) );
	$checks->same( 'a reload leaves no request without its answer', [], array_slice( $all['silent'], 0, 3 ) );
	check_leads( $checks, $sandbox, 'reloaded', $total, $all );
	$checks->same( 'there is exactly one lead for each request', $total, count( $sandbox->leads_by_email( 'reloaded' ) ) );

	$sandbox->tenant( 'recycled' );
	$before = $sandbox->connections();
	$pids   = [];
	for ( $i = 0; $i < 40; $i++ ) {
		$got = FastCgi::get( 'recycle', 'call.php', [ 'tenant' => 'recycled', 'do' => 'create', 'email' => "recycled$i@example.test" ] );
		if ( is_int( $got['json']['got'] ?? null ) ) {
			$pids[ $got['json']['pid'] ] = 1 + ( $pids[ $got['json']['pid'] ] ?? 0 );
		}
	}
	$checks->same( 'pm.max_requests = 5: 40 requests are answered by eight workers, five each', [ 5, 5, 5, 5, 5, 5, 5, 5 ], array_values( $pids ) );
	$checks->same( 'over one connection a worker', 8, $sandbox->connections() - $before );
	$checks->same( 'and made one lead each', array_fill( 0, 40, 1 ), array_values( $sandbox->leads_by_email( 'recycled' ) ) );
};
