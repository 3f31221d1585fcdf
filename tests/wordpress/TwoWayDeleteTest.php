<?php
/**
 * Deletions of both sides: what was said, and what is only absent; the bin and the way back; a brake for many at once; and never another
 * tenant's CRM.
 */

use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;
use TenantCRM\Worker;

final class TwoWayDeleteTest extends TwoWayCase {

	public function test_a_lead_in_the_bin_is_deleted_in_the_crm_and_comes_back_as_a_new_one(): void {
		$tenant = $this->pair( 'acme', 3, array( 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		wp_trash_post( $post );
		$this->settle( $tenant );
		$this->assertSame( array( 'DELETE /api/v1/leads/2' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant, 'in the bin' );
		wp_untrash_post( $post );
		$this->settle( $tenant );
		$this->assertSame( array( 'DELETE /api/v1/leads/2', 'POST /api/v1/leads' ), $this->writes( $tenant ) );
		$this->assertCount( 3, Sandbox::leads( 'acme' ) );
		$this->assertNotSame( '2', get_post_meta( $post, 'crm_lead_id', true ) );
		$this->assertSame( 0, Conflicts::count() );
		wp_delete_post( $post, true );
		$this->settle( $tenant );
		$this->assertCount( 2, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant, 'deleted for good' );
		// FAULTS A11: nothing that was deleted comes back.
		$this->pull( $tenant, array( 'full' => true ) );
		$this->settle( $tenant );
		$this->assertSame( 2, $this->posts() );
	}

	public function test_without_a_word_nothing_is_deleted_in_the_crm(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$first  = $this->post_of( $tenant, '1' )->ID;
		$second = $this->post_of( $tenant, '2' )->ID;
		wp_trash_post( $first );
		wp_delete_post( $second, true );
		$this->settle( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'delete', 'delete' ), array_column( $open, 'kind' ) );
		$by = array_column( $open, 'id', 'crm_id' );
		$this->assertSame( 'taken', Decisions::take( $by['1'], 'crm' ) );
		$this->assertSame( 'taken', Decisions::take( $by['2'], 'portal' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'DELETE /api/v1/leads/2' ), $this->writes( $tenant ) );
		$this->assertSame( 'publish', get_post_status( $first ), 'back from the bin' );
		$this->assertConverged( $tenant );
	}

	public function test_kept_in_the_crm_it_does_not_come_back(): void {
		$tenant = $this->pair( 'acme', 3, array( 'portal_deletes' => 'keep' ) );
		$this->settle( $tenant );
		wp_trash_post( $this->post_of( $tenant, '2' )->ID );
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 99' ) );
		$this->settle( $tenant );
		$this->pull( $tenant, array( 'full' => true ) );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$this->assertSame( '2', $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->posts} WHERE post_type = 'crm_lead' AND post_status = 'publish'" ) );
	}

	/** The REST connector has no feed of deletions: only a full list shows what is gone. */
	/** Kept on one side, it is merged with what was agreed on before when it is on both again. */
	public function test_what_one_side_kept_and_changed_meanwhile_is_no_conflict_later(): void {
		$tenant = $this->pair( 'acme', 3, array( 'portal_deletes' => 'keep', 'crm_deletes' => 'keep', 'policy' => 'portal' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		wp_trash_post( $post );
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+48 kept' ) );
		$this->settle( $tenant );
		add_filter( 'wp_untrash_post_status', 'wp_untrash_post_set_previous_status', 10, 3 );
		wp_untrash_post( $post );
		remove_filter( 'wp_untrash_post_status', 'wp_untrash_post_set_previous_status' );
		$this->settle( $tenant );
		$this->assertSame( '+48 kept', $this->crm_lead( $tenant, '1' )['phone'] );
		$this->assertConverged( $tenant );

		$row = $this->crm_lead( $tenant, '2' );
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/2' );
		$this->pull( $tenant, array( 'full' => true ) );
		$this->settle( $tenant );
		$this->assertSame( '3', $this->sql( 'SELECT gone FROM ' . Schema::table( 'records' ) . " WHERE crm_id = '2'" ) );
		unset( $row['updated_at'] );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( array( 'phone' => '+48 back' ) + $row ) ) );
		$this->settle( $tenant );
		$this->assertSame( '+48 back', $this->crm_lead( $tenant, '2' )['phone'] );
		$this->assertConverged( $tenant );
	}

	public function test_what_a_full_list_does_not_show_is_looked_for_and_goes_to_the_bin(): void {
		$tenant = $this->pair( 'acme', 5 );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '3' )->ID;
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/3' );
		$this->settle( $tenant );
		$this->assertSame( 'publish', get_post_status( $post ), 'nobody said so' );
		$this->pull( $tenant, array( 'full' => true ) );
		$this->push( $tenant );
		$this->assertSame( 'trash', get_post_status( $post ) );
		$this->assertConverged( $tenant );
		$this->settle( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		// Restored at the CRM: out of the bin, the same post.
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( array( 'id' => 3, 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 5 ), 'name' => 'Back' ) + $this->leads( 1, 3 )[0] ) ) );
		$this->settle( $tenant );
		wp_cache_flush();
		$this->assertSame( array( 'publish', 'Back' ), array( get_post_status( $post ), get_post( $post )->post_title ) );
		$this->assertConverged( $tenant, 'restored' );
	}

	/** FAULTS A22, B7. */
	public function test_absent_is_not_deleted(): void {
		$tenant = $this->pair( 'acme', 40, array( 'page_size' => 10 ) );
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'status', 'status' => 500, 'method' => 'GET', 'after' => 2, 'times' => 8 ) ) ) );
		$run = Jobs::enqueue( $tenant->key, 'pull', 'leads', 10, array( 'full' => true ) );
		Worker::run( 30.0, $run );
		$this->assertSame( 'waiting', TenantCRM\Runs::get( $run )['state'], 'page 3 fails' );
		$this->push( $tenant );
		$this->assertSame( array( '0', '40' ), $this->hints_and_leads() );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array() ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET available_at = UTC_TIMESTAMP(3)' );
		Worker::run( 30.0, $run );
		$this->assertSame( 'done', TenantCRM\Runs::get( $run )['state'] );
		$this->push( $tenant );
		$this->assertSame( array( '0', '40' ), $this->hints_and_leads() );
		// A list that shows only a few, as a dead token's: more than a person would lose.
		$few = wp_json_encode( array( 'data' => array_slice( Sandbox::leads( 'acme' ), 0, 4 ), 'meta' => array( 'current_page' => 1, 'last_page' => 1 ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'GET', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => $few ) ) ) );
		$this->pull( $tenant, array( 'full' => true ) );
		$this->push( $tenant );
		$this->assertSame( array( '0', '40' ), $this->hints_and_leads() );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'absent' ), array_column( $open, 'kind' ) );
		$this->assertStringContainsString( '36 of 40', $open[0]['reason'] );
		// Looked for, since somebody wants it: they are all there.
		Decisions::take( $open[0]['id'], 'crm' );
		$this->push( $tenant );
		$this->assertSame( array( '0', '40' ), $this->hints_and_leads() );
	}

	public function test_many_deletions_of_the_crm_wait_for_a_person(): void {
		$tenant = $this->pair( 'acme', 40 );
		$this->settle( $tenant );
		for ( $id = 1; $id <= 21; $id++ ) {
			$this->crm( 'DELETE', $tenant, "/api/v1/leads/$id" );
		}
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'records' ) . ' SET hint = 1 WHERE CAST(crm_id AS UNSIGNED) <= 21' );
		$this->push( $tenant );
		$this->assertSame( '40', $this->hints_and_leads()[1] );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'bin' ), array_column( $open, 'kind' ) );
		Decisions::take( $open[0]['id'], 'crm' );
		$this->push( $tenant );
		$this->assertSame( array( '0', '19' ), $this->hints_and_leads() );
		$this->assertConverged( $tenant );
	}

	public function test_many_deletions_of_the_portal_wait_for_a_person(): void {
		$tenant = $this->pair( 'acme', 40, array( 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		for ( $id = 1; $id <= 21; $id++ ) {
			wp_trash_post( $this->post_of( $tenant, (string) $id )->ID );
		}
		$this->push( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'erase' ), array_column( $open, 'kind' ) );
		update_post_meta( $this->post_of( $tenant, '30' )->ID, 'phone', '+49 30' );
		$this->push( $tenant );
		$this->assertSame( array( 'PATCH /api/v1/leads/30' ), $this->writes( $tenant ), 'it blocks nothing else' );
		Decisions::take( $open[0]['id'], 'portal' );
		$this->push( $tenant );
		$this->assertCount( 19, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** @return array<string, array{0: string, 1: bool}> */
	public function fights(): array {
		return array( 'the CRM counts' => array( 'crm', false ), 'the portal counts' => array( 'portal', true ) );
	}

	/** @dataProvider fights */
	public function test_deleted_in_the_crm_edited_in_the_portal( string $policy, bool $lives ): void {
		$tenant = $this->pair( 'acme', 3, array( 'delete_policy' => $policy ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/2' );
		update_post_meta( $post, 'email', 'edited@portal.test' );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertSame( $lives ? 'publish' : 'trash', get_post_status( $post ) );
		$this->assertCount( $lives ? 3 : 2, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** @dataProvider fights */
	public function test_edited_in_the_crm_deleted_in_the_portal( string $policy, bool $portal ): void {
		$tenant = $this->pair( 'acme', 3, array( 'delete_policy' => $policy, 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		wp_trash_post( $post );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 222' ) );
		$this->settle( $tenant );
		wp_cache_flush();
		$this->assertSame( $portal ? 'trash' : 'publish', get_post_status( $post ) );
		$this->assertCount( $portal ? 2 : 3, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	public function test_deleted_against_edited_asks_and_a_person_decides(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/2' );
		update_post_meta( $post, 'email', 'edited@portal.test' );
		$this->settle( $tenant );
		$this->assertSame( array( 'publish', 2 ), array( get_post_status( $post ), count( Sandbox::leads( 'acme' ) ) ) );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'delete', null ), array( $open[0]['kind'], $open[0]['crm'] ) );
		Decisions::take( $open[0]['id'], 'portal' );
		$this->settle( $tenant );
		$this->assertCount( 3, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** A person chose the deletion of what they saw; what the CRM has changed since is asked again. */
	public function test_a_deletion_that_was_chosen_before_the_next_edit_is_asked_again(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		wp_trash_post( $post );
		$this->settle( $tenant );
		$first = Conflicts::list( array( 'state' => 'open' ) );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+48 unseen' ) );
		Decisions::take( $first[0]['id'], 'portal' );
		$this->settle( $tenant );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$again = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( '+48 unseen', $again[0]['crm']['phone'] ?? '' );
		Decisions::take( $again[0]['id'], 'portal' );
		$this->settle( $tenant );
		$this->assertSame( array( 'DELETE /api/v1/leads/2' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
	}

	public function test_a_post_never_goes_to_another_tenants_crm(): void {
		$one = $this->pair( 'one', 2 );
		$two = $this->pair( 'two', 2 );
		$this->settle( $one );
		$this->settle( $two );
		$post = $this->post_of( $one, '1' )->ID;
		update_post_meta( $post, '_tenant_id', 'two' );
		update_post_meta( $post, 'email', 'secret-of-two@portal.test' );
		$new = $this->portal_lead( $one, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		update_post_meta( $new, '_tenant_id', 'two' );
		foreach ( array( $one, $two, $one, $two ) as $tenant ) {
			$this->settle( $tenant );
		}
		$this->assertSame( array(), $this->writes( $one ) );
		$this->assertSame( array( 'POST /api/v1/leads' ), $this->writes( $two ), 'the new lead, which the CRM of "one" never saw' );
		$this->assertStringNotContainsString( 'secret-of-two', wp_json_encode( array( Sandbox::leads( 'one' ), Sandbox::leads( 'two' ) ) ) );
		$this->assertStringContainsString( 'belongs to another tenant', implode( ' ', array_column( Log::list( array( 'tenant' => $one->key ) ), 'message' ) ) );
		// The CRM's changes are not written into it either.
		$this->crm_edit( $one, '1', array( 'phone' => 'phone-of-one' ) );
		$this->settle( $one );
		wp_cache_flush();
		$this->assertNotSame( 'phone-of-one', get_post_meta( $post, 'phone', true ) );
		update_post_meta( $post, '_tenant_id', 'one' );
		$this->settle( $one );
		$this->settle( $one );
		$this->assertConverged( $one );
	}

	/** FAULTS A11. */
	public function test_two_fast_edits_end_with_the_last_one(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		foreach ( array( 'a', 'b', 'a', 'c' ) as $value ) {
			update_post_meta( $post, 'email', "$value@portal.test" );
			$this->push( $tenant );
			'b' === $value ? $this->pull( $tenant ) : null;
		}
		foreach ( array( 'x', 'y', 'x', 'z' ) as $value ) {
			$this->crm_edit( $tenant, '2', array( 'email' => "$value@crm.test" ) );
			'y' === $value ? $this->pull( $tenant ) : $this->push( $tenant );
		}
		$this->settle( $tenant );
		$this->assertSame( array( 'c@portal.test', 'z@crm.test' ), array( $this->crm_lead( $tenant, '1' )['email'], $this->crm_lead( $tenant, '2' )['email'] ) );
		$this->assertConverged( $tenant );
		$this->assertCount( 4, $this->writes( $tenant ) );
	}

	public function test_deleting_a_tenant_takes_its_notes_and_conflicts_along(): void {
		$tenant = $this->pair( 'acme', 2, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'portal@portal.test' );
		TenantCRM\Tenants::delete( $tenant->key );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
	}

	/** @return array{0: string, 1: string} Records that wait to be looked at, and leads outside of the bin. */
	private function hints_and_leads(): array {
		return array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) . ' WHERE hint > 0' ), $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->posts} WHERE post_type = 'crm_lead' AND post_status = 'publish'" ) );
	}
}
