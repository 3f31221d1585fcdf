--TEST--
The request's bytes: nothing but the article's headers, a name and gzip; keys and texts as they were given
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
// A server of one answer, which shows what it was sent.
$sent = static function ( callable $call, array $settings = [] ): array {
	$server = stream_socket_server( 'tcp://127.0.0.1:0' );
	$pid    = pcntl_fork();
	if ( 0 === $pid ) {
		$peer = stream_socket_accept( $server, 10 );
		stream_set_timeout( $peer, 5 );
		$got = '';
		while ( ! str_contains( $got, "\r\n\r\n" ) && ! feof( $peer ) ) {
			$got .= fread( $peer, 65536 );
		}
		if ( preg_match( '/content-length: (\d+)/i', $got, $length ) ) {
			while ( strlen( explode( "\r\n\r\n", $got, 2 )[1] ) < (int) $length[1] && ! feof( $peer ) ) {
				$got .= fread( $peer, 65536 );
			}
		}
		file_put_contents( folder() . '/sent', $got );
		fwrite( $peer, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":[]}" );
		fclose( $peer );
		exit( 0 );
	}
	$address = stream_socket_get_name( $server, false );
	fclose( $server );
	$result = $call( TenantCRMSync::with_settings( 'acme', $settings + [ 'api_key' => KEY, 'api_endpoint' => "http://$address/x" ] ) );
	pcntl_waitpid( $pid, $status );
	[ $head, $body ] = explode( "\r\n\r\n", (string) file_get_contents( folder() . '/sent' ), 2 );
	$lines           = explode( "\r\n", str_replace( $address, 'ADDRESS', $head ) );
	$first           = array_shift( $lines );
	sort( $lines );
	return [ 'result' => $result, 'first' => $first, 'headers' => $lines, 'body' => $body ];
};
$version = phpversion( 'tenant_crm_sync' );
$usual   = [ 'accept-encoding: gzip', 'accept: application/json', 'authorization: Bearer ' . KEY, 'content-type: application/json', 'host: ADDRESS', "user-agent: tenant_crm_sync/$version" ];
$seen    = $sent( fn( $sync ) => $sync->fetch_leads( '2026-11-23 10:00:00' ) );
check( 'a read', 'GET /api/v1/leads?filter%5Bupdated_at_gt%5D=2026-11-23%2010%3A00%3A00 HTTP/1.1', $seen['first'] );
check( 'its headers', $usual, array_map( static fn( $line ) => preg_replace( '/^accept-encoding: .*gzip.*/', 'accept-encoding: gzip', $line ), $seen['headers'] ) );
check( 'no body', '', $seen['body'] );
check( 'its answer', [], $seen['result'] );
$seen = $sent( fn( $sync ) => $sync->create_lead( [ 'name' => 'Zoë/😀', 'score' => 1.0, 'tags' => [], 'owner' => new stdClass() ] ) );
check( 'a create', 'POST /api/v1/leads HTTP/1.1', $seen['first'] );
check( 'its headers', [ ...array_slice( $usual, 0, 3 ), 'content-length: ' . strlen( $seen['body'] ), ...array_slice( $usual, 3 ) ], array_map( static fn( $line ) => preg_replace( '/^accept-encoding: .*gzip.*/', 'accept-encoding: gzip', $line ), $seen['headers'] ) );
check( 'its body is json_encode\'s', '{"name":"Zo\u00eb\/\ud83d\ude00","score":1,"tags":[],"owner":{}}', $seen['body'] );
check( 'an update', 'PATCH /api/v1/leads/a%2Fb HTTP/1.1', $sent( fn( $sync ) => $sync->update_lead( 'a/b', [] ) )['first'] );
$seen = $sent( fn( $sync ) => $sync->delete_record( 'contacts', 5 ) );
check( 'a delete', [ 'DELETE /api/v1/contacts/5 HTTP/1.1', '' ], [ $seen['first'], $seen['body'] ] );
foreach ( [ "schl\xfcssel", 'schlüssel', 'a b', 'k=&+/"\\' ] as $key ) {
	check( 'key ' . bin2hex( $key ), true, in_array( "authorization: Bearer $key", $sent( fn( $sync ) => $sync->fetch_leads(), [ 'api_key' => $key ] )['headers'], true ) );
}
done();
--EXPECT--
13 checks hold
