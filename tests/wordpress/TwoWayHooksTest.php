<?php
/**
 * Every way in which WordPress changes a lead is noted before the first statement that writes, and committed by then; our own writes are not.
 */

use TenantCRM\Schema;

final class TwoWayHooksTest extends TwoWayCase {

	/** @return array<string, array{0: callable(int): mixed}> */
	public function changes(): array {
		return array(
			'a title'                   => array( static fn( int $post ) => wp_update_post( array( 'ID' => $post, 'post_title' => 'Other' ) ) ),
			'meta'                      => array( static fn( int $post ) => update_post_meta( $post, 'email', 'other@portal.test' ) ),
			'meta that was not there'   => array( static fn( int $post ) => add_post_meta( $post, 'phone2', '1' ) ),
			'meta that goes'            => array( static fn( int $post ) => delete_post_meta( $post, 'email' ) ),
			'meta by its id'            => array( static fn( int $post ) => update_metadata_by_mid( 'post', (int) array_column( (array) has_meta( $post ), 'meta_id', 'meta_key' )['email'], 'other@portal.test' ) ),
			'meta that goes by its id'  => array( static fn( int $post ) => delete_metadata_by_mid( 'post', (int) array_column( (array) has_meta( $post ), 'meta_id', 'meta_key' )['email'] ) ),
			'the tenant'                => array( static fn( int $post ) => update_post_meta( $post, '_tenant_id', 'other' ) ),
			'the bin'                   => array( static fn( int $post ) => wp_trash_post( $post ) ),
			'a deletion'                => array( static fn( int $post ) => wp_delete_post( $post, true ) ),
			'a new status'              => array( static fn( int $post ) => wp_update_post( array( 'ID' => $post, 'post_status' => 'private' ) ) ),
		);
	}

	/** The database dies and takes the request with it: "wpdb must set a database connection" was in the log for each value of ours. */
	public function test_a_request_that_lost_the_database_asks_nothing_of_it_at_its_end(): void {
		global $wpdb;
		$tenant = $this->pair( 'acme', 1 );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'other@portal.test' );
		$connection   = $wpdb->dbh;
		$host         = $wpdb->dbhost;
		$before       = array( $wpdb->num_queries, did_action( 'doing_it_wrong_run' ) );
		$wpdb->dbh    = null;
		$wpdb->dbhost = '127.0.0.1:1';
		set_error_handler( static fn( int $level, string $message ): bool => str_contains( $message, 'Connection refused' ) );
		try {
			TenantCRM\Limits::checkpoint();
			TenantCRM\TwoWay\Changes::flush();
			$this->assertSame( $before, array( $wpdb->num_queries, did_action( 'doing_it_wrong_run' ) ) );
		} finally {
			restore_error_handler();
			$wpdb->dbhost = $host;
			$wpdb->dbh    = $connection;
		}
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ), 'the change is noted' );
		TenantCRM\TwoWay\Changes::enqueue_due();
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) . " WHERE kind = 'push' AND tenant = {$tenant->key}" ), 'and the timer queues it' );
	}

	/** @dataProvider changes */
	public function test_it_is_noted_before_it_is_written( callable $change ): void {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/post.php';
		$tenant = $this->pair( 'acme', 1 );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		list( $first, $marks ) = $this->watched( static fn() => $change( $post ) );
		$this->assertSame( 1, $first, 'not noted, or not committed, when the first statement was sent' );
		$this->assertGreaterThan( 1, $marks, 'and once more behind it' );
		$row = $wpdb->get_row( 'SELECT * FROM ' . Schema::table( 'changes' ) );
		$this->assertSame( array( (string) $post, (string) $tenant->key, $this->sql( 'SELECT id FROM ' . Schema::table( 'records' ) ) ), array( $row->post_id, $row->tenant, $row->record ) );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) . " WHERE kind = 'push' AND tenant = {$tenant->key}" ), 'a push is queued when the request ends' );
	}

	public function test_a_lead_from_the_bin_and_a_new_one(): void {
		$tenant = $this->pair( 'acme', 1, array( 'portal_deletes' => 'delete' ) );
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		wp_trash_post( $post );
		$this->settle( $tenant );
		list( $first ) = $this->watched( static fn() => wp_untrash_post( $post ) );
		$this->assertSame( 1, $first );
		$this->settle( $tenant );
		// Of a new post there is nothing to be noted before it: the meta that says whose it is comes later, and the note before that.
		$this->watched( fn() => $this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) ) );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) . ' WHERE unique_hash IS NOT NULL' ) );
	}

	public function test_what_the_crm_changes_is_not_noted(): void {
		$tenant = $this->pair( 'acme', 2 );
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '1', array( 'name' => 'CRM', 'email' => 'crm@crm.test' ) );
		$this->pull( $tenant );
		$this->assertSame( 'CRM', $this->post_of( $tenant, '1' )->post_title );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
		$other = get_post( wp_insert_post( array( 'post_type' => 'post', 'post_title' => 'No lead' ) ) );
		update_post_meta( $other->ID, '_tenant_id', 'acme' );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ) );
		wp_delete_post( $other->ID, true );
	}

	/** @return array{0: int|null, 1: int} Notes at the first statement that changes posts or their meta, as another connection sees them; marks at the end. */
	private function watched( callable $change ): array {
		global $wpdb;
		$other = $this->other_connection();
		$notes = 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' );
		$first = null;
		$watch = static function ( string $sql ) use ( $wpdb, $other, $notes, &$first ): string {
			if ( null === $first && preg_match( "/^\\s*(INSERT|UPDATE|DELETE)[^(]*`?($wpdb->posts|$wpdb->postmeta)\\b/", $sql ) ) {
				$first = (int) $other->query( $notes )->fetch_row()[0];
			}
			return $sql;
		};
		add_filter( 'query', $watch );
		$change();
		remove_filter( 'query', $watch );
		TenantCRM\TwoWay\Changes::flush();
		return array( $first, (int) $this->sql( 'SELECT COALESCE(MAX(marks), 0) FROM ' . Schema::table( 'changes' ) ) );
	}
}
