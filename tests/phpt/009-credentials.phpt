--TEST--
Credentials: sealed for one tenant, field and origin; opened inside; rotated; forgotten; nothing without a host key
--FILE--
<?php
require __DIR__ . '/inc.php';
$file = host_keys();
mkdir( folder() . '/keys', 0700 );
$ini = [ 'tenant_crm_sync.key_file' => $file, 'tenant_crm_sync.key_dir' => folder() . '/keys', 'zend.exception_ignore_args' => 0 ];
tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 1, 'name' => 'Ann', 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
// In processes of their own: each reads the keys anew, as workers do.
$run = static function ( string $code, array $more = [], array $environment = [] ) use ( $ini ): mixed {
	$prelude = '<?php $plain = ' . var_export( crm()->plain, true ) . '; $key = ' . var_export( KEY, true ) . ';
		function use_key( $envelope, $tenant = "acme", $endpoint = null ) {
			$sync = TenantCRMSync::with_settings( $tenant, [ "api_key" => $envelope, "api_endpoint" => $endpoint ?? $GLOBALS["plain"] ] );
			ini_set( "error_log", "/dev/null" );
			$got = $sync->fetch_leads();
			return false === $got ? $sync->last_error()["kind"] . ": " . $sync->last_error()["message"] : $got[0]["name"];
		}
		try { $result = ( function () use ( $key, $plain ) { ' . $code . ' } )(); }
		catch ( Throwable $thrown ) { $result = get_class( $thrown ) . ": " . $thrown->getMessage() . ( str_contains( $thrown . print_r( $thrown->getTrace(), true ), "k3y-of" ) ? " LEAK" : "" ); }
		echo serialize( $result );';
	$got     = php( $prelude, $more + $ini, $environment );
	return @unserialize( $got['out'] ) ?: $got['out'];
};
$seal     = static fn( string $more = '' ): string => $run( "return TenantCRMSync::encrypt_credential( 'acme', \$key$more );" );
$with     = static fn( string $envelope, string $more = '' ): mixed => $run( 'return use_key( ' . var_export( $envelope, true ) . "$more );" );
$envelope = $seal( ", 'api_key', \$plain" );
check( 'an envelope', 1, preg_match( '/^[\x21-\x7e]{40,2000}$/', $envelope ) );
check( 'without the key in it', false, str_contains( $envelope, substr( KEY, 0, 6 ) ) || str_contains( $envelope, substr( base64_encode( KEY ), 0, 12 ) ) );
check( 'another one each time', false, $envelope === $seal( ", 'api_key', \$plain" ) );
check( 'it opens', 'Ann', $with( $envelope ) );
check( 'a plain key works as well', 'Ann', $run( 'return use_key( $key );' ) );
check( 'a plain key needs no host key', 'Ann', $run( 'return use_key( $key );', [ 'tenant_crm_sync.key_file' => '' ] ) );
foreach ( [ 'Acme', 'acme ', 'other', 'acm' ] as $other ) {
	check_contains( "tenant '$other'", 'credential: ', $with( $envelope, ", '$other'" ) );
}
check( 'bytes that are no text do not make two tenants one', false, 'Ann' === $run( 'return use_key( TenantCRMSync::encrypt_credential( "b\xff", $key, "api_key", $plain ), "b\xfe" );' ) );
check_contains( 'another origin', 'credential: ', $with( $envelope, ", 'acme', 'http://localhost:" . crm()->plain_port . "'" ) );
check( 'another path is the same origin', 'Ann', $with( $envelope, ", 'acme', \$plain . '/crm/v2/'" ) );
check( 'a field of another name', 'string', gettype( $other = $run( "return TenantCRMSync::encrypt_credential( 'acme', \$key, 'refresh_token', \$plain );" ) ) );
check_contains( 'does not open as the key', 'credential: ', $with( $other ) );
foreach ( [ 5, intdiv( strlen( $envelope ), 2 ), strlen( $envelope ) - 3 ] as $at ) {
	$flipped = substr_replace( $envelope, 'A' === $envelope[ $at ] ? 'B' : 'A', $at, 1 );
	$said    = $with( $flipped );
	check( "flipped at $at", true, 'Ann' !== $said && ( str_contains( $said, 'credential: ' ) || str_contains( $said, 'http: ' ) ) ? true : $said );
}
check_contains( 'cut', 'credential: ', $with( substr( $envelope, 0, -4 ) ) );
check( 'the error names tenant and remedy, not the key', [ true, false ], [ str_contains( $said = $with( $envelope, ", 'other'" ), 'other' ) && str_contains( $said, 'enter' ), str_contains( $said, 'k3y-of' ) ] );

