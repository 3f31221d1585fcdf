<?php
/**
 * Setting a tenant up: rows of the mapping, limits, nothing synced before the first sync was asked for, disconnecting.
 */

use TenantCRM\Admin\LimitForm;
use TenantCRM\Admin\Mapping;
use TenantCRM\Admin\Samples;
use TenantCRM\Admin\TenantForm;
use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class TenantSetupTest extends PluginCase {

	private function saved( string $id = 'acme', array $more = array() ): Tenant {
		return Tenants::save( array( 'id' => $id, 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-$id" ) + $more ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @return list<string> Ids of those that are due, in the order of the clock. */
	private function due(): array {
		return array_map( static fn( Tenant $tenant ): string => $tenant->id, Tenants::take_due() );
	}

	public function test_rows_and_json_of_a_mapping_are_the_same_thing(): void {
		$json = '{"leads":{"budget":"Budget__c","owner_name":["Owner","Name"],"status":{"from":"Status","values":{"Open":"new"}},"fax":null},"contacts":{"a":"b"}}';
		$rows = Mapping::rows( $json );
		$this->assertSame( array( 'budget' => 'Budget__c', 'owner_name' => '["Owner","Name"]', 'status' => '{"from":"Status","values":{"Open":"new"}}', 'fax' => 'null' ), $rows ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$post = array( 'mapping' => $json, 'mapping_was' => $json, 'map_to' => array_keys( $rows ), 'map_from' => array_values( $rows ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( json_decode( $json, true ), json_decode( Mapping::posted( $post ), true ), 'shown and saved unchanged, nothing changes' );
		$post['map_from'][0] = '';
		$post['map_to'][0]   = '';
		$post['map_to'][]    = '';
		$post['map_from'][]  = 'AnnualRevenue';
		$post['map_add']     = array( '["Address","City"]', 'Fax', 'fax' );
		$this->assertSame( array( 'owner_name', 'status', 'fax', 'annual_revenue', 'address_city' ), array_keys( json_decode( Mapping::posted( $post ), true )['leads'] ), 'what has a row is not added again' );
		$this->assertSame( array( 'a' => 'b' ), json_decode( Mapping::posted( $post ), true )['contacts'], 'other objects stay' );
		$this->assertSame( '{"leads": 1', Mapping::posted( array( 'mapping' => '{"leads": 1' ) + $post ), 'a changed text counts, also a wrong one' );
		$empty = array( 'map_to' => array( '' ), 'map_from' => array( '' ), 'mapping' => '', 'mapping_was' => '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( '', Mapping::posted( $empty ) );
		$this->assertSame( array(), Mapping::rows( 'no json' ) );
	}

	public function test_a_row_without_its_field_is_refused(): void {
		$form = new TenantForm( $this->saved() );
		$form->fill( array( 'connector' => 'rest', 'auth' => 'key', 'shown' => 'rest/key', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'mapping' => '', 'mapping_was' => '', 'map_to' => array( 'budget' ), 'map_from' => array( '' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertArrayHasKey( 'mapping', $form->errors );
	}

	public function test_limits_are_read_checked_and_what_the_form_does_not_show_stays(): void {
		$tenant = $this->saved( 'acme', array( 'settings' => array( 'limits' => array( array( 'amount' => 5, 'seconds' => 2, 'burst' => 3 ) ), 'timeout' => 4 ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$form   = new LimitForm( $tenant );
		$form->fill( array( 'plan' => '', 'reserve' => '35', 'page_size' => '50', 'limit_amount' => array( '7', '', '900' ), 'limit_period' => array( '2', '10', 'daily' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array(), $form->errors );
		$data = $form->data();
		$this->assertEquals( array( array( 'amount' => 7, 'seconds' => 2, 'burst' => 3 ), array( 'amount' => 900, 'daily' => true ) ), $data['limits'] ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( null, 0.35, 50 ), array( $data['plan'], $data['reserve'], $data['page_size'] ) );
		foreach ( array(
			'reserve'   => array( 'reserve' => '95' ),
			'page_size' => array( 'page_size' => '0' ),
			'limits'    => array( 'limit_amount' => array( '5', '6' ), 'limit_period' => array( '10', '10' ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		) as $name => $wrong ) {
			$form = new LimitForm( null );
			$form->fill( $wrong + array( 'reserve' => '', 'page_size' => '' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->assertSame( array( $name ), array_keys( $form->errors ) );
		}
		$form = new LimitForm( $tenant );
		$form->fill( array() );
		$this->assertSame( $tenant->settings['limits'], $form->data()['limits'], 'a form that does not show them says nothing of them' );
	}

	public function test_a_new_tenant_waits_for_its_first_sync(): void {
		$held = $this->saved( 'held', array( 'hold' => true ) );
		$this->saved( 'free' );
		$this->assertSame( array( 'free' ), $this->due() );
		Tenants::save( array( 'id' => 'held', 'label' => 'Held', 'settings' => array( 'interval' => 60 ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array(), $this->due(), 'saving it again starts nothing' );
		Jobs::enqueue( $held->key );
		$this->assertSame( array( 'held' ), $this->due(), 'once somebody asked for a sync, the schedule counts' );
	}

	public function test_disconnecting_forgets_the_credentials_and_nothing_else(): void {
		global $wpdb;
		Sandbox::reset();
		Sandbox::tenant( 'acme', 2 );
		$tenant = $this->saved( 'acme', array( 'settings' => array( 'interval' => 900, 'connection' => array( 'webhook_secret' => 'whsec_' . base64_encode( random_bytes( 24 ) ) ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing, WordPress.PHP.DiscouragedPHPFunctions
		$this->store( $tenant, $this->leads( 3 ) );
		$wpdb->insert( Schema::table( 'tokens' ), array( 'tenant' => $tenant->key, 'envelope' => 'tcs1.x' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$other = $this->saved( 'other' );
		$run   = Jobs::enqueue( $tenant->key );
		Tenants::disconnect( $tenant->key );
		$now = Tenants::get( $tenant->key );
		$this->assertFalse( $now->has_key() );
		$this->assertSame( array(), $now->connection() );
		$this->assertSame( 900, $now->interval() );
		$this->assertSame( 'cancelled', Runs::get( $run )['state'] );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'tokens' ) ) );
		$this->assertSame( 3, $this->records() );
		$this->assertTrue( Tenants::get( $other->key )->has_key() );
		$this->assertStringNotContainsString( 'tcs1.', (string) $this->sql( 'SELECT CONCAT(settings, COALESCE(api_key, "")) FROM ' . Schema::table( 'tenants' ) . " WHERE id = {$tenant->key}" ) );
		$again = $this->saved();
		$this->assertSame( $tenant->key, $again->key );
		$this->assertCount( 2, $again->client()->fetch_leads() );
	}

	public function test_samples_are_of_the_crm_and_say_what_is_wrong(): void {
		Sandbox::reset();
		Sandbox::tenant( 'acme', 5 );
		$samples = new Samples( $this->saved() );
		$this->assertSame( '', $samples->trouble );
		$this->assertCount( Samples::LEADS, $samples->of( 'email' ) );
		$this->assertArrayHasKey( 'score', $samples->fields() );
		$this->assertSame( 0, $this->records(), 'nothing is stored' );
		$wrong = new Samples( $this->saved( 'nobody' ) );
		$this->assertStringContainsString( '401', $wrong->trouble );
		$this->assertSame( array(), $wrong->fields() );
	}
}
