<?php
/**
 * What a run of a tenant that goes two ways says of itself: each record counts once, whatever was written of it on either side. That the
 * numbers add up is asserted of every run of every two-way test (TwoWayCase); here is what they are.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;

final class TwoWayCountsTest extends TwoWayCase {

	/** The post got the CRM's half in one transaction, and the CRM's answer was settled in another: two, of one lead. */
	public function test_a_lead_that_was_merged_and_sent_counts_once(): void {
		$tenant = $this->pair();
		$this->assertSums( array( 3, 3, 0, 0, 0 ), $this->pull( $tenant ) );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+1 555 0100' ) );
		$this->assertSums( array( 1, 0, 1, 0, 0 ), $this->push( $tenant ) );
		$this->assertSame( '+1 555 0100', get_post_meta( $this->post_of( $tenant, '1' )->ID, 'phone', true ) );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
	}

	public function test_written_skipped_and_failed_leads_of_one_push(): void {
		$tenant = $this->pair( 'acme', 4 );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		update_post_meta( $this->post_of( $tenant, '2' )->ID, 'email', 'this is no address' );
		// Both sides say the same: nothing is sent.
		update_post_meta( $this->post_of( $tenant, '3' )->ID, 'phone', '+1 555 0103' );
		$this->crm_edit( $tenant, '3', array( 'phone' => '+1 555 0103' ) );
		$this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$run = $this->push( $tenant );
		$this->assertSums( array( 4, 0, 2, 1, 1 ), $run );
		$this->assertSame( array( 'PATCH /api/v1/leads/1', 'PATCH /api/v1/leads/2', 'POST /api/v1/leads' ), $this->sorted_writes( $tenant ) );
	}

	/** A list may be older than what is known: such a record is only noted, to be read again. */
	public function test_a_record_that_is_only_noted_is_unchanged(): void {
		global $wpdb;
		$tenant = $this->pair();
		$this->settle( $tenant );
		$wpdb->query( 'UPDATE ' . Schema::table( 'records' ) . " SET fingerprint = 'an older one', seen = NULL WHERE crm_id = '2'" );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+1 555 0101' ) );
		$this->assertSums( array( 3, 0, 1, 2, 0 ), $this->pull( $tenant, array( 'full' => true ) ) );
		$this->assertSame( '1', $this->sql( 'SELECT hint FROM ' . Schema::table( 'records' ) . " WHERE crm_id = '2'" ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
	}

	/** The CRM has a new record of a person who has a lead already: it is looked at before it becomes another. It was in no column. */
	public function test_a_second_record_of_a_person_is_noted_and_then_created(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$email = $this->crm_lead( $tenant, '1' )['email'];
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( array( 'id' => 9, 'name' => 'The same', 'email' => $email, 'phone' => '', 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 5 ) ) ) ) );
		$pull = $this->pull( $tenant );
		$this->assertSame( array( 0, 0 ), array( $pull['created'], $pull['refused'] ) );
		$this->assertSums( array( 1, 1, 0, 0, 0 ), $this->push( $tenant ) );
		$this->assertSame( 4, $this->posts() );
	}

	/** A record that may not be read had its line in the log, and was in no sum. */
	public function test_a_record_that_cannot_be_read_failed(): void {
		global $wpdb;
		$tenant = $this->pair();
		$this->settle( $tenant );
		$wpdb->query( 'UPDATE ' . Schema::table( 'records' ) . " SET hint = 1 WHERE crm_id IN ('1', '2')" );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'status', 'status' => 422, 'method' => 'GET', 'path_contains' => '/leads/2' ) ) ) );
		$run = $this->push( $tenant );
		$this->assertSums( array( 2, 0, 1, 0, 1 ), $run );
		$this->assertSame( '0', $this->sql( 'SELECT MAX(hint) FROM ' . Schema::table( 'records' ) ) );
		$this->assertStringContainsString( 'cannot be read', TenantCRM\Refused::list( array( 'tenants' => array( $tenant->key ) ) )[0]['reason'] );
	}

	/** @param list<int> $expected fetched, created, updated, unchanged, refused */
	private function assertSums( array $expected, array $run ): void {
		$this->assertSame( $expected, array( $run['fetched'], $run['created'], $run['updated'], $run['unchanged'], $run['refused'] ), (string) json_encode( $run ) );
	}

	/** @return list<string> */
	private function sorted_writes( Tenant $tenant ): array {
		$writes = $this->writes( $tenant );
		sort( $writes );
		return $writes;
	}
}
