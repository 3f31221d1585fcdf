<?php
/**
 * Site Health: what each check says when all is well and when it is not, with its remedy; and that the debug information holds nothing that must
 * not be pasted into a forum.
 */

use TenantCRM\Cron;
use TenantCRM\Extension;
use TenantCRM\Health\Clocks;
use TenantCRM\Health\DebugInfo;
use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenants;
use TenantCRM\Wakers;

final class SiteHealthTest extends PluginCase {

	protected function tearDown(): void {
		foreach ( array( 'home_url', 'admin_url' ) as $hook ) {
			remove_all_filters( $hook );
		}
		delete_option( 'tenant_crm_sync_clocks' );
	}

	public function test_every_check_can_be_done_and_says_something(): void {
		$tests = SiteHealth::tests( array() )['direct'];
		foreach ( SiteHealth::results() as $name => $result ) {
			$this->assertSame( $result, $tests[ "tenant_crm_$name" ]['test'](), $name );
			$this->assertContains( $result['status'], array( 'good', 'recommended', 'critical' ) );
			$this->assertNotSame( '<p></p>', $result['description'] );
			$this->assertSame( "tenant_crm_$name", $result['test'] );
		}
		$this->assertCount( 13, $tests );
	}

	public function test_the_extension_matches_by_its_minor_version(): void {
		$this->assertSame( 'good', SiteHealth::result( 'extension' )['status'] );
		$this->assertTrue( Extension::belong_together( '0.1.0', '0.1.7' ) );
		$this->assertFalse( Extension::belong_together( '0.1.0', '0.2.0' ) );
		$this->assertFalse( Extension::belong_together( '1.1.0', '0.1.0' ) );
	}

	public function test_the_key_is_told_with_its_source_and_mode_and_not_its_place(): void {
		$result = SiteHealth::result( 'key' );
		$this->assertSame( 'good', $result['status'] );
		$this->assertStringContainsString( 'PHP’s settings', $result['description'] );
		$this->assertMatchesRegularExpression( '/mode is 06[04]0/', $result['description'] );
		$this->assertStringNotContainsString( getenv( 'TCS_KEY_FILE' ), $result['description'] );
	}

	public function test_a_site_without_https_is_advised(): void {
		$this->assertSame( 'recommended', SiteHealth::result( 'https' )['status'], 'the stack has none' );
		foreach ( array( 'home_url', 'admin_url' ) as $hook ) {
			add_filter( $hook, static fn( string $url ): string => set_url_scheme( $url, 'https' ) );
		}
		$result = SiteHealth::result( 'https' );
		// The stack lets CRMs be called without.
		$this->assertSame( ini_get( 'tenant_crm_sync.allow_http' ) ? 'recommended' : 'good', $result['status'] );
		$this->assertStringContainsString( ini_get( 'tenant_crm_sync.allow_http' ) ? 'allow_http' : 'HTTPS only', $result['description'] );
	}

