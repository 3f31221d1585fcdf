<?php
/**
 * What changes with a tenant that is saved again: when its next pull is due, and how its key is sealed.
 */

use TenantCRM\Schema;
use TenantCRM\Tenants;

final class TenantSavingTest extends PluginCase {

	private function due_in( int $key ): int {
		return (int) $this->sql( 'SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), next_due_at) FROM ' . Schema::table( 'tenants' ) . " WHERE id = $key" );
	}

	private function envelope( int $key ): string {
		return (string) $this->sql( 'SELECT api_key FROM ' . Schema::table( 'tenants' ) . " WHERE id = $key" );
	}

	public function test_a_shorter_interval_counts_from_now_and_a_longer_one_after_the_next_pull(): void {
		$tenant = $this->tenant( 'acme', array( 'interval' => DAY_IN_SECONDS ) );
		Tenants::take_due();
		$this->assertEqualsWithDelta( DAY_IN_SECONDS, $this->due_in( $tenant->key ), 10 );
		$this->tenant( 'acme', array( 'interval' => 600 ) );
		$this->assertEqualsWithDelta( 600, $this->due_in( $tenant->key ), 10 );
		$this->tenant( 'acme', array( 'interval' => DAY_IN_SECONDS ) );
		$this->assertEqualsWithDelta( 600, $this->due_in( $tenant->key ), 10 );
	}

	public function test_a_key_that_code_gives_back_sealed_is_not_sealed_again(): void {
		save_tenant_crm_settings( 'acme', 'plain-key', 'https://crm.example' );
		$tenant   = Tenants::find( 'acme' );
		$settings = get_tenant_crm_settings( 'acme' );
		save_tenant_crm_settings( 'acme', $settings['api_key'], $settings['api_endpoint'] );
		$this->assertSame( $settings['api_key'], $this->envelope( $tenant->key ) );
		$this->expectException( InvalidArgumentException::class );
		$this->expectExceptionMessage( 'sealed already' );
		save_tenant_crm_settings( 'other', $settings['api_key'], $settings['api_endpoint'] );
	}

	public function test_rotation_seals_the_same_key_anew(): void {
		Sandbox::reset();
		Sandbox::tenant( 'acme', 2 );
		save_tenant_crm_settings( 'acme', 'key-of-acme', getenv( 'TCS_SANDBOX_URL' ) );
		$tenant = Tenants::find( 'acme' );
		$before = $this->envelope( $tenant->key );
		$this->assertTrue( Tenants::rotate( $tenant->key ) );
		$this->assertNotSame( $before, $this->envelope( $tenant->key ) );
		$this->assertCount( 2, Tenants::find( 'acme' )->client()->fetch_leads() );
		$this->assertFalse( Tenants::rotate( $this->tenant( 'empty' )->key ) );
	}

	public function test_a_key_that_the_column_would_cut_is_refused(): void {
		$this->expectExceptionMessage( 'too long to be stored' );
		save_tenant_crm_settings( 'acme', str_repeat( 'k', 8000 ), 'https://crm.example' );
	}
}
