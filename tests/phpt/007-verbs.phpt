--TEST--
Get, create, update and delete, for leads and for any object; what a CRM without a body, and one that says 404, mean
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
$sync = sync();
$made = $sync->create_lead( [ 'name' => 'Zoë', 'email' => 'zoe@example.test', 'score' => 1.5 ] );
check( 'created', [ 'Zoë', 1.5 ], [ $made['name'], $made['score'] ] );
check( 'read back', $made, $sync->get_lead( $made['id'] ) );
$changed = $sync->update_lead( $made['id'], [ 'phone' => '+1' ] );
check( 'updated', [ 'Zoë', '+1' ], [ $changed['name'], $changed['phone'] ] );
check( 'listed', [ $changed ], $sync->fetch_leads() );
check( 'deleted', true, $sync->delete_lead( $made['id'] ) );
check( 'deleted again', true, $sync->delete_lead( $made['id'] ) );
check( 'no error of that', null, $sync->last_error() );
check( 'gone', false, $sync->get_lead( $made['id'] ) );
check( 'and last_error() tells so', 404, $sync->last_error()['status'] );
check( 'no update of what is gone', false, $sync->update_lead( $made['id'], [ 'phone' => '+2' ] ) );
$id = $made['id'];
check( 'the requests', [ 'POST /api/v1/leads', "GET /api/v1/leads/$id", "PATCH /api/v1/leads/$id", 'GET /api/v1/leads', "DELETE /api/v1/leads/$id", "DELETE /api/v1/leads/$id", "GET /api/v1/leads/$id", "PATCH /api/v1/leads/$id" ], wire() );

$made = $sync->create_record( 'contacts', [ 'name' => 'Bob' ] );
check( 'a contact', 'Bob', $sync->get_record( 'contacts', $made['id'] )['name'] ?? null );
check( 'changed', 'Rob', $sync->update_record( 'contacts', $made['id'], [ 'name' => 'Rob' ] )['name'] ?? null );
check( 'listed', 1, count( $sync->fetch_records( 'contacts' ) ) );
check( 'filtered', [], $sync->fetch_records( 'contacts', '2100-01-01 00:00:00' ) );
check( 'deleted', true, $sync->delete_record( 'contacts', $made['id'] ) );
wire();

// Ids are text of the CRM: each is one segment of the path.
answer( '{"ok":1}' );
$ids = [ 'a/b' => 'a%2Fb', '12x474' => '12x474', 'a b' => 'a%20b', 'ä' => '%C3%A4', '%2e' => '%252e', 'a?b#c' => 'a%3Fb%23c', "it's" => "it's", '0' => '0', '...' => '...' ];
foreach ( $ids as $id => $path ) {
	check( "id $id", [ 'ok' => 1 ], $sync->get_lead( $id ) );
	check( "id $id in the path", [ "GET /api/v1/leads/$path" ], wire() );
}
$sync->get_lead( "a\xff" );
check( 'an id that is not UTF-8 is not another id', true, in_array( wire(), [ [], [ 'GET /api/v1/leads/a%FF' ] ], true ) );
foreach ( [ '', '.', '..', null, false ] as $id ) {
	check( 'no id: ' . var_export( $id, true ), [ false, 'config' ], [ $sync->get_lead( $id ), $sync->last_error()['kind'] ?? null ] );
	check( 'no delete of all', false, $sync->delete_lead( $id ) );
}
check( 'nothing was sent', [], wire() );
foreach ( [ '', 'a/b', '../leads', 'a b', str_repeat( 'x', 65 ), '{object}', "leads\n" ] as $object ) {
	check( 'no object: ' . $object, [ false, 'config' ], [ $sync->fetch_records( $object ), $sync->last_error()['kind'] ?? null ] );
	check( 'no object: ' . $object, false, $sync->create_record( $object, [] ) );
	check( 'no object: ' . $object, false, $sync->update_record( $object, 1, [] ) );
	check( 'no object: ' . $object, false, $sync->delete_record( $object, 1 ) );
}
check( 'nothing was sent', [], wire() );

