<?php
/**
 * People are told of a tenant that keeps failing once each time, and when it works again; by action and by e-mail.
 */

use TenantCRM\Alerts;
use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Worker;

final class AlertsTest extends PluginCase {

	/** @var list<array<string, mixed>> */
	private array $mails = array();

	/** @var list<string> */
	private array $calls = array();

	protected function setUp(): void {
		parent::setUp();
		Alerts::forget();
		update_option( Alerts::OPTION, 'ops@example.test, second@example.test' );
		$this->deliver();
		add_action( 'tenant_crm_sync_failing', fn( Tenant $tenant, string $reason, int $since ) => $this->calls[] = "failing {$tenant->id}: $reason", 10, 3 );
		add_action( 'tenant_crm_sync_recovered', fn( Tenant $tenant, int $since ) => $this->calls[] = "recovered {$tenant->id}", 10, 2 );
	}

	protected function tearDown(): void {
		foreach ( array( 'pre_wp_mail', 'tenant_crm_sync_failing', 'tenant_crm_sync_recovered', 'tenant_crm_sync_alert_after' ) as $hook ) {
			remove_all_filters( $hook );
		}
		Alerts::forget();
	}

	/** Mail arrives from now on: here. */
	private function deliver(): void {
		add_filter(
			'pre_wp_mail',
			function ( $done, array $mail ) {
				$this->mails[] = $mail;
				return true;
			},
			10,
			2
		);
	}

	private function labelled( string $id ): Tenant {
		Sandbox::tenant( $id, 3 );
		return Tenants::save( array( 'id' => $id, 'label' => "Label of $id", 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-$id" ) );
	}

	private function age( string $interval ): void {
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET failing_since = failing_since - INTERVAL $interval, available_at = UTC_TIMESTAMP(3)" );
		$wpdb->query( 'UPDATE ' . Schema::table( 'runs' ) . " SET finished_at = finished_at - INTERVAL $interval" );
	}

	public function test_a_crm_that_is_down_is_told_once_and_so_is_its_return(): void {
		Sandbox::reset();
		$tenant = $this->labelled( 'down' );
		Sandbox::post( '/faults', array( 'tenant' => 'down', 'faults' => array( array( 'kind' => 'status', 'status' => 500, 'times' => null ) ) ) );
		Worker::run( 5.0, Jobs::enqueue( $tenant->key ) );
		$this->assertSame( 'waiting', Runs::latest( $tenant->key )['state'] );
		Alerts::look();
		$this->assertSame( array( array(), array() ), array( $this->calls, $this->mails ), 'a short failure is nobody’s business' );
		$this->assertSame( 'good', SiteHealth::result( 'failing' )['status'] );
		// The first look noted when it began.
		Alerts::forget();
		update_option( Alerts::OPTION, 'ops@example.test, second@example.test' );
		$this->age( '2 HOUR' );
		Alerts::look();
		Alerts::look();
		$this->assertCount( 1, $this->calls );
		$this->assertStringContainsString( 'failing down: ', $this->calls[0] );
		$this->assertStringContainsString( '500', $this->calls[0] );
		$this->assertCount( 1, $this->mails );
		$this->assertSame( array( 'ops@example.test', 'second@example.test' ), $this->mails[0]['to'] );
		$this->assertStringContainsString( '1 tenant fails', $this->mails[0]['subject'] );
		$this->assertStringContainsString( 'Label of down (down), for 2 hours', $this->mails[0]['message'] );
		$this->assertStringNotContainsString( 'key-of-down', $this->mails[0]['message'] );
		$result = SiteHealth::result( 'failing' );
		$this->assertSame( array( 'critical', true ), array( $result['status'], str_contains( $result['description'], 'down' ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'down', 'faults' => array() ) );
		Worker::run( 20.0, Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK ) );
		$this->assertSame( 'done', Runs::latest( $tenant->key )['state'] );
		Alerts::look();
		Alerts::look();
		$this->assertSame( 'recovered down', $this->calls[1] ?? '' );
		$this->assertCount( 2, $this->calls );
		$this->assertCount( 2, $this->mails );
		$this->assertStringContainsString( '1 tenant works again', $this->mails[1]['subject'] );
		$this->assertSame( 'good', SiteHealth::result( 'failing' )['status'] );
	}

	public function test_many_tenants_are_one_mail_and_a_failed_mail_is_sent_again(): void {
		foreach ( array( 'a', 'b', 'c' ) as $id ) {
			$tenant = $this->tenant( $id );
			Worker::run( 5.0, Jobs::enqueue( $tenant->key ) );
			$this->assertSame( 'failed', Runs::latest( $tenant->key )['state'] );
		}
		$this->age( '2 HOUR' );
		remove_all_filters( 'pre_wp_mail' );
		add_filter( 'pre_wp_mail', static fn() => false );
		Alerts::look();
		$this->assertCount( 3, $this->calls );
		remove_all_filters( 'pre_wp_mail' );
		$this->deliver();
		Alerts::look();
		$this->assertCount( 3, $this->calls, 'the action is called once' );
		$this->assertCount( 1, $this->mails );
		$this->assertStringContainsString( '3 tenants fail', $this->mails[0]['subject'] );
		Tenants::pause( Tenants::find( 'a' )->key, true );
		Tenants::delete( Tenants::find( 'b' )->key );
		Alerts::look();
		$this->assertCount( 3, $this->calls, 'one that is paused or deleted does not work again' );
		$this->assertSame( array( 'c' ), array_column( Alerts::failing(), 'id' ) );
	}

	public function test_a_limit_of_the_crm_is_no_failure(): void {
		Sandbox::reset();
		// A name of its own: the whole host remembers for two hours that its account was told to wait.
		$tenant = $this->labelled( uniqid( 'told-to-wait' ) );
		Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array( array( 'kind' => 'status', 'status' => 429, 'headers' => array( 'Retry-After' => '7200' ), 'times' => null ) ) ) );
		Worker::run( 5.0, Jobs::enqueue( $tenant->key ) );
		$this->assertSame( 'waiting', Runs::latest( $tenant->key )['state'] );
		$this->age( '2 HOUR' );
		Alerts::look();
		$this->assertSame( array(), $this->calls );
	}

	public function test_workers_look_and_only_addresses_are_stored(): void {
		add_filter( 'tenant_crm_sync_alert_after', '__return_zero' );
		$tenant = $this->tenant( 'empty' );
		Worker::run( 5.0, Jobs::enqueue( $tenant->key ) );
		\TenantCRM\Cron::tick();
		$this->assertCount( 1, $this->calls );
		$this->assertSame( 'a@example.test, b@example.test', Alerts::sanitize( " a@example.test; nonsense\nb@example.test,a@example.test" ) );
		$this->assertSame( '', Alerts::sanitize( array( 'x' ) ) );
	}
}
