--TEST--
Rows that cannot be read are refused alone and by name; fields and fingerprints
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
$rows = [
	'{"id":1,"name":"good"}', "{\"id\":2,\"name\":\"bad \xff\"}", '{"name":"no id"}', '{"id":null}', '{"id":""}', '{"id":{"a":1}}', '{"id":true}', '[1]', '5', 'null', '"text"', "{\"id\":\"\xff\"}",
	'{"id":3,"name":"half \ud83d"}', '{"id":4,"name":"also good"}', '{"id":"' . str_repeat( 'x', 1025 ) . '"}', '{"id":"' . str_repeat( 'y', 1024 ) . '"}', '{}', '{"id":0}', '{"id":1.5}', '{"id":-7}',
];
answer( '{"data":[' . implode( ',', array_diff_key( $rows, [ 12 => 1 ] ) ) . ']}' );
$batch   = iterator_to_array( sync()->pull( 'leads' ) )[0];
$refused = array_column( $batch->refused(), null, 'position' );
check( 'taken', [ '1', '4', str_repeat( 'y', 1024 ), '0', '1.5', '-7' ], $batch->ids() );
check( 'refused', [ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15 ], array_keys( $refused ) );
check( 'by name', [ '2', 'it has bytes that are not UTF-8' ], [ $refused[1]['id'], $refused[1]['reason'] ] );
check( 'without a name', [ null, 'it has no id that is text or a number' ], [ $refused[2]['id'], $refused[2]['reason'] ] );
check( 'no object', 'it is not an object', $refused[8]['reason'] );
check( 'the rows are the good ones', [ 'good', 'also good' ], array_column( $batch->rows(), 'name' ) );
check( 'positions of rows, not of the page', 'also good', $batch->row( 1 )['name'] );
check( 'control: the article\'s method refuses the page', [ false, 'decode' ], [ ( $sync = sync() )->fetch_leads(), $sync->last_error()['kind'] ] );
answer( '{"data":[{"id":1,"name":"ok"},' . $rows[12] . ']}' );
check_throws( 'what is no JSON at all refuses the page', 'TenantCRMSync\DecodeException', 'the answer is not JSON', fn() => iterator_to_array( sync()->pull( 'leads' ) ) );

$prints = static function ( array $rows, array $options = [] ): array {
	answer( '{"data":[' . implode( ',', $rows ) . ']}' );
	return array_map( 'bin2hex', iterator_to_array( sync()->pull( 'leads', null, $options ) )[0]->fingerprints() );
};
$same = [
	'{"id":1,"name":"Zo\u00eb","tags":["a","b"],"owner":{"x":1,"y":2.0},"updated_at":"2026-01-01"}',
	'{"updated_at":"2027-02-02","tags":[ "a" , "b" ],"owner":{"y":2.0,"x":1},"name":"Zoë","id":1}',
	'{"id":9,"id":1,"name":"Zoë","tags":["a","b"],"owner":{"x":5,"x":1,"y":2.0}}',
	'{"id":1,"name":"Zoë","tags":["\u0061","b"],"owner":{"x":1,"y":20e-1}}',
];
check( 'equal: order, spelling, white space, repeated names, the time of the change', 1, count( array_unique( $prints( $same ) ) ) );
$other = [
	'{"id":1,"a":1}', '{"id":1,"a":"1"}', '{"id":1,"a":1.0}', '{"id":1,"a":true}', '{"id":1,"a":null}', '{"id":1}', '{"id":1,"a":[]}', '{"id":1,"a":{}}', '{"id":1,"a":[1]}', '{"id":1,"a":{"0":1}}', '{"id":1,"a":[[1]]}', '{"id":1,"a":[1,[]]}',
	'{"id":1,"a":["b","c"]}', '{"id":1,"a":["c","b"]}', '{"id":1,"a":["bc"]}', '{"id":1,"a":"","b":"x"}', '{"id":1,"a":"x","b":""}', '{"id":1,"ab":""}', '{"id":2}', '{"id":"1"}', '{"id":1,"a":{"b":{"c":1}}}', '{"id":1,"a":{"b":1,"c":{}}}', '{"id":1,"a":"é"}', '{"id":1,"a":"e\u0301"}',
	'{"id":1,"a":-0.0}', '{"id":1,"a":0.0}', '{"id":1,"a":0}', '{"id":1,"a":"\u0000"}', '{"id":1,"a":9007199254740993}', '{"id":1,"a":9007199254740992}',
];
check( 'different in each of these', count( $other ), count( array_unique( $prints( $other ) ) ) );
$fields = [ 'fields' => [ 'name', 'score', 'missing' ] ];
check( 'only the mapped fields count', 1, count( array_unique( $prints( [ '{"id":1,"name":"a","score":1}', '{"id":2,"score":1,"other":[1],"name":"a","updated_at":"x"}' ], $fields ) ) ) );
check( 'they count', 3, count( array_unique( $prints( [ '{"id":1,"name":"a","score":1}', '{"id":1,"name":"b","score":1}', '{"id":1,"name":"a"}' ], $fields ) ) ) );
answer( '{"data":[{"score": 1.50 ,"id":1,"na\u006de":"a\/b","x":1}]}' );
$batch = iterator_to_array( sync()->pull( 'leads', null, $fields ) )[0];
check( 'a snapshot of the mapped fields, as the CRM wrote them', '{"name":"a\/b","score":1.50}', $batch->snapshot( 0 ) );
check( 'the row is whole', [ 'score', 'id', 'name', 'x' ], array_keys( $batch->row( 0 ) ) );
check( 'in any order of the option', $batch->fingerprints(), ( static function () { $b = iterator_to_array( sync()->pull( 'leads', null, [ 'fields' => [ 'score', 'missing', 'name', 'name' ] ] ) ); return $b[0]->fingerprints(); } )() );
check( 'no fields at all', '{}', ( static fn( $b ) => $b[0]->snapshot( 0 ) )( iterator_to_array( sync()->pull( 'leads', null, [ 'fields' => [] ] ) ) ) );
done();
--EXPECT--
18 checks hold