answer( '', 204 );
check( 'an update without a body', true, $sync->update_lead( 1, [ 'name' => 'x' ] ) );
check( 'a delete without a body', true, $sync->delete_lead( 1 ) );
check( 'a read without a body is none', [ false, 'decode' ], [ $sync->get_lead( 1 ), $sync->last_error()['kind'] ] );
answer( '{"deleted":true}', 200 );
check( 'a delete with a body', true, $sync->delete_lead( 1 ) );
answer( 'not JSON', 200 );
check( 'an update with a body that is no JSON', false, $sync->update_lead( 1, [ 'name' => 'x' ] ) );
answer( 'gone', 410 );
check( '410 is gone as well', true, $sync->delete_lead( 1 ) );
answer( 'no', 403 );
check( '403 is not', [ false, 403 ], [ $sync->delete_lead( 1 ), $sync->last_error()['status'] ] );

// What may be repeated.
crm()->requests();
foreach ( [ 'get_lead' => [ 1 ], 'delete_lead' => [ 1 ] ] as $method => $arguments ) {
	answer( 'down', 503, [], 1 );
	$sync->$method( ...$arguments );
	check( "$method is repeated", 2, count( wire() ) );
}
foreach ( [ 'create_lead' => [ [] ], 'update_lead' => [ 1, [] ] ] as $method => $arguments ) {
	answer( 'down', 503, [], 1 );
	check( "$method is not", [ false, 503, 1 ], [ $sync->$method( ...$arguments ), $sync->last_error()['status'], $sync->last_error()['attempts'] ] );
	check( "$method is not", 1, count( wire() ) );
}
// The same on a connection that was used before, over HTTP/1.1 and 2: what is sent again by itself would be made twice.
foreach ( [ 'plain', 'tls' ] as $how ) {
	foreach ( [ 'cut_before_read', 'cut_after_read', 'cut_mid_body' ] as $kind ) {
		$got = php(
			'<?php ini_set( "error_log", "/dev/null" ); $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->$how, true ) . ' ] );
			$sync->fetch_leads(); echo "ready\n"; while ( ! file_exists( "go" ) ) { usleep( 1000 ); }
			echo json_encode( [ $sync->create_lead( [ "name" => "x" ] ), $sync->last_error()["attempts"] ?? null, is_array( $sync->fetch_leads() ) ] );',
			[ 'tenant_crm_sync.ca_file' => crm()->ca ],
			[],
			static function () use ( $kind ): void {
				crm()->faults( 'acme', [ [ 'kind' => $kind, 'method' => 'POST', 'times' => 1 ] ] );
				crm()->requests();
				touch( folder() . '/go' );
			}
		);
		unlink( folder() . '/go' );
		check( "$how, $kind: a create fails once, the next call works", "ready\n[false,1,true]", $got['out'] );
		check( "$how, $kind: one POST", 1, count( array_filter( wire(), static fn( $line ) => str_starts_with( $line, 'POST' ) ) ) );
	}
}
$sure = sync( 'acme', [ 'idempotency_header' => 'Idempotency-Key' ] );
crm()->faults( 'acme', [ [ 'kind' => 'cut_after_read', 'process' => true ] ] );
$made = $sure->create_lead( [ 'name' => 'Once' ] );
check( 'with a key it is repeated', 'Once', $made['name'] ?? $sure->last_error() );
$keys = array_map( static fn( $one ) => $one['headers']['idempotency-key'] ?? '', crm()->requests() );
check( 'with the same key', [ 2, 1, 32 ], [ count( $keys ), count( array_unique( $keys ) ), strlen( $keys[0] ) ] );
check( 'and one lead is there', 1, count( array_filter( $sync->fetch_leads(), static fn( $row ) => 'Once' === $row['name'] ) ) );
$sure->create_lead( [ 'name' => 'Twice' ] );
check( 'another create has another key', true, array_column( crm()->requests(), 'headers' )[1]['idempotency-key'] !== $keys[0] );
done();
--EXPECT--
104 checks hold