	public function test_a_crm_whose_clock_differs_is_noticed_when_its_connection_is_tested(): void {
		Sandbox::reset();
		Sandbox::tenant( 'late', 1 );
		$tenant = Tenants::save( array( 'id' => 'late', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-late' ) );
		$this->assertTrue( $tenant->test_connection()['ok'] );
		$this->assertSame( array(), Clocks::skews() );
		$this->assertSame( 'good', SiteHealth::result( 'clock' )['status'] );
		Clocks::note( $tenant->key, -120.0 );
		$result = SiteHealth::result( 'clock' );
		$this->assertSame( 'recommended', $result['status'] );
		$this->assertStringContainsString( '120 seconds', $result['description'] );
		$tenant->test_connection();
		$this->assertSame( 'good', SiteHealth::result( 'clock' )['status'], 'the next test was well' );
		Clocks::note( $tenant->key, 99.0 );
		Tenants::delete( $tenant->key );
		$this->assertSame( array(), Clocks::skews() );
	}

	public function test_the_database_has_the_same_time(): void {
		add_filter( 'query', static fn( string $sql ): string => 'SELECT UNIX_TIMESTAMP()' === $sql ? 'SELECT UNIX_TIMESTAMP() + 90' : $sql );
		$this->assertSame( 'critical', SiteHealth::result( 'clock' )['status'] );
	}

	public function test_counters_and_redis_are_told(): void {
		$result = SiteHealth::result( 'limits' );
		$this->assertSame( 'good', $result['status'] );
		$this->assertMatchesRegularExpression( '/[\d,]+ of [\d,]+ counters/', $result['description'] );
		$this->assertSame( 'good', SiteHealth::result( 'redis' )['status'] );
		$output = $this->php( 'require $argv[1]; echo TenantCRM\SiteHealth::result( "limits" )["status"], TenantCRM\SiteHealth::result( "redis" )["status"];', true, 'tenant_crm_sync.redis_url=redis://127.0.0.1:1/0' );
		$this->assertSame( 'goodrecommended', $output, 'a Redis that is away' );
		$output = $this->php( 'require $argv[1]; TenantCRMSync::limiter( "x", 10, 1.0 )->admit(); echo TenantCRM\SiteHealth::result( "limits" )["status"];', true, 'tenant_crm_sync.limit_file=/nowhere/x' );
		$this->assertSame( 'recommended', $output, 'a file that cannot be made' );
	}

	public function test_missing_tables_are_told_and_nothing_else_dies_of_it(): void {
		$this->assertSame( 'good', SiteHealth::result( 'tables' )['status'] );
		$version = get_option( Schema::OPTION );
		update_option( Schema::OPTION, 1 );
		try {
			$results = SiteHealth::results();
			$this->assertSame( 'critical', $results['tables']['status'] );
			$this->assertArrayNotHasKey( 'jobs', $results );
			$this->assertArrayHasKey( 'tables', DebugInfo::add( array() )['tenant-crm-sync']['fields'] );
		} finally {
			update_option( Schema::OPTION, $version );
		}
	}

	public function test_an_overdue_job_is_told_with_its_remedy(): void {
		global $wpdb;
		Wakers::seen( 'this test' );
		Jobs::enqueue( $this->tenant()->key );
		$this->assertSame( 'good', SiteHealth::result( 'jobs' )['status'] );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET available_at = UTC_TIMESTAMP(3) - INTERVAL 2 HOUR' );
		$result = SiteHealth::result( 'jobs' );
		$this->assertSame( 'critical', $result['status'] );
		$this->assertStringContainsString( '2 hours', $result['description'] );
		$this->assertStringContainsString( 'bin/tenant-crm work', $result['description'] );
	}

	public function test_workers_that_do_not_come_are_told(): void {
		$this->assertTrue( defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON );
		Wakers::forget();
		$this->assertSame( 'critical', SiteHealth::result( 'workers' )['status'] );
		Wakers::seen( 'this test' );
		$this->assertSame( 'good', SiteHealth::result( 'workers' )['status'] );
		update_option( 'tenant_crm_sync_worker', array( 'who' => 'this test', 'at' => time() - 3 * HOUR_IN_SECONDS ) );
		$result = SiteHealth::result( 'workers' );
		$this->assertSame( 'critical', $result['status'] );
		$this->assertStringContainsString( '3 hours ago', $result['description'] );
		Wakers::forget();
	}

	public function test_a_withdrawn_consent_names_its_tenant(): void {
		global $wpdb;
		$this->assertSame( 'good', SiteHealth::result( 'tokens' )['status'] );
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'tokens' ) . " (tenant, version, envelope, state, reason, changed_at) VALUES ({$this->tenant( 'gone' )->key}, 1, '', 'reconnect', 'x', UTC_TIMESTAMP())" );
		$result = SiteHealth::result( 'tokens' );
		$this->assertSame( 'critical', $result['status'] );
		$this->assertStringContainsString( 'gone', $result['description'] );
	}

	public function test_debug_information_names_no_tenant_and_no_key(): void {
		Tenants::save(
			array(
				'id'       => 'canary-tenant',
				'endpoint' => 'https://canary-host.example',
				'api_key'  => 'canary-key',
			)
		);
		$info = DebugInfo::add( array() )['tenant-crm-sync'];
		$this->assertSame( 1, $info['fields']['tenants']['value'] );
		$this->assertStringNotContainsString( 'canary', serialize( $info ) );
		foreach ( array( 'key_file', 'key_dir', 'limit_file' ) as $name ) {
			$this->assertTrue( $info['fields'][ $name ]['private'], $name );
		}
		$this->assertStringContainsString( '0 jobs are due', $info['fields']['queue']['value'] );
	}
}
