--TEST--
register_class=0: a site declares the class itself; with 1 that is an error, and everything else stays
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
$declare = '<?php class TenantCRMSync { public $mine = true; public function __construct( $id ) {} public function fetch_leads( $since = null ) { return "the site\'s own"; } }
	echo ( new TenantCRMSync( 1 ) )->fetch_leads();';
$got = php( $declare, [ 'tenant_crm_sync.register_class' => 0 ] );
check( 'the site\'s own', "the site's own", $got['out'] );
$got = php( $declare, [ 'tenant_crm_sync.register_class' => 1 ] );
// PHP 8.5 says "redeclare".
check_contains( 'taken', 'declare class TenantCRMSync', $got['out'] );
$got = php( '<?php var_dump( class_exists( "TenantCRMSync" ), class_exists( "tenantcrmsync", false ), extension_loaded( "tenant_crm_sync" ), class_exists( "TenantCRMSync\Exception" ) );', [ 'tenant_crm_sync.register_class' => 0 ] );
check( 'not there, but the extension is', "bool(false)\nbool(false)\nbool(true)\nbool(true)\n", $got['out'] );
$got = php( '<?php spl_autoload_register( function ( $class ) { eval( "class $class { const OWN = 1; }" ); } ); echo TenantCRMSync::OWN;', [ 'tenant_crm_sync.register_class' => 0 ] );
check( 'autoloaded', '1', $got['out'] );
$got = php( '<?php interface TenantCRMSync {} echo interface_exists( "TenantCRMSync" ) ? "ok" : "";', [ 'tenant_crm_sync.register_class' => 0 ] );
check( 'an interface', 'ok', $got['out'] );
foreach ( [ '0', 'off', '' ] as $off ) {
	check( "value '$off'", 'no', php( '<?php echo class_exists( "TenantCRMSync" ) ? "yes" : "no";', [ 'tenant_crm_sync.register_class' => $off ] )['out'] );
}
foreach ( [ '1', 'on' ] as $on ) {
	check( "value '$on'", 'yes', php( '<?php echo class_exists( "TenantCRMSync" ) ? "yes" : "no";', [ 'tenant_crm_sync.register_class' => $on ] )['out'] );
}

// Preloading happens in the master, before the fork: no thread, no socket, no key.
file_put_contents( folder() . '/preload.php', '<?php
	$said = [];
	foreach ( [ "call" => fn() => TenantCRMSync::with_settings( "a", [ "api_key" => "k", "api_endpoint" => "http://127.0.0.1:1", "throw" => true ] )->fetch_leads(),
		"pull" => fn() => TenantCRMSync::with_settings( "a", [ "api_key" => "k", "api_endpoint" => "http://127.0.0.1:1" ] )->pull( "leads" ),
		"seal" => fn() => TenantCRMSync::encrypt_credential( "a", "k" ) ] as $what => $call ) {
		try { $call(); $said[] = "$what worked"; } catch ( TenantCRMSync\Exception $e ) { $said[] = "$what: " . ( str_contains( $e->getMessage(), "preload" ) ? "refused" : $e->getMessage() ); }
	}
	file_put_contents( ' . var_export( folder() . '/said', true ) . ', implode( ", ", $said ) );
	class Preloaded extends TenantCRMSync { public function fetch_leads( $last_sync_timestamp = null ) { return "preloaded"; } }' );
mkdir( folder() . '/host.key.d', 0700 );
$ini = opcache() + [ 'opcache.preload' => folder() . '/preload.php', 'opcache.preload_user' => 'root', 'tenant_crm_sync.key_file' => host_keys() ];
$got = php( '<?php echo class_exists( "Preloaded", false ) ? "preloaded " : "not preloaded ", get_parent_class( "Preloaded" ), " "; echo Preloaded::with_settings( "a", [ "api_key" => "k", "api_endpoint" => "https://a" ] )->fetch_leads(), " "; var_dump( TenantCRMSync::status()["engine_running"], TenantCRMSync::status()["keys"] );', $ini );
check( 'calls are refused while preloading', 'call: refused, pull: refused, seal: refused', (string) @file_get_contents( folder() . '/said' ) );
check( 'a preloaded subclass works', "preloaded TenantCRMSync preloaded bool(false)\nint(1)\n", $got['out'] );
done();
--EXPECT--
12 checks hold
