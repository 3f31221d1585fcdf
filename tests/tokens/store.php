<?php
/**
 * What PHP sees of token stores, without WordPress: types, stores that throw or lie, requests without a store. The CRM is the sandbox.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

require __DIR__ . '/../fpm/Checks.php';
require __DIR__ . '/lib/MemoryStore.php';

use TenantCRM\Tests\Fpm\Checks;

$checks = new Checks();

/** Calls the sandbox's control interface. */
$control = static function ( string $method, string $path, ?array $body ): mixed {
	$options = array( 'method' => $method, 'header' => 'Content-Type: application/json', 'content' => null === $body ? '' : json_encode( $body ) );
	$answer  = file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . $path, false, stream_context_create( array( 'http' => $options ) ) );
	return json_decode( (string) $answer, true );
};
/** What a call throws: class and message. */
$thrown = static function ( callable $call ): array {
	try {
		$call();
	} catch ( \Throwable $e ) {
		return array( get_class( $e ), $e->getMessage() );
	}
	return array( 'nothing', '' );
};

$endpoint = (string) getenv( 'TCS_SANDBOX_URL' );
$oauth    = array( 'client_id' => 'client-of-stores', 'client_secret' => 'secret-of-stores', 'refresh_token' => 'refresh-of-stores', 'access_ttl_s' => 1800, 'rotation' => 'single_use' );
$control( 'POST', '/tenants', array( 'id' => 'stores', 'key' => 'key-of-stores', 'dialect' => 'hubspot', 'oauth' => $oauth ) );
$control( 'POST', '/tenants', array( 'id' => 'machine', 'key' => 'key-of-machine', 'dialect' => 'salesforce', 'oauth' => array( 'client_id' => 'client-of-machine' ) + $oauth ) );
$client = static fn( array $more = array() ): \TenantCRMSync => \TenantCRMSync::with_settings(
	'stores',
	$more + array( 'connector' => 'hubspot', 'api_endpoint' => $endpoint, 'auth' => 'oauth', 'throw' => true ) + array_intersect_key( $oauth, array_flip( array( 'client_id', 'client_secret', 'refresh_token' ) ) )
);
$read   = static fn() => $client()->fetch_records( 'leads' );

$checks->group( 'The interface' );
$methods = array_map( static fn( \ReflectionMethod $method ) => $method->getName(), ( new \ReflectionClass( \TenantCRMSync\TokenStore::class ) )->getMethods() );
$checks->same( 'is an interface with five methods', array( true, array( 'load', 'lease', 'commit', 'release', 'refuse' ) ), array( interface_exists( 'TenantCRMSync\TokenStore', false ), $methods ) );
foreach ( array( 'text', 1, array(), new \stdClass() ) as $wrong ) {
	$checks->same( 'takes nothing else: ' . get_debug_type( $wrong ), \TypeError::class, $thrown( static fn() => \TenantCRMSync::use_token_store( $wrong ) )[0] );
}

$checks->group( 'Without a store' );
list( $class, $message ) = $thrown( $read );
$checks->same( 'a refresh token is not spent', \TenantCRMSync\ConfigException::class, $class );
$checks->is( 'and the remedy is named', str_contains( $message, 'use_token_store' ), $message );
$checks->same( 'nothing was asked', 0, $control( 'GET', '/oauth?tenant=stores', null )['refreshes'] );
$machine = \TenantCRMSync::with_settings( 'machine', array( 'connector' => 'salesforce', 'api_endpoint' => $endpoint, 'auth' => 'client_credentials', 'client_id' => 'client-of-machine', 'client_secret' => 'secret-of-stores', 'throw' => true ) );
$before  = count( $control( 'GET', '/requests?tenant=machine', null ) );
$checks->same( 'client_credentials work, for this process', array( array(), array() ), array( $machine->fetch_records( 'leads' ), $machine->fetch_records( 'leads' ) ) );
$tokens = array_filter( array_slice( $control( 'GET', '/requests?tenant=machine', null ), $before ), static fn( array $request ) => str_ends_with( $request['path'], '/token' ) );
$checks->same( 'with one token for two calls', 1, count( $tokens ) );

