<?php
/**
 * A preview writes nothing, here or there, and says what the next real sync then does, field by field.
 */

use TenantCRM\Admin\LeadPost;
use TenantCRM\Admin\PreviewPanel;
use TenantCRM\CommandLine;
use TenantCRM\Schema;
use TenantCRM\TwoWay\Preview;

final class PreviewTest extends TwoWayCase {

	public function test_it_writes_nothing_and_says_what_the_next_sync_does(): void {
		$tenant = $this->pair( 'acme', 8 );
		$this->settle( $tenant );
		// One of each: the CRM's, the portal's, both on different fields, both on one, new on either side, a known person, deleted in the portal.
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 1', 'status' => 'won' ) );
		update_post_meta( $this->post_of( $tenant, '2' )->ID, 'email', 'two@portal.test' );
		update_post_meta( $this->post_of( $tenant, '3' )->ID, 'email', 'three@portal.test' );
		$this->crm_edit( $tenant, '3', array( 'name' => 'Three & more' ) );
		update_post_meta( $this->post_of( $tenant, '4' )->ID, 'phone', '+49 portal' );
		$this->crm_edit( $tenant, '4', array( 'phone' => '+49 crm' ) );
		$this->portal_lead( $tenant, array( 'name' => 'New here', 'email' => 'here@portal.test' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'New there', 'email' => 'there@crm.test' ) );
		$this->portal_lead( $tenant, array( 'name' => 'Both', 'email' => 'both@sides.test', 'phone' => '+49 both' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		wp_trash_post( $this->post_of( $tenant, '5' )->ID );
		$this->assertForeseen( $tenant, array( 'portal 1 phone', 'portal 1 state', 'crm 2 email', 'crm 3 email', 'portal 3 name', 'portal 4 phone', 'crm new name', 'portal 9 name', 'crm 10 phone' ) );
	}

	public function test_policies_and_deletions_of_both_sides(): void {
		$tenant = $this->pair( 'acme', 8, array( 'policy' => 'ask', 'delete_policy' => 'portal', 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '4' )->ID, 'phone', '+49 portal' );
		$this->crm_edit( $tenant, '4', array( 'phone' => '+49 crm' ) );
		wp_trash_post( $this->post_of( $tenant, '5' )->ID );
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/6' );
		update_post_meta( $this->post_of( $tenant, '7' )->ID, 'email', 'seven@portal.test' );
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/7' );
		$this->assertForeseen( $tenant, array( 'both 4 phone', 'crm 5 ', 'portal 6 ', 'crm new email' ), true );
	}

	public function test_one_way_says_what_it_overwrites(): void {
		$tenant = $this->pair( 'acme', 4, array( 'direction' => 'from_crm' ) );
		$this->pull( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 1' ) );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'New there', 'email' => 'there@crm.test' ) );
		$this->assertForeseen( $tenant, array( 'portal 1 email', 'portal 1 phone', 'portal 5 name' ) );
	}

	public function test_a_second_record_of_somebody_who_has_a_lead_is_noted(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Again', 'email' => 'lead1@example.test' ) );
		$preview = Preview::run( $tenant );
		$this->assertSame( array(), $preview['changes'] );
		$this->assertStringContainsString( 'read once more', $preview['notes']['4'] ?? '' );
		$this->assertSame( 3, $this->posts() );
	}

	public function test_the_first_sync_and_its_bound(): void {
		$tenant  = $this->pair( 'acme', 50, array( 'page_size' => 10 ) );
		$preview = Preview::run( $tenant, false, 'leads', 2 );
		$this->assertFalse( $preview['complete'] );
		$this->assertStringContainsString( 'first 2 pages', $preview['limits'][0] );
		$this->assertSame( array( 'pages' => 2, 'reads' => 0, 'writes' => 0 ), $preview['requests'] );
		$this->assertCount( 60, $preview['changes'] );
		$this->assertSame( 0, $this->posts() );
		$this->assertSame( array(), $this->writes( $tenant ) );
	}

	public function test_screens_and_commands_show_it_escaped(): void {
		$tenant = $this->pair( 'acme', 2 );
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '1', array( 'phone' => '<script>alert(1)</script>' ) );
		wp_set_current_user( 1 );
		$_POST = $_REQUEST = array( PreviewPanel::NAME => '1', '_wpnonce' => wp_create_nonce( PreviewPanel::NAME . '-' . $tenant->key ) );
		ob_start();
		try {
			PreviewPanel::run( $tenant );
			PreviewPanel::render( $tenant );
		} finally {
			$html  = ob_get_clean();
			$_POST = $_REQUEST = array();
		}
		$this->assertStringContainsString( 'In the portal</span> changed <strong>1</strong></th></tr><tr><td data-colname="Field"><span>phone</span></td><td data-colname="From"><span>+49 30 1</span></td><td data-colname="To"><span>&lt;script&gt;alert(1)&lt;/script&gt;</span></td><td data-colname="Rule"><span>changed in the CRM only</span></td>', $html );
		$this->assertStringNotContainsString( '<script', $html );
		ob_start();
		$this->assertSame( 0, CommandLine::run( array( 'preview', '--tenant=acme', '--format=json' ) ) );
		$this->assertSame( array( 'phone' ), array_column( json_decode( ob_get_clean(), true )[0]['changes'], 'field' ) );
		$this->pull( $tenant );
		ob_start();
		LeadPost::explain( $this->post_of( $tenant, '1' ) );
		$html = ob_get_clean();
		wp_set_current_user( 0 );
		$this->assertStringContainsString( '<th scope="row">phone</th><td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td><span class="tcs-side" data-side="crm">From the CRM</span> changed in the CRM only', $html );
		ob_start();
		$this->assertSame( 0, CommandLine::run( array( 'explain', '--tenant=acme', '--id=1' ) ) );
		$this->assertMatchesRegularExpression( '/^phone +<script>alert\(1\)<\/script> +crm .*changed in the CRM only/m', ob_get_clean() );
	}

	/** @param list<string> $expected Beginnings of side, record and field that must be among what is foreseen. */
	private function assertForeseen( TenantCRM\Tenant $tenant, array $expected, bool $full = false ): void {
		global $wpdb;
		$tables  = $this->everything();
		$options = $wpdb->get_results( "SELECT option_name, option_value FROM $wpdb->options WHERE option_name LIKE 'tenant_crm%'" );
		$crm     = Sandbox::leads( $tenant->id );
		$asked   = count( Sandbox::requests( $tenant->id ) );
		$preview = Preview::run( $tenant, $full );
		$this->assertSame( $tables, $this->everything(), 'no table has changed' );
		$this->assertEquals( $options, $wpdb->get_results( "SELECT option_name, option_value FROM $wpdb->options WHERE option_name LIKE 'tenant_crm%'" ) );
		$this->assertSame( $crm, Sandbox::leads( $tenant->id ) );
		$requests = array_slice( Sandbox::requests( $tenant->id ), $asked );
		$this->assertSame( array( 'GET' ), array_values( array_unique( array_column( $requests, 'method' ) ) ), 'only reads' );
		$this->assertTrue( $preview['complete'] );
		$lines = $this->lines( $preview['changes'] );
		foreach ( $expected as $begin ) {
			$this->assertNotEmpty( preg_grep( '/^' . preg_quote( $begin, '/' ) . '/', $lines ), "$begin in\n" . implode( "\n", $lines ) );
		}
		// What the real one does.
		$portal = $this->portal( $tenant );
		$before = count( $this->writes( $tenant ) );
		$asked  = count( Sandbox::requests( $tenant->id ) );
		$this->pull( $tenant, $full ? array( 'full' => true ) : array() );
		'from_crm' === $tenant->settings['direction'] || $this->push( $tenant );
		$this->assertSame( count( $this->writes( $tenant ) ) - $before, $preview['requests']['writes'] );
		// What the CRM's answer to a create leaves out is read behind it: nobody can foresee that.
		$real   = array_slice( Sandbox::requests( $tenant->id ), $asked );
		$behind = array_filter( $real, static fn( array $request, int $at ): bool => 'GET' === $request['method'] && $at > 0 && 'POST' === $real[ $at - 1 ]['method'] && ! in_array( $request['path'], array_column( $requests, 'path' ), true ), ARRAY_FILTER_USE_BOTH );
		$this->assertSame( count( $real ) - count( $behind ), array_sum( $preview['requests'] ), 'as many requests' );
		$done = array_merge( $this->differences( 'crm', array_column( $crm, null, 'id' ), array_column( Sandbox::leads( $tenant->id ), null, 'id' ) ), $this->differences( 'portal', $portal, $this->portal( $tenant ) ) );
		foreach ( $wpdb->get_results( 'SELECT r.crm_id, c.field, c.portal, c.crm FROM ' . Schema::table( 'conflicts' ) . ' c JOIN ' . Schema::table( 'records' ) . " r ON r.id = c.record WHERE c.state = 'open'" ) as $ask ) {
			$done[] = "both $ask->crm_id $ask->field $ask->portal > $ask->crm";
		}
		sort( $done );
		$this->assertSame( $done, $lines );
	}

	/** @param list<array<string, mixed>> $changes @return list<string> */
	private function lines( array $changes ): array {
		$lines = array();
		foreach ( $changes as $change ) {
			$this->assertNotSame( '', $change['rule'], json_encode( $change ) );
			$text    = static fn( $value ): string => is_scalar( $value ) || null === $value ? (string) $value : json_encode( $value );
			$values  = 'both' === $change['side'] ? array( json_encode( $change['from'] ), json_encode( $change['to'] ) ) : array( $text( $change['from'] ), $text( $change['to'] ) );
			$record  = 'create' === $change['action'] && 'crm' === $change['side'] ? 'new' : $change['record'];
			$lines[] = '' === $change['field'] && 'both' !== $change['side'] ? "{$change['side']} $record  gone" : "{$change['side']} $record {$change['field']} $values[0] > $values[1]";
		}
		sort( $lines );
		return $lines;
	}

	/** @return list<string> */
	private function differences( string $side, array $was, array $is ): array {
		$lines = array();
		foreach ( $is + $was as $key => $row ) {
			$old = $was[ $key ] ?? null;
			$id  = $row['crm_id'] ?? $key;
			if ( ! isset( $is[ $key ] ) ) {
				$lines[] = "$side $id  gone";
				continue;
			}
			foreach ( array( 'name', 'email', 'phone', 'state', 'owner' ) as $field ) {
				$from = (string) ( $old[ $field ] ?? '' );
				$to   = (string) ( $row[ $field ] ?? '' );
				if ( $from !== $to && ( ( isset( $old['state'] ) && $old['crm_id'] === $row['crm_id'] ) || ! in_array( $field, array( 'state', 'owner' ), true ) ) ) {
					$lines[] = $side . ( $old || 'portal' === $side ? " $id" : ' new' ) . " $field $from > $to";
				}
			}
		}
		return $lines;
	}

	/** @return array<string, array<string, string>> Leads by post, as the portal shows them. */
	private function portal( TenantCRM\Tenant $tenant ): array {
		global $wpdb;
		wp_cache_flush();
		$leads = array();
		foreach ( $wpdb->get_results( "SELECT p.ID, p.post_title, r.crm_id, r.state, r.owner FROM $wpdb->posts p LEFT JOIN " . Schema::table( 'records' ) . " r ON r.post_id = p.ID WHERE p.post_type = 'crm_lead' AND p.post_status = 'publish'" ) as $row ) {
			$leads[ $row->ID ] = array( 'crm_id' => $row->crm_id, 'name' => $row->post_title, 'email' => get_post_meta( $row->ID, 'email', true ), 'phone' => get_post_meta( $row->ID, 'phone', true ), 'state' => $row->state, 'owner' => $row->owner );
		}
		return $leads;
	}
}
