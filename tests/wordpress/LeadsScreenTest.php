<?php
/**
 * The Leads screen: whose leads, how each stands with its CRM, order and search; and in how many queries.
 */

use TenantCRM\Admin\LeadSearch;
use TenantCRM\Admin\LeadsPage;
use TenantCRM\Capabilities;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;

final class LeadsScreenTest extends ScreenCase {

	private function screen( int $user, array $get = array() ): string {
		return self::render( LeadsPage::class, 'crm-sync_page_tenant-crm-sync-leads', $user, $get );
	}

	/** Of one tenant, a lead in each state that the ledger can have. */
	private function one_of_each( Tenant $tenant ): void {
		$this->store( $tenant, $this->leads( 6 ) );
		$id = fn( int $lead ): int => (int) $this->sql( 'SELECT id FROM ' . Schema::table( 'records' ) . " WHERE tenant = {$tenant->key} AND crm_id = '$lead'" );
		$change = fn( int $lead, string $more ) => Sql::change( 'INSERT INTO ' . Schema::table( 'changes' ) . " SET tenant = {$tenant->key}, object = 'leads', post_id = {$this->post_of( $tenant, (string) $lead )->ID}, record = {$id( $lead )}, changed_at = UTC_TIMESTAMP(3), available_at = UTC_TIMESTAMP(3) $more" );
		$change( 2, '' );
		$change( 3, ", sent_at = UTC_TIMESTAMP(3), verb = 'update'" );
		$change( 4, ", refused = 1, reason = 'The CRM says: <b>no</b> such phone'" );
		Sql::change( 'INSERT INTO ' . Schema::table( 'conflicts' ) . " SET tenant = {$tenant->key}, object = 'leads', record = {$id( 5 )}, kind = 'field', field = 'name', reason = 'both changed it', open_key = '0123456789abcdef', created_at = UTC_TIMESTAMP()" );
		Sql::change( 'UPDATE ' . Schema::table( 'records' ) . " SET gone = 1 WHERE id = {$id( 6 )}" );
	}

	public function test_each_state_is_shown_and_can_be_chosen(): void {
		$this->one_of_each( $this->tenant( 'acme' ) );
		$html = $this->screen( 1 );
		foreach ( array( 'linked' => 1, 'changed' => 2, 'sending' => 3, 'refused' => 4, 'conflict' => 5, 'gone' => 6 ) as $state => $lead ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->assertSame( 1, substr_count( $html, "data-stands=\"$state\"" ), $state );
			$only = $this->screen( 1, array( 'sync' => $state ) );
			$this->assertSame( 1, substr_count( $only, 'data-stands="' ), "only one is $state" );
			$this->assertStringContainsString( ">Lead $lead<", $only );
			$this->assertStringContainsString( "data-stands=\"$state\"", $only );
		}
		$this->assertStringContainsString( 'The CRM says: &lt;b&gt;no&lt;/b&gt; such phone', $html );
		$this->assertStringContainsString( 'both changed it', $html );
		Sql::change( 'INSERT INTO ' . Schema::table( 'refused' ) . " SET tenant = (SELECT MIN(id) FROM " . Schema::table( 'tenants' ) . "), object = 'leads', crm_id = '1', id_hash = UNHEX(SHA2('1', 256)), reason = 'too long for us', first_at = UTC_TIMESTAMP(), last_at = UTC_TIMESTAMP()" );
		$html = $this->screen( 1, array( 'sync' => 'refused' ) );
		$this->assertStringContainsString( 'too long for us', $html );
		$this->assertSame( 2, substr_count( $html, 'data-stands="refused"' ) );
		$this->assertSame( 0, substr_count( $this->screen( 1, array( 'sync' => 'linked' ) ), 'data-stands="' ) );
	}

	public function test_leads_that_the_crm_never_had_are_counted_and_listed(): void {
		$tenant = $this->tenant( 'acme' );
		$post   = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_title' => 'Formed <i>here</i>', 'post_status' => 'publish' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		Sql::change( 'INSERT INTO ' . Schema::table( 'changes' ) . " SET tenant = {$tenant->key}, object = 'leads', post_id = $post, changed_at = UTC_TIMESTAMP(3), available_at = UTC_TIMESTAMP(3)" );
		$this->assertStringContainsString( '1 lead of the portal is not in its CRM yet.', $this->screen( 1 ) );
		$html = $this->screen( 1, array( 'sync' => 'new' ) );
		$this->assertStringContainsString( 'data-stands="new"', $html );
		$this->assertStringContainsString( 'Formed', $html );
		$this->assertStringNotContainsString( '<i>here', $html );
		$this->assertSame( 0, ( new LeadSearch( array( $tenant->key + 1 ), '' ) )->count_new() );
		$this->assertSame( 0, ( new LeadSearch( array(), '' ) )->count_new() );
	}

	public function test_all_tenants_of_the_user_and_no_others(): void {
		$this->store( $this->tenant( 'mine' ), $this->leads( 2 ) );
		$this->store( $this->tenant( 'theirs' ), $this->leads( 3, 50 ) );
		$this->one_of_each( $this->tenant( 'third' ) );
		$this->assertSame( 11, substr_count( $this->screen( 1 ), 'data-stands="' ) );
		$user = $this->account( 'reader' );
		( new WP_User( $user ) )->add_cap( Capabilities::VIEW );
		Capabilities::assign( $user, array( 'mine' ) );
		$theirs = TenantCRM\Tenants::find( 'theirs' )->key;
		foreach ( array( array(), array( 'tenant' => $theirs ), array( 's' => 'Lead' ), array( 'sync' => 'refused' ), array( 'sync' => 'linked' ) ) as $get ) {
			$html = $this->screen( $user, $get );
			$this->assertStringNotContainsString( 'Lead 5', $html );
			$this->assertStringNotContainsString( 'theirs', $html );
			$this->assertStringNotContainsString( 'no</b> such phone', $html );
		}
		$this->assertStringContainsString( 'Lead 1', $this->screen( $user ) );
		Capabilities::assign( $user, array() );
		$html = $this->screen( $user );
		$this->assertStringContainsString( 'no tenant whose leads you may see', $html );
		$this->assertStringNotContainsString( 'Lead 1', $html );
		wp_delete_user( $user );
	}

	public function test_order_pages_and_queries(): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme' );
		$this->store( $tenant, $this->leads( 3 ) );
		foreach ( array_keys( LeadSearch::ORDERS ) as $order ) {
			$seen = array();
			for ( $page = 1; $page <= 3; $page++ ) {
				$seen[] = ( new LeadSearch( array( $tenant->key ), '' ) )->page( $order, true, 1, $page )[0]['crm_id'];
			}
			sort( $seen );
			$this->assertSame( array( '1', '2', '3' ), $seen, "ordered by $order each lead is on one page" );
		}
		$html = $this->screen( 1, array( 'orderby' => 'name', 'order' => 'asc' ) );
		$this->assertLessThan( strpos( $html, '>Lead 2<' ), strpos( $html, '>Lead 1<' ) );
		$this->screen( 1 );
		$queries = array();
		foreach ( array( 3, 20 ) as $many ) {
			$this->store( $tenant, $this->leads( $many ) );
			wp_cache_flush();
			get_user_by( 'id', 1 );
			$before = $wpdb->num_queries;
			$this->assertSame( $many, substr_count( $this->screen( 1 ), 'data-stands="' ) );
			$queries[] = $wpdb->num_queries - $before;
		}
		$this->assertSame( $queries[0], $queries[1] );
	}
}
