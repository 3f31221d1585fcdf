<?php
/**
 * The switch of a tenant: posts go through wp_insert_post() and wp_update_post(), and hold the same as when they are stored set-based.
 */

use TenantCRM\Adoption;
use TenantCRM\Fields;
use TenantCRM\HookStore;
use TenantCRM\LeaseLost;
use TenantCRM\Log;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\StoreException;

final class HookStoreTest extends PluginCase {

	public function test_hooks_run_for_what_is_written_and_for_nothing_else(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$seen   = array();
		$watch  = static function ( int $id, WP_Post $post, bool $update ) use ( &$seen ): void {
			$seen[] = array( $post->post_title, $update );
		};
		add_action( 'save_post_crm_lead', $watch, 10, 3 );
		$leads = $this->leads( 2 );
		$this->assertCounts( 2, 0, 0, $this->store( $tenant, $leads, 'w' ) );
		$leads[1]['name'] = 'Renamed';
		$this->assertCounts( 0, 1, 1, $this->store( $tenant, $leads ) );
		$this->assertCounts( 0, 0, 2, $this->store( $tenant, $leads ) );
		remove_action( 'save_post_crm_lead', $watch );
		$this->assertSame( array( array( 'Lead 1', false ), array( 'Lead 2', false ), array( 'Renamed', true ) ), $seen );
		$this->assertSame( 'w', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ) );
		$run = Runs::latest( $tenant->key );
		$this->assertSame( array( 2, 2, 1 ), array( $run['fetched'], $run['unchanged'], $run['pages'] ) );
	}

	public function test_posts_and_meta_are_the_same_both_ways(): void {
		$leads   = $this->leads( 3 );
		$leads[] = array(
			'id'         => 'a\\b',
			'name'  => 'R&D "x" <b>bold</b> \\n O\'Brien ' . "\u{1F680}",
			'email' => 'C:\\temp <script>alert(1)</script>',
			'phone' => 'O:8:"stdClass":0:{}',
			'created_at' => '2026-01-02T03:04:05Z',
		);
		$stored = array();
		foreach ( array( 'sets' => array(), 'hooks' => array( 'hooks' => true ) ) as $id => $settings ) {
			$tenant = $this->tenant( $id, $settings );
			$this->store( $tenant, $leads );
			foreach ( $leads as $lead ) {
				$post                              = $this->post_of( $tenant, $lead['id'] );
				$meta                              = get_post_meta( $post->ID );
				$stored[ $id ][ $lead['id'] ]      = array( $post->post_title, $post->post_status, $post->post_author, $post->post_date, $post->post_date_gmt, $post->comment_status, $post->ping_status, $post->post_content, array_diff_key( $meta, array( '_tenant_id' => 1 ) ) );
			}
		}
		$this->assertSame( $stored['sets'], $stored['hooks'] );
	}

	public function test_a_post_that_wordpress_refuses_is_named_and_the_rest_lands(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$refuse = static fn( bool $empty, array $post ): bool => 'Lead 2' === $post['post_title'];
		add_filter( 'wp_insert_post_empty_content', $refuse, 10, 2 );
		$this->assertCounts( 2, 0, 0, $this->store( $tenant, $this->leads( 3 ) ), 1 );
		remove_filter( 'wp_insert_post_empty_content', $refuse );
		$this->assertStringContainsString( 'Lead "2" of tenant "acme" was refused', Log::list()[0]['message'] );
		$this->assertCounts( 1, 0, 2, $this->store( $tenant, $this->leads( 3 ) ) );
	}

	public function test_posts_of_a_worker_that_died_before_the_ledger_are_not_doubled(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$job    = $this->job( $tenant );
		add_filter(
			'query',
			static function ( string $sql ): string {
				if ( str_contains( $sql, 'tenant_crm_records` (tenant' ) ) {
					throw new Error( 'the worker dies here' );
				}
				return $sql;
			}
		);
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 3 ) ) );
			$this->fail( 'the worker should have died' );
		} catch ( Error $e ) {
			remove_all_filters( 'query' );
		}
		TenantCRM\Jobs::finish( $job );
		$this->assertSame( array( 3, 0 ), array( $this->posts(), $this->records() ) );
		Adoption::run();
		$this->store( $tenant, $this->leads( 3 ) );
		$this->assertSame( array( 3, 3 ), array( $this->posts(), $this->records() ) );
	}

	public function test_without_the_lease_nothing_is_stored(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$job    = $this->job( $tenant );
		Runs::cancel( $job->run );
		$this->expectException( LeaseLost::class );
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 3 ) ) );
		} finally {
			$this->assertSame( 0, $this->posts() );
		}
	}

	/** The statement that matches fails as if the database had given up on it. */
	private function fail_statement( string $pattern, int $code ): void {
		add_filter(
			'query',
			static fn( string $sql ): string => preg_match( $pattern, $sql ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = $code, MESSAGE_TEXT = 'made by a test'" : $sql
		);
	}

	/** @return array<string, array{0: string}> The statement that fails. */
	public function outages(): array {
		return array(
			'a new post'     => array( '/^INSERT INTO `\w+posts`.*Lead 9/s' ),
			'its meta'       => array( '/^INSERT INTO `\w+postmeta`.*\'crm_lead_id\', \'9\'/s' ),
			'a changed post' => array( '/^UPDATE `\w+posts` SET.*Renamed/s' ),
			'the ledger'     => array( '/^SELECT id, id_hash/' ),
			'its base'       => array( '/^SELECT base FROM/' ),
		);
	}

	/** @dataProvider outages */
	public function test_a_failing_database_is_not_taken_for_a_bad_lead_or_an_empty_ledger( string $pattern ): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads  = $this->leads( 9 );
		$this->store( $tenant, array_slice( $leads, 0, 8 ), 'before' );
		$leads[0]['name'] = 'Renamed';
		$job              = $this->job( $tenant );
		$this->fail_statement( $pattern, 1205 );
		$wpdb->suppress_errors( true );
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $leads, 'after' ) );
			$this->fail( 'it should say that the database failed' );
		} catch ( StoreException $e ) {
			$this->assertStringContainsString( 'made by a test', $e->getMessage() );
		} finally {
			$wpdb->suppress_errors( false );
			remove_all_filters( 'query' );
		}
		$this->assertSame( 8, $this->posts() );
		$this->assertSame( 'before', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ) );
		TenantCRM\Jobs::finish( $job );
		Adoption::run();
		$this->store( $tenant, $leads, 'after' );
		$this->assertSame( array( 9, 9, 'Renamed' ), array( $this->posts(), $this->records(), $this->post_of( $tenant, '1' )->post_title ) );
	}

	public function test_meta_that_wordpress_cannot_store_is_a_refusal(): void {
		global $wpdb;
		$tenant            = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads             = $this->leads( 3 );
		$leads[1]['phone'] = "\u{1F600}";
		$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb3" );
		$forget = function (): void {
			$this->col_meta = array();
			$this->table_charset = array();
		};
		$forget->call( $wpdb );
		$wpdb->suppress_errors( true );
		try {
			$counts = $this->store( $tenant, $leads );
			// The same as a change of a post that is there.
			$leads[1]['phone'] = '+49';
			$this->assertCounts( 1, 0, 2, $this->store( $tenant, $leads ) );
			$leads[1]['phone'] = "\u{1F600}";
			$this->assertCounts( 0, 0, 2, $this->store( $tenant, $leads ), 1 );
		} finally {
			$wpdb->suppress_errors( false );
			$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci" );
			$forget->call( $wpdb );
		}
		$this->assertCounts( 2, 0, 0, $counts, 1 );
		$this->assertSame( 3, $this->posts() );
		$this->assertStringContainsString( 'Lead "2" of tenant "acme" was refused: WordPress could not store its field "phone"', Log::list()[0]['message'] );
	}
}
