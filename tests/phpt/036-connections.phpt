--TEST--
What is really connected to: names that change their address, TLS versions, certificates; no cookies; a proxy's connections are its own
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';

// DNS rebinding: the address is judged where it is connected to, not where the name was first looked at. Names are given by a hosts file
// of this process's own, in a mount namespace: the script writes it anew between two calls.
$unshare  = 'unshare ' . ( "0\n" === shell_exec( 'id -u' ) ? '-m' : '-rm' );
exec( "$unshare mount --bind /etc/hosts /etc/hosts 2>&1", $said, $code );
check( 'the test may make a mount namespace: as root, in a container with CAP_SYS_ADMIN, or where users may have namespaces', 0, $code ? implode( ' ', $said ) : 0 );
$listener = stream_socket_server( 'tcp://127.0.0.1:0' );
$port     = explode( ':', stream_socket_get_name( $listener, false ) )[1];
$public   = '192.88.98.1'; // Nobody's, and not special: packets to it go nowhere.
$calls    = static function ( array $hosts, int $private ) use ( $port, $unshare ): array {
	$file = folder() . '/hosts';
	file_put_contents( $file, '' );
	file_put_contents(
		folder() . '/rebind.php',
		'<?php ini_set( "error_log", "/dev/null" ); foreach ( ' . var_export( $hosts, true ) . ' as $n => $hosts ) { file_put_contents( ' . var_export( $file, true ) . ', $hosts );
		$s = TenantCRMSync::with_settings( "t$n", [ "api_key" => "key-of-t$n", "timeout" => 1, "api_endpoint" => "http://crm.example.net:' . $port . '" ] ); $s->fetch_leads(); echo $s->last_error()["kind"], " "; }'
	);
	$command = sprintf(
		'%s sh -c %s 2>&1',
		$unshare,
		escapeshellarg( 'mount --bind ' . escapeshellarg( $file ) . ' /etc/hosts && exec ' . implode( ' ', array_map( 'escapeshellarg', [ PHP_BINARY, '-n', '-d', 'extension=' . getenv( 'TCS_EXTENSION' ), '-d', 'tenant_crm_sync.allow_http=1', '-d', "tenant_crm_sync.allow_private_networks=$private", '-d', 'tenant_crm_sync.connect_timeout_ms=300', folder() . '/rebind.php' ] ) ) )
	);
	return explode( ' ', trim( (string) shell_exec( $command ) ) );
};
$reached = static fn(): bool => is_resource( @stream_socket_accept( $listener, 0 ) );
$got     = $calls( [ "$public crm.example.net\n", "127.0.0.1 crm.example.net\n", "$public crm.example.net\n127.0.0.1 crm.example.net\n" ], 0 );
check( 'a public address is tried', true, in_array( $got[0], [ 'connect', 'timeout', 'transport' ], true ) ? true : $got );
check( 'a name that becomes a private address is refused', 'egress', $got[1] ?? $got );
check( 'of a public and a private address only the public one is tried', true, in_array( $got[2] ?? '', [ 'connect', 'timeout', 'transport' ], true ) ? true : $got );
check( 'and nobody was connected to', false, $reached() );
$calls( [ "127.0.0.1 crm.example.net\n" ], 1 );
check( 'control: where the host allows it, that is where it leads', true, $reached() );

