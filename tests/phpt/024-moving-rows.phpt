--TEST--
Rows that move, pages that change, times that lie, and a write that is not repeated
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
$row = static fn( int $id, string $time = '2026-01-01T00:00:00Z' ): array => [ 'id' => $id, 'name' => "n$id", 'updated_at' => $time ];

// Rows of a page that was read are deleted: those behind them slide forward, and are found all the same.
tenant( 'acme', [ 'paging' => 'page' ] );
rows( array_map( $row, range( 1, 100 ) ) );
$seen = [];
foreach ( sync()->pull( 'leads', null, [ 'page_size' => 10 ] ) as $number => $batch ) {
	if ( 0 === $number ) {
		crm()->call( 'DELETE', '/rows', [ 'tenant' => 'acme', 'object' => 'leads', 'ids' => range( 1, 8 ) ] );
	}
	$seen = [ ...$seen, ...$batch->ids() ];
}
check( 'no row is passed over', [], array_values( array_diff( array_map( 'strval', range( 9, 100 ) ), $seen ) ) );
check( 'the last batch says so', true, $batch->is_last() );
check( 'and the next pull starts from a time', false, str_contains( $batch->watermark(), 'next' ) );

// A page's number means nothing with another size of pages.
foreach ( sync()->pull( 'leads', null, [ 'page_size' => 10 ] ) as $batch ) {
	$seen = $batch->ids();
	break;
}
foreach ( sync()->pull( 'leads', $batch->watermark(), [ 'page_size' => 40 ] ) as $batch ) {
	$seen = [ ...$seen, ...$batch->ids() ];
}
check( 'resumed with larger pages', 92, count( array_unique( $seen ) ) );

// A watermark of another CRM.
tenant( 'other', [ 'paging' => 'page' ], 'key-of-other' );
rows( [ $row( 1, '2020-01-01T00:00:00Z' ) ], 'other' );
$elsewhere = str_replace( (string) parse_url( crm()->plain, PHP_URL_PORT ), '1', $batch->watermark() );
foreach ( sync( 'other', [ 'api_key' => 'key-of-other' ] )->pull( 'leads', $elsewhere ) as $first ) {
	check( 'a time of another CRM is not asked for', [ '1' ], $first->ids() );
}

// A row from the future.
rows( [ $row( 101, '2099-01-01T00:00:00Z' ) ] );
foreach ( sync()->pull( 'leads' ) as $batch ) {
	$end = $batch->watermark();
}
check( 'hides nothing', false, str_contains( $end, '2098' ) || str_contains( $end, '2099' ) );

// The write was processed, and only the read of its result failed: it is not sent again.
wire();
crm()->faults( 'acme', [
	[ 'kind' => 'redirect', 'status' => 303, 'location' => '/api/v1/leads/9', 'method' => 'POST', 'times' => 1 ],
	[ 'kind' => 'status', 'status' => 429, 'method' => 'GET', 'times' => 1 ],
] );
check( 'the result is read', 'n9', sync()->create_lead( [ 'name' => 'new' ] )['name'] ?? null );
check( 'one write', [ 'POST', 'GET', 'GET' ], array_map( static fn( $request ) => strtok( $request, ' ' ), wire() ) );

// A subclass with properties that PHP has yet to compute.
class Child extends TenantCRMSync {
	const A = 5;
	public $p = self::A . 'x';
	public array $q = [ self::A ];
}
$child = Child::with_settings( 'acme', [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] );
check( 'computed', [ '5x', [ 5 ] ], [ $child->p, $child->q ] );
done();
--EXPECT--
9 checks hold
