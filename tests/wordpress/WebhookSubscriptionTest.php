<?php
/**
 * Webhooks that the CRM's own API makes: asked for, sent to the address that was given there, renewed in time, ended. The sandbox speaks Pipedrive's
 * and Zoho's dialects.
 */

use TenantCRM\Cron;
use TenantCRM\DeadLetters;
use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Subscriptions;
use TenantCRM\Worker;

final class WebhookSubscriptionTest extends WebhookCase {

	private function pipedrive(): Tenant {
		Sandbox::post( '/tenants', array( 'id' => 'pipe', 'key' => 'key-of-pipe', 'dialect' => 'pipedrive' ) );
		return Tenants::save( array( 'id' => 'pipe', 'connector' => 'pipedrive', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-pipe' ) );
	}

	private function zoho(): Tenant {
		$oauth = array( 'client_id' => 'app', 'client_secret' => 'the-secret', 'refresh_token' => 'the-token' );
		Sandbox::post( '/tenants', array( 'id' => 'zoho', 'key' => 'key-of-zoho', 'dialect' => 'zoho', 'oauth' => $oauth ) );
		return Tenants::save( array( 'id' => 'zoho', 'connector' => 'zoho', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'settings' => array( 'connection' => $oauth ) ) );
	}

	/** @return list<array<string, mixed>> What the CRM has been asked for. */
	private function made( string $tenant ): array {
		return json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . "/webhooks?tenant=$tenant" ), true );
	}

