<?php
/**
 * A24: two secrets that are known by their look, a CRM that throws them back at us in its errors, and everything that a site shows, keeps or
 * gives away: neither is in any of it.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Tenants;
use TenantCRM\Worker;

final class CanaryTest extends PluginCase {

	/** @var string What begins every secret of this test. */
	private $canary;

	/** @var array<string, string> Where => what was found there. */
	private $shown = array();

	/** @param list<string> $arguments */
	private function command( array $arguments, string $log ): string {
		$process = proc_open( array_merge( array( PHP_BINARY, '-d', "tenant_crm_sync.log_file=$log", 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm' ), $arguments ), array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), array( 'redirect', 1 ) ), $pipes, getenv( 'TCS_WWW' ) );
		$output  = (string) stream_get_contents( $pipes[1] );
		proc_close( $process );
		return $output;
	}

	/** What a call prints. */
	private static function printed( callable $call ): string {
		ob_start();
		$call();
		return (string) ob_get_clean();
	}

	public function test_a24_a_canary_secret_is_in_no_log_export_trace_or_phpinfo(): void {
		global $wpdb;
		$this->canary = 'canary-' . bin2hex( random_bytes( 10 ) );
		list( $key, $second ) = array( "$this->canary-key", "$this->canary-client" );
		$folder = sys_get_temp_dir() . '/tcs-canary-' . bin2hex( random_bytes( 6 ) );
		mkdir( $folder, 0700 );
		$before = ini_set( 'error_log', "$folder/php.log" );
		$args   = ini_set( 'zend.exception_ignore_args', '0' );
		try {
			Sandbox::reset();
			Sandbox::post( '/tenants', array( 'id' => 'acme', 'key' => $key, 'paging' => 'page' ) );
			Sandbox::post( '/seed', array( 'tenant' => 'acme', 'object' => 'leads', 'count' => 5, 'seed' => 1 ) );
			Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => $key ) );
			Tenants::save( array( 'id' => 'north', 'connector' => 'salesforce', 'endpoint' => 'https://127.0.0.1:1', 'settings' => array( 'connection' => array( 'auth' => 'client_credentials', 'client_id' => 'id-of-north', 'client_secret' => $second ) ) ) );
			$tenant = Tenants::find( 'acme' );
			Jobs::enqueue( $tenant->key );
			Worker::run( 20.0 );
			$this->assertSame( 5, $this->posts() );
			// A CRM that says in its errors what it was sent.
			$echo = array( 'kind' => 'status', 'status' => 400, 'times' => null, 'headers' => array( 'X-Echo' => "Bearer $key" ), 'body' => "{\"message\":\"the key $key ($key) and " . rawurlencode( $key ) . ' are not liked"}' );
			Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( $echo ) ) );
			Jobs::enqueue( $tenant->key );
			Jobs::enqueue( Tenants::find( 'north' )->key );
			Worker::run( 20.0 );
			$client = Tenants::find( 'acme' )->client()->throw_errors( false );
			$this->shown['a failure'] = serialize( array( $client->fetch_leads(), $client->last_error() ) ) . print_r( $client, true );
			$this->assertStringContainsString( 'not liked', $this->shown['a failure'], 'the CRM was heard' );
			try {
				TenantCRMSync::with_settings( 'acme', array( 'api_key' => $key, 'api_endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'throw' => true ) )->fetch_leads();
				$this->fail( 'no exception' );
			} catch ( TenantCRMSync\Exception $thrown ) {
				// This test's own arguments are in the trace; the extension's frames are what counts.
				$frames = array_filter( $thrown->getTrace(), static fn( array $frame ): bool => ( $frame['class'] ?? '' ) === 'TenantCRMSync' );
				$this->assertNotEmpty( $frames );
				$this->shown['a trace'] = print_r( $frames, true ) . $thrown->getMessage() . print_r( get_object_vars( $thrown ), true );
			}
			$this->shown['phpinfo()'] = self::printed( 'phpinfo' );

			foreach ( $wpdb->get_col( 'SHOW TABLES' ) as $table ) {
				$this->shown["table $table"] = serialize( $wpdb->get_results( "SELECT * FROM `$table`", ARRAY_N ) );
			}
			$this->assertStringContainsString( 'not liked', $this->shown[ 'table ' . Schema::table( 'attempts' ) ], 'requests are written down' );

			wp_set_current_user( 1 );
			foreach ( array_keys( rest_get_server()->get_routes() ) as $route ) {
				if ( str_starts_with( $route, '/tenant-crm-sync/' ) && ! str_contains( $route, 'webhook' ) ) {
					$path = (string) preg_replace( array( '/\(\?P<\w*id\w*>[^)]*\)/', '/\(\?P<\w+>[^)]*\)/' ), array( (string) $tenant->key, 'acme' ), $route );
					$this->shown["REST $path"] = serialize( rest_get_server()->response_to_data( rest_ensure_response( rest_do_request( new WP_REST_Request( 'GET', $path ) ) ), true ) );
				}
			}
			$this->shown['get_tenant_crm_settings()'] = serialize( get_tenant_crm_settings( 'acme' ) );
			$this->shown['Site Health'] = serialize( apply_filters( 'debug_information', array() ) );
			$this->assertStringContainsString( 'tenant-crm-sync', $this->shown['Site Health'] );
			foreach ( apply_filters( 'site_status_tests', array( 'direct' => array() ) )['direct'] as $name => $test ) {
				$this->shown[ "Site Health: $name" ] = serialize( call_user_func( $test['test'] ) );
			}
			foreach ( apply_filters( 'wp_privacy_personal_data_exporters', array() ) as $name => $exporter ) {
				$this->shown["export $name"] = serialize( call_user_func( $exporter['callback'], get_userdata( 1 )->user_email, 1 ) );
			}
			require_once ABSPATH . 'wp-admin/includes/export.php';
			$this->shown['WordPress\'s export'] = self::printed( static fn() => @export_wp( array( 'content' => 'all' ) ) );
			$commands = array( 'tenant list', 'tenant list --format=json', 'tenant test acme', 'status --format=json', 'log', 'log --requests', 'log --requests --format=json', 'queue', 'queue --format=json', 'preview acme', 'explain acme 1', 'sync acme' );
			foreach ( $commands as $command ) {
				$this->shown["tenant-crm $command"] = $this->command( explode( ' ', $command ), "$folder/requests.log" );
			}
			$this->assertStringContainsString( 'not liked', $this->shown['tenant-crm log --requests'] . $this->shown['tenant-crm log --requests --format=json'] );
			foreach ( array( 'php.log', 'requests.log' ) as $log ) {
				$this->shown[ $log ] = (string) file_get_contents( "$folder/$log" );
				$this->assertNotSame( '', $this->shown[ $log ], $log );
			}
			$this->assertGreaterThan( 40, count( $this->shown ) );
			foreach ( $this->shown as $where => $what ) {
				foreach ( array( $this->canary, base64_encode( $this->canary ), bin2hex( $this->canary ), strrev( $this->canary ) ) as $form ) {
					// Base64 of a beginning is the beginning of the base64, but for its last characters.
					$this->assertFalse( stripos( $what, rtrim( substr( $form, 0, -3 ), '=' ) ), "a secret is in: $where" );
				}
			}
		} finally {
			ini_set( 'error_log', (string) $before );
			ini_set( 'zend.exception_ignore_args', (string) $args );
			exec( 'rm -rf ' . escapeshellarg( $folder ) );
			wp_set_current_user( 0 );
		}
	}
}
