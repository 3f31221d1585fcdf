<?php
/**
 * Shows a TenantCRMSync in every way that PHP has: ?how=…, for ?tenant=…. The case "secrets" looks for the tenant's key in what comes out.
 * With ?fail=1 the CRM has just refused the key, and repeated it in its answer.
 */

require __DIR__ . '/settings.php';

/** Sees what a subclass of the site's may see. */
class PortalSync extends TenantCRMSync {
	public $label = 'portal';
	public function everything() {
		return get_object_vars( $this );
	}
}

/** An exception of ours, or a note that there was none. */
function thrown( callable $do ) {
	try {
		$do();
	} catch ( Throwable $error ) {
		return $error;
	}
	return 'nothing was thrown';
}

$tenant = $_GET['tenant'];
$sync   = new TenantCRMSync( $tenant );
$sync->fetch_leads();
$refused = static fn() => $sync->throw_errors()->fetch_leads();

$ways = [
	'phpinfo'       => static fn() => phpinfo(),
	'ini_get_all'   => static fn() => print_r( ini_get_all( 'tenant_crm_sync' ) ),
	'status'        => static fn() => print_r( TenantCRMSync::status() ),
	'var_dump'      => static fn() => var_dump( $sync ),
	'print_r'       => static fn() => print_r( $sync ),
	'var_export'    => static fn() => var_export( $sync ),
	'json_encode'   => static fn() => print( get_class( $sync ) . json_encode( $sync, JSON_PARTIAL_OUTPUT_ON_ERROR ) ),
	'cast'          => static fn() => var_dump( get_class( $sync ), (array) $sync ),
	'object_vars'   => static fn() => var_dump( get_class( $sync ), get_object_vars( $sync ), get_mangled_object_vars( $sync ) ),
	'zval_dump'     => static fn() => debug_zval_dump( $sync ),
	'foreach'       => static function () use ( $sync ) {
		echo get_class( $sync );
		foreach ( $sync as $name => $value ) {
			var_dump( $name, $value );
		}
	},
	'closure'       => Closure::bind( static fn() => var_dump( get_class( $sync ), get_object_vars( $sync ), get_class_vars( 'TenantCRMSync' ) ), null, TenantCRMSync::class ),
	'reflection'    => static function () use ( $sync ) {
		$class = new ReflectionObject( $sync );
		echo $class;
		foreach ( $class->getProperties() as $property ) {
			var_dump( $property->isInitialized( $sync ) ? $property->getValue( $sync ) : null );
		}
		var_dump( $class->getStaticProperties(), $class->getConstants() );
	},
	'clone'         => static fn() => var_dump( clone $sync ),
	'subclass'      => static function () use ( $tenant ) {
		$child = new PortalSync( $tenant );
		$child->fetch_leads();
		var_dump( $child, $child->everything(), (array) $child );
	},
	'backtrace'     => static fn() => print_r( [ 'TenantCRMSync', debug_backtrace() ] ),
	'last_error'    => static fn() => var_dump( $sync->last_error() ),
	'serialize'     => static fn() => print( thrown( static fn() => serialize( $sync ) ) ),
	'unserialize'   => static fn() => print( thrown( static fn() => unserialize( 'O:13:"TenantCRMSync":0:{}' ) ) ),
	'exception'     => static fn() => print_r( thrown( $refused ) ),
	'exception_dump' => static fn() => var_dump( thrown( $refused ) ),
	'exception_text' => static fn() => print( thrown( $refused ) ),
	'exception_args' => static fn() => print( json_encode( thrown( $refused )->getTrace(), JSON_PARTIAL_OUTPUT_ON_ERROR ) . 'fetch_leads' ),
	'uncaught'      => $refused,
	'bad_settings'  => static function () use ( $tenant ) {
		$error    = thrown(
			static fn() => TenantCRMSync::with_settings( $tenant, [ 'api_key' => get_tenant_crm_settings( $tenant )['api_key'], 'api_endpoint' => 'gopher://nowhere' ] )->throw_errors()->fetch_leads()
		);
		print_r( $error );
		var_dump( $error->getTrace(), (string) $error );
	},
	'seal_refused'  => static function () use ( $tenant ) {
		$error = thrown( static fn() => TenantCRMSync::encrypt_credential( $tenant, get_tenant_crm_settings( $tenant )['api_key'] ) );
		print_r( $error );
		var_dump( $error->getTrace(), (string) $error );
	},
	// Proves that the search finds what is there to be found.
	'control'       => static function () use ( $tenant ) {
		echo get_tenant_crm_settings( $tenant )['api_key'];
		error_log( 'control: ' . base64_encode( get_tenant_crm_settings( $tenant )['api_key'] ) );
	},
];
$ways[ $_GET['how'] ]();
echo "\nthe end";
