--TEST--
Records by their ids: only those, in few requests, each once; what is not there is left out, what is bad holds up no other
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant();
seed( 60 );
$sync = sync();
$read = static function ( iterable $pull ): array {
	$ids = [];
	foreach ( $pull as $batch ) {
		array_push( $ids, ...$batch->ids() );
		check( 'the watermark is the one that was given', '{"v":1}', $batch->watermark() );
	}
	return $ids;
};
$sync->get_lead( 1 );
wire();
check( 'those that are there, in their order, each once', [ '7', '3', '60' ], $read( $sync->pull( 'leads', null, [ 'ids' => [ 7, '3', '999', 7, '60' ] ] ) ) );
check( 'one request each, where the CRM cannot read several', [ 'GET /api/v1/leads/7', 'GET /api/v1/leads/3', 'GET /api/v1/leads/999', 'GET /api/v1/leads/60' ], wire() );
check( 'none', [], $read( $sync->pull( 'leads', null, [ 'ids' => [] ] ) ) );
check( 'and nothing was asked for', [], wire() );
$batches = 0;
foreach ( $sync->pull( 'leads', null, [ 'ids' => range( 1, 25 ) ] ) as $batch ) {
	$batches += count( $batch ) > 0 ? 1 : 0;
	check( 'only the last is the last', 3 === $batches, $batch->is_last() );
}
check( 'in pages', 3, $batches );
$one  = iterator_to_array( $sync->pull( 'leads', null, [ 'ids' => [ 5 ], 'fields' => [ 'name' ] ] ) )[0];
$all  = iterator_to_array( $sync->pull( 'leads', null, [ 'fields' => [ 'name' ] ] ) )[0];
$at   = array_search( '5', $all->ids(), true );
check( 'the same fingerprint and snapshot as in a list', [ $all->fingerprints()[ $at ], $all->snapshot( $at ) ], [ $one->fingerprints()[0], $one->snapshot( 0 ) ] );
$keys = [];
foreach ( TenantCRMSync::pull_many( [ 'a' => [ 'client' => $sync, 'object' => 'leads', 'options' => [ 'ids' => [ 2 ] ] ], 'b' => [ 'client' => $sync, 'object' => 'leads' ] ] ) as $key => $batch ) {
	$keys[ $key ] = ( $keys[ $key ] ?? 0 ) + count( $batch );
}
ksort( $keys );
check( 'beside other pulls', [ 'a' => 1, 'b' => 60 ], $keys );

// One that the CRM refuses is told of, and the others come.
crm()->faults( 'acme', [ [ 'kind' => 'canned', 'times' => 1, 'status' => 422, 'headers' => (object) [], 'body_base64' => base64_encode( '{"error":"bad id"}' ) ] ] );
$batch = iterator_to_array( $sync->pull( 'leads', null, [ 'ids' => [ 'x y', 4 ] ] ) )[0];
check( 'the good one', [ '4' ], $batch->ids() );
check( 'the bad one', [ 'x y' ], array_column( $batch->refused(), 'id' ) );
crm()->faults( 'acme', [ [ 'kind' => 'canned', 'times' => 1, 'status' => 200, 'headers' => (object) [], 'body_base64' => base64_encode( "{\"id\":8,\"name\":\"\xff\"}" ) ] ] );
$batch = iterator_to_array( $sync->pull( 'leads', null, [ 'ids' => [ 8, 4 ] ] ) )[0];
check( 'bytes that are no UTF-8', [ [ '4' ], [ '8' ] ], [ $batch->ids(), array_column( $batch->refused(), 'id' ) ] );
answer( 'later', 503 );
check_throws( 'a CRM that fails is no CRM without records', 'TenantCRMSync\HttpException', '', static fn() => iterator_to_array( sync( more: [ 'timeout' => 0.3 ] )->pull( 'leads', null, [ 'ids' => [ 1 ] ] ) ) );
foreach ( [ 'text', [ [] ], [ 1.5 ], [ '' ], [ "\xff" ] ] as $ids ) {
	check_throws( 'no ids', 'TenantCRMSync\ConfigException', 'ids', static fn() => $sync->pull( 'leads', null, [ 'ids' => $ids ] ) );
}
done();
--EXPECT--
27 checks hold
