<?php
/**
 * The story in order: two hosts on one Redis; Redis killed and started again under them; Redis away from the start; what days remember;
 * what is said where it cannot be used; the bell. Settings come from `run`.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Redis;

use TenantCRM\Tests\Fpm\Checks;

foreach ( array( 'Checks', 'Server', 'Host', 'Admissions' ) as $name ) {
	require __DIR__ . "/lib/$name.php";
}

const SECOND = 1000000000;
/** 110 in any second: ten at once, and 100 evenly. */
const LIMIT = array( 'a CRM', 110, 1.0, 10 );
/** A password that would be found wherever it is shown. */
const PASSWORD = 'pa55-of-redis/with+signs';

$work   = getenv( 'TCS_WORK' );
$ports  = array_map( 'intval', explode( ' ', trim( (string) getenv( 'TCS_PORTS' ) ) ) );
$checks = new Checks();
$tls    = array( '--port', '0', '--tls-port', (string) $ports[1], '--tls-auth-clients', 'no', '--tls-ca-cert-file', "$work/ours.pem",
	'--tls-cert-file', "$work/ours-server.pem", '--tls-key-file', "$work/ours-server.key" );

$servers = array(
	'password' => new Server( "$work/password", array( '--bind', '127.0.0.1', '--port', (string) $ports[0], '--requirepass', PASSWORD ) ),
	'tls'      => new Server( "$work/tls", array( '--bind', '127.0.0.1', ...$tls ) ),
	'socket'   => new Server( "$work/socket", array( '--port', '0', '--unixsocket', "$work/socket/redis.sock", '--unixsocketperm', '777' ) ),
);
foreach ( array( 2, 3 ) as $node ) {
	$servers[ "node $node" ] = new Server(
		"$work/node-$node",
		array( '--bind', '127.0.0.1', '--port', (string) $ports[ $node ], '--cluster-port', (string) $ports[ $node + 2 ], '--cluster-enabled', 'yes' )
	);
}
register_shutdown_function( static fn() => array_map( static fn( Server $server ) => $server->kill(), $servers ) );
foreach ( $servers as $server ) {
	$server->start();
}
$urls = array(
	'password' => "redis://:" . rawurlencode( PASSWORD ) . "@127.0.0.1:$ports[0]",
	'tls'      => "rediss://127.0.0.1:$ports[1]",
	'socket'   => "unix://$work/socket/redis.sock",
	'node 2'   => "redis://127.0.0.1:$ports[2]",
	'node 3'   => "redis://127.0.0.1:$ports[3]",
);
foreach ( array( "-p $ports[3] cluster addslotsrange 0 16383", "-p $ports[2] cluster meet 127.0.0.1 $ports[3] $ports[5]" ) as $command ) {
	exec( "redis-cli $command" );
}

/** @return array{0: Host, 1: Host} */
function two_hosts( string $url, array $settings = array() ): array {
	return array( new Host( 'www-data', $url, $settings ), new Host( 'nobody', $url, $settings ) );
}

/**
 * So many processes of each host, which ask a limiter for so long, and what happens meanwhile.
 *
 * @param list<Host> $hosts
 */
function crowd( array $hosts, int $each, int $from, int $until, ?callable $meanwhile = null ): Admissions {
	foreach ( $hosts as $host ) {
		for ( $process = 0; $process < $each; $process++ ) {
			$host->start( array( 'do' => 'admit', 'limiter' => LIMIT, 'at' => $from, 'until' => $until ) );
		}
	}
	null === $meanwhile || $meanwhile();
	return Admissions::of( array_merge( ...array_map( static fn( Host $host ) => $host->finish(), $hosts ) ) );
}

/** Until then. */
function sleep_until( int $at ): void {
	while ( ( $left = $at - hrtime( true ) ) > 0 ) {
		usleep( intdiv( $left, 1000 ) + 1 );
	}
}

$checks->group( 'Redis has just come up' );
$first   = hrtime( true );
$warming = array();
foreach ( array( 'password', 'tls', 'socket' ) as $name ) {
	$warming[ $name ] = new Host( 'nobody', $urls[ $name ], array( 'ca_file' => "$work/ours.pem" ) );
	$warming[ $name ]->start( array( 'do' => 'take', 'limiter' => array( 'nobody else\'s', 100, 1.0 ), 'times' => 1 ) );
}
foreach ( $warming as $name => $host ) {
	$checks->same( "$name: it is asked, and lets through", array( 1 ), $host->finish() );
}
$waited = ( hrtime( true ) - $first ) / SECOND;
$checks->is( 'nothing goes before all hosts can have noticed', $waited > 2.5, sprintf( '%.1f s', $waited ) );

