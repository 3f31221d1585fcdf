<?php
/**
 * REST tenant-crm-sync/v1/sync in-process: what a user gets of the own and of other tenants' syncs, and what a slice does.
 */

use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Tenants;

final class RestTest extends PluginCase {

	/** @var int */
	private $user;

	protected function setUp(): void {
		parent::setUp();
		$this->user = $this->account( 'syncer' );
		Sandbox::reset();
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		wp_delete_user( $this->user );
	}

	private function ask( string $method, string $path, array $parameters = array() ): WP_REST_Response {
		$request = new WP_REST_Request( $method, '/tenant-crm-sync/v1/sync' . $path );
		foreach ( $parameters as $name => $value ) {
			$request->set_param( $name, $value );
		}
		return rest_ensure_response( rest_do_request( $request ) );
	}

	public function test_a_sync_from_start_to_end(): void {
		wp_set_current_user( 1 );
		$this->connected( 'acme', 250 );
		$started = $this->ask( 'POST', '', array( 'tenant' => 'acme' ) );
		$this->assertSame( 201, $started->get_status() );
		$run = $started->get_data();
		$this->assertSame( array( 'acme', 'queued', 0 ), array( $run['tenant'], $run['state'], $run['fetched'] ) );
		$this->assertStringEndsWith( "/sync/{$run['id']}", $started->get_headers()['Location'] );
		$again = $this->ask( 'POST', '', array( 'tenant' => 'acme' ) )->get_data();
		$this->assertSame( $run['id'], $again['id'] );
		$done = $this->ask( 'POST', "/{$run['id']}/slice", array( 'seconds' => 5 ) )->get_data();
		$this->assertSame( array( 'done', 250, 250, 250 ), array( $done['state'], $done['fetched'], $done['created'], $done['records'] ), $done['error'] );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $done['finished_at'] );
		$this->assertTrue( rest_validate_value_from_schema( $done, TenantCRM\Rest\RunResource::schema() ) );
	}

	public function test_another_tenants_sync_is_as_if_it_were_not_there(): void {
		$this->connected( 'mine', 1 );
		$this->connected( 'theirs', 1 );
		( new WP_User( $this->user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $this->user, array( 'mine' ) );
		wp_set_current_user( $this->user );
		$this->assertSame( 201, $this->ask( 'POST', '', array( 'tenant' => 'mine' ) )->get_status() );
		$this->assertEquals( $this->ask( 'POST', '', array( 'tenant' => 'no such' ) )->get_data(), $this->ask( 'POST', '', array( 'tenant' => 'theirs' ) )->get_data() );
		$other = Jobs::enqueue( Tenants::find( 'theirs' )->key );
		foreach ( array( array( 'GET', '' ), array( 'DELETE', '' ), array( 'POST', '/slice' ) ) as list( $method, $end ) ) {
			$this->assertSame( 404, $this->ask( $method, "/$other$end" )->get_status(), "$method $end" );
		}
		wp_set_current_user( 1 );
		$this->assertSame( 'queued', $this->ask( 'GET', "/$other" )->get_data()['state'], 'nothing happened to it' );
	}

	public function test_without_the_capability_everything_is_refused(): void {
		$this->connected( 'acme', 1 );
		$run = Jobs::enqueue( Tenants::find( 'acme' )->key );
		Capabilities::assign( $this->user, array( 'acme' ) );
		foreach ( array( 0 => 401, $this->user => 403 ) as $user => $status ) {
			wp_set_current_user( $user );
			$this->assertSame( $status, $this->ask( 'POST', '', array( 'tenant' => 'acme' ) )->get_status() );
			$this->assertSame( $status, $this->ask( 'GET', "/$run" )->get_status() );
			$this->assertSame( $status, $this->ask( 'DELETE', "/$run" )->get_status() );
			$this->assertSame( $status, $this->ask( 'POST', "/$run/slice" )->get_status() );
		}
	}

	public function test_a_tenant_without_address_is_not_queued(): void {
		wp_set_current_user( 1 );
		$this->tenant( 'bare' );
		$this->assertSame( 'tenant_crm_not_set_up', $this->ask( 'POST', '', array( 'tenant' => 'bare' ) )->get_data()['code'] );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . TenantCRM\Schema::table( 'jobs' ) ) );
	}

	public function test_a_run_that_another_worker_holds_is_only_told(): void {
		wp_set_current_user( 1 );
		$this->connected( 'acme', 10 );
		$run = Jobs::enqueue( Tenants::find( 'acme' )->key );
		$this->assertNotNull( Jobs::claim( $run ) );
		$told = $this->ask( 'POST', "/$run/slice", array( 'seconds' => 1 ) )->get_data();
		$this->assertSame( array( 'running', 0 ), array( $told['state'], $told['fetched'] ) );
	}
}
