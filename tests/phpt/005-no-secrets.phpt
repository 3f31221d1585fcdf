--TEST--
Nothing that PHP can print, dump, convert or store shows a credential, and no object is serialised
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
zend.exception_ignore_args=0
zend.exception_string_param_max_len=1000
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 1, 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
$sync = sync();
$pull = $sync->pull( 'leads' );
foreach ( $pull as $batch ) {
	check( 'a batch came', 1, count( $batch ) );
}
class Mine extends TenantCRMSync {
	public $visible = 'yes';
}
$objects = [ 'sync' => $sync, 'pull' => $pull, 'batch' => $batch, 'subclass' => sync( 'acme', [], 'Mine' ), 'clone' => clone $sync ];
$dump    = static function ( callable $print ): string {
	ob_start();
	$print();
	return ob_get_clean();
};
foreach ( $objects as $name => $object ) {
	$shown = [
		'var_dump' => $dump( fn() => var_dump( $object ) ), 'print_r' => print_r( $object, true ), 'var_export' => var_export( $object, true ), 'debug_zval' => $dump( fn() => debug_zval_refcount( $object ) ),
		'json' => json_encode( $object ), 'cast' => print_r( (array) $object, true ), 'vars' => print_r( get_object_vars( $object ), true ), 'mangled' => print_r( get_mangled_object_vars( $object ), true ),
		'reflection' => print_r( ( new ReflectionObject( $object ) )->getProperties(), true ),
	];
	foreach ( $shown as $how => $text ) {
		check( "$name by $how", false, stripos( $text, 'k3y-of' ) );
	}
	check_throws( "serialize $name", 'Exception', 'is not allowed', fn() => serialize( $object ) );
	check_throws( "unserialize $name", 'Exception', 'is not allowed', fn() => unserialize( sprintf( 'O:%d:"%s":0:{}', strlen( get_class( $object ) ), get_class( $object ) ) ) );
	check( "$name has no public state", 'subclass' === $name ? '{"visible":"yes"}' : '{}', json_encode( $object ) );
}
function debug_zval_refcount( object $object ): void {
	debug_zval_refcount_of( $object );
}
function debug_zval_refcount_of( object $object ): void {
	debug_zval_dump( $object );
}

// A trace with arguments, of every exception that a credential goes near.
$everything = static fn( Throwable $thrown ): string => $thrown . print_r( $thrown->getTrace(), true ) . print_r( $thrown, true ) . var_export( get_object_vars( $thrown ), true ) . json_encode( $thrown->getTrace(), JSON_PARTIAL_OUTPUT_ON_ERROR );
$near = [
	'with_settings, no endpoint'   => fn() => TenantCRMSync::with_settings( 'acme', [ 'api_key' => KEY ] ),
	'with_settings, bad connector' => fn() => TenantCRMSync::with_settings( 'acme', [ 'api_key' => KEY, 'api_endpoint' => 'https://a', 'connector' => 'none' ] ),
	'with_settings, bad timeout'   => fn() => TenantCRMSync::with_settings( 'acme', [ 'api_key' => KEY, 'api_endpoint' => 'https://a', 'timeout' => -1 ] ),
	'with_settings, a text'        => fn() => TenantCRMSync::with_settings( 'acme', KEY ),
	'with_settings, a bad id'      => fn() => TenantCRMSync::with_settings( new stdClass(), [ 'api_key' => KEY ] ),
	'encrypt without a host key'   => fn() => TenantCRMSync::encrypt_credential( 'acme', KEY ),
	'encrypt, a bad field'         => fn() => TenantCRMSync::encrypt_credential( 'acme', KEY, [] ),
	'encrypt, a bad endpoint'      => fn() => TenantCRMSync::encrypt_credential( 'acme', KEY, 'api_key', 'not a url' ),
	'encrypt, no tenant'           => fn() => TenantCRMSync::encrypt_credential( '', KEY ),
	'encrypt, a tenant without text' => fn() => TenantCRMSync::encrypt_credential( new stdClass(), KEY ),
	'rotate what is no envelope'   => fn() => TenantCRMSync::rotate_credential( 'acme', KEY ),
	'an endpoint with a password'  => fn() => TenantCRMSync::with_settings( 'acme', [ 'api_key' => KEY, 'api_endpoint' => 'http://ann:' . KEY . '@127.0.0.1:1x', 'throw' => true ] )->fetch_leads(),
	'a wrong key'                  => fn() => sync( 'acme', [ 'throw' => true, 'api_endpoint' => str_replace( 'http://', 'http://u:' . rawurlencode( KEY ) . '@', crm()->plain ) ] )->get_lead( 77 ),
];
foreach ( $near as $what => $call ) {
	try {
		$call();
		check( "$what throws", true, false );
	} catch ( Throwable $thrown ) {
		check( "$what: no key in the exception", false, stripos( $everything( $thrown ), 'k3y-of' ) );
	}
}
check( 'control: an argument would be found', true, false !== stripos( $everything( ( fn( $key ) => new Exception( 'x' ) )( KEY ) ), 'k3y-of' ) );
check( 'and the log does not have it', false, stripos( logged(), 'k3y-of' ) );
done();
--EXPECT--
86 checks hold
