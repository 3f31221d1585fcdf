--TEST--
Watermarks: what changed since, resumed in the middle, forged, and a cursor that the CRM has forgotten
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
for ( $id = 1; $id <= 25; $id++ ) {
	$rows[] = [ 'id' => $id, 'name' => "n$id", 'updated_at' => sprintf( '2026-01-01T00:%02d:00Z', $id ) ];
}
rows( $rows );
$sync = sync();
$pull = static function ( ?string $from, array $options = [ 'page_size' => 10 ], ?int $most = null ) use ( $sync ): array {
	$got = [];
	foreach ( $sync->pull( 'leads', $from, $options ) as $batch ) {
		$got[] = $batch;
		if ( count( $got ) === $most ) {
			break;
		}
	}
	return $got;
};
$ids  = static fn( array $batches ): array => array_merge( ...array_map( static fn( $batch ) => $batch->ids(), $batches ) );
$began = time();
$all  = $pull( null );
$end  = end( $all )->watermark();
check( 'everything', 25, count( $ids( $all ) ) );

// In the middle: another process goes on with the next page.
$middle = $pull( null, [ 'page_size' => 10 ], 1 )[0]->watermark();
wire();
check( 'resumed', array_map( 'strval', range( 11, 25 ) ), $ids( $pull( $middle ) ) );
check( 'two requests', 2, count( wire() ) );
$other = php( '<?php $n = []; foreach ( TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] )->pull( "leads", ' . var_export( $middle, true ) . ', [ "page_size" => 10 ] ) as $batch ) { $n = [ ...$n, ...$batch->ids() ]; } echo implode( ",", $n );' );
check( 'resumed elsewhere', implode( ',', range( 11, 25 ) ), $other['out'] );
// But for the seconds that each pull took: a mark lies so much earlier.
$marks = [ json_decode( $end, true ), json_decode( ( static fn( $batches ) => end( $batches )->watermark() )( $pull( $middle ) ), true ) ];
check( 'the end of it is the same', array_diff_key( $marks[0], [ 'since' => 0 ] ), array_diff_key( $marks[1], [ 'since' => 0 ] ) );
check( 'and the time', true, abs( strtotime( $marks[0]['since'] ) - strtotime( $marks[1]['since'] ) ) <= 1 + time() - $began );

// Incremental: the CRM's own clock with an overlap.
wire();
$next = $pull( $end );
$sent = wire()[0];
check_contains( 'asks for changes since', 'filter%5Bupdated_at_gt%5D=2026-01-01T00', $sent );
check( 'the newest less the overlap of two minutes', true, count( $ids( $next ) ) >= 1 && count( $ids( $next ) ) <= 3 );
check( 'the newest again, and not everything', true, in_array( '25', $ids( $next ), true ) && ! in_array( '10', $ids( $next ), true ) );
crm()->call( 'POST', '/rows', [ 'tenant' => 'acme', 'object' => 'leads', 'rows' => [ [ 'id' => 3, 'name' => 'changed', 'updated_at' => '2026-01-01T02:00:00Z' ] ] ] );
$next = $pull( $end );
check( 'a change arrives', true, in_array( '3', $ids( $next ), true ) );
$later = end( $next )->watermark();
check( 'and moves the watermark', true, $later !== $end );
check( 'nothing new: it stays', $later, ( static fn( $batches ) => end( $batches )->watermark() )( $pull( $later ) ) );

// A timestamp of the CRM, as the article keeps one.
wire();
check( 'a bare timestamp', [ '3', '25' ], ( static function ( $found ) { sort( $found ); return $found; } )( $ids( $pull( '2026-01-01T00:24:30Z' ) ) ) );
check_contains( 'sent as it is', 'filter%5Bupdated_at_gt%5D=2026-01-01T00%3A24%3A30Z', wire()[0] );
foreach ( [ null, '', '  ' ] as $nothing ) {
	check( 'from the beginning: ' . var_export( $nothing, true ), 25, count( $ids( $pull( $nothing ) ) ) );
}
check( 'a watermark is kept through an empty pull', true, str_contains( ( static fn( $batches ) => end( $batches )->watermark() )( $pull( '2099-01-01T00:00:00Z' ) ), '2099-01-01' ) );

// Forged or foreign.
$forged = [ '{', '{}', '{"v":2}', '{"v":1,"since":5}', '{"v":1,"more":1}', '{"v":1,"next":{"link":"https://evil.example/api"}}x', '{"v":"1"}' ];
foreach ( $forged as $text ) {
	check_throws( "not a watermark: $text", 'TenantCRMSync\ConfigException', 'the watermark is not one of this version', fn() => $sync->pull( 'leads', $text ) );
}
wire();
$links = [ 'https://evil.example/api/v1/leads', '//evil.example/x', 'http://localhost:' . crm()->plain_port . '/api/v1/leads', 'file:///etc/passwd', '\\\\evil.example\\x' ];
foreach ( $links as $link ) {
	// The CRM may have moved since: nothing is sent there, and the pull begins again.
	check( "a link that leads away: $link", 25, count( $ids( $pull( json_encode( [ 'v' => 1, 'next' => [ 'link' => $link ] ] ), [] ) ) ) );
}
check( 'only the CRM was asked', array_fill( 0, 5, 'GET /api/v1/leads' ), wire() );

// A cursor that the CRM has forgotten: from where that pull began.
$stale = json_encode( [ 'v' => 1, 'next' => [ 'cursor' => 'long gone' ] ] );
check( 'begins again', 25, count( $ids( $pull( $stale ) ) ) );
$start = wire();
check( 'and says so on the wire', [ true, false ], [ str_contains( $start[0], 'cursor=' ), str_contains( $start[1] ?? 'cursor=', 'cursor=' ) ] );

// Every form of time that CRMs write moves the watermark.
foreach ( [ 'naive' => '2026-01-01 00:%02d:00', 'offset' => '2026-01-01T05:%02d:00+05:00', 'fractions' => '2026-01-01T00:%02d:00.123456Z', 'epoch' => '17672256%02d', 'epoch ms' => '17672256%02d000' ] as $form => $pattern ) {
	tenant( $form, [ 'paging' => 'none' ], "key $form" );
	rows( [ [ 'id' => 1, 'updated_at' => sprintf( $pattern, 10 ) ], [ 'id' => 2, 'updated_at' => sprintf( $pattern, 40 ) ], [ 'id' => 3, 'updated_at' => null ] ], $form );
	$batches = iterator_to_array( sync( $form, [ 'api_key' => "key $form" ] )->pull( 'leads' ) );
	$since   = json_decode( $batches[0]->watermark(), true )['since'] ?? '';
	check( "$form: the newest less two minutes and the time it took", true, strcmp( $since, sprintf( $pattern, 40 ) ) < 0 && strlen( $since ) >= 10 );
}
done();
--EXPECT--
45 checks hold
