--TEST--
A pull: every way of paging gives every row once; what a batch offers; the next page travels ahead
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
foreach ( [ 'none', 'page', 'cursor', 'link', 'relative_link' ] as $paging ) {
	tenant( $paging, [ 'paging' => $paging ], "key-$paging" );
	seed( 95, $paging );
	crm()->requests();
	$ids   = [];
	$keys  = [];
	$sizes = [];
	$last  = [];
	$sync  = sync( $paging, [ 'api_key' => "key-$paging" ] );
	foreach ( $sync->pull( 'leads', null, [ 'page_size' => 30 ] ) as $key => $batch ) {
		$keys[]  = $key;
		$sizes[] = count( $batch );
		$last[]  = $batch->is_last();
		$ids     = [ ...$ids, ...$batch->ids() ];
		check( "$paging: stats", [ $key + 1, 1, true, true ], [ $batch->stats()['page'], $batch->stats()['attempts'], $batch->stats()['bytes'] > 1000, $batch->stats()['milliseconds'] > 0 ] );
	}
	$pages = 'none' === $paging ? [ 95 ] : [ 30, 30, 30, 5 ];
	check( "$paging: pages", $pages, $sizes );
	check( "$paging: keys", array_keys( $pages ), $keys );
	check( "$paging: the last one knows", count( $pages ) - 1, array_search( true, $last, true ) );
	check( "$paging: every row", array_map( 'strval', range( 1, 95 ) ), $ids );
	$wire = wire();
	check( "$paging: one request a page", count( $pages ), count( $wire ) );
	check( "$paging: the first", 'GET /api/v1/leads?per_page=30', $wire[0] );
}

tenant( 'acme', [ 'paging' => 'page' ] );
$row = '{"id":7,"name":"Zo\u00eb","tags":[],"owner":{},"score":1.0,"updated_at":"2026-01-02T03:04:05Z","big":9007199254740993,"1":"x"}';
rows( [ $row, '{"id":"a/b","name":null,"updated_at":null}', '{"name":"late id","id":12345678901234567890,"updated_at":1764000000}', '{"id":8}' ] );
$batches = iterator_to_array( sync()->pull( 'leads' ) );
$batch   = $batches[0];
check( 'one batch', 1, count( $batches ) );
$ids     = $batch->ids();
$at      = array_flip( $ids );
check( 'ids are text', [ true, true, true ], [ isset( $at['7'] ), isset( $at['a/b'] ), in_array( '12345678901234567890', $ids, true ) ] );
check( 'all text', 4, count( array_filter( $ids, 'is_string' ) ) );
check( 'a row', json_decode( $row, true ), $batch->row( $at['7'] ) );
check( 'rows', $batch->row( $at['a/b'] ), $batch->rows()[ $at['a/b'] ] );
check( 'times as they came', [ '2026-01-02T03:04:05Z', null, '1764000000' ], [ $batch->updated_at()[ $at['7'] ], $batch->updated_at()[ $at['a/b'] ], $batch->updated_at()[ array_search( '12345678901234567890', $ids, true ) ] ] );
check( 'fingerprints', [ 4, 4, 16 ], [ count( $batch->fingerprints() ), count( array_unique( $batch->fingerprints() ) ), strlen( $batch->fingerprints()[0] ) ] );
check( 'a snapshot', '{"1":"x","big":9007199254740993,"id":7,"name":"Zo\u00eb","owner":{},"score":1.0,"tags":[]}', $batch->snapshot( $at['7'] ) );
check( 'Countable', 4, $batch->count() );
check( 'nothing refused', [], $batch->refused() );
check( 'a watermark is text', true, is_string( $batch->watermark() ) && strlen( $batch->watermark() ) < 1000 );

$pull = sync()->pull( 'leads' );
check( 'by hand: nothing yet', false, $pull->valid() );
check_throws( 'by hand: no current', 'TenantCRMSync\ConfigException', 'rewind()', fn() => $pull->current() );
$pull->rewind();
check( 'by hand: first', [ true, 0, 4 ], [ $pull->valid(), $pull->key(), count( $pull->current() ) ] );
check( 'by hand: the same', true, $pull->current() === $pull->current() );
$pull->rewind();
check( 'rewind at the first is nothing', [ true, 0 ], [ $pull->valid(), $pull->key() ] );
$pull->next();
check( 'by hand: the end', false, $pull->valid() );
check_throws( 'forward only', 'TenantCRMSync\ConfigException', 'forward only', fn() => $pull->rewind() );
check( 'a batch outlives its pull', 4, count( $batch->rows() ) );
$again = sync()->pull( 'leads' );
foreach ( $again as $first ) {
	unset( $again );
	check( 'and the pull its variable', 4, count( $first ) );
}

// The next page is asked for before the first is worked on; not more than that.
tenant( 'ahead', [ 'paging' => 'cursor' ], 'key-ahead' );
seed( 50, 'ahead' );
crm()->requests();
$pull = sync( 'ahead', [ 'api_key' => 'key-ahead' ] )->pull( 'leads', null, [ 'page_size' => 10 ] );
check( 'nothing before it is looked at', [], wire() );
$pull->rewind();
usleep( 300_000 );
check( 'one page ahead, or two', true, in_array( count( wire() ), [ 2, 3 ], true ) );
unset( $pull );
usleep( 200_000 );
check( 'a pull that is dropped asks no more', [], wire() );

foreach ( [ [ 'page_size' => 0 ], [ 'page_size' => 1001 ], [ 'page_size' => 'ten' ], [ 'fields' => 'name' ], [ 'fields' => [ 1 ] ] ] as $options ) {
	check_throws( 'an option that is wrong: ' . json_encode( $options ), 'TenantCRMSync\ConfigException', 'the option ' . key( $options ), fn() => sync()->pull( 'leads', null, $options ) );
}
check_throws( 'no object', 'TenantCRMSync\ConfigException', 'is not an object type', fn() => sync()->pull( '../x' ) );
answer( '{"data":[]}' );
$batches = iterator_to_array( sync()->pull( 'leads' ) );
check( 'nothing at all is one empty batch', [ 1, 0, true ], [ count( $batches ), count( $batches[0] ), $batches[0]->is_last() ] );
answer( '[{"id":1}]' );
check( 'a bare list', [ '1' ], iterator_to_array( sync()->pull( 'leads' ) )[0]->ids() );
done();
--EXPECT--
86 checks hold
