--TEST--
Settings: from the site's function or given; what is missing or unusable is said with the remedy
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
check_throws( 'without the function', 'TenantCRMSync\ConfigException', 'get_tenant_crm_settings() is not defined: activate the plugin tenant-crm-sync, define the function, or use TenantCRMSync::with_settings()', fn() => new TenantCRMSync( 'acme' ) );
$thrown = check_throws( 'the tenant is named', 'TenantCRMSync\ConfigException', 'CRM tenant Acme/ä: ', fn() => new TenantCRMSync( 'Acme/ä' ) );
check( 'its properties', [ 'Acme/ä', 'config', null, null, 0, null ], [ $thrown->tenant, $thrown->kind, $thrown->status, $thrown->retry_after, $thrown->attempts, $thrown->body ] );
check( 'its place', [ __FILE__, __LINE__ - 2 ], [ $thrown->getFile(), $thrown->getLine() ] );

// Defined later, as a plugin does it.
if ( true ) {
	function get_tenant_crm_settings( $tenant_id ) {
		return is_callable( $GLOBALS['settings'] ) ? ( $GLOBALS['settings'] )( $tenant_id ) : $GLOBALS['settings'];
	}
}
foreach ( [ false, null, [], '', 0 ] as $GLOBALS['settings'] ) {
	$thrown = check_throws( 'no settings: ' . var_export( $GLOBALS['settings'], true ), 'Exception', 'CRM settings not configured for tenant 7.', fn() => new TenantCRMSync( 7 ) );
	check( 'the whole message', 'CRM settings not configured for tenant 7.', $thrown->getMessage() );
}
$GLOBALS['settings'] = static fn() => throw new DomainException( 'the vault is closed', 5, new LogicException( 'inner' ) );
$thrown = check_throws( 'an exception of the function passes', 'DomainException', 'the vault is closed', fn() => new TenantCRMSync( 'acme' ) );
check( 'untouched', [ 5, 'inner', __LINE__ - 2 ], [ $thrown->getCode(), $thrown->getPrevious()->getMessage(), $thrown->getLine() ] );

$unusable = [
	'the setting api_key is missing or empty'                    => [ 'api_endpoint' => 'https://a' ],
	'the setting api_endpoint is missing or empty'               => [ 'api_key' => 'k', 'api_endpoint' => '' ],
	"there is no connector 'sap'; known: dolibarr, dynamics, espocrm, hubspot, odoo, pipedrive, rest, salesforce, suitecrm, zoho; one of your own is a file in tenant_crm_sync.connector_dir"                   => [ 'api_key' => 'k', 'api_endpoint' => 'https://a', 'connector' => 'sap' ],
	'the setting timeout must be a number of seconds above 0'    => [ 'api_key' => 'k', 'api_endpoint' => 'https://a', 'timeout' => 0 ],
	'the setting timeout must be a number of seconds'            => [ 'api_key' => 'k', 'api_endpoint' => 'https://a', 'timeout' => NAN ],
	'the setting idempotency_header must name a header of its own' => [ 'api_key' => 'k', 'api_endpoint' => 'https://a', 'idempotency_header' => "A B\r\n" ],
];
foreach ( $unusable as $message => $GLOBALS['settings'] ) {
	check_throws( 'looked up', 'TenantCRMSync\ConfigException', $message, fn() => new TenantCRMSync( 'acme' ) );
	check_throws( 'given', 'TenantCRMSync\ConfigException', $message, fn() => TenantCRMSync::with_settings( 'acme', $GLOBALS['settings'] ) );
}
check_throws( 'no array', 'TenantCRMSync\ConfigException', 'must return an array with api_key and api_endpoint', function () {
	$GLOBALS['settings'] = 'text';
	new TenantCRMSync( 'acme' );
} );

tenant( 'acme', [ 'paging' => 'none' ] );
rows( [ [ 'id' => 1, 'name' => 'Ann', 'updated_at' => '2026-01-01T00:00:00Z' ] ] );
$GLOBALS['settings'] = [ 'api_key' => KEY, 'api_endpoint' => crm()->plain, 'anything' => new stdClass(), 'throw' => '1' ];
check( 'it works', 'Ann', ( new TenantCRMSync( 'acme' ) )->fetch_leads()[0]['name'] );
check_throws( 'the setting throw', 'TenantCRMSync\HttpException', '404', fn() => ( new TenantCRMSync( 'acme' ) )->get_lead( 9 ) );

// What the function prints, ends or defines is its own business.
$got = php( '<?php function get_tenant_crm_settings( $id ) { echo "asked for $id"; exit( 3 ); } echo "before "; try { new TenantCRMSync( "x" ); } catch ( Throwable $e ) { echo "caught"; } echo "after";' );
check( 'exit() inside ends the script', [ 'before asked for x', 3 ], [ $got['out'], $got['code'] ] );
$got = php( '<?php namespace Site; function get_tenant_crm_settings( $id ) { return false; } try { new \TenantCRMSync( "x" ); } catch ( \Throwable $e ) { echo get_class( $e ), $e->getMessage(); }' );
check_contains( 'only the global function counts', 'get_tenant_crm_settings() is not defined', $got['out'] );
$got = php( '<?php function get_tenant_crm_settings( $id ) { return new TenantCRMSync( $id ); } try { new TenantCRMSync( "x" ); } catch ( Throwable $e ) { echo get_class( $e ); }', [ 'memory_limit' => '64M', 'zend.max_allowed_stack_size' => '-1' ] );
check( 'a function that asks itself ends with an error of PHP', true, str_contains( $got['out'], 'Allowed memory size' ) || str_contains( $got['out'], 'Maximum call stack' ) || 139 === $got['code'] || 11 === $got['code'] ? true : $got );
done();
--EXPECT--
56 checks hold
