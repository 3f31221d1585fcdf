--TEST--
The extension loads; phpinfo() and --ri show its state and settings, and no secret
--FILE--
<?php
require __DIR__ . '/inc.php';
check( 'loaded', true, extension_loaded( 'tenant_crm_sync' ) );
check( 'version', TenantCRMSync::status()['version'], phpversion( 'tenant_crm_sync' ) );
$settings = [
	'allow_http' => '0', 'allow_private_networks' => '0', 'ca_file' => '', 'connect_timeout_ms' => '5000', 'connector_dir' => '', 'connector_owner' => '',
	'hosts' => '0', 'key_dir' => '', 'key_file' => '', 'limit_file' => '', 'limit_slots' => '16384', 'log_file' => '', 'max_parallel' => '8', 'max_response_bytes' => '67108864',
	'redis_prefix' => 'tenant_crm_sync', 'redis_url' => '', 'register_class' => '1', 'timeout_ms' => '10000',
	'aws_credentials_file' => '', 'aws_endpoint' => '', 'aws_metadata_endpoint' => 'http://169.254.169.254', 'aws_profile' => 'default', 'aws_region' => '', 'aws_sm_path' => '',
	'secret_seconds' => '300', 'vault_addr' => '', 'vault_ca_file' => '', 'vault_namespace' => '', 'vault_path' => '', 'vault_role_id' => '', 'vault_secret_id_file' => '',
	'vault_token_file' => '',
];
$found = [];
foreach ( ini_get_all( 'tenant_crm_sync' ) as $name => $entry ) {
	$found[ substr( $name, strlen( 'tenant_crm_sync.' ) ) ] = (string) $entry['global_value'];
	check( "$name is the host's alone", INI_SYSTEM, $entry['access'] );
	check( "$name cannot be set by a script", false, ini_set( $name, '1' ) );
}
ksort( $settings );
ksort( $found );
check( 'settings and defaults', $settings, $found );

$key  = base64_encode( random_bytes( 32 ) );
$file = host_keys( [ $key ] );
mkdir( folder() . '/host.key.d', 0700 );
$shown = php( '<?php phpinfo(); ( new ReflectionExtension( "tenant_crm_sync" ) )->info();', [ 'tenant_crm_sync.key_file' => $file ] );
check( 'phpinfo ends well', 0, $shown['code'] );
check_contains( 'state', 'tenant_crm_sync support => enabled', $shown['out'] );
check_contains( 'keys', "Host keys => 1 in $file", $shown['out'] );
check_contains( 'engine', 'I/O thread => not started in this process', $shown['out'] );
check_contains( 'settings', 'tenant_crm_sync.register_class => 1 => 1', $shown['out'] );
check( 'no key', false, str_contains( $shown['out'], $key ) );

$ri = shell_exec( escapeshellarg( PHP_BINARY ) . ' -n -d extension=' . escapeshellarg( getenv( 'TCS_EXTENSION' ) ) . ' --ri tenant_crm_sync 2>&1' );
check_contains( '--ri', 'tenant_crm_sync.timeout_ms => 10000 => 10000', $ri );
check_contains( 'no key is said with the remedy', 'head -c32 /dev/urandom', $ri );
check( 'the I/O thread is not started by loading', false, TenantCRMSync::status()['engine_running'] );
done();
--EXPECT--
76 checks hold
