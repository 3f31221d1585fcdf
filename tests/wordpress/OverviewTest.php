<?php
/**
 * The Overview: what it says of each tenant, in how many queries, and nothing of tenants that are not the user's.
 */

use TenantCRM\Admin\OverviewPage;
use TenantCRM\Admin\TenantHealth;
use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Standings;
use TenantCRM\Tenants;

final class OverviewTest extends ScreenCase {

	private function screen( int $user, array $get = array() ): string {
		return self::render( OverviewPage::class, 'toplevel_page_tenant-crm-sync', $user, $get );
	}

	private function configured( string $id, array $settings = array() ): int {
		return Tenants::save( array( 'id' => $id, 'endpoint' => 'https://crm.example', 'api_key' => 'k', 'settings' => $settings ) )->key; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	private function run_of( int $key, string $state, int $fetched, string $ago = '1 MINUTE', int $refused = 0 ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'INSERT INTO ' . Schema::table( 'runs' ) . " (tenant, kind, object, state, fetched, refused, queued_at, started_at, finished_at, error) VALUES (%d, 'pull', 'leads', %s, %d, %d, UTC_TIMESTAMP(), UTC_TIMESTAMP(), UTC_TIMESTAMP() - INTERVAL $ago, IF(%s = 'failed', 'HTTP 401', NULL))", $key, $state, $fetched, $refused, $state ) ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	private function conflict( int $key ): void {
		global $wpdb;
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'conflicts' ) . " (tenant, object, record, kind, field, state, open_key, created_at) VALUES ($key, 'leads', 0, 'field', 'name', 'open', '" . substr( md5( uniqid() ), 0, 16 ) . "', UTC_TIMESTAMP())" ); // phpcs:ignore WordPress.DB.PreparedSQL
	}

	public function test_figures_are_each_tenants_own(): void {
		$one = Tenants::get( $this->configured( 'one' ) );
		$two = Tenants::get( $this->configured( 'two' ) );
		$this->store( $one, $this->leads( 3 ) );
		$this->store( $two, $this->leads( 2, 100 ) );
		foreach ( array( 50, 400, 60 ) as $fetched ) {
			$this->run_of( $two->key, 'done', $fetched );
		}
		$this->run_of( $two->key, 'failed', 0 );
		$this->conflict( $two->key );
		Jobs::enqueue( $one->key );
		$figures = Standings::of( array( $one->key, $two->key ) );
		$this->assertSame( array( 3, 1, 0, 0 ), array( $figures[ $one->key ]['records'], $figures[ $one->key ]['waiting'], $figures[ $one->key ]['dead'], $figures[ $one->key ]['conflicts'] ) );
		$this->assertSame( array( 2, 0, 1 ), array( $figures[ $two->key ]['records'], $figures[ $two->key ]['waiting'], $figures[ $two->key ]['conflicts'] ) );
		$this->assertSame( 'failed', $figures[ $two->key ]['run']['state'] );
		$this->assertNotNull( $figures[ $two->key ]['done_at'], 'the last one that went to its end' );
		$this->assertContains( $figures[ $two->key ]['expected'], array( 50, 60 ), 'the one big sync does not count for all' );
		$this->assertSame( '1 conflict waits for a decision.', TenantHealth::why( $one, array( 'conflicts' => 1, 'run' => array( 'state' => 'done' ) ) + $figures[ $one->key ] ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array(), Standings::of( array() ) );
	}

	public function test_health_says_what_is_most_urgent(): void {
		$health = function ( string $id, callable $do, array $settings = array() ): string {
			$key = $this->configured( $id, $settings );
			$do( $key );
			return TenantHealth::of( Tenants::get( $key ), Standings::of( array( $key ) )[ $key ] );
		};
		$this->assertSame( 'new', $health( 'new', static fn() => null ) );
		$this->assertSame( 'good', $health( 'good', fn( $key ) => $this->run_of( $key, 'done', 5 ) ) );
		$this->assertSame( 'failing', $health( 'failing', fn( $key ) => $this->run_of( $key, 'failed', 5 ) ) );
		$this->assertSame( 'attention', $health( 'asked', function ( $key ): void {
			$this->run_of( $key, 'done', 5 );
			$this->conflict( $key );
		} ) );
		$this->assertSame( 'paused', $health( 'paused', static fn( $key ) => Tenants::pause( $key, true ) ) );
		$this->assertSame( 'waiting', $health( 'late', function ( $key ): void {
			global $wpdb;
			$this->run_of( $key, 'done', 5 );
			$wpdb->query( 'UPDATE ' . Schema::table( 'tenants' ) . " SET next_due_at = UTC_TIMESTAMP() - INTERVAL 2 HOUR WHERE id = $key" ); // phpcs:ignore WordPress.DB.PreparedSQL
		} ) );
		$this->assertSame( 'unset', TenantHealth::of( $this->tenant( 'unset' ), Standings::of( array( Tenants::find( 'unset' )->key ) )[ Tenants::find( 'unset' )->key ] ) );
	}

	public function test_it_takes_as_many_queries_for_twelve_tenants_as_for_two(): void {
		global $wpdb;
		$queries = array();
		foreach ( array( 2, 12 ) as $many ) {
			for ( $nth = count( Tenants::all() ); $nth < $many; $nth++ ) {
				$key = $this->configured( "tenant-$nth" );
				$this->run_of( $key, 0 === $nth % 2 ? 'done' : 'failed', 5 );
			}
			$this->screen( 1 );
			$before = $wpdb->num_queries;
			$html   = $this->screen( 1 );
			$queries[ $many ] = $wpdb->num_queries - $before;
			$this->assertSame( $many, substr_count( $html, 'class="row-title"' ) );
		}
		$this->assertSame( $queries[2], $queries[12] );
		$this->assertGreaterThan( 5, $queries[2], 'the queries were counted' );
	}

	public function test_the_chart_counts_each_day_of_the_sites_calendar(): void {
		$key = $this->configured( 'charted' );
		foreach ( array( array( 'done', '1 MINUTE' ), array( 'done', '3 DAY' ), array( 'failed', '3 DAY' ), array( 'done', '20 DAY' ) ) as list( $state, $ago ) ) {
			$this->run_of( $key, $state, 1, $ago );
		}
		$days = Standings::days( array( $key ), 14 );
		$this->assertCount( 14, $days );
		$this->assertSame( 2, array_sum( array_column( $days, 'done' ) ) );
		$this->assertSame( 1, array_sum( array_column( $days, 'failed' ) ) );
		$this->assertSame( array( 'done' => 1, 'failed' => 1, 'cancelled' => 0 ), array_values( $days )[10] ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$html = $this->screen( 1 );
		$this->assertStringContainsString( '<svg role="img" aria-label="Syncs, last 14 days: 2 finished, 1 failed"', $html );
		$this->assertSame( 14, substr_count( $html, '<th scope="row">' ), 'a row a day for those who cannot see the bars' );
	}

	public function test_search_and_health_choose_and_others_tenants_are_not_counted(): void {
		$this->run_of( $this->configured( 'mine' ), 'done', 5 );
		$theirs = $this->configured( 'theirs' );
		$this->run_of( $theirs, 'failed', 5 );
		$this->conflict( $theirs );
		$this->assertStringNotContainsString( '>theirs<', $this->screen( 1, array( 'health' => 'good' ) ) );
		$this->assertStringContainsString( '>theirs<', $this->screen( 1, array( 's' => 'THEIR' ) ) );
		$this->assertStringNotContainsString( '>mine<', $this->screen( 1, array( 's' => 'THEIR' ) ) );
		$first = fn( array $get ): string => preg_match( '~class="row-title"[^>]*>([^<]+)<~', $this->screen( 1, $get ), $match ) ? $match[1] : '';
		$this->assertSame( array( 'mine', 'theirs', 'theirs', 'mine' ), array( $first( array() ), $first( array( 'order' => 'desc', 'orderby' => 'name' ) ), $first( array( 'orderby' => 'conflicts', 'order' => 'desc' ) ), $first( array( 'orderby' => 'no-such', 'order' => 'x' ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$user = $this->account( 'syncer' );
		( new WP_User( $user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $user, array( 'mine' ) );
		$html = $this->screen( $user );
		wp_delete_user( $user );
		$this->assertStringContainsString( 'mine', $html );
		$this->assertStringNotContainsString( 'theirs', $html );
		$this->assertStringContainsString( '1 finished"', $html, 'the chart is of the own tenants' );
		$this->assertMatchesRegularExpression( '~<strong>0</strong> conflicts~', $html );
	}
}
