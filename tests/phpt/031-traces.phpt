--TEST--
Trace context: passed on with a span for each attempt; pulls keep the trace that they were asked for in; attempts() names both
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
$one = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
check( 'a value of the standard', $one, TenantCRMSync::trace( $one ) );
foreach ( [ 'none', '', '00-' . str_repeat( '0', 32 ) . '-b7ad6b7169203331-01', strtoupper( $one ), "$one\r\nX-Forged: 1" ] as $bad ) {
	check( "no value of the standard: $bad", null, TenantCRMSync::trace( $bad ) );
}
$new = TenantCRMSync::trace( 'new' );
check( 'a new one', 1, preg_match( '/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/D', $new ) );
check( 'each is another', true, TenantCRMSync::trace( 'new' ) !== $new );

tenant();
seed( 3 );
$client = sync();
TenantCRMSync::trace( $one );
answer( 'busy', 503, times: 1 );
TenantCRMSync::attempts();
crm()->requests();
check( 'read', 3, count( iterator_to_array( $client->pull( 'leads' ) )[0]->rows() ) );
$told  = TenantCRMSync::attempts();
$heard = array_map( static fn( array $request ): string => $request['headers']['traceparent'] ?? '', crm()->requests() );
check( 'each attempt has a span of its own in that trace', $heard, array_map( static fn( array $attempt ): string => "00-{$attempt['trace_id']}-{$attempt['span_id']}-01", $told ) );
check( 'two attempts', [ 'transient', 'ok' ], array_column( $told, 'outcome' ) );
check( 'the trace that was named', [ substr( $one, 3, 32 ) ], array_values( array_unique( array_column( $told, 'trace_id' ) ) ) );
check( 'spans', 2, count( array_unique( array_column( $told, 'span_id' ) ) ) );

// Many pulls, a trace each: none takes another's, though pages come while others are set.
$ids   = [];
$pulls = TenantCRMSync::pull_many();
foreach ( [ 'a', 'b', 'c' ] as $id ) {
	tenant( $id, [ 'paging' => 'cursor' ], "key of $id" );
	seed( 30, $id );
	$ids[ $id ] = substr( TenantCRMSync::trace( 'new' ), 3, 32 );
	$pulls->add( $id, sync( $id, [ 'api_key' => "key of $id" ] ), 'leads', null, [ 'page_size' => 10 ] );
}
TenantCRMSync::trace( null );
$single = sync( 'a', [ 'api_key' => 'key of a' ] )->pull( 'leads' );
foreach ( $pulls as $batch ) {
	TenantCRMSync::trace( 'new' );
}
$seen = [];
foreach ( TenantCRMSync::attempts() as $attempt ) {
	$seen[ $attempt['tenant'] ][ $attempt['trace_id'] ] = ( $seen[ $attempt['tenant'] ][ $attempt['trace_id'] ] ?? 0 ) + 1;
}
ksort( $seen );
check( 'each pull in its own trace', array_map( static fn( string $trace ): array => [ $trace => 3 ], $ids ), $seen );
iterator_to_array( $single );
check( 'a pull that was asked for outside of a trace is in none', [ null ], array_values( array_unique( array_column( TenantCRMSync::attempts(), 'trace_id' ) ) ) );
done();
?>
--EXPECT--
15 checks hold
