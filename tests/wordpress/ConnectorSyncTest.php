<?php
/**
 * Tenants with different CRMs side by side, from the settings to the posts: the sandbox speaks HubSpot's and Salesforce's dialects.
 */

use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class ConnectorSyncTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
	}

	public static function tearDownAfterClass(): void {
		Sandbox::reset();
		parent::tearDownAfterClass();
	}

	private function hubspot(): Tenant {
		Sandbox::post( '/tenants', array( 'id' => 'hub', 'key' => 'key-of-hub', 'dialect' => 'hubspot' ) );
		// HubSpot's contacts are the leads.
		Sandbox::post( '/seed', array( 'tenant' => 'hub', 'object' => 'contacts', 'count' => 120, 'seed' => 1 ) );
		return Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-hub' ) );
	}

	private function salesforce(): Tenant {
		$oauth = array( 'client_id' => 'app', 'client_secret' => 'the-secret', 'refresh_token' => 'the-token', 'rotation' => 'single_use' );
		Sandbox::post( '/tenants', array( 'id' => 'force', 'key' => 'key-of-force', 'dialect' => 'salesforce', 'ids' => 'mixed_case', 'oauth' => $oauth ) );
		Sandbox::post( '/seed', array( 'tenant' => 'force', 'object' => 'leads', 'count' => 90, 'seed' => 2 ) );
		return Tenants::save(
			array(
				'id'        => 'force',
				'connector' => 'salesforce',
				'endpoint'  => getenv( 'TCS_SANDBOX_URL' ),
				'settings'  => array(
					'connection' => array(
						'auth'          => 'oauth',
						'client_id'     => 'app',
						'client_secret' => 'the-secret',
						'refresh_token' => 'the-token',
					),
				),
			)
		);
	}

	private function assertSynced( Tenant $tenant, string $object ): void {
		$rows = Sandbox::rows( $tenant->id, $object );
		$this->assertSame( count( $rows ), (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) . " WHERE tenant = {$tenant->key}" ) );
		foreach ( $rows as $row ) {
			$post = $this->post_of( $tenant, (string) $row['id'] );
			$this->assertSame( TenantCRM\Title::from( $row['name'] ), $post->post_title );
			foreach ( array( 'email', 'phone' ) as $field ) {
				$this->assertSame( (string) $row[ $field ], (string) get_post_meta( $post->ID, $field, true ) );
			}
			$this->assertSame( (string) $row['id'], get_post_meta( $post->ID, 'crm_lead_id', true ) );
			$this->assertSame( gmdate( 'Y-m-d H:i:s', strtotime( $row['created_at'] ) ), $post->post_date_gmt );
		}
	}

	public function test_two_crms_that_speak_different_dialects_fill_one_portal(): void {
		$all = array( 'contacts' => $this->hubspot(), 'leads' => $this->salesforce() );
		foreach ( $all as $object => $tenant ) {
			$run = $this->sync( $tenant );
			$this->assertSame( 'done', $run['state'], (string) $run['error'] );
			$this->assertSynced( $tenant, $object );
		}
		$this->assertSame( 210, $this->posts() );
		$before = $this->stored();
		foreach ( $all as $tenant ) {
			$run = $this->sync( $tenant );
			$this->assertSame( array( 'done', 0, 0, 0 ), array( $run['state'], (int) $run['created'], (int) $run['updated'], (int) $run['refused'] ) );
		}
		$this->assertSame( $before, $this->stored(), 'a second sync writes nothing' );
		foreach ( $all as $object => $tenant ) {
			Sandbox::post( '/touch', array( 'tenant' => $tenant->id, 'object' => $object, 'count' => 5 ) );
			$this->assertSame( 5, (int) $this->sync( $tenant )['updated'] );
			$this->assertSynced( $tenant, $object );
		}
	}

	public function test_another_mapping_reads_everything_again(): void {
		$tenant = $this->hubspot();
		$this->sync( $tenant );
		$mapped = Tenants::save( array( 'id' => 'hub', 'settings' => array( 'mapping' => '{"leads": {"name": "email"}}' ) ) );
		$run    = $this->sync( $mapped );
		$this->assertSame( array( 'done', 120 ), array( $run['state'], (int) $run['fetched'] ), (string) $run['error'] );
		$row = Sandbox::rows( 'hub', 'contacts' )[0];
		$this->assertSame( $row['email'], $this->post_of( $tenant, (string) $row['id'] )->post_title );
	}

	public function test_fields_of_a_tenants_own_mapping_become_meta(): void {
		Sandbox::post( '/tenants', array( 'id' => 'hub', 'key' => 'key-of-hub', 'dialect' => 'hubspot', 'custom_fields' => array( 'annual_budget' ) ) );
		$ada = array( 'id' => 1, 'name' => 'Ada', 'email' => 'Ada@Example.test', 'phone' => '1', 'annual_budget' => '500', 'updated_at' => '2025-01-01T00:00:00Z' );
		Sandbox::post( '/rows', array( 'tenant' => 'hub', 'object' => 'contacts', 'rows' => array( $ada ) ) );
		$mapping = array( 'leads' => array( 'budget' => array( 'from' => 'annual_budget', 'as' => 'number' ), 'email' => array( 'from' => 'email', 'clean' => array( 'lower' ) ), '_secret' => 'email', 'crm_lead_id' => 'phone' ) );
		$tenant  = Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-hub', 'settings' => array( 'mapping' => $mapping ) ) );
		$this->assertSame( 'done', $this->sync( $tenant )['state'] );
		$meta = array_map( 'current', get_post_meta( $this->post_of( $tenant, '1' )->ID ) );
		ksort( $meta );
		$this->assertSame( array( '_tenant_id' => 'hub', 'budget' => '500', 'crm_lead_id' => '1', 'email' => 'ada@example.test', 'phone' => '1' ), $meta );
		Sandbox::post( '/rows', array( 'tenant' => 'hub', 'object' => 'contacts', 'rows' => array( array( 'annual_budget' => '700', 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z' ) ) + $ada ) ) );
		$this->assertSame( 1, (int) $this->sync( $tenant )['updated'], 'its change is a change' );
		$this->assertSame( '700', get_post_meta( $this->post_of( $tenant, '1' )->ID, 'budget', true ) );
	}

	public function test_a_refused_token_is_told_as_something_to_connect_again(): void {
		$tenant = $this->salesforce();
		Sandbox::post( '/tenants', array( 'id' => 'force', 'oauth' => array( 'client_id' => 'app', 'client_secret' => 'the-secret', 'refresh_token' => 'another-one' ) ) );
		$run = $this->sync( $tenant );
		$this->assertSame( 'failed', $run['state'] );
		$this->assertStringContainsString( 'force', $run['error'] );
		$this->assertMatchesRegularExpression( '/connect/i', $run['error'] );
		$entry = Log::list( array( 'tenant' => $tenant->key ) )[0];
		$this->assertSame( array( 'error', $run['error'] ), array( $entry['level'], $entry['message'] ) );
		$this->assertStringNotContainsString( 'the-token', $this->everything() );
	}

	public function test_a_crm_that_does_not_filter_is_told_once_a_run(): void {
		Sandbox::tenant( 'acme', 30 );
		$tenant = Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-acme', 'settings' => array( 'page_size' => 10 ) ) );
		$this->sync( $tenant );
		// From now on the answer to every question is the same old page.
		$body = wp_json_encode( array( 'data' => array_slice( Sandbox::leads( 'acme' ), 0, 3 ), 'meta' => array( 'current_page' => 1, 'last_page' => 2 ) ) );
		$more = wp_json_encode( array( 'data' => array_slice( Sandbox::leads( 'acme' ), 3, 3 ), 'meta' => array( 'current_page' => 2, 'last_page' => 2 ) ) );
		$said = static fn( string $body ): array => array( 'kind' => 'canned', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => $body );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( $said( $body ), $said( $more ) ) ) );
		$run = $this->sync( $tenant );
		$this->assertSame( 'done', $run['state'], (string) $run['error'] );
		$warnings = array_values( array_filter( Log::list( array( 'tenant' => $tenant->key ) ), static fn( array $entry ): bool => str_contains( $entry['message'], 'does not filter' ) ) );
		$this->assertCount( 1, $warnings, 'two pages, one warning' );
		$this->assertSame( array( 'warning', (int) $run['id'] ), array( $warnings[0]['level'], $warnings[0]['context']['run'] ) );
		$this->assertSame( 30, $this->posts() );
	}

	private function sync( Tenant $tenant ): array {
		$run = TenantCRM\Jobs::enqueue( $tenant->key );
		TenantCRM\Worker::run( 30.0, $run );
		return TenantCRM\Runs::get( $run );
	}

	/** Posts, their meta and the ledger. */
	private function stored(): string {
		global $wpdb;
		$all = array();
		foreach ( array( $wpdb->posts, $wpdb->postmeta, Schema::table( 'records' ) ) as $table ) {
			$all[] = $wpdb->get_results( "SELECT * FROM `$table` ORDER BY 1", ARRAY_N );
		}
		return md5( serialize( $all ) );
	}
}