// Without an endpoint it is bound to its first use, or to the tenant's current settings.
$free = $seal();
check( 'first use', 'Ann', $with( $free ) );
check_contains( 'bound since', 'credential: ', $with( $free, ", 'acme', 'http://localhost:" . crm()->plain_port . "'" ) );
check( 'and still opens', 'Ann', $with( $free ) );
$known = $run( 'eval( "function get_tenant_crm_settings( \$id ) { return [ \"api_endpoint\" => \"$plain/x\", \"api_key\" => \"\" ]; }" ); return TenantCRMSync::encrypt_credential( "acme", $key );' );
check_contains( 'the current endpoint counts', 'credential: ', $with( $known, ", 'acme', 'http://localhost:" . crm()->plain_port . "'" ) );
check( 'there it opens', 'Ann', $with( $known ) );

// Rotation: a new first key wraps; the old one still opens until it is removed.
$old = trim( explode( "\n", file_get_contents( $file ) )[1] );
$new = base64_encode( random_bytes( 32 ) );
host_keys( [ $new, $old ] );
check( 'with both keys the old envelope opens', 'Ann', $with( $envelope ) );
$rotated = $run( 'return TenantCRMSync::rotate_credential( "acme", ' . var_export( $envelope, true ) . ' );' );
check( 'rotated is another text', true, is_string( $rotated ) && $rotated !== $envelope && ! str_contains( $rotated, 'Exception' ) );
check( 'it opens', 'Ann', $with( $rotated ) );
host_keys( [ $new ] );
check( 'also without the old key', 'Ann', $with( $rotated ) );
check_contains( 'rotate needs an envelope', 'TenantCRMSync\CredentialException: CRM tenant acme: the api_key is not an envelope: seal it with encrypt_credential() first', $run( 'return TenantCRMSync::rotate_credential( "acme", "plain" );' ) );
check_contains( 'rotate for another tenant', 'TenantCRMSync\CredentialException', $run( 'return TenantCRMSync::rotate_credential( "other", ' . var_export( $rotated, true ) . ' );' ) );
host_keys( [ base64_encode( random_bytes( 32 ) ) ] );
check_contains( 'a wrong host key', 'credential: ', $with( $rotated ) );
host_keys( [ $new ] );

// Two sites with the same tenant ids.
$site = $run( 'TenantCRMSync::use_site( "north" ); return TenantCRMSync::encrypt_credential( "acme", $key, "api_key", $plain );' );
check_contains( 'not without the site', 'credential: ', $with( $site ) );
check( 'with it', 'Ann', $run( 'TenantCRMSync::use_site( "north" ); return use_key( ' . var_export( $site, true ) . ' );' ) );
check_contains( 'not with another', 'credential: ', $run( 'TenantCRMSync::use_site( "south" ); return use_key( ' . var_export( $site, true ) . ' );' ) );

// Forgetting.
check( 'another tenant is not known', false, $run( 'return TenantCRMSync::forget_tenant( "nobody" ) ? 1 : "no";' ) === 1 );
check( 'forgotten on one site', 1, $run( 'return (int) TenantCRMSync::forget_tenant( "acme" );' ) );
check_contains( 'gone', 'credential: ', $with( $rotated ) );
check( 'the other site keeps its own', 'Ann', $run( 'TenantCRMSync::use_site( "north" ); return use_key( ' . var_export( $site, true ) . ' );' ) );
$again = $seal( ", 'api_key', \$plain" );
check( 'sealed again', 'Ann', $with( $again ) );
check_contains( 'what was sealed before stays shut', 'credential: ', $with( $rotated ) );

// No key, no envelope; never plain text.
$none = $run( 'return TenantCRMSync::encrypt_credential( "acme", $key );', [ 'tenant_crm_sync.key_file' => '' ] );
check_contains( 'no host key', 'TenantCRMSync\CredentialException: CRM tenant acme: No host key: set tenant_crm_sync.key_file, or the environment variable TENANT_CRM_SYNC_KEY_FILE', $none );
check( 'not in the trace', false, str_contains( $none, 'LEAK' ) );
check( 'the environment names the file', 'Ann', $run( 'return use_key( TenantCRMSync::encrypt_credential( "acme", $key ) );', [ 'tenant_crm_sync.key_file' => '' ], [ 'TENANT_CRM_SYNC_KEY_FILE' => $file ] ) );
check( 'the environment itself holds no key: the file is what counts', 1, $run( 'return TenantCRMSync::status()["keys"];' ) );
done();
--EXPECT--
45 checks hold
