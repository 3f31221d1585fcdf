--TEST--
Arguments follow PHP's weak typing, and strict_types where the caller declares it
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 5, 'name' => 'Ann', 'updated_at' => '2026-01-01T00:00:00Z' ], [ 'id' => 6, 'name' => 'Bob', 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
$sync = sync();
$text = new class() {
	public function __toString(): string {
		return '5';
	}
};
foreach ( [ 'int' => 5, 'text' => '5', 'float' => 5.0, 'object' => $text ] as $kind => $id ) {
	check( "an id as $kind", 'Ann', $sync->get_lead( $id )['name'] ?? null );
}
check( 'a tenant as int', 'Ann', sync()->get_lead( 5 )['name'] );
check( 'a tenant that is an int', true, TenantCRMSync::with_settings( 7, [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ] ) instanceof TenantCRMSync );
check( 'last_error names it', 'x', TenantCRMSync::with_settings( 'x', [ 'api_key' => 'wrong', 'api_endpoint' => crm()->plain ] )->fetch_leads() === false ? 'x' : '' );

foreach ( [ 1, '1', 'yes', 1.5, true ] as $on ) {
	check( 'a bool as ' . gettype( $on ), $sync, $sync->throw_errors( $on ) );
}
foreach ( [ 0, '', '0', 0.0, false ] as $off ) {
	$sync->throw_errors( $off );
	check( 'false as ' . gettype( $off ), false, $sync->get_lead( 999 ) );
}
check_throws( 'an array is no bool', 'TypeError', 'throw_errors(): Argument #1 ($on) must be of type bool, array given', fn() => $sync->throw_errors( [] ) );
check_throws( 'an array is no text', 'TypeError', 'fetch_records(): Argument #1 ($object) must be of type string, array given', fn() => $sync->fetch_records( [] ) );
check_throws( 'an array is no text', 'TypeError', 'pull(): Argument #3 ($options) must be of type array, string given', fn() => $sync->pull( 'leads', null, 'x' ) );
check_throws( 'too few', 'ArgumentCountError', 'update_record() expects exactly 3 arguments, 1 given', fn() => $sync->update_record( 'leads' ) );

foreach ( $sync->pull( 'leads' ) as $batch ) {
	foreach ( [ 'int' => 1, 'text' => '1', 'float' => 1.0, 'text with spaces' => ' 1 ', 'float as text' => '1.0', 'bool' => true ] as $kind => $position ) {
		check( "a position as $kind", 'Bob', $batch->row( $position )['name'] );
	}
	foreach ( [ 'one', [], null ] as $position ) {
		check_throws( 'no position: ' . gettype( $position ), 'TypeError', 'row(): Argument #1 ($position) must be of type int', fn() => $batch->row( $position ) );
	}
	foreach ( [ -1 => '-1', 2 => '2', PHP_INT_MAX => (string) PHP_INT_MAX ] as $position => $shown ) {
		check_throws( "outside: $position", 'ValueError', "position $shown", fn() => $batch->row( $position ) );
		check_throws( "outside: $position", 'ValueError', "position $shown", fn() => $batch->snapshot( $position ) );
	}
	check_throws( 'half a position', 'TypeError', 'must be of type int', fn() => @$batch->row( 'x1' ) );
}

// Each call by name, with an optional one left out.
check( 'by name', 2, count( iterator_to_array( $sync->pull( object: 'leads', options: [ 'page_size' => 10 ] ) )[0] ) );
check( 'by name', 2, count( $sync->fetch_records( since: null, object: 'leads' ) ) );
check_throws( 'an unknown name', 'Error', 'Unknown named parameter $pages', fn() => $sync->pull( 'leads', pages: 3 ) );
check( 'more arguments than declared', 2, count( $sync->fetch_records( 'leads', null, 1, 2, 3 ) ) );

file_put_contents( folder() . '/strict.php', '<?php declare(strict_types=1); return [
	fn( $sync ) => $sync->throw_errors( 1 ), fn( $sync ) => $sync->fetch_records( 5 ), fn( $sync, $batch ) => $batch->row( "1" ), fn( $sync, $batch ) => $batch->row( 1.0 ),
	fn( $sync ) => TenantCRMSync::use_site( 5 ),
];' );
foreach ( require folder() . '/strict.php' as $number => $call ) {
	check_throws( "strict $number", 'TypeError', 'Argument #1', fn() => $call( $sync, $batch ) );
}
done();
--EXPECT--
66 checks hold
