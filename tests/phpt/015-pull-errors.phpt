--TEST--
A pull that fails: the good batches first, then an exception; and resumed from the last watermark
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
seed( 50 );
$sync = sync();
$run  = static function ( ?string $from = null ) use ( &$sync ): array {
	$ids = [];
	$mark = $from;
	try {
		foreach ( $sync->pull( 'leads', $from, [ 'page_size' => 10 ] ) as $batch ) {
			$ids  = [ ...$ids, ...$batch->ids() ];
			$mark = $batch->watermark();
		}
	} catch ( TenantCRMSync\Exception $thrown ) {
		return [ $ids, $mark, $thrown ];
	}
	return [ $ids, $mark, null ];
};
$faults = [
	'a server error'      => [ [ 'kind' => 'status', 'status' => 500, 'times' => null, 'after' => 2 ], 'HttpException', 500 ],
	'no access'           => [ [ 'kind' => 'status', 'status' => 403, 'times' => null, 'after' => 2, 'body' => 'no ' . KEY ], 'HttpException', 403 ],
	'too fast'            => [ [ 'kind' => 'status', 'status' => 429, 'headers' => [ 'Retry-After' => '99' ], 'times' => null, 'after' => 2 ], 'RateLimitException', 429 ],
	'half the JSON'       => [ [ 'kind' => 'truncated_json', 'times' => null, 'after' => 2 ], 'DecodeException', 200 ],
	'HTML'                => [ [ 'kind' => 'canned', 'body' => '<html>', 'times' => null, 'after' => 2 ], 'DecodeException', 200 ],
	'no list'             => [ [ 'kind' => 'canned', 'body' => '{"error":"x"}', 'times' => null, 'after' => 2 ], 'DecodeException', 200 ],
	'cut for ever'        => [ [ 'kind' => 'cut_mid_body', 'times' => null, 'after' => 2 ], 'TransportException', null ],
	'another origin'      => [ [ 'kind' => 'redirect', 'location' => 'https://evil.example/', 'times' => null, 'after' => 2 ], 'EgressException', 302 ],
];
foreach ( $faults as $name => [ $fault, $class, $status ] ) {
	crm()->faults( 'acme', [ $fault ] );
	[ $ids, $mark, $thrown ] = $run();
	check( "$name: two good batches", range( 1, 20 ), array_map( 'intval', $ids ) );
	check( "$name: then", "TenantCRMSync\\$class", $thrown ? get_class( $thrown ) : null );
	check( "$name: status", $status, $thrown?->status );
	check( "$name: tenant and place", [ 'acme', true ], [ $thrown?->tenant, str_contains( (string) $thrown?->operation, '/api/v1/leads' ) ] );
	check( "$name: no key", false, str_contains( print_r( $thrown, true ) . $thrown, KEY ) );
	crm()->faults( 'acme', [] );
	if ( 'too fast' === $name ) {
		// The connection is left alone for 99 s; another credential is another connection.
		tenant( 'acme', [ 'paging' => 'cursor' ], 'new-key' );
		$sync = sync( 'acme', [ 'api_key' => 'new-key' ] );
	}
	[ $rest, , $thrown ] = $run( $mark );
	check( "$name: resumed without a gap", [ range( 21, 50 ), null ], [ array_map( 'intval', $rest ), $thrown ] );
}
foreach ( [ [ 'kind' => 'status', 'status' => 503 ], [ 'kind' => 'cut_mid_body' ], [ 'kind' => 'status', 'status' => 429, 'headers' => [ 'Retry-After' => '0' ] ] ] as $passing ) {
	crm()->faults( 'acme', [ $passing + [ 'times' => 1, 'after' => 1 ] ] );
	[ $ids, , $thrown ] = $run();
	check( 'what passes is not seen: ' . json_encode( $passing ), [ 50, null ], [ count( $ids ), $thrown ] );
}
// A circle of pages, and a next page that is not ours.
answer( '{"data":[{"id":1}],"meta":{"next_cursor":"same"}}' );
check( 'a circle ends', 'TenantCRMSync\DecodeException', get_class( $run()[2] ) );
check_contains( 'and is named', 'circle', $run()[2]->getMessage() );
answer( '{"data":[{"id":1}],"links":{"next":"https://evil.example/leads"}}' );
[ $ids, , $thrown ] = $run();
check( 'the batch came', [ '1' ], $ids );
check( 'the link is not followed', 'TenantCRMSync\EgressException', get_class( $thrown ) );
check_contains( 'without the bound', 'egress', ( static fn() => $thrown->kind )() );
$pull = $sync->pull( 'leads', null, [ 'page_size' => 10 ] );
answer( 'x', 500, [ 'Retry-After' => '99' ] );
check_throws( 'the first page fails', 'TenantCRMSync\HttpException', '500', fn() => $pull->rewind() );
check( 'and the pull is over', false, $pull->valid() );
crm()->faults( 'acme', [] );
$pull->next();
check( 'next() does not step over the page that failed', false, $pull->valid() );
crm()->faults( 'acme', [ [ 'kind' => 'endless_body', 'times' => null ] ] );
$big = php( '<?php try { foreach ( TenantCRMSync::with_settings( "acme", [ "api_key" => "new-key", "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] )->pull( "leads" ) as $batch ); } catch ( Throwable $t ) { echo get_class( $t ), " ", $t->kind, " ", memory_get_peak_usage( true ) < 8 << 20 ? "small" : "large"; }', [ 'tenant_crm_sync.max_response_bytes' => 100000 ] );
check( 'an endless answer is bounded', 'TenantCRMSync\DecodeException too_large small', $big['out'] );
done();
--EXPECT--
61 checks hold
