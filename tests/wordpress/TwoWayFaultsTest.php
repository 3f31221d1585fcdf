<?php
/**
 * Lines of FAULTS.md that need a story of their own: caches that are flushed in the middle, edits and deletions in every order, and an outage
 * that is longer than a CRM's memory.
 */

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\Worker;

final class TwoWayFaultsTest extends TwoWayCase {

	/** FAULTS A10: caches and transients are flushed before each step of a push and behind each batch of a pull; that costs no write and no post. */
	public function test_caches_that_are_flushed_in_the_middle_cost_no_write(): void {
		global $wpdb;
		$tenant = $this->pair( 'acme', 30, array( 'page_size' => 10 ) );
		$this->settle( $tenant );
		$flushed = 0;
		$flush   = static function () use ( &$flushed, $wpdb ): void {
			++$flushed;
			$wpdb->query( "DELETE FROM $wpdb->options WHERE option_name LIKE '\\_transient\\_%' OR option_name LIKE '\\_site\\_transient\\_%'" );
			wp_cache_flush();
		};
		add_action( 'tenant_crm_sync_push_step', $flush );
		add_action( 'tenant_crm_sync_batch_stored', $flush );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 2' ) );
		$this->settle( $tenant );
		for ( $cycle = 0; $cycle < 3; $cycle++ ) {
			$this->pull( $tenant, array( 'full' => true ) );
			$this->push( $tenant );
		}
		remove_action( 'tenant_crm_sync_push_step', $flush );
		remove_action( 'tenant_crm_sync_batch_stored', $flush );
		$this->assertGreaterThan( 15, $flushed );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
		$this->assertSame( 30, $this->posts() );
		$this->assertSame( array( 0, 0 ), array_map( 'intval', array( $this->sql( 'SELECT SUM(updated) FROM (SELECT updated FROM ' . Schema::table( 'runs' ) . " WHERE kind = 'pull' ORDER BY id DESC LIMIT 3) last" ), $this->sql( 'SELECT SUM(created) FROM (SELECT created FROM ' . Schema::table( 'runs' ) . ' ORDER BY id DESC LIMIT 6) last' ) ) ) );
		$this->assertConverged( $tenant );
	}

	/** @return array<string, array{0: list<string>, 1: string}> In which order things happen, and whose side counts. */
	public function orders(): array {
		$orders = array();
		foreach ( array( 'portal deletes, CRM edits' => array( 'bin', 'crm edit' ), 'CRM deletes, portal edits' => array( 'crm delete', 'edit' ) ) as $name => $pair ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			foreach ( array( 'as told' => $pair, 'the other way round' => array_reverse( $pair ) ) as $order => $steps ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				foreach ( array( 'pull', 'push' ) as $first ) {
					foreach ( array( 'crm', 'portal' ) as $policy ) {
						$orders[ "$name, $order, $first first, $policy counts" ] = array( array_merge( $steps, array( $first, 'pull' === $first ? 'push' : 'pull' ) ), $policy );
					}
				}
			}
		}
		return $orders;
	}

	/**
	 * FAULTS A11: delete against update, in every order of the two and of the jobs: it ends as the policy says, and stays so.
	 *
	 * @dataProvider orders
	 * @param list<string> $steps
	 */
	public function test_a_deletion_against_an_edit_ends_alike_in_every_order( array $steps, string $policy ): void {
		$tenant = $this->pair( 'acme', 3, array( 'delete_policy' => $policy, 'portal_deletes' => 'delete' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '2' )->ID;
		$do   = array(
			'bin'        => static fn() => wp_trash_post( $post ),
			'edit'       => static fn() => update_post_meta( $post, 'email', 'edited@portal.test' ),
			'crm edit'   => fn() => $this->crm_edit( $tenant, '2', array( 'phone' => '+49 222' ) ),
			'crm delete' => fn() => $this->crm( 'DELETE', $tenant, '/api/v1/leads/2' ),
			'pull'       => fn() => $this->pull( $tenant ),
			'push'       => fn() => $this->push( $tenant ),
		);
		foreach ( $steps as $step ) {
			$do[ $step ]();
		}
		// Which side has the edit, and so whether the lead lives where that side counts.
		$lives = in_array( 'edit', $steps, true ) ? 'portal' === $policy : 'crm' === $policy;
		for ( $cycle = 0; $cycle < 3; $cycle++ ) {
			$this->settle( $tenant );
			wp_cache_flush();
			$this->assertSame( array( $lives ? 'publish' : 'trash', $lives ? 3 : 2 ), array( get_post_status( $post ), count( Sandbox::leads( 'acme' ) ) ), "cycle $cycle" );
		}
		$this->assertConverged( $tenant );
		$this->assertSame( 0, Conflicts::count( array( 'state' => 'open' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertLessThanOrEqual( 1, count( $this->writes( $tenant ) ) );
	}

	/** FAULTS A22: after an outage of 31 days the CRM's list of deletions has forgotten some. They are found, and no other lead goes. */
	public function test_what_was_deleted_in_an_outage_of_31_days_is_found_and_nothing_else_goes(): void {
		Sandbox::post( '/tenants', array( 'id' => 'hub', 'key' => 'key-of-hub', 'dialect' => 'hubspot' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Sandbox::post( '/seed', array( 'tenant' => 'hub', 'object' => 'contacts', 'count' => 12, 'seed' => 1 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$tenant = Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-hub', 'settings' => array( 'direction' => 'both' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->settle( $tenant );
		$id   = Sandbox::rows( 'hub', 'contacts' )[4]['id'];
		$post = $this->post_of( $tenant, (string) $id )->ID;
		$this->away( $tenant, 3 );
		$this->assertSame( array(), $this->backfills( $tenant ), 'three days are remembered' );
		Sandbox::delete( 'hub', 'contacts', array( $id ) );
		$this->away( $tenant, 31 );
		$this->assertSame( 'publish', get_post_status( $post ), 'the list does not say so' );
		list( $run ) = $this->backfills( $tenant );
		Worker::run( 30.0, $run );
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->push( $tenant );
		wp_cache_flush();
		$this->assertSame( 'trash', get_post_status( $post ) );
		$this->assertSame( '11', $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->posts} WHERE post_type = 'crm_lead' AND post_status = 'publish'" ) );
		$this->assertSame( 0, Conflicts::count() );
	}

	/** A push after so many days, at a CRM whose list of deletions is empty by then. */
	private function away( TenantCRM\Tenant $tenant, int $days ): void {
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'cursors' ) . " SET updated_at = UTC_TIMESTAMP() - INTERVAL $days DAY WHERE object = 'deleted'" );
		Sandbox::post( '/faults', array( 'tenant' => 'hub', 'faults' => array( array( 'kind' => 'canned', 'method' => 'GET', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => '{"results":[]}' ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->push( $tenant );
		$archived = array_filter( Sandbox::requests( 'hub' ), static fn( array $request ): bool => str_contains( wp_json_encode( $request ), 'archived=true' ) );
		$this->assertNotSame( array(), $archived, 'it was the list of deletions that was asked' );
		Sandbox::post( '/faults', array( 'tenant' => 'hub', 'faults' => array() ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @return list<int> Runs. */
	private function backfills( TenantCRM\Tenant $tenant ): array {
		return array_column( Runs::list( array( 'tenant' => $tenant->key, 'kind' => Jobs::BACKFILL ) ), 'id' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}
}