	private function set( string $set ): void {
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'webhooks' ) . " SET $set" );
	}

	/** Says that what was made is to be made anew. */
	private function age( Tenant $tenant ): void {
		$table = Schema::table( 'webhooks' );
		$made  = json_decode( $this->sql( "SELECT subscriptions FROM $table WHERE tenant = {$tenant->key}" ), true );
		$made  = array_map( static fn( array $one ): array => array( 'renew_at' => time() - 1 ) + $one, $made );
		$this->set( "renew_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND, subscriptions = '" . json_encode( $made ) . "'" );
	}

	public function test_from_the_question_to_the_stored_record(): void {
		$tenant = $this->pipedrive();
		Subscriptions::begin( $tenant );
		$this->assertSame( array(), $this->made( 'pipe' ), 'a worker does it' );
		$this->assertSame( array( 'slices' => 1, 'done' => 1, 'failed' => 0 ), Worker::run( 10.0 ) );
		$made = $this->made( 'pipe' );
		$this->assertSame( array( 'lead', '*', '2.0' ), array( $made[0]['event_object'], $made[0]['event_action'], $made[0]['version'] ) );
		$this->assertSame( '1', Addresses::of( $tenant->key )['account'], 'the CRM said which account it is' );
		$this->assertEqualsWithDelta( time() + WEEK_IN_SECONDS, Subscriptions::next( $tenant->key ), 60 );
		// The CRM calls what it was given, with what it was given.
		Sandbox::post( '/rows', array( 'tenant' => 'pipe', 'object' => 'contacts', 'rows' => array( array( 'id' => 1, 'name' => 'Zoë' ) ) ) );
		Sandbox::post( '/rows', array( 'tenant' => 'pipe', 'object' => 'leads', 'rows' => array( array( 'id' => '0b2a5a1c-1111-4222-8333-444455556666', 'name' => 'An offer', 'person_id' => 1 ) ) ) );
		$body = '{"data":{},"previous":null,"meta":{"action":"create","entity":"lead","entity_id":"0b2a5a1c-1111-4222-8333-444455556666","id":"m1","company_id":1}}';
		$auth = array( 'Authorization' => 'Basic ' . base64_encode( "{$made[0]['http_auth_user']}:{$made[0]['http_auth_password']}" ) );
		$this->assertSame( self::ACCEPTED, $this->send( $made[0]['subscription_url'], $body, $auth ) );
		Worker::run( 10.0 );
		$this->assertSame( 'An offer', $this->post_of( $tenant, '0b2a5a1c-1111-4222-8333-444455556666' )->post_title );
		// Neither address nor secrets can be read here.
		$all = serialize( array_map( static fn( string $table ): array => $GLOBALS['wpdb']->get_results( "SELECT * FROM `$table`", ARRAY_N ), Schema::tables() ) );
		foreach ( array( $this->key_of( $made[0]['subscription_url'] ), $made[0]['http_auth_password'] ) as $secret ) {
			$this->assertStringNotContainsString( $secret, $all );
		}
	}

	public function test_it_is_renewed_before_it_ends_and_ended_when_it_is_removed(): void {
		$tenant = $this->zoho();
		Subscriptions::begin( $tenant );
		Worker::run( 10.0 );
		$first = $this->made( 'zoho' );
		$this->assertSame( array( array( 'Leads.all' ), 1 ), array( $first[0]['events'], count( $first ) ) );
		$this->assertEqualsWithDelta( time() + DAY_IN_SECONDS, strtotime( $first[0]['channel_expiry'] ), 60 );
		$this->assertEqualsWithDelta( time() + DAY_IN_SECONDS / 2, Subscriptions::next( $tenant->key ), 60 );
		Cron::tick();
		$this->assertSame( $first, $this->made( 'zoho' ), 'not before its time' );
		$this->age( $tenant );
		Cron::tick();
		$second = $this->made( 'zoho' );
		$this->assertCount( 1, $second, 'the old one is ended' );
		$this->assertNotSame( $first[0]['channel_id'], $second[0]['channel_id'] );
		$this->assertSame( $first[0]['notify_url'], $second[0]['notify_url'] );
		$this->assertSame( $first[0]['token'], $second[0]['token'] );
		$body = (string) json_encode( array( 'module' => 'Leads', 'ids' => array( '41' ), 'operation' => 'update', 'token' => $second[0]['token'] ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $second[0]['notify_url'], $body, array() ) );
		// A new host key, and then the next renewal.
		Tenants::rotate( $tenant->key );
		$this->age( $tenant );
		Cron::tick();
		$this->assertSame( $first[0]['notify_url'], $this->made( 'zoho' )[0]['notify_url'] );
		Addresses::remove( Tenants::get( $tenant->key ) );
		$this->assertSame( array(), $this->made( 'zoho' ) );
		$this->assertSame( self::REFUSED, $this->deliver( $second[0]['notify_url'], $body, array() ) );
	}

	public function test_a_job_that_was_cut_off_makes_none_twice(): void {
		$tenant = $this->pipedrive();
		$tenant = Tenants::save( array( 'id' => 'pipe', 'settings' => array( 'webhook' => array( 'objects' => array( 'leads', 'contacts' ) ) ) + $tenant->settings ) );
		Subscriptions::begin( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'pipe', 'faults' => array( array( 'kind' => 'status', 'status' => 500, 'after' => 1, 'times' => 1 ) ) ) );
		Worker::run( 10.0 );
		$this->assertSame( array( 'lead' ), array_column( $this->made( 'pipe' ), 'event_object' ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET available_at = '2020-01-01'" );
		Worker::run( 10.0 );
		$this->assertSame( array( 'lead', 'person' ), array_column( $this->made( 'pipe' ), 'event_object' ) );
		// What is not wanted any more is ended with the next renewal.
		Tenants::save( array( 'id' => 'pipe', 'settings' => array( 'webhook' => array( 'objects' => array( 'contacts' ) ) ) + Tenants::get( $tenant->key )->settings ) );
		$this->set( 'renew_at = UTC_TIMESTAMP()' );
		Cron::tick();
		$this->assertSame( array( 'person' ), array_column( $this->made( 'pipe' ), 'event_object' ) );
	}

	public function test_a_crm_that_refuses_says_why_and_is_not_asked_at_each_tick(): void {
		$tenant = $this->pipedrive();
		Sandbox::post( '/faults', array( 'tenant' => 'pipe', 'faults' => array( array( 'kind' => 'status', 'status' => 403, 'times' => null, 'body' => '{"success":false,"error":"Scope and URL mismatch"}' ) ) ) );
		Subscriptions::begin( $tenant );
		Worker::run( 10.0 );
		$this->assertStringContainsString( 'Scope and URL mismatch', DeadLetters::list( null, 5 )[0]['reason'] );
		$this->asked( 'pipe' );
		Cron::tick();
		$this->assertSame( array(), array_values( preg_grep( '/webhooks/', $this->asked( 'pipe' ) ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'pipe', 'faults' => array() ) );
		$this->set( 'renew_at = UTC_TIMESTAMP()' );
		Cron::tick();
		$this->assertCount( 1, $this->made( 'pipe' ) );
	}

	public function test_crms_that_cannot_be_asked_say_so(): void {
		$this->assertFalse( Subscriptions::can( $this->signing( 'acme' ) ) );
		$bare = Tenants::save( array( 'id' => 'bare', 'connector' => 'pipedrive', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ) ) );
		foreach ( array( array( Tenants::find( 'acme' ), 'cannot be asked' ), array( $bare, 'still lacks' ) ) as list( $tenant, $words ) ) {
			try {
				Subscriptions::begin( $tenant );
				$this->fail( 'it was asked' );
			} catch ( InvalidArgumentException $e ) {
				$this->assertStringContainsString( $words, $e->getMessage() );
			}
		}
		$this->assertNull( Jobs::state( $bare->key, Subscriptions::KIND, 'webhooks' ) );
	}
}
