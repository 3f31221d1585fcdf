<?php
/**
 * Refused rows: records that the portal cannot store and changes that the CRM does not take are listed with their reason until they get
 * through, are tried again, or are dropped; each by whoever may decide about its tenant.
 */

use TenantCRM\Fields;
use TenantCRM\HookStore;
use TenantCRM\Jobs;
use TenantCRM\Refused;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Store;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Changes;
use TenantCRM\Worker;

final class RefusedTest extends TwoWayCase {

	/** FAULTS A16: 1 bad of 100, in either way of storing: 99 land, the reason is shown. */
	public function test_one_bad_record_of_a_hundred_is_listed_with_its_reason_until_it_is_stored(): void {
		foreach ( array( 'sets' => array(), 'hooks' => array( 'hooks' => true ) ) as $id => $settings ) {
			$tenant = $this->tenant( $id, $settings );
			$leads  = $this->leads( 100 );
			$batch  = static fn( array $rows, array $refused ) => new Rows( $rows, 'w', $refused );
			$good   = array_values( array_filter( $leads, static fn( array $lead ): bool => '7' !== $lead['id'] ) );
			$run    = $this->batch( $tenant, $batch( $good, array( array( 'position' => 6, 'id' => '7', 'reason' => 'invalid UTF-8 in name' ) ) ) );
			$this->assertSame( array( 99, 1 ), array( $run['created'], $run['refused'] ) );
			$rows = Refused::list( array( 'tenants' => array( $tenant->key ) ) );
			$this->assertSame( array( array( 'crm', '7', 'leads', 'invalid UTF-8 in name', 1, null ) ), array_map( static fn( array $row ): array => array( $row['side'], $row['record'], $row['object'], $row['reason'], $row['times'], $row['retry_at'] ), $rows ) );
			// The same once more: one row, counted.
			$this->batch( $tenant, $batch( array(), array( array( 'position' => 0, 'id' => '7', 'reason' => 'invalid UTF-8 in email' ) ) ) );
			$rows = Refused::list( array( 'tenants' => array( $tenant->key ) ) );
			$this->assertSame( array( 1, 2, 'invalid UTF-8 in email' ), array( count( $rows ), $rows[0]['times'], $rows[0]['reason'] ) );
			// Others that are stored change nothing of it; it does.
			$this->batch( $tenant, $batch( array_slice( $good, 0, 5 ), array() ) );
			$this->assertSame( 1, Refused::count( array( 'tenants' => array( $tenant->key ) ) ) );
			$this->batch( $tenant, $batch( array( $leads[6] ), array() ) );
			$this->assertSame( 0, Refused::count( array( 'tenants' => array( $tenant->key ) ) ), $id );
			$this->assertSame( 'Lead 7', $this->post_of( $tenant, '7' )->post_title );
		}
	}

