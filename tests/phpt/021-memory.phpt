--TEST--
Memory stays flat: calls, failures, pulls, clones, cycles
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
seed( 100 );
$sync = sync();
$own  = static function (): int {
	preg_match( '/^RssAnon:\s+(\d+)/m', (string) file_get_contents( '/proc/self/status' ), $found );
	return (int) $found[1];
};
// Grows by less than this many bytes of PHP's and kB of the process's memory.
$flat = static function ( string $what, int $times, callable $call, int $kilobytes = 2048, int $bytes = 4096 ) use ( $own ): void {
	// The JIT compiles late.
	for ( $number = 0; $number < max( 20, intdiv( $times, getenv( 'TCS_JIT' ) ? 1 : 10 ) ); $number++ ) {
		$call();
	}
	gc_collect_cycles();
	[ $php, $process ] = [ memory_get_usage(), $own() ];
	for ( $number = 0; $number < $times; $number++ ) {
		$call();
	}
	gc_collect_cycles();
	check( "$what: PHP's memory", true, memory_get_usage() - $php < $bytes ? true : memory_get_usage() - $php );
	check( "$what: the process", true, $own() - $process < $kilobytes ? true : $own() - $process );
	crm()->requests();
};
ini_set( 'error_log', '/dev/null' );
$flat( '1,000 reads', 1000, fn() => $sync->fetch_leads( '2020-01-01' ) );
$flat( '1,000 failures', 1000, fn() => $sync->get_lead( 'none' ) );
$flat( '1,000 exceptions', 1000, function () {
	try {
		sync( 'acme', [ 'throw' => true ] )->get_lead( 'none' );
	} catch ( TenantCRMSync\HttpException $thrown ) {
		return $thrown->getTraceAsString();
	}
} );
answer( '{"id":1,"name":"x"}', 201 );
$flat( '500 creates', 500, fn() => $sync->create_lead( [ 'name' => str_repeat( 'x', 100 ), 'tags' => [ 1, 2 ] ] ) );
answer( '{"data":[{"a":' );
$flat( '500 broken answers', 500, fn() => $sync->fetch_leads() );
crm()->faults( 'acme', [] );
$flat( '100 pulls of ten pages', 100, function () use ( $sync ) {
	foreach ( $sync->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
		$batch->rows();
		$batch->fingerprints();
		$batch->snapshot( 0 );
		$batch->ids();
	}
}, 4096 );
$flat( '100 pulls that are left', 100, function () use ( $sync ) {
	foreach ( $sync->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
		break;
	}
	// PHP's tracing JIT (8.2 to 8.5) loses the value that a loop is left with, of every iterator: an object for each pull here.
}, 4096, getenv( 'TCS_JIT' ) ? 4096 + 100 * 48 : 4096 );
$flat( '1,000 objects and clones', 1000, fn() => clone sync() );
$flat( '1,000 cycles', 1000, function () {
	$sync       = new class( 'x' ) extends TenantCRMSync {
		public $self;
		public function __construct( $id ) {}
	};
	$sync->self = $sync;
} );
$flat( '1,000 constructors that throw', 1000, function () {
	try {
		new TenantCRMSync( 'nobody' );
	} catch ( Exception ) {
		return null;
	}
} );

// A pull's memory does not grow with its pages.
tenant( 'long', [ 'paging' => 'cursor' ], 'long-key' );
seed( 10000, 'long' );
$peak = 0;
$rows = 0;
$at   = null;
foreach ( sync( 'long', [ 'api_key' => 'long-key' ] )->pull( 'leads', null, [ 'page_size' => 100 ] ) as $number => $batch ) {
	$rows += count( $batch->rows() );
	unset( $batch );
	$at  ??= 5 === $number ? [ memory_get_usage(), $own() ] : null;
}
check( '10,000 rows', 10000, $rows );
check( 'flat over 100 pages', true, memory_get_usage() - $at[0] < 65536 && $own() - $at[1] < 4096 ? true : [ memory_get_usage() - $at[0], $own() - $at[1] ] );
done();
--EXPECT--
22 checks hold
