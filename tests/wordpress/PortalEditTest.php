<?php
/**
 * What somebody edited in the portal is not overwritten unseen.
 */

use TenantCRM\Log;

final class PortalEditTest extends PluginCase {

	/** @return array<string, array{0: array<string, mixed>}> */
	public function ways(): array {
		return array(
			'set-based'     => array( array() ),
			'through hooks' => array( array( 'hooks' => true ) ),
		);
	}

	/** @dataProvider ways */
	public function test_an_edit_that_the_crm_overwrites_is_logged_with_both_values( array $settings ): void {
		$tenant = $this->tenant( 'acme', $settings );
		$leads  = $this->leads( 2 );
		$this->store( $tenant, $leads );
		$post = $this->post_of( $tenant, '1' );
		wp_update_post( array( 'ID' => $post->ID, 'post_title' => 'Edited name' ) );
		update_post_meta( $post->ID, 'email', 'edited@portal.test' );
		$leads[0]['name']  = 'CRM name';
		$leads[0]['email'] = 'new@crm.test';
		$leads[1]['phone'] = '5';
		$this->assertCounts( 0, 2, 0, $this->store( $tenant, $leads ) );
		$this->assertSame( array( 'CRM name', 'new@crm.test' ), array( $this->post_of( $tenant, '1' )->post_title, get_post_meta( $post->ID, 'email', true ) ) );
		$log = Log::list( array( 'tenant' => $tenant->key, 'level' => 'warning' ) );
		$this->assertCount( 1, $log );
		$this->assertStringContainsString( 'Lead "1" of tenant "acme" had been edited in the portal (title, email)', $log[0]['message'] );
		$this->assertSame( array( 'portal' => 'Edited name', 'crm' => 'CRM name', 'base' => 'Lead 1' ), $log[0]['context']['fields']['title'] );
		$this->assertSame( array( 'portal' => 'edited@portal.test', 'crm' => 'new@crm.test', 'base' => 'lead1@example.test' ), $log[0]['context']['fields']['email'] );
		$this->assertSame( $post->ID, $log[0]['context']['post'] );
	}

	/** @dataProvider ways */
	public function test_an_edit_of_a_lead_that_the_crm_did_not_change_stays( array $settings ): void {
		$tenant = $this->tenant( 'acme', $settings );
		$this->store( $tenant, $this->leads( 1 ) );
		$post = $this->post_of( $tenant, '1' );
		update_post_meta( $post->ID, 'email', 'edited@portal.test' );
		$this->assertCounts( 0, 0, 1, $this->store( $tenant, $this->leads( 1 ) ) );
		$this->assertSame( 'edited@portal.test', get_post_meta( $post->ID, 'email', true ) );
	}

	public function test_an_edit_that_the_crm_made_too_is_no_news(): void {
		$tenant = $this->tenant();
		$leads  = $this->leads( 1 );
		$this->store( $tenant, $leads );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'same@both.test' );
		$leads[0]['email'] = 'same@both.test';
		$this->store( $tenant, $leads );
		$this->assertSame( array(), Log::list() );
	}

	public function test_an_edit_in_the_middle_of_a_batch_waits_for_it(): void {
		$tenant = $this->tenant();
		$leads  = $this->leads( 1 );
		$this->store( $tenant, $leads );
		$post   = $this->post_of( $tenant, '1' );
		$other  = $this->other_connection();
		$tried  = null;
		$other->query( 'SET innodb_lock_wait_timeout = 1' );
		mysqli_report( MYSQLI_REPORT_OFF );
		add_filter(
			'query',
			static function ( string $sql ) use ( $other, $post, &$tried ): string {
				if ( null === $tried && str_contains( $sql, 'ON DUPLICATE KEY UPDATE meta_value' ) ) {
					$tried = $other->query( "UPDATE {$GLOBALS['wpdb']->postmeta} SET meta_value = 'late' WHERE post_id = $post->ID AND meta_key = 'email'" );
				}
				return $sql;
			}
		);
		$leads[0]['email'] = 'new@crm.test';
		$this->store( $tenant, $leads );
		$this->assertFalse( $tried, 'the row was not locked' );
		$this->assertSame( 'new@crm.test', get_post_meta( $post->ID, 'email', true ) );
	}
}