	public function test_a_batch_that_is_not_stored_says_nothing_of_refusals(): void {
		$tenant = $this->tenant();
		$job    = $this->job( $tenant );
		$fail   = static function ( string $sql ): string {
			if ( str_contains( $sql, 'SET j.batches' ) ) {
				throw new Error( 'the process dies' );
			}
			return $sql;
		};
		add_filter( 'query', $fail );
		try {
			( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 2 ), 'w', array( array( 'position' => 2, 'id' => '3', 'reason' => 'bad' ) ) ) );
			$this->fail( 'it should die' );
		} catch ( Error $e ) {
			$this->assertSame( 'the process dies', $e->getMessage() );
		}
		remove_filter( 'query', $fail );
		$this->assertSame( array( 0, 0 ), array( Refused::count(), $this->posts() ) );
	}

	public function test_a_record_is_tried_again_by_its_id_and_gets_through_when_its_cause_is_gone(): void {
		$tenant = $this->pair( 'acme', 3, array( 'direction' => 'from_crm', 'hooks' => true ) );
		$refuse = static fn( bool $empty, array $post ): bool => 'Lead 2' === $post['post_title'];
		add_filter( 'wp_insert_post_empty_content', $refuse, 10, 2 );
		$this->assertSame( 1, $this->pull( $tenant )['refused'] );
		$row = Refused::list()[0];
		$this->assertSame( array( '2', 0 ), array( $row['record'], $row['post_id'] ) );
		// What webhooks are for does not matter to what a person asks for.
		$tenant = TenantCRM\Tenants::save( array( 'id' => 'acme', 'settings' => array( 'webhook' => array( 'filter' => array( 'status' => array( 'never' ) ) ) ) + $tenant->settings ) );
		$this->pull( $tenant );
		// Its cause is still there: refused once more.
		$times = Refused::list()[0]['times'];
		$run   = Refused::retry( $row['key'] );
		$this->assertNotNull( Refused::list()[0]['retry_at'] );
		Worker::run( 20.0, $run );
		$again = Refused::list()[0];
		$this->assertSame( array( $times + 1, null, $row['key'] ), array( $again['times'], $again['retry_at'], $again['key'] ) );
		remove_filter( 'wp_insert_post_empty_content', $refuse );
		$before = count( Sandbox::requests( 'acme' ) );
		Worker::run( 20.0, Refused::retry( $row['key'] ) );
		$this->assertSame( 0, Refused::count() );
		$this->assertSame( 'Lead 2', $this->post_of( $tenant, '2' )->post_title );
		$this->assertSame( 1, count( Sandbox::requests( 'acme' ) ) - $before, 'one request for one record' );
		$this->assertNull( Refused::retry( $row['key'] ), 'it is not refused any more' );
	}

	public function test_a_record_that_the_crm_deleted_meanwhile_leaves_the_list_when_it_is_tried_again(): void {
		$tenant = $this->pair( 'acme', 3, array( 'direction' => 'from_crm', 'hooks' => true ) );
		$refuse = static fn( bool $empty, array $post ): bool => 'Lead 2' === $post['post_title'];
		add_filter( 'wp_insert_post_empty_content', $refuse, 10, 2 );
		$this->pull( $tenant );
		remove_filter( 'wp_insert_post_empty_content', $refuse );
		Sandbox::delete( 'acme', 'leads', array( 2 ) );
		Worker::run( 20.0, Refused::retry( Refused::list()[0]['key'] ) );
		$this->assertSame( 0, Refused::count() );
		$this->assertStringContainsString( 'Record "2", which was refused before, is not at the CRM any more', TenantCRM\Log::list()[0]['message'] );
	}

	public function test_a_record_without_an_id_is_tried_again_with_everything_else(): void {
		$tenant = $this->pair( 'acme', 3, array( 'direction' => 'from_crm' ) );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'raw' => array( '{"id":{"no":"id"},"name":"Nameless","updated_at":"2026-01-01T00:00:30Z"}' ) ) );
		$this->assertSame( 1, $this->pull( $tenant )['refused'] );
		$row = Refused::list()[0];
		$this->assertSame( '', $row['record'] );
		$run = Refused::retry( $row['key'] );
		$this->assertSame( Jobs::BACKFILL, Runs::get( $run )['kind'] );
		Worker::run( 20.0, $run );
		$this->assertSame( array( 1, 2 ), array( Refused::count(), Refused::list()[0]['times'] ), 'it is still there, and refused again' );
		Sandbox::reset();
		$this->pair( 'acme', 3, array( 'direction' => 'from_crm' ) );
		sleep( 1 );
		Worker::run( 20.0, Refused::retry( $row['key'] ) );
		$this->assertSame( 0, Refused::count(), 'everything was read and it is not among it' );
	}

	/** FAULTS A16. */
	public function test_a_change_that_the_crm_refuses_is_tried_again_or_set_aside_until_the_next_one(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		wp_set_current_user( 1 );
		$post = $this->post_of( $tenant, '1' )->ID;
		update_post_meta( $post, 'email', 'this is no address' );
		$this->settle( $tenant );
		wp_set_current_user( 0 );
		$row = Refused::list()[0];
		$this->assertSame( array( 'portal', $post, '1', 'Lead 1', 1 ), array( $row['side'], $row['post_id'], $row['record'], $row['name'], $row['who'] ) );
		$this->assertStringContainsString( 'e-mail address', $row['reason'] );
		$this->assertSame( array( $tenant->key => 1 ), Refused::by_tenant() );
		Worker::run( 20.0, Refused::retry( $row['key'] ) );
		$this->assertCount( 2, $this->writes( $tenant ), 'it was sent again' );
		$this->assertSame( $row['key'], Refused::list()[0]['key'], 'and refused again' );
		$explained = fn(): string => array_column( TenantCRM\TwoWay\Explain::post( $post ), 'rule', 'field' )['email'];
		$this->assertStringContainsString( 'not exchanged: the CRM does not accept it: email:', $explained() );
		$this->assertTrue( Refused::drop( $row['key'] ) );
		$this->assertStringContainsString( 'set aside by a person', $explained() );
		$this->assertFalse( Refused::drop( $row['key'] ), 'once' );
		$this->assertNull( Refused::retry( $row['key'] ) );
		$this->assertSame( array(), Refused::by_tenant() );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 2, $this->writes( $tenant ), 'no sweep takes it up' );
		$this->assertSame( 'this is no address', get_post_meta( $post, 'email', true ), 'the portal keeps what it has' );
		update_post_meta( $post, 'email', 'right@portal.test' );
		$this->settle( $tenant );
		$this->assertSame( 'right@portal.test', $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant );
	}

	/** Two ways: a record whose post is said to be another tenant's, by a list; and one that is read alone and makes no sense. */
	public function test_records_that_a_two_way_sync_cannot_settle_are_listed_too(): void {
		$tenant = $this->pair();
		$other  = $this->tenant( 'other' );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		update_post_meta( $post, '_tenant_id', 'other' );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 11' ) );
		$this->pull( $tenant );
		$rows = Refused::list( array( 'side' => 'crm' ) );
		$this->assertSame( array( array( $tenant->key, '1', $post ) ), array_map( static fn( array $row ): array => array( $row['tenant'], $row['record'], $row['post_id'] ), $rows ) );
		$this->assertStringContainsString( 'belongs to another tenant', $rows[0]['reason'] );
		$this->assertSame( 0, Refused::count( array( 'tenants' => array( $other->key ) ) ), 'the other one hears nothing of it' );
		update_post_meta( $post, '_tenant_id', 'acme' );
		Worker::run( 20.0, Refused::retry( $rows[0]['key'] ) );
		$this->settle( $tenant );
		$this->assertSame( array( 0, '+49 11' ), array( Refused::count(), get_post_meta( $post, 'phone', true ) ) );

		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'records' ) . " SET hint = 1 WHERE crm_id = '2'" );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'GET', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => '{"data":{"id":{"no":"id"},"name":"?"}}' ) ) ) );
		$this->push( $tenant );
		$rows = Refused::list();
		$this->assertSame( array( 'crm', '2' ), array( $rows[0]['side'], $rows[0]['record'] ) );
		$this->assertStringContainsString( 'cannot be read', $rows[0]['reason'] );
		Worker::run( 20.0, Refused::retry( $rows[0]['key'] ) );
		$this->assertSame( 0, Refused::count() );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
	}

	/** @return array<string, array{0: string, 1: string}> What an extension's message says, and what people read. */
	public function reasons(): array {
		$of = static fn( string $answer ): string => "CRM tenant a: b: PATCH https://crm.example:8443/api/v1/leads/1: HTTP $answer";
		return array(
			'a field'        => array( $of( '422 Unprocessable Entity: {"message":"The given data is invalid.","errors":{"email":["This does not look like an e-mail address."]}}' ), 'the CRM does not accept it: email: This does not look like an e-mail address' ),
			'a list'         => array( $of( '400 Bad Request: [{"message":"Last Name: required field is missing","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]' ), 'the CRM does not accept it: Last Name: required field is missing' ),
			'nested'         => array( $of( '409 Conflict: {"status":"error","message":"Contact already exists.","correlationId":"5f-aa","category":"CONFLICT"}' ), 'the CRM has another one that stands in its way: Contact already exists' ),
			'plain text'     => array( $of( '403 Forbidden: You may not edit this lead.' ), 'the CRM does not allow it: You may not edit this lead' ),
			'no body'        => array( $of( '404 Not Found' ), 'the CRM does not have it' ),
			'cut off'        => array( $of( '422 Unprocessable Entity: {"message":"The giv' ), 'the CRM does not accept it' ),
			'no refusal'     => array( 'invalid UTF-8 in name', 'invalid UTF-8 in name' ),
			'other statuses' => array( $of( '418 I am a teapot: {"a":{"b":{"c":"d"}}}' ), 'the CRM refused it (HTTP 418)' ),
		);
	}

	/** @dataProvider reasons */
	public function test_reasons_are_told_in_plain_words( string $reason, string $words ): void {
		$this->assertSame( $words, TenantCRM\Reason::plain( $reason ) );
	}

	public function test_lists_are_of_some_tenants_of_one_side_and_searched(): void {
		$one = $this->tenant( 'one' );
		$two = $this->tenant( 'two' );
		foreach ( array( $one, $two ) as $tenant ) {
			$this->batch( $tenant, new Rows( array(), '', array_map( static fn( int $number ): array => array( 'position' => $number, 'id' => "r$number-$tenant->id", 'reason' => "Because of Ünderstanding $number" ), range( 1, 30 ) ) ) );
		}
		$this->assertSame( array( 60, 30, 0 ), array( Refused::count(), Refused::count( array( 'tenants' => array( $one->key ) ) ), Refused::count( array( 'tenants' => array() ) ) ) );
		$this->assertSame( array( 60, 0 ), array( Refused::count( array( 'side' => 'crm' ) ), Refused::count( array( 'side' => 'portal' ) ) ) );
		$this->assertSame( array( 'r3-two' ), array_column( Refused::list( array( 'words' => 'r3-two' ) ), 'record' ) );
		$this->assertSame( 2, Refused::count( array( 'words' => 'understanding 30' ) ) );
		$this->assertSame( 0, Refused::count( array( 'words' => '%' ) ) );
		$this->assertCount( 10, Refused::list( array( 'limit' => 50, 'offset' => 50 ) ) );
		$this->assertNull( Refused::get( "crm-1' OR 1" ) );
		TenantCRM\Tenants::delete( $one->key );
		$this->assertSame( array( $two->key => 30 ), Refused::by_tenant(), 'nothing of a deleted tenant stays' );
	}

	public function test_the_list_is_bounded_for_each_tenant(): void {
		global $wpdb;
		$one   = $this->tenant( 'one' );
		$two   = $this->tenant( 'two' );
		$table = Schema::table( 'refused' );
		$this->batch( $two, new Rows( array(), '', array( array( 'position' => 0, 'id' => 'only', 'reason' => 'r' ) ) ) );
		$wpdb->query( "INSERT INTO `$table` (tenant, object, crm_id, id_hash, reason, first_at, last_at) SELECT {$one->key}, 'leads', seq, UNHEX(SHA2(seq, 256)), 'r', UTC_TIMESTAMP(), UTC_TIMESTAMP() FROM seq_1_to_10020" );
		Refused::prune();
		$this->assertSame( array( $one->key => 10000, $two->key => 1 ), Refused::by_tenant() );
	}

	/** @return array<string, mixed> The run. */
	private function batch( Tenant $tenant, Rows $rows ): array {
		$job    = $this->job( $tenant );
		$fields = Fields::of( $tenant, 'leads' );
		( $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields ) )->batch( $rows );
		Jobs::finish( $job );
		return Runs::get( $job->run );
	}
}