$checks->group( 'A store that fails' );
$store = new MemoryStore();
\TenantCRMSync::use_token_store( $store );
foreach ( array( 'load', 'lease' ) as $method ) {
	$store->fails = array( $method => new \RuntimeException( "the $method does not work today" ) );
	$checks->same( "$method() throws: told as it is", array( \TenantCRMSync\CredentialException::class, true ), array( $thrown( $read )[0], str_contains( $thrown( $read )[1], "the $method does not work today" ) ) );
}
$store->fails = array( 'load' => new \Error( 'a mistake in the code' ) );
$checks->same( 'an Error passes as it is', array( \Error::class, 'a mistake in the code' ), $thrown( $read ) );
$store->fails = array( 'load' => array( 'version' => 'one' ) );
$checks->same( 'what it returns is checked', \TenantCRMSync\ConfigException::class, $thrown( $read )[0] );
$checks->same( 'nothing was spent on all that', 0, $control( 'GET', '/oauth?tenant=stores', null )['refreshes'] );

$checks->group( 'A store that works' );
$store->fails = array();
$checks->same( 'the call goes through', array(), $read() );
$checks->same( 'the token is stored, sealed', array( 1, 'tcs1.' ), array( $store->version, substr( $store->envelope, 0, 5 ) ) );
$checks->is( 'no secret of it can be read', ! str_contains( $store->envelope, 'refresh' ) && ! str_contains( serialize( $store ), 'secret-of-stores' ) );
$checks->same( 'the argument of the end is a time', true, abs( $store->expires_at - time() - 1800 ) < 60 );
$control( 'POST', '/oauth/expire', array( 'tenant' => 'stores' ) );
$checks->same( 'an expired token is renewed within the call', array( array(), 2 ), array( $read(), $store->version ) );
$moved = $store->envelope;
$other = \TenantCRMSync::with_settings( 'another', array( 'connector' => 'hubspot', 'api_endpoint' => $endpoint, 'auth' => 'oauth', 'throw' => true, 'client_id' => 'client-of-stores', 'client_secret' => 'secret-of-stores' ) );
\TenantCRMSync::encrypt_credential( 'another', 'x' );
$checks->same( 'another tenant cannot open it', \TenantCRMSync\CredentialException::class, $thrown( static fn() => $other->fetch_records( 'leads' ) )[0] );
\TenantCRMSync::use_token_store( null );
$checks->same( 'null takes it away', \TenantCRMSync\ConfigException::class, $thrown( $read )[0] );

$checks->group( 'Consent' );
$url = $client()->authorize_url( 'https://portal.example/back', 'the-state', 'challenge' );
$checks->is( 'has an address with state and redirect', str_contains( $url, 'state=the-state' ) && str_contains( $url, 'redirect_uri=https%3A%2F%2Fportal.example%2Fback' ), $url );
$checks->is( 'without a secret', ! str_contains( $url, 'secret-of-stores' ) );
$key = \TenantCRMSync::with_settings( 'stores', array( 'connector' => 'hubspot', 'api_endpoint' => $endpoint, 'api_key' => 'k' ) );
$checks->same( 'is not offered where none is needed', \TenantCRMSync\ConfigException::class, $thrown( static fn() => $key->authorize_url( 'https://portal.example', 's' ) )[0] );
ini_set( 'zend.exception_ignore_args', '0' );
try {
	$client()->exchange_code( 'code-not-for-traces', 'https://portal.example', 'verifier-not-for-traces' );
	$trace = 'nothing was thrown';
} catch ( \TenantCRMSync\Exception $e ) {
	$trace = print_r( $e->getTrace(), true ) . $e;
}
$checks->is( 'no trace shows code or verifier', str_contains( $trace, '[hidden]' ) && ! str_contains( $trace, 'not-for-traces' ), $trace );

foreach ( array( 'stores', 'machine' ) as $id ) {
	$control( 'DELETE', "/tenants/$id", null );
}
\TenantCRMSync::forget_tenant( 'stores' );
\TenantCRMSync::forget_tenant( 'another' );
exit( $checks->finish() );
