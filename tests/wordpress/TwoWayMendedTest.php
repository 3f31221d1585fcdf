<?php
/**
 * Faults that random schedules of both sides' edits found (tests/convergence), each as the shortest story that shows it.
 */

use TenantCRM\Refused;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Changes;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class TwoWayMendedTest extends TwoWayCase {

	/** Both decisions were noted in one row, of post 0: the second tenant's was lost, and the first one's push met the other's record. */
	public function test_decisions_of_two_tenants_on_leads_whose_posts_are_gone_for_good_are_noted_apart(): void {
		$tenants = array(
			'1' => $this->pair( 'one', 3 ),
			'2' => $this->pair( 'two', 3 ),
		);
		foreach ( $tenants as $lead => $tenant ) {
			$this->settle( $tenant );
			wp_delete_post( $this->post_of( $tenant, (string) $lead )->ID, true );
			$this->settle( $tenant );
		}
		$this->forget_posts();
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( array( 'delete', 0 ), array( 'delete', 0 ) ), array_map( static fn( array $row ): array => array( $row['kind'], $row['post_id'] ), $open ) );
		foreach ( $open as $conflict ) {
			$this->assertSame( 'taken', Decisions::take( $conflict['id'], 'portal' ) );
		}
		$this->assertSame( '2', $this->sql( 'SELECT COUNT(DISTINCT c.tenant) FROM ' . Schema::table( 'changes' ) . ' c JOIN ' . Schema::table( 'records' ) . " r ON r.id = c.record AND r.tenant = c.tenant WHERE c.decision = 'portal'" ) );
		foreach ( $tenants as $lead => $tenant ) {
			$this->settle( $tenant );
			$this->assertSame( array( "DELETE /api/v1/leads/$lead" ), $this->writes( $tenant ) );
			$this->assertConverged( $tenant );
		}
		$this->assertSame( 0, Refused::count() );
	}

	/** Two leads of one tenant, the same. */
	public function test_decisions_on_two_leads_whose_posts_are_gone_for_good_are_both_done(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		foreach ( array( '1', '3' ) as $lead ) {
			wp_delete_post( $this->post_of( $tenant, $lead )->ID, true );
		}
		$this->settle( $tenant );
		$this->forget_posts();
		foreach ( Conflicts::list( array( 'state' => 'open' ) ) as $conflict ) {
			$this->assertSame( 'taken', Decisions::take( $conflict['id'], 'portal' ) );
		}
		$this->settle( $tenant );
		$this->assertEqualsCanonicalizing( array( 'DELETE /api/v1/leads/1', 'DELETE /api/v1/leads/3' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
	}

	/** The push of one tenant deleted, in its own CRM, the record that has the id which the other tenant's has. */
	public function test_a_note_that_names_another_tenants_record_moves_nothing(): void {
		global $wpdb;
		$one = $this->pair( 'one', 2, array( 'portal_deletes' => 'delete' ) );
		$two = $this->pair( 'two', 2 );
		$this->settle( $one );
		$this->settle( $two );
		$record = (int) $this->sql( 'SELECT id FROM ' . Schema::table( 'records' ) . " WHERE tenant = {$two->key} AND crm_id = '1'" );
		$wpdb->query( 'UPDATE ' . Schema::table( 'records' ) . " SET post_id = NULL WHERE id = $record" );
		$wpdb->query( Changes::mark_sql( $one->key, 'leads', PHP_INT_MAX, $record ) );
		$this->assertSame( 1, $this->push( $one )['refused'] );
		$this->assertSame( array( array(), array() ), array( $this->writes( $one ), $this->writes( $two ) ) );
		$this->assertStringContainsString( 'another tenant', Refused::list( array( 'tenants' => array( $one->key ) ) )[0]['reason'] );
	}

	/** It was known by what it had meanwhile, so that a pull took the record that had been made of it for somebody else. */
	public function test_a_lead_on_its_way_is_known_by_what_was_sent(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->create_without_an_answer( $tenant );
		update_post_meta( $post, 'email', 'another@portal.test' );
		$this->pull( $tenant );
		$this->assertCount( 4, Sandbox::leads( 'acme' ), 'the CRM has made it' );
		$this->assertSame( 4, $this->posts(), 'and it did not come back as a second lead' );
		$this->answers_are_looked_for( $tenant );
		$this->assertSame( array( 4, 4 ), array( count( Sandbox::leads( 'acme' ) ), $this->posts() ) );
		$this->assertSame( 'another@portal.test', $this->crm_lead( $tenant, get_post_meta( $post, 'crm_lead_id', true ) )['email'] );
		$this->assertConverged( $tenant );
	}

	/** Its note waited for ever, as one of another tenant. */
	public function test_a_lead_whose_maker_died_before_it_was_anybodys_waits_for_nobody(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'Nobody\'s' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Changes::mark( $post, 'acme' );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
		$this->assertSame( array( 'done', 0 ), array_values( array_intersect_key( $this->push( $tenant ), array( 'state' => 1, 'refused' => 1 ) ) ) );
		$this->assertSame( array( '0', 0, array() ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ), Refused::count(), $this->writes( $tenant ) ) );
		// Whoever makes it somebody's after all finds it pushed.
		update_post_meta( $post, '_tenant_id', 'acme' );
		$this->settle( $tenant );
		$this->assertSame( array( 'POST /api/v1/leads' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
	}

	/** @return int The post of a new lead that the CRM has made, and nobody here knows that. */
	private function create_without_an_answer( Tenant $tenant ): int {
		add_filter( 'tenant_crm_sync_settle_seconds', static fn(): int => 60, 20 );
		Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array( array( 'kind' => 'cut_after_read', 'method' => 'POST', 'process' => true ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$post = $this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->push( $tenant );
		$this->assertSame( 'create', $this->sql( 'SELECT verb FROM ' . Schema::table( 'changes' ) . " WHERE post_id = $post AND sent_at IS NOT NULL" ) );
		return $post;
	}

	private function answers_are_looked_for( Tenant $tenant ): void {
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
		$this->settle( $tenant );
		$this->settle( $tenant );
	}

	/** As after a cleanup of old posts and of what was known of them. */
	private function forget_posts(): void {
		global $wpdb;
		$wpdb->query( 'DELETE FROM ' . Schema::table( 'changes' ) );
		$wpdb->query( 'UPDATE ' . Schema::table( 'conflicts' ) . ' SET post_id = 0' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'records' ) . " r LEFT JOIN $wpdb->posts p ON p.ID = r.post_id SET r.post_id = NULL WHERE p.ID IS NULL" );
	}
}
