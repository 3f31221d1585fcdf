<?php
/**
 * Changes of both sides reach the other, once, and nothing goes round in circles.
 */

use TenantCRM\Schema;

final class TwoWayTest extends TwoWayCase {

	public function test_one_edit_in_the_portal_is_one_write_to_the_crm_and_then_silence(): void {
		global $wpdb;
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->assertConverged( $tenant, 'first' );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$post = $this->post_of( $tenant, '2' );
		wp_update_post( array( 'ID' => $post->ID, 'post_title' => 'Portal name' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'PATCH /api/v1/leads/2' ), $this->writes( $tenant ) );
		$this->assertSame( 'Portal name', $this->crm_lead( $tenant, '2' )['name'] );
		$this->assertCount( 1, array_filter( Sandbox::requests( 'acme' ), static fn( array $request ): bool => 'GET' === $request['method'] && '/api/v1/leads/2' === $request['path'] ), 'read once before the write; its echo needs no look' );
		$this->assertConverged( $tenant, 'after the edit' );
		$before = $this->both_sides( $tenant );
		// FAULTS A8: ten silent cycles. FAULTS A10: a cache that is flushed changes nothing.
		for ( $cycle = 0; $cycle < 10; $cycle++ ) {
			wp_cache_flush();
			$this->pull( $tenant );
			$this->push( $tenant );
		}
		$this->assertSame( array( 'PATCH /api/v1/leads/2' ), $this->writes( $tenant ) );
		$this->assertSame( $before, $this->both_sides( $tenant ) );
	}

	public function test_one_edit_in_the_crm_is_one_write_to_the_portal_and_none_back(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 1', 'status' => 'won' ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$before = $this->both_sides( $tenant );
		for ( $cycle = 0; $cycle < 10; $cycle++ ) {
			$this->pull( $tenant );
			$this->push( $tenant );
		}
		$this->assertSame( array(), $this->writes( $tenant ) );
		$this->assertSame( $before, $this->both_sides( $tenant ) );
		$this->assertSame( 'won', $this->sql( 'SELECT state FROM ' . Schema::table( 'records' ) . " WHERE crm_id = '1'" ) );
	}

