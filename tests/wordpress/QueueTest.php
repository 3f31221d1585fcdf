<?php
/**
 * What a queue is judged by: limits that stop nothing for ever, first syncs that get to their end, jobs that can be stopped, outages that
 * heal, dead letters that a person can read. Names of tests begin with the line of FAULTS.md that they show.
 */

use TenantCRM\Admin\DeadLetterList;
use TenantCRM\Budget;
use TenantCRM\Capabilities;
use TenantCRM\DeadLetters;
use TenantCRM\Jobs;
use TenantCRM\Limits;
use TenantCRM\Retries;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Wakers;
use TenantCRM\Worker;

final class QueueTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		Wakers::forget();
	}

	protected function tearDown(): void {
		( new ReflectionProperty( Budget::class, 'stopped' ) )->setValue( null, false );
	}

	private function fault( string $tenant, array ...$faults ): void {
		Sandbox::post( '/faults', array( 'tenant' => $tenant, 'faults' => $faults ) );
	}

	private function age( string $set ): void {
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET $set" );
	}

	public function test_a_lease_that_ran_out_unnoticed_is_taken_anew_by_the_same_worker(): void {
		$tenant = $this->connected( 'late', 300, array( 'page_size' => 20 ) );
		$run    = Jobs::enqueue( $tenant->key );
		$once   = function () use ( &$once ): void {
			remove_action( 'tenant_crm_sync_batch_stored', $once );
			$this->age( "lease_until = '2020-01-01'" );
			// Until it looks into the queue again.
			usleep( 1100000 );
		};
		add_action( 'tenant_crm_sync_batch_stored', $once );
		Worker::run( 30.0 );
		$this->assertSame( array( 'done', null ), array( Runs::get( $run )['state'], Runs::get( $run )['error'] ) );
		$this->assertSame( array( 300, 300 ), array( $this->posts(), $this->records() ) );
		$this->assertSame( array(), DeadLetters::list() );
	}

	/** @return list<int> Pages that the CRM was asked for since the last time. */
	private function pages( string $tenant ): array {
		$requests = json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . "/requests?tenant=$tenant" ), true );
		file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/requests', false, stream_context_create( array( 'http' => array( 'method' => 'DELETE' ) ) ) );
		return array_map(
			static function ( array $request ): int {
				parse_str( (string) $request['query'], $query );
				return (int) ( $query['page'] ?? 1 );
			},
			$requests
		);
	}

	public function test_a15_a_429_after_page_3_stops_nothing_for_ever_the_next_run_starts_at_page_4(): void {
		$tenant = $this->connected( 'a15', 60, array( 'page_size' => 10 ) );
		$this->fault( 'a15', array( 'times' => 5, 'after' => 3, 'kind' => 'status', 'status' => 429, 'headers' => array( 'Retry-After' => '12' ), 'body' => '' ) );
		$run = Jobs::enqueue( $tenant->key );
		$this->pages( 'a15' );
		Worker::run( 20.0, $run );
		$row = Runs::get( $run );
		$this->assertSame( array( 'waiting', 30 ), array( $row['state'], $row['created'] ) );
		$this->assertStringContainsString( 'waits until', $row['error'] );
		$this->assertSame( array( 1, 2, 3, 4 ), $this->pages( 'a15' ) );
		$this->fault( 'a15' );
		$this->assertSame( 0, Worker::run( 1.0 )['slices'], 'not before the time that the CRM named' );
		$this->age( "available_at = '2020-01-01'" );
		sleep( 13 );
		Worker::run( 20.0, $run );
		$row = Runs::get( $run );
		$this->assertSame( array( 'done', 60 ), array( $row['state'], $row['created'] ) );
		$this->assertSame( 4, $this->pages( 'a15' )[0] );
	}

	public function test_a17_a_first_sync_that_never_gets_enough_time_gets_to_its_end_all_the_same(): void {
		$tenant = $this->connected( 'a17', 1200, array( 'page_size' => 50 ) );
		$run    = Jobs::enqueue( $tenant->key );
		$before = 0;
		for ( $slice = 0; $slice < 40; $slice++ ) {
			Worker::run( 0.0, $run );
			$row = Runs::get( $run );
			$this->assertGreaterThanOrEqual( $before, $row['created'], 'progress never falls back' );
			$before = $row['created'];
			if ( 'done' === $row['state'] ) {
				break;
			}
		}
		$this->assertGreaterThan( 3, $slice, 'in several slices' );
		$this->assertSame( array( 'done', 1200, 1200, 24 ), array( $row['state'], $row['created'], $this->posts(), $row['pages'] ) );
	}

	public function test_a18_a_worker_that_is_killed_leaves_nothing_that_cannot_be_stopped_and_started(): void {
		$tenant = $this->connected( 'a18', 500, array( 'page_size' => 50 ) );
		$run    = Jobs::enqueue( $tenant->key );
		$this->php( 'require $argv[1]; $n = 0; add_action( "tenant_crm_sync_batch_stored", static function () use ( &$n ) { if ( ++$n === 2 ) { posix_kill( getmypid(), SIGKILL ); } } ); TenantCRM\Worker::run( 30 );', false );
		$this->assertSame( 'running', Runs::get( $run )['state'] );
		$this->assertTrue( Runs::cancel( $run ), 'stopped though its worker is dead' );
		$this->assertSame( 'cancelled', Runs::get( $run )['state'] );
		$again = Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		$this->assertNotSame( $run, $again );
		Worker::run( 30.0, $again );
		$this->assertSame( array( 'done', 500, 500 ), array( Runs::get( $again )['state'], $this->posts(), $this->records() ) );
	}

	public function test_a19_without_cron_and_worker_site_health_is_critical_and_the_command_line_drains(): void {
		$this->assertTrue( defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON );
		$this->assertSame( 'critical', SiteHealth::result( 'workers' )['status'] );
		$this->assertStringContainsString( 'bin/tenant-crm work', SiteHealth::result( 'workers' )['description'] );
		$tenant = $this->connected( 'a19', 20 );
		Jobs::enqueue( $tenant->key );
		exec( escapeshellarg( PHP_BINARY ) . ' ' . escapeshellarg( WP_PLUGIN_DIR . '/tenant-crm-sync/bin/tenant-crm' ) . ' work --seconds=2 2>&1', $output, $code );
		$this->assertSame( 0, $code, implode( "\n", $output ) );
		wp_cache_flush();
		$this->assertSame( array( 'done', 20 ), array( Runs::latest( $tenant->key )['state'], $this->posts() ) );
		$this->assertSame( 'good', SiteHealth::result( 'workers' )['status'] );
	}

	public function test_a21_an_outage_of_two_hours_heals_with_no_hand(): void {
		global $wpdb;
		$tenant = $this->connected( 'a21', 30 );
		$this->fault( 'a21', array( 'times' => null, 'kind' => 'status', 'status' => 500 ) );
		$run   = Jobs::enqueue( $tenant->key );
		$spent = 0.0;
		for ( $attempt = 0; $spent < 7200 && $attempt < 100; $attempt++ ) {
			Worker::run( 15.0, $run );
			$this->assertSame( 'waiting', Runs::get( $run )['state'], "attempt $attempt" );
			// Time passes: as much as it was told to wait.
			$spent += (float) $this->sql( 'SELECT GREATEST(1, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), available_at)) + 60 FROM ' . Schema::table( 'jobs' ) );
			$this->age( "available_at = UTC_TIMESTAMP(3), attempts = attempts + 6, failing_since = UTC_TIMESTAMP() - INTERVAL " . (int) $spent . ' SECOND' );
		}
		$this->assertLessThan( 100, $attempt, 'the waits grow' );
		$this->fault( 'a21' );
		Worker::run( 15.0, $run );
		$this->assertSame( array( 'done', 30 ), array( Runs::get( $run )['state'], $this->posts() ) );
	}

	public function test_a_pause_and_other_settings_are_seen_between_two_batches(): void {
		$tenant = $this->connected( 'seen', 300, array( 'page_size' => 50 ) );
		$run    = Jobs::enqueue( $tenant->key );
		add_action(
			'tenant_crm_sync_batch_stored',
			static function () use ( $tenant ): void {
				if ( 1 === (int) Runs::latest( $tenant->key )['pages'] ) {
					Tenants::pause( $tenant->key, true );
				}
			}
		);
		Worker::run( 10.0, $run );
		$this->assertSame( array( 'waiting', 50 ), array( Runs::get( $run )['state'], $this->posts() ) );
		$this->assertStringContainsString( 'paused', Runs::get( $run )['error'] );
		remove_all_actions( 'tenant_crm_sync_batch_stored' );
		Tenants::pause( $tenant->key, false );
		Worker::run( 10.0, $run );
		$this->assertSame( array( 'done', 300 ), array( Runs::get( $run )['state'], $this->posts() ) );
	}

	public function test_many_jobs_in_one_worker_none_waits_for_a_slow_one(): void {
		$slow = $this->connected( 'slow', 5 );
		Sandbox::post( '/behaviour', array( 'tenant' => 'slow', 'latency_ms' => 2500 ) );
		$fast = array_map( fn( int $number ): Tenant => $this->connected( "fast$number", 40 ), range( 1, 5 ) );
		foreach ( array( $slow, ...$fast ) as $tenant ) {
			Jobs::enqueue( $tenant->key );
		}
		$ended = array();
		add_action( 'tenant_crm_sync_batch_stored', static function ( Tenant $tenant ) use ( &$ended ): void { $ended[] = $tenant->id; } );
		$start  = microtime( true );
		$result = Worker::run( 20.0 );
		$this->assertSame( array( 6, 0 ), array( $result['done'], $result['failed'] ) );
		$this->assertSame( 'slow', end( $ended ) );
		$this->assertLessThan( 6.0, microtime( true ) - $start );
		$this->assertSame( 205, $this->posts() );
	}

	public function test_what_fails_for_good_stays_with_its_reason_and_is_tried_again_or_forgotten(): void {
		$tenant = $this->connected( 'dead', 10 );
		$this->fault( 'dead', array( 'times' => null, 'kind' => 'status', 'status' => 403 ) );
		$run = Jobs::enqueue( $tenant->key );
		$this->assertSame( 1, Worker::run( 10.0 )['failed'] );
		$letter = DeadLetters::list()[0];
		$this->assertSame( array( $run, $tenant->key, 'pull', 'leads', 1 ), array( $letter['run'], $letter['tenant'], $letter['kind'], $letter['object'], $letter['attempts'] ) );
		$this->assertStringContainsString( '403', $letter['reason'] );
		$this->assertSame( 1, Jobs::counts()['dead'] );
		$command = escapeshellarg( PHP_BINARY ) . ' ' . escapeshellarg( WP_PLUGIN_DIR . '/tenant-crm-sync/bin/tenant-crm' );
		$this->assertStringContainsString( '403', (string) shell_exec( "$command queue dead --format=json" ) );
		$this->fault( 'dead' );
		$this->assertMatchesRegularExpression( "/^{$letter['id']}: queued again as run \\d+\$/m", (string) shell_exec( "$command queue retry {$letter['id']}" ) );
		wp_cache_flush();
		$this->assertSame( array(), DeadLetters::list() );
		Worker::run( 10.0 );
		$this->assertSame( array( 'done', 10 ), array( Runs::latest( $tenant->key )['state'], $this->posts() ) );
		exec( "$command queue drop {$letter['id']} 2>&1", $output, $code );
		$this->assertSame( 1, $code, implode( "\n", $output ) );
	}

	public function test_a_newer_job_takes_the_place_of_a_dead_one(): void {
		$tenant = $this->connected( 'newer', 3 );
		Jobs::enqueue( $tenant->key );
		Jobs::bury( Jobs::claim(), 'It cannot be.' );
		$this->assertCount( 1, DeadLetters::list() );
		Jobs::enqueue( $tenant->key );
		$this->assertSame( array(), DeadLetters::list() );
	}

	public function test_attempts_end_by_number_and_by_time(): void {
		$tenant = $this->connected( 'end', 3 );
		$run    = Jobs::enqueue( $tenant->key );
		$this->age( 'failing_since = UTC_TIMESTAMP() - INTERVAL ' . ( Retries::MAX_SECONDS + 60 ) . ' SECOND' );
		$this->fault( 'end', array( 'times' => null, 'kind' => 'status', 'status' => 500 ) );
		Worker::run( 15.0 );
		$this->assertSame( 'failed', Runs::get( $run )['state'] );
		$this->assertCount( 1, DeadLetters::list() );
	}

	public function test_limits_are_told_in_words_and_survive_the_loss_of_the_hosts_memory(): void {
		$tenant = $this->connected( 'limits', 5, array( 'limits' => array( array( 'amount' => 100000, 'seconds' => 86400, 'daily' => true ), array( 'amount' => 500, 'seconds' => 10 ) ) ) );
		Limits::forget();
		Jobs::enqueue( $tenant->key );
		Worker::run( 10.0 );
		$words = implode( "\n", Limits::of( Tenants::get( $tenant->key ) ) );
		$this->assertMatchesRegularExpression( '/^[1-9]\d* of 80,000 requests a day used/m', $words );
		$this->assertStringContainsString( 'requests in 10 seconds used', $words );
		$kept = get_option( 'tenant_crm_sync_limits' )['data'];
		$this->assertGreaterThan( 0, \TenantCRMSync::restore_limits( $kept ) );
		update_option( 'tenant_crm_sync_limits', array( 'at' => 0, 'data' => 'no checkpoint!' ), false );
		( new ReflectionProperty( Limits::class, 'restored' ) )->setValue( null, 0 );
		Limits::restore();
		$this->assertFalse( get_option( 'tenant_crm_sync_limits' ), 'what is no checkpoint is forgotten' );
	}

	public function test_a_job_that_killed_workers_is_worked_alone(): void {
		$suspect = Jobs::enqueue( 1 );
		$this->age( 'deaths = ' . Retries::DEATHS_IN_COMPANY . ", available_at = '2020-01-01'" );
		$others = array( Jobs::enqueue( 2 ), Jobs::enqueue( 3 ) );
		$this->assertSame( $others, array_column( Jobs::claim_some( 8, 8, null, 255, true ), 'run' ), 'not by a worker that has other jobs' );
		$this->age( "state = 'queued', available_at = '2021-01-01'" );
		$this->age( "available_at = '2020-01-01' LIMIT 1" );
		$this->assertSame( array( $suspect ), array_column( Jobs::claim_some( 8, 8 ), 'run' ), 'and nothing beside it' );
		$this->assertSame( $others, array_column( Jobs::claim_some( 8, 8 ), 'run' ) );
	}

	public function test_no_more_pulls_are_claimed_than_there_are_places(): void {
		array_map( array( Jobs::class, 'enqueue' ), range( 1, 5 ) );
		Jobs::enqueue( 6, 'other' );
		$kinds = array_count_values( array_column( Jobs::claim_some( 2, 50 ), 'kind' ) );
		$this->assertSame( array( 'pull' => 2, 'other' => 1 ), $kinds );
		$this->assertCount( 3, Jobs::claim_some( 8, 50 ), 'the others stay for the next worker' );
	}

	public function test_a_key_that_was_refused_and_replaced_meanwhile_is_no_failure(): void {
		$tenant = $this->connected( 'replaced', 5 );
		Sandbox::post( '/tenants', array( 'id' => 'replaced', 'key' => 'the new key' ) );
		$run = Jobs::enqueue( $tenant->key );
		add_filter(
			'query',
			static function ( string $sql ) use ( $tenant ): string {
				if ( str_contains( $sql, 'SET lease_until' ) ) {
					// The old key has just been refused.
					remove_all_filters( 'query' );
					Tenants::save( array( 'id' => $tenant->id, 'api_key' => 'the new key' ) );
				}
				return $sql;
			}
		);
		Worker::run( 10.0 );
		$this->assertSame( array( 'done', 5 ), array( Runs::get( $run )['state'], $this->posts() ) );
	}

	public function test_a_post_that_a_killed_worker_left_without_meta_is_used_and_not_doubled(): void {
		global $wpdb;
		$tenant = $this->connected( 'orphan', 3, array( 'hooks' => true ) );
		$run    = Jobs::enqueue( $tenant->key );
		// Between the row of a post and its meta.
		$this->php( 'require $argv[1]; $n = 0; add_filter( "add_post_metadata", static function ( $null ) use ( &$n ) { if ( ++$n === 8 ) { posix_kill( getmypid(), SIGKILL ); } return $null; } ); TenantCRM\Worker::run( 30 );', false );
		$this->assertGreaterThan( 0, $this->posts() );
		$this->assertSame( 0, $this->records() );
		$this->age( "lease_until = '2020-01-01'" );
		Worker::run( 10.0 );
		$this->assertSame( array( 'done', 3, 3 ), array( Runs::get( $run )['state'], $this->posts(), $this->records() ) );
		$this->assertSame( '3', $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta WHERE meta_key = 'crm_lead_id'" ) );
	}

	public function test_dead_letters_are_shown_to_whose_tenants_they_are(): void {
		$own   = $this->tenant( 'own' );
		$other = $this->tenant( 'other' );
		foreach ( array( $own, $other ) as $tenant ) {
			Jobs::enqueue( $tenant->key );
			Jobs::bury( Jobs::claim(), "Broken <b>$tenant->id</b>." );
		}
		$user = $this->account( 'letters' );
		( new WP_User( $user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $user, array( 'own' ) );
		wp_set_current_user( $user );
		ob_start();
		DeadLetterList::render();
		$screen = (string) ob_get_clean();
		wp_set_current_user( 0 );
		wp_delete_user( $user );
		$this->assertStringContainsString( 'Broken &lt;b&gt;own&lt;/b&gt;.', $screen );
		$this->assertStringNotContainsString( 'other', $screen );
		$this->assertStringContainsString( 'tenant_crm_retry', $screen );
		$this->assertStringContainsString( 'tenant_crm_drop', $screen );
	}

	public function test_the_command_line_cancels_a_run(): void {
		$run     = Jobs::enqueue( $this->tenant( 'cancel' )->key );
		$command = escapeshellarg( PHP_BINARY ) . ' ' . escapeshellarg( WP_PLUGIN_DIR . '/tenant-crm-sync/bin/tenant-crm' ) . " queue cancel $run 2>&1";
		$this->assertSame( "$run: cancelled\n", shell_exec( $command ) );
		$this->assertSame( 'cancelled', Runs::get( $run )['state'] );
		$this->assertStringContainsString( "no run $run waits", (string) shell_exec( $command ) );
	}
}
