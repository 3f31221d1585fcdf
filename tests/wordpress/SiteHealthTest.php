<?php
/**
 * Site Health: what it says of queue and key, and that its debug information holds nothing that must not be pasted into a forum.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenants;
use TenantCRM\Wakers;

final class SiteHealthTest extends PluginCase {

	public function test_extension_and_key_are_good_here(): void {
		$this->assertSame( 'good', SiteHealth::extension()['status'] );
		$this->assertSame( 'good', SiteHealth::key()['status'] );
		$this->assertSame( 'good', SiteHealth::limits()['status'] );
		$this->assertArrayHasKey( 'tenant_crm_key', SiteHealth::tests( array() )['direct'] );
	}

	public function test_an_overdue_job_is_told_with_its_remedy(): void {
		global $wpdb;
		Wakers::seen( 'this test' );
		Jobs::enqueue( $this->tenant()->key );
		$this->assertStringNotContainsString( 'due for', SiteHealth::jobs()['description'] );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET available_at = UTC_TIMESTAMP(3) - INTERVAL 2 HOUR' );
		$result = SiteHealth::jobs();
		$this->assertSame( 'critical', $result['status'] );
		$this->assertStringContainsString( '2 hours', $result['description'] );
		$this->assertStringContainsString( 'bin/tenant-crm work', $result['description'] );
	}

	public function test_debug_information_names_no_tenant_and_no_key(): void {
		Tenants::save(
			array(
				'id'       => 'canary-tenant',
				'endpoint' => 'https://canary-host.example',
				'api_key'  => 'canary-key',
			)
		);
		$info = SiteHealth::debug( array() )['tenant-crm-sync'];
		$this->assertSame( 1, $info['fields']['tenants']['value'] );
		$this->assertStringNotContainsString( 'canary', serialize( $info ) );
		$this->assertTrue( $info['fields']['key_file']['private'] );
	}
}