	/** FAULTS A9. */
	public function test_another_field_right_after_our_write_still_goes_out(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' );
		update_post_meta( $post->ID, 'email', 'one@portal.test' );
		$this->push( $tenant );
		update_post_meta( $post->ID, 'phone', '+49 2' );
		$this->pull( $tenant );
		$this->push( $tenant );
		$this->crm_edit( $tenant, '1', array( 'name' => 'CRM name' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'one@portal.test', '+49 2', 'CRM name' ), array_values( array_intersect_key( array_merge( array( 'email' => 0, 'phone' => 0, 'name' => 0 ), $this->crm_lead( $tenant, '1' ) ), array( 'email' => 1, 'phone' => 1, 'name' => 1 ) ) ) );
		$this->assertCount( 2, $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
	}

	public function test_a_list_that_shows_a_record_as_it_was_before_our_write_undoes_nothing(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$stale = wp_json_encode( array( 'data' => Sandbox::leads( 'acme' ), 'meta' => array( 'current_page' => 1, 'last_page' => 1 ) ) );
		$post  = $this->post_of( $tenant, '1' )->ID;
		update_post_meta( $post, 'email', 'one@portal.test' );
		$this->push( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'GET', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => $stale ) ) ) );
		$this->pull( $tenant, array( 'full' => true ) );
		wp_cache_flush();
		$this->assertSame( 'one@portal.test', get_post_meta( $post, 'email', true ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$this->assertSame( 'one@portal.test', $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
	}

	public function test_edits_of_both_sides_to_different_fields_meet(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 9' ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$lead = $this->crm_lead( $tenant, '1' );
		$this->assertSame( array( 'one@portal.test', '+49 9' ), array( $lead['email'], $lead['phone'] ) );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
	}

	public function test_only_changed_fields_are_written(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->push( $tenant );
		$body = null;
		foreach ( Sandbox::requests( 'acme' ) as $request ) {
			$body = 'PATCH' === $request['method'] ? base64_decode( $request['body_base64'] ) : $body;
		}
		$this->assertSame( '{"email":"one@portal.test"}', $body );
	}

	public function test_a_new_lead_of_the_portal_is_made_in_the_crm_once(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$id = $this->portal_lead( $tenant, array( 'name' => "Zoë \u{1F600} \"A\" & B", 'email' => 'zoe@portal.test', 'phone' => '+49 7' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'POST /api/v1/leads' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
		$lead = $this->crm_lead( $tenant, get_post_meta( $id, 'crm_lead_id', true ) );
		$this->assertSame( array( "Zoë \u{1F600} \"A\" & B", 'zoe@portal.test' ), array( $lead['name'], $lead['email'] ) );
	}

	public function test_a_new_lead_that_the_crm_knows_already_is_found(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'Both@Sides.test', 'phone' => '+49 5' ) );
		$this->portal_lead( $tenant, array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->push( $tenant );
		$this->settle( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$this->assertSame( 4, count( Sandbox::leads( 'acme' ) ) );
		$this->assertSame( 4, $this->posts() );
	}

	public function test_a_person_that_the_pull_brings_is_given_to_the_new_lead(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->portal_lead( $tenant, array( 'name' => 'Both', 'email' => 'both@sides.test', 'phone' => '+49 6' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$this->assertSame( 4, $this->posts() );
		$this->assertSame( '+49 6', Sandbox::leads( 'acme' )[3]['phone'] ?? null );
	}

	public function test_two_records_of_one_person_do_not_share_a_lead(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->portal_lead( $tenant, array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$this->assertSame( 5, $this->posts() );
	}

	public function test_a_copy_of_the_site_writes_nothing_until_somebody_says_that_it_moved(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$copy = static fn(): string => 'https://staging.example.test';
		add_filter( 'option_home', $copy, 99 );
		try {
			update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'staging@portal.test' );
			$this->settle( $tenant );
			$this->assertSame( array(), $this->writes( $tenant ) );
			$open = TenantCRM\TwoWay\Conflicts::list( array( 'state' => 'open' ) );
			$this->assertSame( array( 'home' ), array_column( $open, 'kind' ) );
			TenantCRM\TwoWay\Decisions::take( $open[0]['id'], 'portal' );
			$this->settle( $tenant );
			$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
		} finally {
			remove_filter( 'option_home', $copy, 99 );
			TenantCRM\TwoWay\Home::confirm();
		}
	}

	public function test_a_paused_tenant_is_left_alone_and_loses_nothing(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		TenantCRM\Tenants::pause( $tenant->key, true );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'paused@portal.test' );
		$this->assertSame( 'waiting', $this->push( $tenant )['state'] );
		$this->assertSame( array(), $this->writes( $tenant ) );
		TenantCRM\Tenants::pause( $tenant->key, false );
		$this->settle( $tenant );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
	}

	public function test_direct_sql_is_found_by_the_sweep(): void {
		global $wpdb;
		$tenant = $this->pair();
		$this->settle( $tenant );
		$wpdb->query( "UPDATE $wpdb->postmeta SET meta_value = 'sql@portal.test' WHERE meta_key = 'email' AND post_id = " . $this->post_of( $tenant, '3' )->ID );
		$this->settle( $tenant );
		$this->assertSame( 'sql@portal.test', $this->crm_lead( $tenant, '3' )['email'] );
		$this->assertConverged( $tenant );
	}

	public function test_from_crm_is_what_it_was(): void {
		$tenant = $this->pair( 'acme', 2, array( 'direction' => 'from_crm' ) );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->portal_lead( $tenant, array( 'name' => 'Portal only' ) );
		$this->settle( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$this->assertSame( 0, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
		$this->assertSame( 'one@portal.test', get_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', true ) );
	}

	public function test_to_crm_takes_nothing_from_the_crm(): void {
		$tenant = $this->pair( 'acme', 2, array( 'direction' => 'to_crm' ) );
		$this->settle( $tenant );
		$this->assertSame( 0, $this->posts() );
		$new   = $this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$known = $this->portal_lead( $tenant, array( 'name' => 'Lead 1 renamed', 'email' => 'lead1@example.test' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'POST /api/v1/leads', 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
		$this->assertSame( array( 'Lead 1 renamed', '+49 30 1' ), array( $this->crm_lead( $tenant, '1' )['name'], $this->crm_lead( $tenant, '1' )['phone'] ), 'what the portal does not have stays' );
		$this->crm_edit( $tenant, '1', array( 'name' => 'CRM name', 'email' => 'crm@crm.test' ) );
		update_post_meta( $known, 'email', 'again@portal.test' );
		$this->settle( $tenant );
		$this->assertSame( array( 'CRM name', 'again@portal.test' ), array( $this->crm_lead( $tenant, '1' )['name'], $this->crm_lead( $tenant, '1' )['email'] ) );
		$this->assertSame( 'Lead 1 renamed', get_post( $known )->post_title );
		$this->assertSame( 2, $this->posts() );
		$this->assertNotSame( '', get_post_meta( $new, 'crm_lead_id', true ) );
	}

	/** What both sides and the ledger say, but for counts of the work itself. */
	private function both_sides( $tenant ): string {
		global $wpdb;
		return md5( serialize( array( Sandbox::leads( $tenant->id ), $wpdb->get_results( "SELECT * FROM $wpdb->posts WHERE post_type = 'crm_lead' ORDER BY ID" ), $wpdb->get_results( "SELECT * FROM $wpdb->postmeta ORDER BY meta_id" ), $wpdb->get_results( 'SELECT id, post_id, base, version, crm_revision FROM ' . Schema::table( 'records' ) . ' ORDER BY id' ) ) ) );
	}
}
