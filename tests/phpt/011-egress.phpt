--TEST--
Whom we may call: https, public addresses, WordPress's block and list, its proxy, the host's CA
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 1, 'name' => 'Ann', 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
$call = static function ( string $endpoint, array $ini = [], string $before = '' ): string {
	$got = php(
		"<?php $before" . ' ini_set( "error_log", "/dev/null" ); $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "timeout" => 5, "api_endpoint" => ' . var_export( $endpoint, true ) . ' ] );
		$got = $sync->fetch_leads(); echo false === $got ? $sync->last_error()["kind"] . ": " . $sync->last_error()["message"] : $got[0]["name"];
		$sync->throw_errors(); try { $sync->pull( "leads" )->rewind(); } catch ( TenantCRMSync\Exception $e ) { echo " / ", $e->kind; }',
		$ini
	);
	return $got['out'];
};
$strict = [ 'tenant_crm_sync.allow_http' => 0, 'tenant_crm_sync.allow_private_networks' => 0 ];
$port   = crm()->plain_port;
check( 'allowed by the host', 'Ann', $call( crm()->plain ) );
check_contains( 'http', 'egress: ', $call( crm()->plain, [ 'tenant_crm_sync.allow_http' => 0 ] ) );
check_contains( 'http: remedy', 'tenant_crm_sync.allow_http=1', $call( 'http://crm.example', $strict ) );
$private = [ '127.0.0.1', 'localhost', '127.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '192.168.1.1', '172.16.0.1', '169.254.169.254', '[fe80::1]', '[fd00::1]', '0.0.0.0', '100.64.0.1', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '198.18.0.1', '224.0.0.1', '255.255.255.255' ];
foreach ( $private as $host ) {
	$said = $call( "https://$host:$port", $strict );
	check_contains( "private: $host", 'egress: ', $said );
	check_contains( "private: $host: pull", '/ egress', $said );
}
check_contains( 'remedy', 'tenant_crm_sync.allow_private_networks=1', $call( 'https://10.0.0.1', $strict ) );
check_contains( 'another scheme', 'egress: ', $call( 'ftp://crm.example' ) );
check_contains( 'a file', 'config: ', $call( 'file:///etc/passwd' ) );
check( 'nothing of it was sent', 3, count( wire() ) > 3 ? wire() : 3 );

// WordPress's constants.
$block = 'define( "WP_HTTP_BLOCK_EXTERNAL", true ); ';
check_contains( 'blocked', 'egress: ', $call( crm()->plain, [], $block ) );
check_contains( 'remedy', 'WP_ACCESSIBLE_HOSTS', $call( crm()->plain, [], $block ) );
check( 'listed', 'Ann', $call( crm()->plain, [], "$block define( 'WP_ACCESSIBLE_HOSTS', 'crm.example, 127.0.0.1' );" ) );
check_contains( 'another is listed', 'egress: ', $call( crm()->plain, [], "$block define( 'WP_ACCESSIBLE_HOSTS', 'crm.example,*.example.com' );" ) );
check( 'not blocked if false', 'Ann', $call( crm()->plain, [], 'define( "WP_HTTP_BLOCK_EXTERNAL", false );' ) );
check_contains( 'below a listed name: another failure', 'connect: ', $call( 'http://crm.nowhere.invalid', [], "$block define( 'WP_ACCESSIBLE_HOSTS', '*.nowhere.invalid' );" ) );
check_contains( 'not the name itself', 'egress: ', $call( 'http://xnowhere.invalid', [], "$block define( 'WP_ACCESSIBLE_HOSTS', '*.nowhere.invalid' );" ) );

// A proxy sees the whole address; the sandbox answers for it.
wire();
$proxy = "define( 'WP_PROXY_HOST', '127.0.0.1' ); define( 'WP_PROXY_PORT', '$port' ); ";
check( 'through the proxy', 'Ann', $call( 'http://crm.nowhere.invalid', [], $proxy ) );
check( 'the proxy was asked', [ 'GET /api/v1/leads' ], array_values( array_unique( wire() ) ) );
$call( 'http://crm.nowhere.invalid', [], "$proxy define( 'WP_PROXY_USERNAME', 'ann' ); define( 'WP_PROXY_PASSWORD', 'pw' );" );
check( 'with its login', 'Basic ' . base64_encode( 'ann:pw' ), crm()->requests()[0]['headers']['proxy-authorization'] ?? 'none' );
check_contains( 'bypassed', 'connect: ', $call( 'http://crm.nowhere.invalid', [], "$proxy define( 'WP_PROXY_BYPASS_HOSTS', 'a.example, *.nowhere.invalid' );" ) );
check( 'a private name is for the proxy to resolve', 'Ann', $call( 'http://crm.nowhere.invalid', [ 'tenant_crm_sync.allow_private_networks' => 0 ], $proxy ) );
check( 'the environment\'s proxy does not count', 'Ann', php( '<?php putenv( "http_proxy=http://127.0.0.1:1" ); $s = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] ); echo $s->fetch_leads()[0]["name"];', [], [ 'http_proxy' => 'http://127.0.0.1:1', 'HTTP_PROXY' => 'http://127.0.0.1:1' ] )['out'] );

// TLS.
$tls = crm()->tls;
check( 'the host\'s CA', 'Ann', $call( $tls, [ 'tenant_crm_sync.ca_file' => crm()->ca, 'tenant_crm_sync.allow_http' => 0 ] ) );
check( 'by name', 'Ann', $call( 'https://localhost:' . crm()->tls_port, [ 'tenant_crm_sync.ca_file' => crm()->ca ] ) );
check_contains( 'an unknown CA', 'ertificate', $call( $tls ) );
foreach ( [ 'none.pem' => null, 'empty.pem' => '', 'broken.pem' => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" ] as $name => $text ) {
	if ( null !== $text ) {
		file_put_contents( folder() . "/$name", $text );
	}
	check_contains( "CA file $name", 'config: ', $call( $tls, [ 'tenant_crm_sync.ca_file' => folder() . "/$name" ] ) );
}
done();
--EXPECT--
66 checks hold
