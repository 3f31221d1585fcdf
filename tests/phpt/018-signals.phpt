--TEST--
Signals while a call waits: handlers run at once, may throw, may call; Ctrl-C ends
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
tenant( 'other', [ 'paging' => 'none' ], 'other-key' );
pcntl_async_signals( true );
$stall = static fn( int $times = 1 ) => crm()->faults( 'acme', [ [ 'kind' => 'stall', 'ms' => 4000, 'times' => $times ] ] );
$sync  = sync();
$sync->fetch_leads();

// A handler that only notes: the call goes on.
$stall();
$start = microtime( true );
$noted = null;
pcntl_signal( SIGALRM, function () use ( &$noted, $start ) {
	$noted = microtime( true ) - $start;
} );
pcntl_alarm( 1 );
check( 'the call goes on', [], $sync->fetch_leads() );
check( 'the handler ran while it waited', true, $noted > 0.9 && $noted < 3.5 ? true : $noted );
check( 'and the call took its time', true, microtime( true ) - $start > 3.9 );

// A handler that throws: the call ends with that exception.
class Alarm extends Exception {}
pcntl_signal( SIGALRM, static fn() => throw new Alarm( 'time is up' ) );
$stall();
$start = microtime( true );
pcntl_alarm( 1 );
check_throws( 'its exception', 'Alarm', 'time is up', fn() => $sync->fetch_leads() );
check( 'at once', true, microtime( true ) - $start < 3.5 );
check( 'the object still works', [], $sync->fetch_leads() );
$stall();
pcntl_alarm( 1 );
check_throws( 'a create', 'Alarm', 'time is up', fn() => $sync->create_lead( [ 'name' => 'x' ] ) );
check_throws( 'with exceptions on', 'Alarm', 'time is up', function () use ( $stall ) {
	$stall();
	pcntl_alarm( 1 );
	sync( 'acme', [ 'throw' => true ] )->fetch_leads();
} );
$stall();
pcntl_alarm( 1 );
$pull = $sync->pull( 'leads' );
check_throws( 'a pull', 'Alarm', 'time is up', fn() => $pull->rewind() );

// A handler that makes a call of its own, with the same object and with another.
$stall();
$inner = [];
pcntl_signal( SIGALRM, function () use ( &$inner, $sync ) {
	$inner = [ array_column( $sync->fetch_leads(), 'name' ), sync( 'other', [ 'api_key' => 'other-key' ] )->create_lead( [ 'name' => 'Ann' ] )['name'] ];
} );
pcntl_alarm( 1 );
check( 'the outer call', [ 'x' ], array_column( $sync->fetch_leads(), 'name' ) );
check( 'the inner ones', [ [ 'x' ], 'Ann' ], $inner );

// Ctrl-C and exit() in a handler end the script.
$code = '<?php pcntl_async_signals( true ); $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] );
	register_shutdown_function( function () { echo "shutdown "; } ); echo "start "; ';
foreach ( [ 'SIGINT' => 2, 'SIGTERM' => 15 ] as $name => $signal ) {
	$stall( 5 );
	$start = microtime( true );
	$got   = php( $code . 'exec( "(sleep 0.5; kill -' . $signal . ' " . getmypid() . ") > /dev/null 2>&1 &" ); $sync->fetch_leads(); echo "end";' );
	check( "$name ends it", 'start ', $got['out'] );
	check( "$name at once", true, microtime( true ) - $start < 3.5 );
}
$stall( 5 );
$start = microtime( true );
$got   = php( $code . 'pcntl_signal( SIGINT, function () { echo "handler "; exit( 3 ); } ); exec( "(sleep 0.5; kill -2 " . getmypid() . ") > /dev/null 2>&1 &" ); try { $sync->fetch_leads(); } catch ( Throwable $t ) { echo "caught "; } finally { echo "finally "; } echo "end";' );
check( 'exit() in a handler', [ 'start handler shutdown ', 3 ], [ $got['out'], $got['code'] ] );
check( 'at once', true, microtime( true ) - $start < 3.5 );
done();
--EXPECT--
21 checks hold
