<?php
/**
 * The policy `newest`: the CRM's time of a record against the time at which the field was changed in the portal. A time that nobody knows for
 * sure counts for nothing, and a person is asked.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Conflicts;

require_once __DIR__ . '/../convergence/lib/Child.php';

final class TwoWayTimesTest extends TwoWayCase {

	private Tenant $tenant;
	private int $post;

	protected function setUp(): void {
		parent::setUp();
		$this->tenant = $this->pair( 'acme', 3, array( 'policy' => 'newest' ) );
		$this->settle( $this->tenant );
		$this->post = $this->post_of( $this->tenant, '1' )->ID;
	}

	public function test_the_newer_edit_counts(): void {
		foreach ( array( 'crm' => 60, 'portal' => -60 ) as $side => $seconds ) {
			update_post_meta( $this->post, 'phone', "+49 $side" );
			wp_update_post( array( 'ID' => $this->post, 'post_title' => "Portal, $side" ) );
			$this->crm_edit_at( $seconds, array( 'phone' => "+48 $side", 'name' => "CRM, $side" ) );
			$this->settle( $this->tenant );
			$this->assertSame( 'crm' === $side ? array( 'CRM, crm', '+48 crm' ) : array( 'Portal, portal', '+49 portal' ), $this->lead(), $side );
			$this->assertSame( 0, Conflicts::count() );
		}
	}

	public function test_each_field_has_its_own_time(): void {
		update_post_meta( $this->post, 'phone', '+49 old' );
		$this->age();
		wp_update_post( array( 'ID' => $this->post, 'post_title' => 'Portal, new' ) );
		$this->crm_edit_at( -60, array( 'phone' => '+48 newer', 'name' => 'CRM, older' ) );
		$this->settle( $this->tenant );
		$this->assertSame( array( 'Portal, new', '+48 newer' ), $this->lead() );
		$this->assertConverged( $this->tenant );
	}

	/** Screens save all fields, whether they were changed or not. */
	public function test_saving_the_same_again_makes_nothing_newer(): void {
		update_post_meta( $this->post, 'phone', '+49 old' );
		wp_update_post( array( 'ID' => $this->post, 'post_title' => 'Portal, old' ) );
		$this->age();
		$this->crm_edit_at( -60, array( 'phone' => '+48 newer', 'name' => 'CRM, newer' ) );
		update_post_meta( $this->post, 'phone', '+49 old' );
		wp_update_post( array( 'ID' => $this->post, 'post_title' => 'Portal, old', 'post_excerpt' => 'touched' ) );
		$this->settle( $this->tenant );
		$this->assertSame( array( 'CRM, newer', '+48 newer' ), $this->lead() );
		$this->assertConverged( $this->tenant );
	}

	/** Its process said that it would edit, and never did: the old edit is not newer for that, and nobody knows when it was. */
	public function test_an_editor_who_was_killed_makes_nothing_newer(): void {
		global $wpdb;
		update_post_meta( $this->post, 'phone', '+49 old' );
		$this->age();
		$this->crm_edit_at( -60, array( 'phone' => '+48 newer' ) );
		Child::start(
			function () use ( $wpdb ): void {
				add_filter(
					'query',
					static function ( string $sql ) use ( $wpdb ): string {
						str_starts_with( $sql, "UPDATE `$wpdb->postmeta`" ) && posix_kill( getmypid(), SIGKILL );
						return $sql;
					}
				);
				update_post_meta( $this->post, 'phone', '+49 never' );
				throw new Error( 'it lives' );
			}
		)->wait();
		$this->settle( $this->tenant );
		$this->assertSame( array( 'phone' ), array_column( Conflicts::list( array( 'state' => 'open' ) ), 'field' ) );
		$this->assertSame( '+48 newer', $this->crm_lead( $this->tenant, '1' )['phone'], 'it is not overwritten' );
		$this->assertSame( '+49 old', get_post_meta( $this->post, 'phone', true ) );
	}

	/** Of two editors of one field at once, the one who wrote last may be the one who began first. */
	public function test_an_editor_who_was_overtaken_leaves_no_time(): void {
		$other = function ( $check, $post, $key ) use ( &$other ) {
			if ( 'phone' === $key ) {
				remove_filter( 'update_post_metadata', $other );
				Child::start( static fn() => apply_filters( 'update_post_metadata', null, $post, 'phone', '+49 begun', '' ) )->wait();
			}
			return $check;
		};
		add_filter( 'update_post_metadata', $other, 10, 3 );
		update_post_meta( $this->post, 'phone', '+49 done' );
		$this->crm_edit_at( -60, array( 'phone' => '+48 older' ) );
		$this->settle( $this->tenant );
		$this->assertSame( array( 'phone' ), array_column( Conflicts::list( array( 'state' => 'open' ) ), 'field' ) );
	}

	public function test_direct_sql_has_no_time_and_a_person_is_asked(): void {
		global $wpdb;
		$wpdb->update( $wpdb->postmeta, array( 'meta_value' => '+49 sql' ), array( 'post_id' => $this->post, 'meta_key' => 'phone' ) );
		wp_cache_flush();
		$this->crm_edit_at( -60, array( 'phone' => '+48 older' ) );
		$this->settle( $this->tenant );
		$this->assertSame( array( 'phone' ), array_column( Conflicts::list( array( 'state' => 'open' ) ), 'field' ) );
		$this->assertSame( '+48 older', $this->crm_lead( $this->tenant, '1' )['phone'] );
	}

	/** What a form sends is written and timed in one transaction; so is a new lead. */
	public function test_forms_tell_the_time(): void {
		tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'lead1@example.test', 'phone' => '+49 form' ) );
		$this->crm_edit_at( -60, array( 'phone' => '+48 older' ) );
		tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'new@portal.test', 'name' => 'Form', 'phone' => '+49 new' ) );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( array( 'id' => 9, 'name' => 'CRM', 'email' => 'new@portal.test', 'phone' => '+48 older', 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', time() - 60 ) ) ) ) );
		$this->settle( $this->tenant );
		$this->settle( $this->tenant );
		$this->assertSame( '+49 form', $this->crm_lead( $this->tenant, '1' )['phone'] );
		$this->assertSame( array( 'Form', '+49 new' ), array( $this->crm_lead( $this->tenant, '9' )['name'], $this->crm_lead( $this->tenant, '9' )['phone'] ) );
		$this->assertConverged( $this->tenant );
	}

	/** @return array{0: string, 1: string} Name and phone, the same on both sides. */
	private function lead(): array {
		wp_cache_flush();
		$lead = $this->crm_lead( $this->tenant, '1' );
		$this->assertSame( array( $lead['name'], $lead['phone'] ), array( get_post( $this->post )->post_title, get_post_meta( $this->post, 'phone', true ) ) );
		return array( $lead['name'], $lead['phone'] );
	}

	/** By a CRM whose clock is so far from ours. */
	private function crm_edit_at( int $seconds, array $fields ): void {
		Sandbox::post( '/tenants', array( 'id' => 'acme', 'clock_ms' => 1000 * $seconds ) );
		$this->crm_edit( $this->tenant, '1', $fields );
	}

	/** What was changed in the portal was changed an hour ago. */
	private function age(): void {
		global $wpdb;
		$table = Schema::table( 'changes' );
		foreach ( $wpdb->get_results( "SELECT id, times FROM `$table` WHERE times IS NOT NULL" ) as $row ) {
			$times = array_map( static fn( string $time ): string => gmdate( 'Y-m-d\TH:i:s.000\Z', strtotime( $time ) - 3600 ), json_decode( $row->times, true ) );
			$wpdb->update( $table, array( 'times' => json_encode( $times ) ), array( 'id' => $row->id ) );
		}
	}
}