$checks->group( 'two hosts, four processes each, 5 s: by TCP with a password' );
$from = hrtime( true ) + SECOND;
$all  = crowd( two_hosts( $urls['password'] ), 4, $from, $from + 5 * SECOND );
$ideal = $all->ideal( 100, 10 );
printf( "figure: admitted %d of 510, ideal for when they asked %d; at most %d in any second\n", $all->count(), $ideal, $all->most_in( SECOND ) );
// Who asks last may be held up by a busy machine: then the ideal is a few more than 510.
$checks->is( 'within 1 % of the ideal', abs( $all->count() / $ideal - 1 ) <= 0.01 && $ideal > 459 && $ideal < 550, "{$all->count()} of $ideal" );
$checks->is( 'never more than 110 in a second', $all->most_in( SECOND ) <= 110, (string) $all->most_in( SECOND ) );
$checks->is( 'and this check would see 10 % more', $all->most_in( (int) ( 1.1 * SECOND ) ) > 110, (string) $all->most_in( (int) ( 1.1 * SECOND ) ) );

$checks->group( 'Redis is killed (-9), started again and frozen for 2 s under them: by TLS' );
$from  = hrtime( true ) + SECOND;
$hosts = two_hosts( $urls['tls'], array( 'ca_file' => "$work/ours.pem" ) );
$back  = 0;
$all   = crowd(
	$hosts,
	4,
	$from,
	$from + 16 * SECOND,
	static function () use ( $from, $servers, &$back ): void {
		sleep_until( $from + 2 * SECOND );
		$servers['tls']->kill();
		sleep_until( $from + 5 * SECOND );
		$servers['tls']->start();
		$back = hrtime( true );
		sleep_until( $from + 11 * SECOND );
		$servers['tls']->freeze( 2000000 );
	}
);
printf( "figure: in each half second: %s; at most %d in any second\n", $all->course( $from ), $all->most_in( SECOND ) );
$checks->is( 'never more than 110 in a second', $all->most_in( SECOND ) <= 110, (string) $all->most_in( SECOND ) );
$alone = $all->between( $from + 4 * SECOND, $from + 5 * SECOND )->count();
$checks->is( 'while it is away each host goes on with its share', $alone > 40 && $alone <= 110, (string) $alone );
$again = $all->between( $back + 5 * SECOND, $from + 11 * SECOND )->count() / ( $from + 11 * SECOND - $back - 5 * SECOND ) * SECOND;
$checks->is( 'and when it is back, all go on together, without a restart', $again > 90, sprintf( '%.0f a second', $again ) );

$checks->group( 'Redis is away from the start' );
$nowhere = "redis://127.0.0.1:1";
$from    = hrtime( true ) + SECOND;
$days    = array( 'do' => 'take', 'limiter' => array( 'a day', 1000, 86400.0 ), 'times' => 700 );
// The last two believe that each is alone.
$shared = two_hosts( $nowhere, array( 'hosts' => '2' ) );
$alone  = two_hosts( $nowhere, array( 'hosts' => '1' ) );
foreach ( array_merge( $shared, $alone ) as $host ) {
	$host->start( array( 'do' => 'admit', 'limiter' => LIMIT, 'at' => $from, 'until' => $from + 5 * SECOND ) );
	$host->start( $days );
}
$found = array_map( static fn( Host $host ) => $host->finish(), array_merge( $shared, $alone ) );
$both  = Admissions::of( array( $found[0][0], $found[1][0] ) );
printf( "figure: in each half second: %s; at most %d in any second\n", $both->course( $from ), $both->most_in( SECOND ) );
$checks->is( 'two hosts that know of each other: never more than 110 in a second', $both->most_in( SECOND ) <= 110 && $both->count() > 250, "{$both->most_in( SECOND )}, {$both->count()}" );
$checks->same( 'and of 1000 a day each takes its half', array( 500, 500 ), array( $found[0][1], $found[1][1] ) );
$both = Admissions::of( array( $found[2][0], $found[3][0] ) );
$checks->is( 'two that do not take more together, and this is seen', $both->most_in( SECOND ) > 110, (string) $both->most_in( SECOND ) );

$checks->group( 'what is used of a day outlives Redis: by a socket' );
$hosts = two_hosts( $urls['socket'], array( 'hosts' => '2' ) );
$take  = static fn( Host $host, int $times ) => $host->does( array( 'times' => $times ) + $days );
$used  = array( $take( $hosts[0], 10 ), $take( $hosts[1], 300 ), $take( $hosts[0], 250 ) );
$checks->same( 'nothing goes where one host may know of more, until both have asked', array( 0, 300, 250 ), $used );
$servers['socket']->kill();
$servers['socket']->start();
array_push( $used, $take( $hosts[1], 10 ), $take( $hosts[0], 10 ), $take( $hosts[1], 200 ), $take( $hosts[0], 700 ) );
echo '  taken in turns: ', implode( ' ', $used ), "\n";
$checks->same( 'before and after: 1000 and no more', 1000, array_sum( $used ) );

