<?php
/**
 * A tenant that is deleted leaves nothing of its own behind, also where the deletion is cut off or a job comes in between.
 */

use TenantCRM\Adoption;
use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Tenants;

final class TenantDeletionTest extends PluginCase {

	private function rows_of( int $key ): int {
		$rows = 0;
		foreach ( array( 'jobs', 'runs', 'cursors', 'records', 'log', 'attempts', 'counters' ) as $table ) {
			$rows += (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( $table ) . " WHERE tenant = $key" );
		}
		return $rows;
	}

	public function test_everything_but_the_posts_goes(): void {
		$other = $this->tenant( 'other' );
		$this->store( $other, $this->leads( 2 ), 'w' );
		$kept = $this->rows_of( $other->key );
		$gone = $this->tenant( 'gone' );
		$this->store( $gone, $this->leads( 3 ), 'w' );
		Log::add( $gone->key, 'warning', 'lead1@example.test' );
		Tenants::delete( $gone->key );
		$this->assertNull( Tenants::find( 'gone' ) );
		$this->assertSame( array( 0, $kept, 5 ), array( $this->rows_of( $gone->key ), $this->rows_of( $other->key ), $this->posts() ) );
	}

	public function test_a_deletion_that_was_cut_off_leaves_no_tenant_and_is_finished_by_the_timer(): void {
		$gone = $this->tenant( 'gone' );
		$this->store( $gone, $this->leads( 3 ), 'w' );
		add_filter(
			'query',
			static function ( string $sql ): string {
				if ( str_starts_with( $sql, 'DELETE FROM `' . Schema::table( 'jobs' ) ) ) {
					throw new Error( 'the request dies here' );
				}
				return $sql;
			}
		);
		try {
			Tenants::delete( $gone->key );
			$this->fail( 'the request should have died' );
		} catch ( Error $e ) {
			remove_all_filters( 'query' );
		}
		$this->assertNull( Tenants::find( 'gone' ) );
		Jobs::enqueue( $gone->key );
		$this->assertGreaterThan( 0, $this->rows_of( $gone->key ) );
		Cron::tick();
		$this->assertSame( 0, $this->rows_of( $gone->key ) );
	}

	public function test_posts_of_a_deleted_tenant_are_adopted_when_it_comes_back(): void {
		global $wpdb;
		$gone = $this->tenant( 'gone' );
		$this->store( $gone, $this->leads( 3 ) );
		Adoption::run();
		// As a deletion that was cut off leaves it.
		$wpdb->delete( Schema::table( 'tenants' ), array( 'id' => $gone->key ) );
		$again = $this->tenant( 'gone' );
		$this->assertSame( 3, Adoption::run() );
		$this->assertCounts( 0, 3, 0, $this->store( $again, $this->leads( 3 ) ) );
		$this->assertSame( 3, $this->posts() );
	}
}
