<?php
/**
 * The queue: one job of a kind, leases, priorities, waiting, and what is left to be seen of a run that ended.
 */

use TenantCRM\Jobs;
use TenantCRM\Retries;
use TenantCRM\Leases;
use TenantCRM\Log;
use TenantCRM\Runs;
use TenantCRM\Schema;

final class JobsTest extends PluginCase {

	private function age( string $set ): void {
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET $set" );
	}

	public function test_a_queued_or_running_job_is_returned_not_doubled(): void {
		$run = Jobs::enqueue( 1 );
		$this->assertSame( $run, Jobs::enqueue( 1 ) );
		$this->assertNotSame( $run, Jobs::enqueue( 2 ) );
		$this->assertNotSame( $run, Jobs::enqueue( 1, 'pull', 'contacts' ) );
		$this->assertSame( $run, Jobs::claim( $run )->run );
		$this->assertSame( $run, Jobs::enqueue( 1 ) );
		$this->assertCount( 3, Runs::list() );
	}

	public function test_a_click_goes_first(): void {
		$first  = Jobs::enqueue( 1 );
		$second = Jobs::enqueue( 2 );
		Jobs::enqueue( 2, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$this->assertSame( $second, Jobs::claim()->run );
		$this->assertSame( $first, Jobs::claim()->run );
		$this->assertNull( Jobs::claim() );
	}

	public function test_two_connections_never_get_the_same_job(): void {
		$first = Jobs::enqueue( 1 );
		Jobs::enqueue( 2 );
		$other = $this->other_connection();
		$other->begin_transaction();
		$other->query( 'SELECT * FROM ' . Schema::table( 'jobs' ) . " WHERE run = $first FOR UPDATE" );
		$start = microtime( true );
		$this->assertNotSame( $first, Jobs::claim()->run );
		$this->assertNull( Jobs::claim(), 'the locked one is passed by, not waited for' );
		$this->assertLessThan( 1.0, microtime( true ) - $start );
		$other->rollback();
	}

	public function test_a_dead_workers_job_is_taken_over_and_the_dead_one_can_do_nothing(): void {
		Jobs::enqueue( 1 );
		$dead = Jobs::claim();
		$this->assertNull( Jobs::claim() );
		$this->age( "lease_until = '2020-01-01'" );
		$new = Jobs::claim();
		$this->assertSame( array( $dead->id, 1 ), array( $new->id, $new->attempts ) );
		$this->assertNotSame( $dead->lease, $new->lease );
		$this->assertSame( array( $dead->id ), array_keys( Leases::ended( array( $dead->id => $dead ) ) ) );
		$this->assertSame( array(), Leases::ended( array( $new->id => $new ) ) );
		Jobs::finish( $dead );
		Jobs::release( $dead );
		Jobs::postpone( $dead, 'no' );
		$this->assertSame( 'running', Runs::get( $new->run )['state'] );
		Jobs::finish( $new );
		$this->assertSame( 'done', Runs::get( $new->run )['state'] );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ) );
	}

	public function test_waiting_backs_off_and_is_told(): void {
		$run = Jobs::enqueue( 1 );
		Jobs::postpone( Jobs::claim(), 'The CRM is down.' );
		$row = Runs::get( $run );
		$this->assertSame( array( 'waiting', 'The CRM is down.' ), array( $row['state'], $row['error'] ) );
		$this->assertNotNull( $row['retry_at'] );
		$this->assertNull( Jobs::claim() );
		$this->age( "available_at = '2020-01-01'" );
		$this->assertSame( 1, Jobs::claim()->attempts );
	}

	public function test_backoff_doubles_has_full_jitter_and_an_end(): void {
		foreach ( array( 0 => 15, 1 => 30, 3 => 120, 50 => 900 ) as $attempts => $bound ) {
			$seconds = array_map( static fn(): float => Retries::backoff( $attempts ), range( 1, 300 ) );
			$this->assertGreaterThanOrEqual( 1.0, min( $seconds ) );
			$this->assertLessThanOrEqual( $bound, max( $seconds ) );
			$this->assertLessThan( max( 2.0, $bound * 0.2 ), min( $seconds ), 'any time up to the bound' );
			$this->assertGreaterThan( $bound * 0.8, max( $seconds ) );
		}
	}

	public function test_a_click_ends_a_backoff_but_not_what_the_crm_asked_for(): void {
		Jobs::enqueue( 1 );
		Jobs::postpone( Jobs::claim(), 'down' );
		Jobs::enqueue( 1, 'pull', 'leads', 50 );
		$this->assertNull( Jobs::claim(), 'the timer does not bring it forward' );
		Jobs::enqueue( 1, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$job = Jobs::claim();
		$this->assertNotNull( $job );
		Jobs::postpone( $job, 'Too many requests.', 600.0 );
		Jobs::enqueue( 1, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$this->assertNull( Jobs::claim() );
		$wait = (int) $this->sql( 'SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), retry_at) FROM ' . Schema::table( 'runs' ) );
		$this->assertGreaterThan( 590, $wait );
		$this->assertLessThan( 670, $wait );
	}

	public function test_a_cancelled_run_is_gone_from_the_queue_and_stays_in_the_list(): void {
		$run = Jobs::enqueue( 1 );
		$job = Jobs::claim();
		$this->assertTrue( Runs::cancel( $run ) );
		$this->assertFalse( Runs::cancel( $run ) );
		$this->assertCount( 1, Leases::ended( array( $job->id => $job ) ) );
		$this->assertSame( 'cancelled', Runs::get( $run )['state'] );
		$this->assertNotSame( $run, Jobs::enqueue( 1 ) );
	}

	public function test_a_run_without_a_job_is_shown_as_failed(): void {
		global $wpdb;
		$run = Jobs::enqueue( 1 );
		$wpdb->query( 'DELETE FROM ' . Schema::table( 'jobs' ) );
		Jobs::reap();
		$this->assertSame( 'queued', Runs::get( $run )['state'], 'it may just be on its way' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'runs' ) . " SET queued_at = '2020-01-01'" );
		Jobs::reap();
		$this->assertSame( 'failed', Runs::get( $run )['state'] );
		$this->assertStringContainsString( 'start the sync again', Runs::get( $run )['error'] );
	}

	public function test_log_and_runs_stay_bounded(): void {
		global $wpdb;
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'log' ) . " (level, message, created_at) SELECT 'info', 'x', UTC_TIMESTAMP() FROM seq_1_to_21000" );
		$newest = $this->sql( 'SELECT MAX(id) FROM ' . Schema::table( 'log' ) );
		Log::prune();
		$this->assertSame( '20000', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'log' ) ) );
		$this->assertSame( $newest, $this->sql( 'SELECT MAX(id) FROM ' . Schema::table( 'log' ) ), 'the newest stay' );
		$old = Jobs::enqueue( 1 );
		Jobs::finish( Jobs::claim() );
		$wpdb->query( 'UPDATE ' . Schema::table( 'runs' ) . " SET finished_at = '2020-01-01'" );
		$new = Jobs::enqueue( 1 );
		Runs::prune();
		$this->assertNull( Runs::get( $old ) );
		$this->assertNotNull( Runs::get( $new ) );
		Log::add( 0, 'info', str_repeat( 'ä', 5000 ), array( 'long' => str_repeat( 'x', 50000 ) ) );
		$entry = Log::list()[0];
		$this->assertSame( 2000, strlen( $entry['message'] ) );
		$this->assertArrayHasKey( 'left_out', $entry['context'] );
	}

	public function test_a_server_that_refuses_to_claim_is_named(): void {
		global $wpdb;
		Jobs::enqueue( 1 );
		add_filter( 'query', static fn( string $sql ): string => str_contains( $sql, "SET state = 'running'" ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1665, MESSAGE_TEXT = 'made by a test'" : $sql );
		$wpdb->suppress_errors( true );
		try {
			Jobs::claim();
			$this->fail( 'it should say that the database refuses' );
		} catch ( TenantCRM\StoreException $e ) {
			$this->assertStringContainsString( 'made by a test', $e->getMessage() );
		} finally {
			$wpdb->suppress_errors( false );
			remove_all_filters( 'query' );
		}
		$this->assertNotNull( Jobs::claim() );
	}

	public function test_a_server_that_logs_statements_gets_the_job_claimed_at_its_own_level(): void {
		Jobs::enqueue( 1 );
		$level = '';
		add_filter(
			'query',
			static function ( string $sql ) use ( &$level ): string {
				if ( str_starts_with( $sql, 'SET TRANSACTION' ) || in_array( $sql, array( 'COMMIT', 'ROLLBACK' ), true ) ) {
					$level = str_starts_with( $sql, 'SET' ) ? $sql : '';
				}
				return '' !== $level && str_contains( $sql, "SET state = 'running'" ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1665, MESSAGE_TEXT = 'made by a test'" : $sql;
			}
		);
		$GLOBALS['wpdb']->suppress_errors( true );
		$job = Jobs::claim();
		$GLOBALS['wpdb']->suppress_errors( false );
		remove_all_filters( 'query' );
		$this->assertNotNull( $job );
	}

	public function test_a_database_that_fails_does_not_end_the_crons_request(): void {
		$GLOBALS['wpdb']->suppress_errors( true );
		$log = ini_set( 'error_log', getenv( 'TCS_STACK' ) . '/tmp/cron-error.log' );
		add_filter( 'query', static fn( string $sql ): string => str_contains( $sql, 'SKIP LOCKED' ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'made by a test'" : $sql );
		TenantCRM\Cron::tick();
		remove_all_filters( 'query' );
		ini_set( 'error_log', $log );
		$GLOBALS['wpdb']->suppress_errors( false );
		$this->assertStringContainsString( 'made by a test', file_get_contents( getenv( 'TCS_STACK' ) . '/tmp/cron-error.log' ) );
		unlink( getenv( 'TCS_STACK' ) . '/tmp/cron-error.log' );
	}

	public function test_a_job_gives_way_only_to_those_that_are_not_less_urgent(): void {
		$click = Jobs::enqueue( 1, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$job   = Jobs::claim( $click );
		Jobs::enqueue( 2 );
		$this->assertFalse( Jobs::any_due( $job ) );
		Jobs::enqueue( 3, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$this->assertTrue( Jobs::any_due( $job ) );
	}

	public function test_a_job_that_has_begun_does_not_become_a_full_one(): void {
		$run = Jobs::enqueue( 1 );
		$this->assertFalse( Jobs::is_full( $run ) );
		Jobs::enqueue( 1, 'pull', 'leads', 50, array( 'full' => true ) );
		$this->assertTrue( Jobs::is_full( $run ) );
		$begun = Jobs::enqueue( 2 );
		$this->age( 'batches = 1' );
		Jobs::enqueue( 2, 'pull', 'leads', 50, array( 'full' => true ) );
		$this->assertFalse( Jobs::is_full( $begun ) );
	}
}
