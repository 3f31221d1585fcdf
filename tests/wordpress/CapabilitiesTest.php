<?php
/**
 * Who may do what with whose leads: the capabilities, the tenants of a user, and posts mapped through the ledger.
 */

use TenantCRM\Capabilities;
use TenantCRM\Tenants;

final class CapabilitiesTest extends PluginCase {

	/** @var WP_User */
	private $user;

	protected function setUp(): void {
		parent::setUp();
		$this->user = new WP_User( $this->account( 'reader' ) );
	}

	protected function tearDown(): void {
		wp_delete_user( $this->user->ID );
		remove_all_filters( 'tenant_crm_sync_user_tenants' );
	}

	/** Whether the user may read, edit and delete the lead of a tenant. */
	private function may( string $tenant ): string {
		$post = $this->post_of( Tenants::find( $tenant ), '1' )->ID;
		return implode( ' ', array_filter( array( 'read', 'edit', 'delete' ), fn( $what ) => user_can( $this->user->ID, "{$what}_post", $post ) ) );
	}

	private function leads_of( string ...$tenants ): void {
		foreach ( $tenants as $id ) {
			$this->store( $this->tenant( $id ), $this->leads( 1 ) );
		}
	}

	public function test_a_user_sees_leads_of_the_own_tenants_only(): void {
		$this->leads_of( 'Acme', 'acme' );
		$this->assertSame( '', $this->may( 'Acme' ), 'a subscriber' );
		Capabilities::assign( $this->user->ID, array( 'Acme' ) );
		$this->assertSame( '', $this->may( 'Acme' ), 'a member without the capability' );
		$this->user->add_cap( Capabilities::VIEW );
		$this->assertSame( 'read', $this->may( 'Acme' ) );
		$this->assertSame( '', $this->may( 'acme' ), 'ids are compared bytewise' );
		$this->user->add_cap( 'edit_crm_leads' );
		$this->assertSame( 'read edit delete', $this->may( 'Acme' ) );
		$this->assertSame( '', $this->may( 'acme' ) );
		$this->assertFalse( user_can( $this->user->ID, 'edit_crm_leads' ), 'the list of all leads is for those who manage tenants' );
		Capabilities::assign( $this->user->ID, array() );
		$this->assertSame( '', $this->may( 'Acme' ) );
	}

	public function test_who_manages_tenants_sees_all(): void {
		$this->leads_of( 'acme' );
		$this->user->add_cap( Capabilities::MANAGE );
		$this->assertSame( 'read edit delete', $this->may( 'acme' ) );
		$this->assertTrue( user_can( $this->user->ID, 'edit_crm_leads' ) );
		$this->assertTrue( user_can( $this->user->ID, 'delete_others_crm_leads' ) );
	}

	public function test_a_lead_of_no_tenant_is_for_managers(): void {
		$post = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_title' => 'Loose', 'post_status' => 'publish', 'meta_input' => array( '_tenant_id' => 'acme' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->user->add_cap( Capabilities::VIEW );
		Capabilities::assign( $this->user->ID, array( 'acme' ) );
		$this->assertFalse( user_can( $this->user->ID, 'read_post', $post ), 'meta says nothing about whose a lead is' );
		$this->assertTrue( user_can( 1, 'read_post', $post ) );
	}

	public function test_the_filter_adds_tenants(): void {
		$this->leads_of( '12' );
		$this->user->add_cap( Capabilities::VIEW );
		add_filter( 'tenant_crm_sync_user_tenants', fn( $ids, $user_id ) => $user_id === $this->user->ID ? array( 12, array( 'x' ), '' ) : $ids, 10, 2 );
		$this->assertSame( array( '12' ), Capabilities::tenants_of( $this->user->ID ) );
		$this->assertSame( 'read', $this->may( '12' ) );
		$this->assertSame( array(), Capabilities::tenants_of( 0 ) );
	}

	public function test_users_cannot_change_their_own_tenants(): void {
		$this->assertTrue( is_protected_meta( Capabilities::USER_META, 'user' ) );
		$this->assertFalse( user_can( $this->user->ID, 'edit_user_meta', $this->user->ID, Capabilities::USER_META ) );
		$this->assertTrue( user_can( 1, 'edit_user_meta', $this->user->ID, Capabilities::USER_META ) );
	}

	public function test_other_post_types_are_left_alone(): void {
		$post = wp_insert_post( array( 'post_title' => 'A post', 'post_status' => 'publish' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertTrue( user_can( $this->user->ID, 'read_post', $post ) );
		$this->assertFalse( user_can( $this->user->ID, 'edit_post', $post ) );
		$this->assertTrue( user_can( 1, 'edit_post', $post ) );
		wp_delete_post( $post, true );
	}

	public function test_grant_and_revoke(): void {
		Capabilities::revoke();
		foreach ( Capabilities::ALL as $cap ) {
			$this->assertFalse( get_role( 'administrator' )->has_cap( $cap ), $cap );
		}
		Capabilities::grant();
		foreach ( Capabilities::ALL as $cap ) {
			$this->assertTrue( get_role( 'administrator' )->has_cap( $cap ), $cap );
			$this->assertFalse( get_role( 'editor' )->has_cap( $cap ), $cap );
		}
	}

	public function test_each_site_of_a_network_has_its_own_lists(): void {
		Capabilities::assign( $this->user->ID, array( 'single' ) );
		$shown = $this->php(
			// The stack is a single site: the plugin is told otherwise once it is loaded.
			'namespace TenantCRM;
			function is_multisite() { return $GLOBALS["network"] ?? false; }
			require $argv[1];
			$GLOBALS["network"] = true;
			$user = ' . $this->user->ID . ';
			Capabilities::assign( $user, array( "acme" ) );
			echo json_encode( Capabilities::tenants_of( $user ) );
			$GLOBALS["blog_id"] = 2;
			echo json_encode( Capabilities::tenants_of( $user ) );'
		);
		$this->assertSame( '["acme"][]', $shown );
		wp_cache_flush();
		$this->assertSame( array( 'single' ), Capabilities::tenants_of( $this->user->ID ) );
	}

	public function test_a_deleted_tenant_leaves_the_lists_of_its_users(): void {
		$key = $this->tenant( 'gone' )->key;
		Capabilities::assign( $this->user->ID, array( 'kept', 'gone' ) );
		Tenants::delete( $key );
		$this->assertSame( array( 'kept' ), Capabilities::tenants_of( $this->user->ID ) );
	}

	public function test_posts_of_a_type_of_the_same_name_that_the_site_registered_are_left_alone_unless_the_ledger_knows_them(): void {
		$this->leads_of( 'acme' );
		$ours  = $this->post_of( Tenants::find( 'acme' ), '1' )->ID;
		$loose = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_title' => 'Theirs', 'post_status' => 'publish' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->user->set_role( 'editor' );
		$shown = $this->php(
			'$type = static fn() => register_post_type( "crm_lead", array( "capability_type" => "post", "map_meta_cap" => true ) );
			$GLOBALS["wp_filter"] = array( "init" => array( 5 => array( array( "function" => $type, "accepted_args" => 0 ) ) ) );
			require $argv[1];
			foreach ( array( ' . $ours . ', ' . $loose . ' ) as $post ) { echo json_encode( user_can( ' . $this->user->ID . ', "edit_post", $post ) ), " "; }'
		);
		$this->assertSame( 'false true ', $shown );
		$this->assertFalse( user_can( $this->user->ID, 'edit_post', $loose ), 'where the type is ours' );
	}
}
