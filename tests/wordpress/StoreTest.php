<?php
/**
 * Store: what is new, changed or unchanged, and what stands in posts, meta and ledger afterwards.
 */

use TenantCRM\Fields;
use TenantCRM\Jobs;
use TenantCRM\LeaseLost;
use TenantCRM\Log;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Store;

final class StoreTest extends PluginCase {

	public function test_new_leads_become_posts_with_the_articles_meta(): void {
		$tenant = $this->tenant();
		$this->assertCounts( 3, 0, 0, $this->store( $tenant, $this->leads( 3 ) ) );
		$post = $this->post_of( $tenant, '2' );
		$this->assertSame( array( 'Lead 2', 'publish', 'crm_lead', '0', '2026-01-02 03:04:05' ), array( $post->post_title, $post->post_status, $post->post_type, $post->post_author, $post->post_date_gmt ) );
		$meta = array_map( static fn( array $values ): string => $values[0], get_post_meta( $post->ID ) );
		$this->assertSame( array( '_tenant_id' => 'acme', 'crm_lead_id' => '2', 'email' => 'lead2@example.test', 'phone' => '+49 30 2' ), $meta );
		$this->assertSame( 3, $this->records() );
	}

	public function test_unchanged_leads_cost_no_write_and_no_array(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 50 ) );
		$posts    = $wpdb->get_results( "SELECT * FROM $wpdb->posts WHERE post_type = 'crm_lead' ORDER BY ID" );
		$records  = $wpdb->get_results( 'SELECT * FROM ' . Schema::table( 'records' ) . ' ORDER BY id' );
		$job      = $this->job( $tenant );
		$rows     = new Rows( array_map( static fn( array $row ): array => array( 'updated_at' => '2026-09-09T00:00:00Z' ) + $row, $this->leads( 50 ) ), 'w' );
		$writes   = array();
		add_filter(
			'query',
			static function ( string $sql ) use ( &$writes ): string {
				if ( ! preg_match( '/^(SELECT|START|COMMIT)/', $sql ) ) {
					$writes[] = strtok( $sql, '(' );
				}
				return $sql;
			}
		);
		$counts = ( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $rows );
		remove_all_filters( 'query' );
		$this->assertCounts( 0, 0, 50, $counts );
		$this->assertSame( 0, $rows->built );
		$this->assertCount( 2, $writes, implode( "\n", $writes ) );
		$this->assertEquals( $posts, $wpdb->get_results( "SELECT * FROM $wpdb->posts WHERE post_type = 'crm_lead' ORDER BY ID" ) );
		$this->assertEquals( $records, $wpdb->get_results( 'SELECT * FROM ' . Schema::table( 'records' ) . ' ORDER BY id' ) );
	}

	public function test_changed_leads_change_only_what_differs(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$leads  = $this->leads( 4 );
		$this->store( $tenant, $leads );
		$wpdb->query( "UPDATE $wpdb->posts SET post_modified_gmt = '2026-01-01 00:00:00', post_status = IF(post_title = 'Lead 1', 'private', post_status) WHERE post_type = 'crm_lead'" );
		wp_cache_flush();
		$leads[0]['name']   = 'Renamed';
		$leads[1]['phone']  = '+1 555';
		$leads[2]['status'] = 'won';
		$this->assertCounts( 0, 3, 1, $this->store( $tenant, $leads ) );
		$first = $this->post_of( $tenant, '1' );
		$this->assertSame( array( 'Renamed', 'private' ), array( $first->post_title, $first->post_status ), 'the status of a post is the portal\'s' );
		$this->assertSame( '+1 555', get_post_meta( $this->post_of( $tenant, '2' )->ID, 'phone', true ) );
		$this->assertNotSame( '2026-01-01 00:00:00', $this->post_of( $tenant, '2' )->post_modified_gmt );
		$this->assertSame( '2026-01-01 00:00:00', $this->post_of( $tenant, '3' )->post_modified_gmt, 'only the projection changed' );
		$this->assertSame( 'won', $this->sql( 'SELECT state FROM ' . Schema::table( 'records' ) . " WHERE crm_id = '3'" ) );
		$this->assertSame( 4, (int) $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta WHERE meta_key = 'phone'" ), 'no meta row is doubled' );
	}

	/** @dataProvider values */
	public function test_values_arrive_in_meta_as_the_crm_sent_them( $value, $expected ): void {
		$tenant = $this->tenant();
		$this->store( $tenant, array( array( 'id' => '1', 'name' => 'A', 'email' => $value ) ) );
		$post = $this->post_of( $tenant, '1' );
		$this->assertSame( $expected, get_post_meta( $post->ID, 'email', true ) );
		$this->assertSame( '', get_post_meta( $post->ID, 'phone', true ) );
		$base = $this->sql( 'SELECT base FROM ' . Schema::table( 'records' ) );
		$this->assertSame( $value, json_decode( $base, true )['email'] );
		// The same again as a change, over the path of updates.
		$this->store( $tenant, array( array( 'id' => '1', 'name' => 'A', 'email' => 'x' ) ) );
		$this->store( $tenant, array( array( 'id' => '1', 'name' => 'A', 'email' => $value ) ) );
		$this->assertSame( $expected, get_post_meta( $post->ID, 'email', true ) );
	}

	public function values(): array {
		return array(
			'backslashes'         => array( 'C:\\new\\table \\\' \\" \\\\', 'C:\\new\\table \\\' \\" \\\\' ),
			'html'                => array( '<b>"x"</b> & <script>alert(1)</script>', '<b>"x"</b> & <script>alert(1)</script>' ),
			'emoji'               => array( "\u{1F469}\u{200D}\u{1F680} \u{4E2D}", "\u{1F469}\u{200D}\u{1F680} \u{4E2D}" ),
			'serialized PHP'      => array( 'O:8:"stdClass":0:{}', 'O:8:"stdClass":0:{}' ),
			'short serialized'    => array( 'N;', 'N;' ),
			'percent signs'       => array( '100%s %d %%', '100%s %d %%' ),
			'blanks and lines'    => array( " a\n\tb \r\n", " a\n\tb \r\n" ),
			'nul'                 => array( "a\0b", "a\0b" ),
			'a number'            => array( 12, '12' ),
			'a float'             => array( 1.5, '1.5' ),
			'true'                => array( true, '1' ),
			'null'                => array( null, '' ),
			'a list'              => array( array( 'a', array( 'b' => 1 ) ), array( 'a', array( 'b' => 1 ) ) ),
			'a megabyte'          => array( str_repeat( 'ä\\', 400000 ), str_repeat( 'ä\\', 400000 ) ),
		);
	}

	public function test_ids_that_differ_in_case_stay_apart(): void {
		$upper = $this->tenant( 'Acme' );
		$lower = $this->tenant( 'acme' );
		$this->assertNotSame( $upper->key, $lower->key );
		$rows = array( array( 'id' => '00QAbC', 'name' => 'One' ), array( 'id' => '00QaBc', 'name' => 'Two' ) );
		$this->assertCounts( 2, 0, 0, $this->store( $upper, $rows ) );
		$this->assertCounts( 2, 0, 0, $this->store( $lower, $rows ) );
		$this->assertSame( 4, $this->posts() );
		$this->assertSame( 'Two', $this->post_of( $upper, '00QaBc' )->post_title );
		$this->assertSame( 'Acme', get_post_meta( $this->post_of( $upper, '00QaBc' )->ID, '_tenant_id', true ) );
		$this->assertSame( '00QAbC', get_post_meta( $this->post_of( $lower, '00QAbC' )->ID, 'crm_lead_id', true ) );
	}

	public function test_a_record_twice_in_a_batch_is_stored_once_and_the_last_counts(): void {
		$tenant = $this->tenant();
		$counts = $this->store( $tenant, array( array( 'id' => '1', 'name' => 'old' ), array( 'id' => '1', 'name' => 'new' ) ) );
		$this->assertCounts( 1, 0, 1, $counts );
		$this->assertSame( 2, $counts['fetched'] );
		$this->assertSame( 'new', $this->post_of( $tenant, '1' )->post_title );
	}

	public function test_what_cannot_be_stored_is_refused_by_name_and_the_rest_lands(): void {
		$tenant = $this->tenant();
		$job    = $this->job( $tenant );
		$long   = str_repeat( 'x', 1025 );
		$rows   = new Rows( array_merge( $this->leads( 2 ), array( array( 'id' => $long, 'name' => 'long' ) ) ), 'w1', array( array( 'position' => 3, 'id' => 'bad-utf8', 'reason' => 'invalid UTF-8 in name' ) ) );
		$counts = ( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $rows );
		$this->assertCounts( 2, 0, 0, $counts, 2 );
		$this->assertSame( 4, $counts['fetched'] );
		$log = implode( "\n", array_column( Log::list( array( 'tenant' => $tenant->key ) ), 'message' ) );
		$this->assertStringContainsString( 'Lead "bad-utf8" of tenant "acme" was refused: invalid UTF-8 in name.', $log );
		$this->assertStringContainsString( 'longer than 1024 bytes', $log );
		$this->assertSame( 2, Runs::get( $job->run )['refused'] );
	}

	public function test_a_value_the_database_would_change_is_refused_alone(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$leads  = $this->leads( 9 );
		$leads[4]['phone'] = "\u{1F600}";
		// An old site whose table never left the three-byte character set.
		$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb3" );
		try {
			$job    = $this->job( $tenant );
			$counts = ( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $leads, 'w1' ) );
		} finally {
			$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci" );
		}
		$this->assertCounts( 8, 0, 0, $counts, 1 );
		$this->assertSame( 8, $this->posts() );
		$run = Runs::get( $job->run );
		$this->assertSame( array( 9, 8, 1, 1 ), array( $run['fetched'], $run['created'], $run['refused'], $run['pages'] ) );
		$this->assertStringContainsString( 'Lead "5" of tenant "acme" was refused', Log::list()[0]['message'] );
		$this->assertSame( 'w1', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ) );
	}

	public function test_without_the_lease_nothing_is_stored(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$job    = $this->job( $tenant );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET lease = 'another'" );
		$before = $this->everything();
		$lost   = false;
		try {
			( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 3 ), 'w' ) );
		} catch ( LeaseLost $e ) {
			$lost = true;
		}
		$this->assertTrue( $lost );
		$this->assertSame( $before, $this->everything() );
	}

	public function test_the_watermark_is_written_with_the_rows_and_also_for_an_empty_batch(): void {
		$tenant = $this->tenant();
		$hash   = Fields::of( $tenant, 'leads' )->hash();
		$this->store( $tenant, $this->leads( 1 ), 'first' );
		$this->assertSame( 'first', TenantCRM\Cursors::read( $tenant->key, 'leads', $hash ) );
		$this->store( $tenant, array(), "second\xff" );
		$this->assertSame( "second\xff", TenantCRM\Cursors::read( $tenant->key, 'leads', $hash ) );
		$this->assertNull( TenantCRM\Cursors::read( $tenant->key, 'leads', str_repeat( 'x', 16 ) ), 'another mapping reads everything again' );
	}

	public function test_more_records_than_one_transaction_holds(): void {
		$tenant = $this->tenant();
		$this->assertCounts( 2300, 0, 0, $this->store( $tenant, $this->leads( 2300 ), 'w' ) );
		$this->assertSame( array( 2300, 2300 ), array( $this->posts(), $this->records() ) );
		$run = Runs::latest( $tenant->key );
		$this->assertSame( array( 2300, 2300, 1, 'done' ), array( $run['fetched'], $run['created'], $run['pages'], $run['state'] ) );
	}

	public function test_a_deleted_post_comes_back_with_the_next_pull(): void {
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 2 ) );
		wp_delete_post( $this->post_of( $tenant, '1' )->ID, true );
		$this->assertCounts( 1, 0, 1, $this->store( $tenant, $this->leads( 2 ) ) );
		$this->assertSame( array( 2, 2 ), array( $this->posts(), $this->records() ) );
	}

	public function test_fields_are_mapped_by_the_filter_but_not_onto_identity(): void {
		add_filter( 'tenant_crm_sync_fields', static fn(): array => array( 'company' => 'title', 'notes' => 'crm_notes', 'evil' => '_tenant_id', 'worse' => 'CRM_LEAD_ID' ) );
		$tenant = $this->tenant();
		$this->store( $tenant, array( array( 'id' => '1', 'company' => 'ACME', 'notes' => 'n', 'evil' => 'other', 'worse' => '2' ) ) );
		$post = $this->post_of( $tenant, '1' );
		$this->assertSame( 'ACME', $post->post_title );
		$this->assertSame( array( '_tenant_id', 'crm_lead_id', 'crm_notes' ), array_keys( get_post_meta( $post->ID ) ) );
		$this->assertSame( 'acme', get_post_meta( $post->ID, '_tenant_id', true ) );
	}

	public function test_one_action_tells_of_the_batch(): void {
		$seen = array();
		add_action(
			'tenant_crm_sync_batch_stored',
			static function ( $tenant, $object, $posts, $counts ) use ( &$seen ): void {
				$seen[] = array( $tenant->id, $object, count( $posts['created'] ), $counts['created'] );
			},
			10,
			4
		);
		$this->store( $this->tenant(), $this->leads( 30 ) );
		$this->assertSame( array( array( 'acme', 'leads', 30, 30 ) ), $seen );
	}

	public function test_an_id_that_looks_like_serialized_php_is_refused(): void {
		foreach ( array( 'sets' => array(), 'hooks' => array( 'hooks' => true ) ) as $id => $settings ) {
			$tenant = $this->tenant( $id, $settings );
			$rows   = array( array( 'id' => 'O:8:"stdClass":0:{}', 'name' => 'Evil' ), array( 'id' => 'fine', 'name' => 'Good' ) );
			$this->assertCounts( 1, 0, 0, $this->store( $tenant, $rows ), 1 );
			$this->assertStringContainsString( 'looks like serialized PHP', Log::list()[0]['message'] );
		}
		process_crm_leads_for_tenant( 'article', array( array( 'id' => 'a:1:{i:0;i:1;}', 'name' => 'Evil' ) ) );
		$this->assertSame( 2, $this->posts() );
		$this->expectException( InvalidArgumentException::class );
		$this->tenant( 'O:8:"stdClass":0:{}' );
	}

	public function test_a_long_log_neither_makes_a_statement_too_large_nor_refuses_a_lead(): void {
		$tenant = $this->tenant();
		$leads  = $this->leads( 200 );
		$this->store( $tenant, $leads );
		foreach ( $leads as $number => $lead ) {
			update_post_meta( $this->post_of( $tenant, $lead['id'] )->ID, 'phone', str_repeat( 'edited ', 2000 ) );
			$leads[ $number ]['phone'] = 'changed';
		}
		$longest = 0;
		add_filter(
			'query',
			static function ( string $sql ) use ( &$longest ): string {
				if ( str_starts_with( $sql, 'INSERT INTO `' . Schema::table( 'log' ) ) ) {
					$longest = max( $longest, strlen( $sql ) );
				}
				return $sql;
			}
		);
		$this->assertCounts( 0, 200, 0, $this->store( $tenant, $leads ) );
		$this->assertGreaterThan( 500000, $longest );
		$this->assertLessThanOrEqual( 1000000, $longest );
		$this->assertCount( 200, Log::list( array( 'tenant' => $tenant->key, 'limit' => 1000 ) ) );
	}
}
