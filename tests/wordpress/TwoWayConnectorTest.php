<?php
/**
 * Two ways with a CRM that is not the article's: other ids, other field names, a name in two parts, upserts by the e-mail address, a feed of
 * deletions.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class TwoWayConnectorTest extends TwoWayCase {

	private function hubspot( array $settings = array() ): Tenant {
		Sandbox::post( '/tenants', array( 'id' => 'hub', 'key' => 'key-of-hub', 'dialect' => 'hubspot' ) );
		Sandbox::post( '/seed', array( 'tenant' => 'hub', 'object' => 'contacts', 'count' => 5, 'seed' => 1 ) );
		return Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-hub', 'settings' => $settings + array( 'direction' => 'both', 'portal_deletes' => 'delete' ) ) );
	}

	public function test_every_kind_of_change_both_ways(): void {
		$tenant = $this->hubspot();
		$this->settle( $tenant );
		$rows = Sandbox::rows( 'hub', 'contacts' );
		$this->assertSame( 5, $this->posts() );
		$this->assertSame( array(), $this->hub_writes() );
		$post = $this->post_of( $tenant, (string) $rows[0]['id'] )->ID;
		wp_update_post( array( 'ID' => $post, 'post_title' => 'Ann Lee' ) );
		$new = $this->portal_lead( $tenant, array( 'name' => 'New Person', 'email' => 'new@portal.test', 'phone' => '+49 1' ) );
		wp_trash_post( $this->post_of( $tenant, (string) $rows[1]['id'] )->ID );
		$this->settle( $tenant );
		$this->assertCount( 3, $this->hub_writes(), implode( "\n", $this->hub_writes() ) );
		$after = array_column( Sandbox::rows( 'hub', 'contacts' ), null, 'id' );
		$this->assertCount( 5, $after );
		$this->assertSame( 'Ann Lee', $after[ $rows[0]['id'] ]['name'] );
		$this->assertArrayNotHasKey( $rows[1]['id'], $after );
		$this->assertSame( array( 'New Person', 'new@portal.test' ), array( $after[ get_post_meta( $new, 'crm_lead_id', true ) ]['name'], $after[ get_post_meta( $new, 'crm_lead_id', true ) ]['email'] ) );
		for ( $cycle = 0; $cycle < 5; $cycle++ ) {
			$this->pull( $tenant );
			$this->push( $tenant );
		}
		$this->assertCount( 3, $this->hub_writes(), 'silence' );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
	}

	/** HubSpot answers a change with the changed properties alone. */
	public function test_what_an_answer_leaves_out_is_not_emptied(): void {
		$tenant = $this->hubspot();
		$this->settle( $tenant );
		$row  = Sandbox::rows( 'hub', 'contacts' )[0];
		$post = $this->post_of( $tenant, (string) $row['id'] );
		update_post_meta( $post->ID, 'email', 'changed@portal.test' );
		$this->push( $tenant );
		wp_cache_flush();
		$this->assertSame( array( $post->post_title, (string) $row['phone'], 'changed@portal.test' ), array( get_post( $post->ID )->post_title, get_post_meta( $post->ID, 'phone', true ), get_post_meta( $post->ID, 'email', true ) ) );
		$base = json_decode( $this->sql( 'SELECT base FROM ' . Schema::table( 'records' ) . " WHERE post_id = $post->ID" ), true );
		$this->assertSame( array( $row['name'], $row['phone'] ), array( $base['name'], $base['phone'] ) );
		$this->assertCount( 1, $this->hub_writes() );
	}

	/** The answer holds all that the portal maps, and leaves out the status, which it does not map: no change of the CRM's that would undo a deletion. */
	public function test_what_an_answer_leaves_out_of_the_rest_undoes_no_deletion(): void {
		$tenant = $this->hubspot( array( 'delete_policy' => 'crm' ) );
		$this->settle( $tenant );
		$row  = Sandbox::rows( 'hub', 'contacts' )[0];
		$post = $this->post_of( $tenant, (string) $row['id'] );
		wp_update_post( array( 'ID' => $post->ID, 'post_title' => 'Ann Lee' ) );
		update_post_meta( $post->ID, 'email', 'changed@portal.test' );
		update_post_meta( $post->ID, 'phone', '+49 2' );
		$this->push( $tenant );
		$this->assertNotNull( $row['status'] );
		$base = json_decode( $this->sql( 'SELECT base FROM ' . Schema::table( 'records' ) . " WHERE post_id = $post->ID" ), true );
		$this->assertSame( array( 'Ann Lee', $row['status'] ), array( $base['name'], $base['status'] ) );
		wp_trash_post( $post->ID );
		$this->push( $tenant );
		wp_cache_flush();
		$this->assertSame( 'trash', get_post_status( $post->ID ) );
		$this->assertNotContains( $row['id'], array_column( Sandbox::rows( 'hub', 'contacts' ), 'id' ) );
	}

	public function test_the_feed_of_deletions_puts_leads_into_the_bin(): void {
		$tenant = $this->hubspot();
		$this->settle( $tenant );
		$id   = Sandbox::rows( 'hub', 'contacts' )[2]['id'];
		$post = $this->post_of( $tenant, (string) $id )->ID;
		Sandbox::delete( 'hub', 'contacts', array( $id ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'cursors' ) . " SET updated_at = UTC_TIMESTAMP() - INTERVAL 1 HOUR WHERE object = 'deleted'" );
		$this->push( $tenant );
		wp_cache_flush();
		$this->assertSame( 'trash', get_post_status( $post ) );
		$this->assertSame( '4', $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->posts} WHERE post_type = 'crm_lead' AND post_status = 'publish'" ) );
		$this->assertSame( array(), $this->hub_writes() );
	}

	/** FAULTS B12: Dolibarr answers a create with a bare number. */
	public function test_a_create_that_answers_with_an_id_alone(): void {
		Sandbox::post( '/tenants', array( 'id' => 'doli', 'key' => 'key-of-doli', 'dialect' => 'dolibarr' ) );
		$tenant = Tenants::save( array( 'id' => 'doli', 'connector' => 'dolibarr', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-doli', 'settings' => array( 'direction' => 'both' ) ) );
		$this->settle( $tenant );
		$post = $this->portal_lead( $tenant, array( 'name' => 'Only an id', 'email' => 'id@portal.test' ) );
		$this->settle( $tenant );
		$id = get_post_meta( $post, 'crm_lead_id', true );
		$this->assertNotSame( '', $id, (string) $this->sql( 'SELECT reason FROM ' . Schema::table( 'changes' ) ) );
		update_post_meta( $post, 'email', 'second@portal.test' );
		$this->settle( $tenant );
		$posts = array_filter( Sandbox::requests( 'doli' ), static fn( array $request ): bool => 'POST' === $request['method'] );
		$this->assertCount( 1, $posts );
		$this->assertStringContainsString( 'second@portal.test', (string) wp_json_encode( Sandbox::rows( 'doli', 'leads' ) ) . wp_json_encode( Sandbox::rows( 'doli', 'companies' ) ) . wp_json_encode( Sandbox::rows( 'doli', 'contacts' ) ) );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
	}

	/** @return list<string> */
	private function hub_writes(): array {
		$writes = array();
		foreach ( Sandbox::requests( 'hub' ) as $request ) {
			if ( 'GET' !== $request['method'] && ! str_contains( $request['path'], '/search' ) ) {
				$writes[] = "{$request['method']} {$request['path']} " . base64_decode( (string) $request['body_base64'] );
			}
		}
		return $writes;
	}
}
