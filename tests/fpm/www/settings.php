<?php
/**
 * Where the site keeps its tenants, for these tests: a file. Not the environment or the request, which phpinfo() would print.
 */

function get_tenant_crm_settings( $tenant_id ) {
	$all = json_decode( file_get_contents( dirname( __DIR__ ) . '/settings.json' ), true );
	return $all[ $tenant_id ] ?? false;
}