// TLS by openssl's own server, with an authority of ours.
$do = static function ( string $command ): void {
	exec( 'cd ' . escapeshellarg( folder() ) . " && $command 2>&1", $said, $code );
	check( $command, 0, $code ?: ( $code ? $said : 0 ) );
};
$do( 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ours -addext basicConstraints=critical,CA:TRUE -keyout ours.key -out ours.pem' );
$certificate = static function ( string $name, string $for, string $dates = '-days 2' ) use ( $do ): void {
	$do( "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=crm -keyout $name.key -out $name.csr" );
	file_put_contents( folder() . "/$name.ext", "subjectAltName=$for\n" );
	$do( "openssl x509 -req -in $name.csr -CA ours.pem -CAkey ours.key -CAcreateserial -extfile $name.ext $dates -out $name.pem" );
};
$certificate( 'good', 'DNS:localhost' );
$certificate( 'other', 'DNS:crm.example' );
$certificate( 'ended', 'DNS:localhost', '-days -1' );
$do( 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -keyout self.key -out self.pem' );
/** Kind and words of a call's failure. */
$against = static function ( string $certificate, string $options ): string {
	$socket = stream_socket_server( 'tcp://127.0.0.1:0' );
	$port   = explode( ':', stream_socket_get_name( $socket, false ) )[1];
	fclose( $socket );
	$log    = folder() . "/server-$port";
	$server = proc_open( [ 'openssl', 's_server', '-accept', "127.0.0.1:$port", '-cert', folder() . "/$certificate.pem", '-key', folder() . "/$certificate.key", '-www', ...array_filter( explode( ' ', $options ) ) ], [ [ 'file', '/dev/null', 'r' ], [ 'file', $log, 'a' ], [ 'file', $log, 'a' ] ], $pipes );
	for ( $try = 0; $try < 500 && ! str_contains( (string) @file_get_contents( $log ), 'ACCEPT' ); ++$try ) {
		usleep( 10000 );
	}
	$got = php( "<?php ini_set( 'error_log', '/dev/null' ); \$s = TenantCRMSync::with_settings( 'acme', [ 'api_key' => 'key-of-acme', 'timeout' => 5, 'api_endpoint' => 'https://localhost:$port' ] ); \$s->fetch_leads(); echo \$s->last_error()['kind'], ': ', \$s->last_error()['message'];", [ 'tenant_crm_sync.ca_file' => folder() . '/ours.pem' ] );
	proc_terminate( $server );
	proc_close( $server );
	return $got['out'];
};
// Its page is no JSON, so that is what is said once the connection stands.
check_contains( 'TLS 1.3', 'decode: ', $against( 'good', '-tls1_3' ) );
check_contains( 'TLS 1.2', 'decode: ', $against( 'good', '-tls1_2' ) );
foreach ( [ '-tls1_1', '-tls1' ] as $version ) {
	check( "$version is not spoken", 'tls', strtok( $against( 'good', "$version -cipher ALL:@SECLEVEL=0" ), ':' ) );
}
foreach ( [ 'other' => 'not valid for name', 'ended' => 'Expired', 'self' => 'UnknownIssuer' ] as $name => $words ) {
	$said = $against( $name, '' );
	check( "certificate $name: kind", 'tls', strtok( $said, ':' ) );
	check_contains( "certificate $name: words", $words, $said );
}

// No cookies.
tenant( 'acme', [ 'paging' => 'none' ] );
answer( '{"data":[]}', 200, [ 'Set-Cookie' => 'session=of-another; Path=/', 'Content-Type' => 'application/json' ], 1 );
$sync = sync();
check( 'the cookie came', [], $sync->fetch_leads() );
check( 'the second call', [], $sync->fetch_leads() );
$requests = crm()->requests();
check( 'no cookie goes back', [ false, false ], array_map( static fn( array $one ): bool => str_contains( strtolower( json_encode( $one['headers'] ) ), 'cookie' ), $requests ) );

// A tenant whose calls go through a proxy never shares a connection with one whose do not, though both end at one server.
php( "<?php define( 'WP_PROXY_HOST', '127.0.0.1' ); define( 'WP_PROXY_PORT', '" . crm()->plain_port . "' ); foreach ( [ 'http://localhost:" . crm()->plain_port . "', 'http://crm.nowhere.invalid', 'http://localhost:" . crm()->plain_port . "' ] as \$at ) { TenantCRMSync::with_settings( 'acme', [ 'api_key' => " . var_export( KEY, true ) . ", 'api_endpoint' => \$at ] )->fetch_leads(); }" );
$connections = array_column( crm()->requests(), 'connection' );
check( 'three requests', 3, count( $connections ) );
check( 'direct, proxy, direct: two connections', [ true, true ], [ $connections[0] === $connections[2], $connections[0] !== $connections[1] ] );

// Tenants that begin at once make one connection where the CRM speaks HTTP/2, and one whose answers are late holds up nobody.
$far   = crm()->call( 'POST', '/rtt', [ 'to' => getenv( 'TCS_WITHIN' ) ? crm()->plain_port : crm()->tls_port, 'ms' => 100 ] )['port'];
$far   = ( getenv( 'TCS_WITHIN' ) ? 'http' : 'https' ) . "://127.0.0.1:$far";
$pulls = '';
foreach ( range( 1, 12 ) as $number ) {
	tenant( "many-$number", [ 'paging' => 'page' ], "key-$number" );
	seed( 20, "many-$number" );
	$pulls .= "'many-$number' => [ 'client' => TenantCRMSync::with_settings( 'many-$number', [ 'api_key' => 'key-$number', 'api_endpoint' => '$far' ] ), 'object' => 'leads', 'options' => [ 'page_size' => 10 ] ],";
}
crm()->call( 'POST', '/behaviour', [ 'tenant' => 'many-1', 'latency_ms' => 1500 ] );
crm()->requests();
$before   = crm()->call( 'GET', '/stats' )['connections'];
$got      = php( "<?php foreach ( TenantCRMSync::pull_many( [ $pulls ] ) as \$tenant => \$batch ) { echo \$tenant, ' ', \$batch instanceof Throwable ? \$batch->getMessage() : count( \$batch ), ' '; }", [ 'tenant_crm_sync.ca_file' => crm()->ca ] );
$requests = crm()->requests();
check( 'all pages come, those of the slow one last', true, preg_match( '/^(many-([2-9]|1[0-2]) 10 ){22}(many-1 10 ){2}$/', $got['out'] ) ? true : $got );
check( 'as many requests as pages', 24, count( $requests ) );
// Within valgrind there is no TLS, and so no HTTP/2.
$made = crm()->call( 'GET', '/stats' )['connections'] - $before;
check( 'over one connection', true, getenv( 'TCS_WITHIN' ) || 1 === $made ? true : $made );
done();
--EXPECT--
32 checks hold
