--TEST--
Pages side by side: only where the order is declared stable, delivered in order, bounded by the host
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'page' ] );
seed( 200 );
crm()->call( 'POST', '/behaviour', [ 'tenant' => 'acme', 'latency_ms' => 120, 'jitter_ms' => 60 ] );
$time = static function ( array $settings ): array {
	$start = microtime( true );
	$ids   = [];
	$pages = [];
	foreach ( sync( 'acme', $settings )->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
		$ids     = [ ...$ids, ...$batch->ids() ];
		$pages[] = $batch->stats()['page'];
		$last    = $batch->is_last();
	}
	return [ $ids, $pages, $last, microtime( true ) - $start ];
};
$all  = array_map( 'strval', range( 1, 200 ) );
$fast = $time( [ 'parallel' => 8, 'stable_order' => true ] );
check( 'every row once, in order', $all, $fast[0] );
check( 'pages in order', range( 1, 20 ), $fast[1] );
check( 'the last one knows', true, $fast[2] );
wire();
$slow = $time( [ 'parallel' => 8 ] );
check( 'the same one after the other', $all, $slow[0] );
check( 'without stable_order nothing is side by side', true, $fast[3] * 2 < $slow[3] ? true : [ $fast[3], $slow[3] ] );
check( 'one request a page', 20, count( wire() ) );

// How many travel at once, as the CRM sees it.
crm()->call( 'POST', '/behaviour', [ 'tenant' => 'acme', 'latency_ms' => 0, 'jitter_ms' => 0 ] );
foreach ( [ 'max_parallel' => [ 3, 32, 4 ], 'parallel' => [ 8, 2, 3 ] ] as $name => [ $host, $site, $most ] ) {
	crm()->call( 'POST', '/behaviour', [ 'tenant' => 'acme', 'latency_ms' => 400 ] );
	$got = php(
		'<?php $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ", 'parallel' => $site, 'stable_order' => true ] );
		foreach ( \$sync->pull( 'leads', null, [ 'page_size' => 10 ] ) as \$batch ) { if ( 1 === \$batch->stats()['page'] ) { continue; } break; } echo 'ok';",
		[ 'tenant_crm_sync.max_parallel' => $host ]
	);
	check( "$name: it works", 'ok', $got['out'] );
	$requests = wire();
	check( "$name bounds it", true, count( $requests ) <= 1 + $most + min( $host, $site ) ? true : count( $requests ) );
}

// A page that fails: the ones before it are delivered, and the watermark of the last resumes.
crm()->call( 'POST', '/behaviour', [ 'tenant' => 'acme', 'latency_ms' => 5, 'jitter_ms' => 20 ] );
crm()->faults( 'acme', [ [ 'kind' => 'status', 'status' => 403, 'times' => null, 'path_contains' => 'page=7' ] ] );
$ids = [];
try {
	foreach ( sync( 'acme', [ 'parallel' => 4, 'stable_order' => true ] )->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
		$ids  = [ ...$ids, ...$batch->ids() ];
		$mark = $batch->watermark();
	}
	check( 'it throws', true, false );
} catch ( TenantCRMSync\HttpException $thrown ) {
	check( 'status', 403, $thrown->status );
}
check( 'six pages', array_slice( $all, 0, 60 ), $ids );
crm()->faults( 'acme', [] );
foreach ( sync( 'acme', [ 'parallel' => 4, 'stable_order' => true ] )->pull( 'leads', $mark, [ 'page_size' => 10 ] ) as $batch ) {
	$ids = [ ...$ids, ...$batch->ids() ];
}
check( 'resumed without a gap', $all, $ids );

// Other ways of paging cannot be side by side, and are not.
foreach ( [ 'cursor', 'link' ] as $paging ) {
	tenant( $paging, [ 'paging' => $paging ], "key-$paging" );
	seed( 30, $paging );
	$ids = [];
	foreach ( sync( $paging, [ 'api_key' => "key-$paging", 'parallel' => 8, 'stable_order' => true ] )->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
		$ids = [ ...$ids, ...$batch->ids() ];
	}
	check( $paging, array_slice( $all, 0, 30 ), $ids );
}
done();
--EXPECT--
15 checks hold
