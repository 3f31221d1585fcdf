--TEST--
Many pulls in one loop: every row of each, none waits for a slow one, failures are values, pulls come and go
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
$client = static function ( string $id, array $more = [], array $crm = [] ): TenantCRMSync {
	tenant( $id, $crm + [ 'paging' => 'cursor' ], "key of $id" );
	return sync( $id, $more + [ 'api_key' => "key of $id" ] );
};
$pulls = [];
foreach ( [ 'a' => 70, 'b' => 30, 'c' => 5 ] as $id => $count ) {
	$pulls[ $id ] = [ 'client' => $client( $id ), 'object' => 'leads', 'options' => [ 'page_size' => 10 ] ];
	seed( $count, $id );
}
$read = static function ( iterable $many ): array {
	$seen = [];
	foreach ( $many as $key => $batch ) {
		$seen[ $key ] = [ ...$seen[ $key ] ?? [], ...$batch instanceof Throwable ? [ get_class( $batch ) ] : $batch->ids() ];
	}
	ksort( $seen );
	return $seen;
};
$ids  = static fn( int $to ): array => array_map( 'strval', range( 1, $to ) );
$many = TenantCRMSync::pull_many( $pulls );
check( 'how many', 3, count( $many ) );
check( 'every row of each, in its order', [ 'a' => $ids( 70 ), 'b' => $ids( 30 ), 'c' => $ids( 5 ) ], $read( $many ) );
check( 'and then there is none', [ 0, false ], [ count( $many ), $many->valid() ] );
check( 'none at all', [], $read( TenantCRMSync::pull_many() ) );

// Watermarks are those of pull().
$marks = [];
foreach ( TenantCRMSync::pull_many( [ 'a' => $pulls['a'] ] ) as $key => $batch ) {
	$marks[] = $batch->watermark();
}
check( 'goes on where one pull stopped', $ids( 70 ), [ ...array_slice( $ids( 70 ), 0, 20 ), ...$read( TenantCRMSync::pull_many( [ 'a' => [ 'watermark' => $marks[1] ] + $pulls['a'] ] ) )['a'] ] );

// One that answers late, and one that fails, hold up nobody.
$pulls['slow'] = [ 'client' => $client( 'slow' ), 'object' => 'leads' ];
$pulls['bad']  = [ 'client' => $client( 'bad' ), 'object' => 'leads' ];
seed( 3, 'slow' );
crm()->faults( 'slow', [ [ 'kind' => 'stall', 'ms' => 3000, 'times' => 1 ] ] );
answer( 'no', 403, id: 'bad' );
$order = [];
$start = microtime( true );
foreach ( TenantCRMSync::pull_many( $pulls ) as $key => $batch ) {
	$order[] = $key;
	if ( 'c' === $key ) {
		$soon = microtime( true ) - $start;
	}
	if ( $batch instanceof Throwable ) {
		check( 'a failure is a value', [ 'bad', 'TenantCRMSync\HttpException', 403, 'bad' ], [ $key, get_class( $batch ), $batch->status, $batch->tenant ] );
	}
}
check( 'the slow one is last', 'slow', end( $order ) );
check( 'the others did not wait', true, $soon < 2.0 ? true : $soon );
check( 'all came', [ 7, 3, 1, 1, 1 ], array_map( static fn( $key ) => count( array_keys( $order, $key, true ) ), [ 'a', 'b', 'c', 'slow', 'bad' ] ) );

// Turns by cost: of the one whose batches take long to store, fewer come meanwhile.
$turns = [];
foreach ( TenantCRMSync::pull_many( [ 'a' => $pulls['a'], 'b' => $pulls['b'] ] ) as $key => $batch ) {
	$turns[] = $key;
	usleep( 'a' === $key ? 40000 : 4000 );
}
check( 'who costs less comes first', true, array_search( 'b', array_reverse( $turns, true ), true ) < 6 ? true : implode( $turns ) );

// Nothing comes in time, pulls are added and dropped in the loop.
crm()->faults( 'slow', [ [ 'kind' => 'stall', 'ms' => 700, 'times' => 1 ] ] );
$nulls = 0;
$keys  = [];
foreach ( $many = TenantCRMSync::pull_many( [ 'slow' => $pulls['slow'] ], [ 'wait' => 0.1 ] ) as $key => $batch ) {
	if ( null === $batch ) {
		check( 'no key either', null, $key );
		if ( 2 === ++$nulls ) {
			$many->add( 'late', $pulls['c']['client'], 'leads', null, [ 'page_size' => 2 ], 2.0 );
		}
		if ( $nulls > 20 ) {
			break;
		}
		continue;
	}
	$keys[] = $key;
	if ( 'late' === $key && 2 === count( array_keys( $keys, 'late', true ) ) ) {
		$many->drop( 'late' );
	}
}
check( 'added, dropped, and the slow one came', [ [ 'late', 'late', 'slow' ], 0 ], [ $keys, count( $many ) ] );
check( 'while nothing came', true, $nulls >= 2 );

$failed = 'TenantCRMSync\ConfigException';
check_throws( 'no client', $failed, 'client must be a TenantCRMSync', fn() => TenantCRMSync::pull_many( [ 'x' => [ 'object' => 'leads' ] ] ) );
check_throws( 'no object', $failed, 'object must be the name', fn() => TenantCRMSync::pull_many( [ 'x' => [ 'client' => $pulls['a']['client'] ] ] ) );
check_throws( 'a member that means nothing', $failed, '"what" means nothing here', fn() => TenantCRMSync::pull_many( [ 'x' => [ 'what' => 1 ] ] ) );
check_throws( 'a weight of nothing', $failed, 'the weight must be a number from', fn() => TenantCRMSync::pull_many()->add( 'x', $pulls['a']['client'], 'leads', null, [], 0.0 ) );
check_throws( 'a wait that is none', $failed, 'wait must be a number of seconds', fn() => TenantCRMSync::pull_many( [], [ 'wait' => -1 ] ) );
$twice = TenantCRMSync::pull_many();
$twice->add( 'x', $pulls['a']['client'], 'leads' );
check_throws( 'the same key twice', $failed, 'is under way', fn() => $twice->add( 'x', $pulls['a']['client'], 'leads' ) );
$twice->drop( 'nobody' );
$wrong = sync( 'a', [ 'api_key' => 'key of a', 'api_endpoint' => 'http://169.254.169.254' ] );
check( 'what cannot be prepared is that pull\'s failure', [ 'w' => [ 'TenantCRMSync\TransportException' ] ], $read( TenantCRMSync::pull_many( [ 'w' => [ 'client' => sync( 'a', [ 'api_endpoint' => 'http://127.0.0.1:1', 'timeout' => 0.3 ] ), 'object' => 'leads' ] ] ) ) );

// Memory does not grow with the pages.
tenant( 'big', [ 'paging' => 'cursor' ], 'key of big' );
crm()->call( 'POST', '/seed', [ 'tenant' => 'big', 'object' => 'leads', 'count' => 20000, 'seed' => 1, 'bytes' => 300 ] );
$before = null;
$rows   = 0;
foreach ( TenantCRMSync::pull_many( [ 'big' => [ 'client' => sync( 'big', [ 'api_key' => 'key of big' ] ), 'object' => 'leads', 'options' => [ 'page_size' => 500 ] ] ] ) as $batch ) {
	$rows    += count( $batch->rows() );
	$before ??= memory_get_usage();
}
check( 'all rows, flat memory', [ 20000, true ], [ $rows, memory_get_usage() - $before < 1 << 20 ] );
done();
--EXPECT--
32 checks hold
