<?php
/**
 * A tenant's key is found in nothing that PHP can print, dump, serialise, throw or log; nor when the CRM itself repeats the key in an error.
 * Looks for the key as it is, reversed, as hexadecimal and inside base64. A control shows that it would be found.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

/** @return list<string> What a leak of this key would contain. */
function needles( string $core ): array {
	$all = [ $core, strrev( $core ), bin2hex( $core ) ];
	for ( $shift = 0; $shift < 3; $shift++ ) {
		// Whatever stands around it: only the characters that depend on the key alone.
		$all[] = substr( base64_encode( str_repeat( ' ', $shift ) . $core ), 4, -4 );
	}
	return $all;
}

function leaks( string $where, string $core ): bool {
	foreach ( needles( $core ) as $needle ) {
		if ( false !== stripos( $where, $needle ) ) {
			return true;
		}
	}
	return false;
}

function logs( string $stack ): string {
	return implode( '', array_map( static fn( $file ) => (string) @file_get_contents( "$stack/log/$file" ), [ 'php.log', 'fpm.log', 'fpm.out', 'sandbox.log' ] ) );
}

return static function ( Checks $checks, Sandbox $sandbox, string $stack ): void {
	$core = bin2hex( random_bytes( 16 ) );
	// Characters that JSON, URLs and HTML escape.
	$keys = [ 'canary' => "k/$core+\"&=", 'sealed' => "s/$core+\"&=" ];
	foreach ( $keys as $tenant => $key ) {
		$sandbox->tenant( $tenant, 3, $key );
	}
	$envelope = FastCgi::get( 'one', 'seal.php', [ 'tenant' => 'sealed' ] )['body'];
	$checks->is( 'an envelope is ASCII and does not hold the key', '' !== $envelope && 1 === preg_match( '/^[\x21-\x7e]+$/', $envelope ) && ! leaks( $envelope, $core ), $envelope );
	$settings                      = json_decode( (string) file_get_contents( "$stack/settings.json" ), true );
	$settings['sealed']['api_key'] = $envelope;
	file_put_contents( "$stack/settings.json", json_encode( $settings ) );
	$checks->same( 'the envelope opens inside: the CRM accepts the key', 3, FastCgi::get( 'talkative', 'call.php', [ 'tenant' => 'sealed', 'do' => 'fetch' ] )['json']['got'] ?? null );

	// What must be in the output, so that an empty page is no proof.
	$ways = [
		'phpinfo' => 'tenant_crm_sync', 'ini_get_all' => 'tenant_crm_sync.key_file', 'status' => 'key_dir', 'var_dump' => 'TenantCRMSync', 'print_r' => 'TenantCRMSync',
		'var_export' => 'TenantCRMSync', 'json_encode' => 'TenantCRMSync', 'cast' => 'TenantCRMSync', 'object_vars' => 'TenantCRMSync', 'zval_dump' => 'TenantCRMSync',
		'foreach' => 'TenantCRMSync', 'closure' => 'TenantCRMSync', 'reflection' => 'fetch_leads', 'clone' => 'TenantCRMSync', 'subclass' => 'PortalSync', 'backtrace' => 'TenantCRMSync',
		'serialize' => "Serialization of 'TenantCRMSync' is not allowed", 'unserialize' => "Unserialization of 'TenantCRMSync' is not allowed", 'bad_settings' => 'TenantCRMSync\\',
	];
	$broken = [
		'last_error' => '401', 'exception' => 'HttpException', 'exception_dump' => 'HttpException', 'exception_text' => 'HttpException', 'exception_args' => 'fetch_leads', 'uncaught' => 'HttpException',
		'var_dump' => 'TenantCRMSync', 'print_r' => 'TenantCRMSync', 'reflection' => 'fetch_leads', 'object_vars' => 'TenantCRMSync', 'phpinfo' => 'tenant_crm_sync',
	];
	foreach ( [ 'canary' => 'plain', 'sealed' => 'sealed' ] as $tenant => $kind ) {
		foreach ( [ 'a good call' => $ways, 'a refused one' => $broken ] as $after => $these ) {
			if ( $broken === $these ) {
				$key  = $keys[ $tenant ];
				$echo = json_encode( [ 'error' => "bad token Bearer $key", 'seen' => [ 'Authorization' => "Bearer $key" ] ], JSON_THROW_ON_ERROR ) . " Bearer $key";
				$sandbox->call( 'POST', '/faults', [ 'tenant' => $tenant, 'faults' => [ [ 'times' => 1000, 'kind' => 'status', 'status' => 401, 'headers' => [ 'Content-Type' => 'application/json', 'X-Key' => rawurlencode( $key ) ], 'body' => $echo ] ] ] );
			}
			foreach ( $these as $how => $proof ) {
				$got = FastCgi::get( 'talkative', 'show.php', [ 'tenant' => $tenant, 'how' => $how ] );
				$all = $got['body'] . $got['stderr'];
				$checks->is( "$how, $kind key, after $after", $got['answered'] && str_contains( $all, $proof ) && ! leaks( $all, $core ), substr( $all, 0, 2000 ) );
			}
		}
	}
	$got = FastCgi::get( 'keyless', 'show.php', [ 'tenant' => 'canary', 'how' => 'seal_refused' ] );
	$checks->is( 'sealing without a host key: refused, and not in the exception\'s arguments', str_contains( $got['body'], 'CredentialException' ) && ! leaks( $got['body'] . $got['stderr'], $core ), substr( $got['body'] . $got['stderr'], 0, 2000 ) );
	$logs = logs( $stack );
	$checks->is( 'the logs tell of the failures', 1 === preg_match( '/canary.*401|401.*canary/', $logs ) && str_contains( $logs, 'Uncaught' ), substr( $logs, -1500 ) );
	$checks->is( 'the logs do not hold the key', ! leaks( $logs, $core ), (string) substr( $logs, max( 0, (int) stripos( $logs, $core ) - 500 ), 1000 ) );

	$other = bin2hex( random_bytes( 16 ) );
	$sandbox->tenant( 'control', 1, $other );
	$got = FastCgi::get( 'talkative', 'show.php', [ 'tenant' => 'control', 'how' => 'control' ] );
	$checks->is( 'control: a key that is printed is found', leaks( $got['body'], $other ) );
	$checks->is( 'control: a key that is logged is found, though in base64', leaks( logs( $stack ), $other ) );
};
