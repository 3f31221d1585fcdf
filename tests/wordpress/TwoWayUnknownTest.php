<?php
/**
 * Writes of which nobody knows whether they were done, and what people do meanwhile; lists that are older than what is known, and processes
 * that were asleep.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Changes;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;
use TenantCRM\Worker;

require_once __DIR__ . '/../convergence/lib/Child.php';

final class TwoWayUnknownTest extends TwoWayCase {

	/** @return array<string, array{0: string}> */
	public function words(): array {
		return array( 'delete' => array( 'delete' ), 'ask' => array( 'ask' ), 'keep' => array( 'keep' ) );
	}

	/**
	 * As with any lead that is deleted in the portal, portal_deletes says what becomes of the record.
	 *
	 * @dataProvider words
	 */
	public function test_a_lead_deleted_for_good_while_nobody_knows_whether_the_crm_has_it( string $word ): void {
		$tenant = $this->pair( 'acme', 3, array( 'portal_deletes' => $word ) );
		$post   = $this->on_its_way( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		wp_delete_post( $post, true );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertSame( 'delete' === $word ? array( 'POST', 'DELETE' ) : array( 'POST' ), $this->verbs( $tenant ) );
		$this->assertCount( 'delete' === $word ? 3 : 4, Sandbox::leads( 'acme' ) );
		$this->assertSame( 3, $this->posts(), 'it does not come back' );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( 'ask' === $word ? array( 'delete' ) : array(), array_column( $open, 'kind' ) );
		$requests = count( Sandbox::requests( 'acme' ) );
		$this->pull( $tenant );
		$this->push( $tenant );
		$this->assertSame( $requests + 1, count( Sandbox::requests( 'acme' ) ), 'a list, and no more questions about it' );
		if ( 'ask' === $word ) {
			Decisions::take( $open[0]['id'], 'portal' );
			$this->settle( $tenant );
			$this->assertCount( 3, Sandbox::leads( 'acme' ) );
			$this->assertConverged( $tenant );
		}
	}

	public function test_such_a_lead_comes_back_if_a_person_wants_the_crms_side(): void {
		$tenant = $this->pair();
		$post   = $this->on_its_way( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		wp_delete_post( $post, true );
		$this->settle( $tenant );
		Decisions::take( Conflicts::list( array( 'state' => 'open' ) )[0]['id'], 'crm' );
		$this->settle( $tenant );
		$this->assertCount( 4, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** Many such deletions are a mass deletion like any other. */
	public function test_the_brake_holds_for_such_leads_too(): void {
		$tenant = $this->pair( 'acme', 3, array( 'portal_deletes' => 'delete' ) );
		add_filter( 'tenant_crm_sync_settle_seconds', static fn(): int => 60, 20 );
		$this->settle( $tenant );
		$posts = array();
		for ( $number = 0; $number < 21; $number++ ) {
			$posts[] = $this->portal_lead( $tenant, array( 'name' => "New $number", 'email' => "new$number@portal.test" ) );
			// Of a job that kills each of its workers somebody has to hear: then one more is needed.
			for ( $try = 0; $try < 3 && count( Sandbox::leads( 'acme' ) ) < 4 + $number; $try++ ) {
				$this->bury_the_dead();
				Jobs::enqueue( $tenant->key, Changes::KIND );
				Child::start(
					static function (): void {
						add_action( 'tenant_crm_sync_push_step', static fn( string $step ) => 'sent' === $step && posix_kill( getmypid(), SIGKILL ) );
						Worker::run( 20.0 );
					}
				)->wait();
			}
		}
		$this->assertCount( 24, Sandbox::leads( 'acme' ) );
		array_map( static fn( int $post ) => wp_delete_post( $post, true ), $posts );
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
		$this->bury_the_dead();
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertContains( 'erase', array_column( Conflicts::list( array( 'state' => 'open' ) ), 'kind' ) );
		$this->assertGreaterThan( 20, count( Sandbox::leads( 'acme' ) ) );
	}

	/** Its post names the record that the CRM deleted; nobody may take it for that one's again. */
	public function test_a_lead_that_is_made_anew_is_not_adopted_by_its_old_record(): void {
		$tenant = $this->pair( 'acme', 3, array( 'delete_policy' => 'portal' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/2' );
		update_post_meta( $post, 'email', 'edited@portal.test' );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'cut_after_read', 'method' => 'POST', 'process' => true, 'times' => 1 ) ) ) );
		add_filter( 'tenant_crm_sync_settle_seconds', static fn(): int => 60, 20 );
		$this->push( $tenant );
		$this->assertSame( array( 'POST' ), $this->verbs( $tenant ) );
		// As long as a post is young, each sync looks at it.
		delete_option( 'tenant_crm_sync_adoption' );
		$this->push( $tenant );
		update_post_meta( $post, 'email', 'later@portal.test' );
		$this->pull( $tenant );
		$this->assertSame( 3, $this->posts(), 'the new record waits for its lead' );
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertSame( array( 'POST', 'PATCH' ), $this->verbs( $tenant ) );
		$this->assertConverged( $tenant );
	}

	/** A list that the job read before its write says nothing of what became of it. */
	public function test_an_older_list_does_not_say_that_a_write_was_not_done(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'cut_after_read', 'method' => 'POST', 'process' => true, 'after' => 1, 'times' => 1 ) ) ) );
		foreach ( array( 'one', 'two', 'three' ) as $name ) {
			$this->portal_lead( $tenant, array( 'name' => $name, 'email' => "$name@portal.test" ) );
		}
		$this->push( $tenant );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ), 'it asks for another one, and finds it' );
		$this->settle( $tenant );
		$this->assertCount( 6, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** Nor that nobody made the same person meanwhile. */
	public function test_a_person_who_comes_while_a_job_goes_on_is_found(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->portal_lead( $tenant, array( 'name' => 'First', 'email' => 'first@portal.test' ) );
		$this->portal_lead( $tenant, array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->at_step(
			'done',
			function () use ( $tenant ): void {
				$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test', 'phone' => '+48 1' ) );
				usleep( 2100000 );
			}
		);
		$this->push( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 5, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** Whoever looks meanwhile for what it noted must not be proved wrong later. */
	public function test_a_process_that_slept_before_it_sent_does_not_send(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		add_filter( 'tenant_crm_sync_claim_seconds', static fn(): float => 0.3 );
		$this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$steps = array();
		add_action(
			'tenant_crm_sync_push_step',
			static function ( string $step ) use ( &$steps ): void {
				$steps[] = $step;
				array( 'look', 'settle', 'send' ) === $steps && usleep( 400000 );
			}
		);
		$this->push( $tenant );
		remove_all_filters( 'tenant_crm_sync_claim_seconds' );
		$this->settle( $tenant );
		$this->assertSame( array( 'look', 'settle', 'send', 'look', 'settle', 'send', 'sent', 'done' ), $steps, 'it begins anew' );
		$this->assertSame( array( 'POST' ), $this->verbs( $tenant ) );
		$this->assertConverged( $tenant );
	}

	/** A list shows records that are gone: one of a person who has a lead already makes none before it was read by its id. */
	public function test_a_second_record_of_a_person_is_read_before_it_is_believed(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$double = array( 'name' => 'Again', 'email' => 'LEAD1@example.test' );
		$this->crm( 'POST', $tenant, '/api/v1/leads', $double );
		$this->pull( $tenant );
		$this->assertSame( 3, $this->posts() );
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/4' );
		$this->push( $tenant );
		$this->assertSame( 3, $this->posts(), 'it was gone' );
		$this->crm( 'POST', $tenant, '/api/v1/leads', $double );
		$this->settle( $tenant );
		$this->assertSame( 4, $this->posts(), 'it is there' );
		$this->assertConverged( $tenant );
	}

	/** The CRM's edit counts more than the deletion here; what the portal had changed before it went to the bin goes on to the CRM. */
	public function test_what_a_lead_kept_in_the_bin_is_merged_when_it_comes_out(): void {
		global $wpdb;
		$tenant = $this->pair( 'acme', 3, array( 'delete_policy' => 'crm', 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		update_post_meta( $post, 'email', 'unsent@portal.test' );
		wp_trash_post( $post );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+48 222' ) );
		$this->push( $tenant );
		wp_cache_flush();
		$lead = $this->crm_lead( $tenant, '2' );
		$this->assertSame( array( 'publish', '+48 222', 'unsent@portal.test' ), array( get_post_status( $post ), get_post_meta( $post, 'phone', true ), get_post_meta( $post, 'email', true ) ) );
		$this->assertSame( array( '+48 222', 'unsent@portal.test' ), array( $lead['phone'], $lead['email'] ), 'in the same push' );
		$this->assertConverged( $tenant );
	}

	/** A form knows a person by the address that both agree on, by the one that is on its way, and by the one that was sent. */
	public function test_forms_know_addresses_that_are_on_their_way(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		update_post_meta( $post, 'email', 'Changed@portal.test' );
		$this->assertSame( $post, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'changed@portal.test', 'phone' => '+49 1' ) ) );
		$this->assertSame( $post, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'lead1@example.test', 'phone' => '+49 2' ) ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'Changed@portal.test', '+49 2' ), array( $this->crm_lead( $tenant, '1' )['email'], $this->crm_lead( $tenant, '1' )['phone'] ) );

		$new = $this->on_its_way( $tenant, array( 'name' => 'New', 'email' => 'sent@portal.test' ) );
		update_post_meta( $new, 'email', 'edited@portal.test' );
		$this->assertSame( $new, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'edited@portal.test', 'phone' => '+49 3' ) ) );
		$this->assertSame( $new, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'sent@portal.test', 'phone' => '+49 4' ) ) );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 4, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
		$this->assertSame( array( 'edited@portal.test', '+49 4' ), array( $this->crm_lead( $tenant, '4' )['email'], $this->crm_lead( $tenant, '4' )['phone'] ) );
	}

	/** Makes a lead whose create is done, and whose answer never came. @return int Its post. */
	private function on_its_way( Tenant $tenant, array $fields ): int {
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'cut_after_read', 'method' => 'POST', 'process' => true, 'times' => 1 ) ) ) );
		add_filter( 'tenant_crm_sync_settle_seconds', static fn(): int => 60, 20 );
		$post = $this->portal_lead( $tenant, $fields );
		$this->push( $tenant );
		$this->assertSame( 'create', $this->sql( 'SELECT verb FROM ' . Schema::table( 'changes' ) . " WHERE post_id = $post" ) );
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
		return $post;
	}

	/** @return list<string> */
	private function verbs( Tenant $tenant ): array {
		return array_map( static fn( string $write ): string => explode( ' ', $write )[0], $this->writes( $tenant ) );
	}
}
