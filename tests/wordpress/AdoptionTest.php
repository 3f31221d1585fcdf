<?php
/**
 * Posts that the article's code made are adopted, not doubled.
 */

use TenantCRM\Adoption;
use TenantCRM\Log;

final class AdoptionTest extends PluginCase {

	/** As the article's function makes one. */
	private function post( string $tenant, string $crm_id, string $title = 'Old', string $status = 'publish' ): int {
		return wp_insert_post(
			array(
				'post_type'   => 'crm_lead',
				'post_status' => $status,
				'post_title'  => $title,
				'meta_input'  => array(
					'_tenant_id'  => $tenant,
					'crm_lead_id' => $crm_id,
					'email'       => 'old@example.test',
					'phone'       => '',
				),
			)
		);
	}

	/** Scans so often that what is there now is not looked at again for the same tenants. */
	private function settle(): void {
		for ( $scan = 0; $scan < 3; $scan++ ) {
			$this->assertSame( 0, Adoption::run() );
			$this->post( 'nobody', (string) $scan );
		}
	}

	public function test_posts_are_taken_by_tenant_and_id_bytewise(): void {
		$upper = $this->tenant( 'Acme' );
		$lower = $this->tenant( 'acme' );
		$ids   = array( $this->post( 'Acme', '00QAbC' ), $this->post( 'acme', '00QaBc' ), $this->post( 'other', '00QAbC' ) );
		$this->assertSame( 2, Adoption::run() );
		$rows = array( array( 'id' => '00QAbC', 'name' => 'One' ), array( 'id' => '00QaBc', 'name' => 'Two' ) );
		$this->assertCounts( 1, 1, 0, $this->store( $upper, $rows ) );
		$this->assertCounts( 1, 1, 0, $this->store( $lower, $rows ) );
		$this->assertSame( $ids[0], $this->post_of( $upper, '00QAbC' )->ID );
		$this->assertSame( $ids[1], $this->post_of( $lower, '00QaBc' )->ID );
		$this->assertSame( 'Old', get_post( $ids[2] )->post_title );
		$this->assertSame( 'One', get_post( $ids[0] )->post_title );
		$this->assertSame( '', get_post_meta( $ids[0], 'email', true ) );
		$this->assertSame( 5, $this->posts() );
	}

	public function test_a_post_that_is_right_already_is_not_written(): void {
		$tenant = $this->tenant();
		$this->post( 'acme', '7', 'Same' );
		Adoption::run();
		$counts = $this->store( $tenant, array( array( 'id' => '7', 'name' => 'Same', 'email' => 'old@example.test' ) ) );
		$this->assertSame( array( 0, 1 ), array( $counts['created'], $counts['updated'] ) );
		$this->assertCounts( 0, 0, 1, $this->store( $tenant, array( array( 'id' => '7', 'name' => 'Same', 'email' => 'old@example.test' ) ) ) );
	}

	public function test_of_two_posts_of_one_lead_the_newest_is_taken_and_the_log_names_the_other(): void {
		$tenant = $this->tenant();
		$old    = $this->post( 'acme', '7' );
		$new    = $this->post( 'acme', '7' );
		$trash  = $this->post( 'acme', '7', 'Binned', 'trash' );
		$this->assertSame( 1, Adoption::run() );
		$this->assertSame( $new, $this->post_of( $tenant, '7' )->ID );
		$this->assertSame( 0, Adoption::run() );
		$doubles = array_values( array_filter( Log::list(), static fn( array $entry ): bool => str_contains( $entry['message'], 'further copies' ) ) );
		$this->assertSame( array( array( $old ) ), array_column( array_column( $doubles, 'context' ), 'posts' ) );
		$this->assertNotSame( $trash, $new );
	}

	public function test_more_posts_than_one_query_reads(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 1500 ) );
		$wpdb->query( 'TRUNCATE ' . TenantCRM\Schema::table( 'records' ) );
		$this->assertSame( 1500, Adoption::run() );
		$this->assertCounts( 0, 1500, 0, $this->store( $tenant, $this->leads( 1500 ) ) );
		$this->assertSame( 1500, $this->posts() );
	}

	public function test_posts_made_later_are_found_and_old_ones_not_read_again(): void {
		$tenant = $this->tenant();
		$this->post( 'acme', '1' );
		$this->assertSame( 1, Adoption::run() );
		$this->post( 'acme', '2' );
		$this->assertSame( 1, Adoption::run() );
		$this->assertSame( 0, Adoption::run() );
		$this->assertSame( 2, $this->records() );
	}

	public function test_a_post_that_gets_its_meta_late_is_not_missed(): void {
		$this->tenant();
		$id = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'Late' ) );
		for ( $scan = 0; $scan < 4; $scan++ ) {
			$this->post( 'other', (string) $scan );
			$this->assertSame( 0, Adoption::run() );
		}
		update_post_meta( $id, '_tenant_id', 'acme' );
		update_post_meta( $id, 'crm_lead_id', '9' );
		$this->assertSame( 1, Adoption::run() );
	}

	public function test_settled_posts_are_not_read_again(): void {
		$this->tenant();
		for ( $number = 0; $number < 3; $number++ ) {
			$this->post( 'acme', (string) $number );
			Adoption::run();
		}
		$state = get_option( 'tenant_crm_sync_adoption' );
		$this->assertGreaterThan( 0, $state['floor'] );
		$this->assertLessThan( $state['last'], $state['floor'] );
	}

	public function test_a_new_tenant_finds_its_old_posts(): void {
		$this->tenant( 'first' );
		$id = $this->post( 'late', '1' );
		$this->settle();
		$late = $this->tenant( 'late' );
		$this->assertSame( 1, Adoption::run() );
		$this->assertSame( $id, $this->post_of( $late, '1' )->ID );
	}

	public function test_a_tenant_that_is_added_while_a_scan_runs_finds_its_posts_with_the_next(): void {
		$this->tenant( 'first' );
		$id = $this->post( 'late', '1' );
		$this->settle();
		$late = null;
		add_filter(
			'query',
			function ( string $sql ) use ( &$late ): string {
				if ( ! $late && str_contains( $sql, 'FORCE INDEX' ) ) {
					$late = $this->tenant( 'late' );
				}
				return $sql;
			}
		);
		$this->assertSame( 0, Adoption::run() );
		$this->assertSame( 1, Adoption::run() );
		$this->assertSame( $id, $this->post_of( $late, '1' )->ID );
	}

	public function test_a_query_that_fails_ends_the_scan_and_it_is_made_again(): void {
		global $wpdb;
		$this->tenant();
		$this->post( 'acme', '1' );
		foreach ( array( 'FORCE INDEX', 'MAX(ID)', 'external_id FROM', 'crm_records` (tenant' ) as $part ) {
			add_filter( 'query', static fn( string $sql ): string => str_contains( $sql, $part ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'made by a test'" : $sql );
			$wpdb->suppress_errors( true );
			try {
				Adoption::run();
				$this->fail( "$part: it should say that the database failed" );
			} catch ( TenantCRM\StoreException $e ) {
				$this->assertStringContainsString( 'made by a test', $e->getMessage() );
			} finally {
				$wpdb->suppress_errors( false );
				remove_all_filters( 'query' );
			}
		}
		$this->assertSame( 1, Adoption::run() );
	}
}