$checks->group( 'where it cannot be used, it is said in plain words' );
$shown = '';
$says  = static function ( string $what, string $url, string $words, array $settings = array() ) use ( $checks, &$shown ): void {
	list( $status, $info ) = ( new Host( 'nobody', $url, $settings ) )->does( array( 'do' => 'status' ) );
	$shown                .= "$status\n$info\n";
	$checks->is( $what, str_contains( (string) $status, $words ) && str_contains( (string) $info, $words ), (string) $status );
};
$at    = "127.0.0.1:$ports[0]";
$says( 'a wrong password', "redis://:wr0ng-and-secret@$at", 'refuses the user or the password' );
$says( 'no password', "redis://$at", 'wants a password' );
$says( 'a user that it does not know', 'redis://somebody:' . rawurlencode( PASSWORD ) . "@$at", 'refuses the user or the password' );
$says( 'TLS to a server without', 'rediss://:' . rawurlencode( PASSWORD ) . "@$at", 'cannot be used', array( 'ca_file' => "$work/ours.pem" ) );
$says( 'no TLS to a server with', "redis://127.0.0.1:$ports[1]", 'write rediss://' );
$says( 'a certificate of an authority that is not ours', $urls['tls'], 'certificate', array( 'ca_file' => "$work/theirs.pem" ) );
$says( 'a name that the certificate is not for', "rediss://localhost:$ports[1]", 'certificate', array( 'ca_file' => "$work/ours.pem" ) );
$says( 'nobody there', $nowhere, 'refused' );
$says( 'a node of a cluster that keeps other keys', $urls['node 2'], 'one node of a cluster' );
list( $status, $info ) = ( new Host( 'nobody', 'http://:' . rawurlencode( PASSWORD ) . '@127.0.0.1' ) )->does( array( 'do' => 'status' ) );
$shown                .= $info;
$checks->is( 'an address that is none', null === $status && str_contains( $info, 'tenant_crm_sync.redis_url cannot be used' ) );
$says( 'with the right one: nothing', $urls['password'], 'ok' );
$checks->is( 'and no password anywhere', ! preg_match( '~.*(pa55-of-redis|wr0ng-and-secret).*~', $shown, $found ), $found[0] ?? '' );
$checks->same( 'the node of a cluster that keeps our keys is as good as any', 1, ( new Host( 'nobody', $urls['node 3'] ) )->does( array( 'times' => 1 ) + $days ) );

$checks->group( 'the bell: a click on one host, waiting workers on both' );
$hosts = two_hosts( $urls['password'] );
$hosts[0]->does( array( 'do' => 'ring', 'times' => 1 ) );
$order = array( 'do' => 'hear', 'times' => 31, 'until' => hrtime( true ) + 20 * SECOND );
foreach ( array( 0, 1, 1 ) as $host ) {
	$hosts[ $host ]->start( $order );
}
usleep( 500000 );
$rung  = ( new Host( 'www-data', $urls['password'] ) )->does( array( 'do' => 'ring', 'times' => 30 ) );
$heard = array_merge( $hosts[0]->finish(), $hosts[1]->finish() );
$delay = array();
foreach ( $heard as $one ) {
	// The first is the ring before they came.
	foreach ( array_slice( $one, 1 ) as $number => list( , $at ) ) {
		$delay[] = ( $at - $rung[ $number ][1] ) / 1e6;
	}
}
sort( $delay );
$checks->same( 'each worker hears every ring once, and the one that it just missed', array( 31, 31, 31 ), array_map( 'count', $heard ) );
printf( "figure: %d rings heard after: median %.1f ms, at most %.1f ms\n", count( $delay ), $delay[ intdiv( count( $delay ), 2 ) ], end( $delay ) );
$checks->is( 'within 100 ms', $delay[ intdiv( count( $delay ), 2 ) ] < 100 && $delay[0] > 0, json_encode( $delay ) );
$hosts[1]->start( array( 'do' => 'hear', 'times' => 2, 'until' => hrtime( true ) + 20 * SECOND ) );
usleep( 300000 );
$servers['password']->kill();
$killed = hrtime( true );
$heard  = $hosts[1]->finish()[0];
$checks->is( 'whoever waits while Redis dies is told so at once', null === end( $heard )[0] && end( $heard )[1] - $killed < SECOND, (string) json_encode( $heard ) );

exit( $checks->finish() );
