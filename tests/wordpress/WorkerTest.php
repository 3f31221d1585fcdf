<?php
/**
 * The worker against the sandbox CRM, through the extension: full and incremental pulls, slices, failures, pauses, death.
 */

use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Retries;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Worker;

final class WorkerTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
	}

	/** @return array<string, mixed> The run after it was worked. */
	private function sync( Tenant $tenant, float $seconds = 30.0 ): array {
		$run = Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		Worker::run( $seconds, $run );
		return Runs::get( $run );
	}

	private function fault( string $tenant, array $fault ): void {
		Sandbox::post( '/faults', array( 'tenant' => $tenant, 'faults' => array( $fault ) ) );
	}

	public function test_a_full_pull_then_only_what_changed(): void {
		$tenant = $this->connected( 'full', 250 );
		$run    = $this->sync( $tenant );
		$this->assertSame( array( 'done', 250, 250, 0, 0, 0 ), array( $run['state'], $run['fetched'], $run['created'], $run['updated'], $run['unchanged'], $run['refused'] ) );
		foreach ( array_slice( Sandbox::leads( 'full' ), 0, 20 ) as $lead ) {
			$post = $this->post_of( $tenant, (string) $lead['id'] );
			$this->assertSame( array( (string) $lead['email'], (string) $lead['phone'] ), array( get_post_meta( $post->ID, 'email', true ), get_post_meta( $post->ID, 'phone', true ) ) );
		}
		Sandbox::post( '/touch', array( 'tenant' => 'full', 'object' => 'leads', 'count' => 7 ) );
		$run = $this->sync( $tenant );
		$this->assertSame( array( 'done', 0, 7 ), array( $run['state'], $run['created'], $run['updated'] ) );
		$this->assertLessThan( 20, $run['fetched'] );
		$run = $this->sync( $tenant );
		$this->assertSame( array( 'done', 0, 0 ), array( $run['state'], $run['created'], $run['updated'] ) );
		$this->assertSame( 250, $this->posts() );
	}

	public function test_a_full_pull_can_be_asked_for(): void {
		$tenant = $this->connected( 'again', 40 );
		$this->sync( $tenant );
		$run = Jobs::enqueue( $tenant->key );
		$this->assertSame( $run, Jobs::enqueue( $tenant->key, 'pull', 'leads', 50, array( 'full' => true ) ) );
		Worker::run( 30.0, $run );
		$this->assertSame( array( 'done', 40, 40 ), array( Runs::get( $run )['state'], Runs::get( $run )['fetched'], Runs::get( $run )['unchanged'] ) );
	}

	public function test_what_this_version_cannot_do_fails_in_plain_words(): void {
		$tenant = $this->connected( 'odd', 1 );
		foreach ( array( array( 'other', 'leads' ), array( 'pull', 'deals' ) ) as list( $kind, $object ) ) {
			$run = Jobs::enqueue( $tenant->key, $kind, $object );
			Worker::run( 5.0, $run );
			$this->assertSame( 'failed', Runs::get( $run )['state'], $object );
		}
	}

	public function test_memory_does_not_grow_with_the_number_of_pages(): void {
		$tenant = $this->connected( 'long', 6000 );
		$memory = array();
		add_action(
			'tenant_crm_sync_batch_stored',
			static function () use ( &$memory ): void {
				$memory[] = memory_get_usage();
			}
		);
		$this->assertSame( 6000, $this->sync( $tenant )['created'] );
		$this->assertGreaterThan( 20, count( $memory ) );
		$this->assertLessThan( 300000, end( $memory ) - $memory[5] );
	}

	public function test_hook_mode_pulls_the_same(): void {
		$tenant = $this->connected( 'hooks', 60, array( 'hooks' => true ) );
		$run    = $this->sync( $tenant );
		$this->assertSame( array( 'done', 60, 60 ), array( $run['state'], $run['created'], $this->records() ) );
	}

	public function test_slices_go_on_where_the_last_one_stopped(): void {
		$tenant = $this->connected( 'slow', 500 );
		$run    = Jobs::enqueue( $tenant->key );
		$seen   = array();
		for ( $slice = 0; $slice < 20 && 'done' !== Runs::get( $run )['state']; $slice++ ) {
			Worker::run( 0.0, $run );
			$seen[] = Runs::get( $run )['fetched'];
		}
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->assertGreaterThan( 2, count( $seen ) );
		$sorted = $seen;
		sort( $sorted );
		$this->assertSame( $sorted, $seen, 'progress never falls back' );
		$this->assertSame( array( 500, 500 ), array( $this->posts(), $this->records() ) );
	}

	public function test_what_came_before_a_failure_is_kept_and_not_fetched_again(): void {
		$tenant = $this->connected( 'broken', 500 );
		$this->fault( 'broken', array( 'times' => 50, 'after' => 3, 'kind' => 'status', 'status' => 503, 'headers' => new stdClass(), 'body' => 'down' ) );
		$run = $this->sync( $tenant );
		$this->assertSame( 'waiting', $run['state'] );
		$this->assertGreaterThanOrEqual( 200, $run['created'] );
		$this->assertLessThan( 500, $run['created'] );
		$this->assertStringContainsString( 'broken', $run['error'] );
		$this->assertNotNull( $run['retry_at'] );
		$this->assertStringNotContainsString( 'key-of-broken', $this->everything() );
		Sandbox::post( '/faults', array( 'tenant' => 'broken', 'faults' => array() ) );
		$again = $this->sync( $tenant );
		$this->assertSame( array( $run['id'], 'done', 500, null ), array( $again['id'], $again['state'], $again['created'], $again['error'] ) );
		$this->assertLessThan( 300, $again['unchanged'] );
		$this->assertSame( 500, $this->posts() );
	}

	public function test_a_wrong_key_fails_at_once_and_says_so(): void {
		$tenant = $this->connected( 'locked', 5 );
		Tenants::save( array( 'id' => 'locked', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'wrong' ) );
		$run = $this->sync( $tenant );
		$this->assertSame( 'failed', $run['state'] );
		$this->assertStringContainsString( 'locked', $run['error'] );
		$this->assertStringContainsString( '401', $run['error'] );
		$this->assertSame( 'error', Log::list( array( 'tenant' => $tenant->key ) )[0]['level'] );
		$this->assertStringNotContainsString( 'wrong', $run['error'] );
	}

	public function test_a_tenant_without_a_key_fails_in_plain_words(): void {
		$run = $this->sync( $this->tenant( 'empty' ) );
		$this->assertSame( 'failed', $run['state'] );
		$this->assertStringContainsString( 'lacks: endpoint, API key', $run['error'] );
	}

	public function test_too_many_requests_waits_as_long_as_the_crm_says(): void {
		$tenant = $this->connected( 'limited', 5 );
		$this->fault( 'limited', array( 'times' => 50, 'after' => 0, 'kind' => 'status', 'status' => 429, 'headers' => array( 'Retry-After' => '120' ), 'body' => '' ) );
		$run = $this->sync( $tenant );
		$this->assertSame( 'waiting', $run['state'] );
		$this->assertEqualsWithDelta( 126, strtotime( $run['retry_at'] . ' UTC' ) - time(), 10 );
		$this->assertSame( 0, Worker::run( 5.0, $run['id'] )['slices'] );
	}

	public function test_attempts_are_bounded_and_the_next_run_starts_anew(): void {
		global $wpdb;
		$tenant = $this->connected( 'down', 5 );
		$run    = Jobs::enqueue( $tenant->key );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET attempts = ' . ( Retries::MAX_ATTEMPTS - 1 ) );
		$this->fault( 'down', array( 'times' => 50, 'kind' => 'status', 'status' => 503 ) );
		Worker::run( 30.0, $run );
		$this->assertSame( 'failed', Runs::get( $run )['state'] );
		Sandbox::post( '/faults', array( 'tenant' => 'down', 'faults' => array() ) );
		$again = $this->sync( $tenant );
		$this->assertNotSame( $run, $again['id'] );
		$this->assertSame( array( 'done', 5 ), array( $again['state'], $again['created'] ) );
	}

	public function test_a_job_that_kills_its_workers_is_given_up(): void {
		global $wpdb;
		$tenant = $this->connected( 'deadly', 5 );
		$run    = Jobs::enqueue( $tenant->key );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET deaths = ' . Retries::MAX_DEATHS );
		$this->assertSame( array( 'slices' => 1, 'done' => 0, 'failed' => 1 ), Worker::run( 5.0 ) );
		$this->assertStringContainsString( 'limit of time or memory', Runs::get( $run )['error'] );
	}

	public function test_a_paused_tenant_waits_until_the_pause_ends(): void {
		$tenant = $this->connected( 'paused', 5 );
		Tenants::pause( $tenant->key, true );
		$run = $this->sync( $tenant );
		$this->assertSame( array( 'waiting', 0 ), array( $run['state'], $run['fetched'] ) );
		$this->assertStringContainsString( 'paused', $run['error'] );
		Tenants::pause( $tenant->key, false );
		Worker::run( 10.0 );
		$this->assertSame( 'done', Runs::get( $run['id'] )['state'] );
	}

	public function test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(): void {
		global $wpdb;
		$tenant = $this->connected( 'killed', 500 );
		$run    = Jobs::enqueue( $tenant->key );
		$script = 'require $argv[1]; $n = 0; add_action( "tenant_crm_sync_batch_stored", static function () use ( &$n ) { if ( ++$n === 2 ) { posix_kill( getmypid(), SIGKILL ); } } ); TenantCRM\Worker::run( 30 );';
		$this->php( $script, false );
		$this->assertSame( 'running', Runs::get( $run )['state'] );
		$this->assertSame( 0, Worker::run( 5.0 )['slices'], 'its lease is not over' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET lease_until = '2020-01-01'" );
		$this->assertSame( 1, Worker::run( 30.0 )['done'] );
		$row = Runs::get( $run );
		$this->assertSame( array( 'done', 500, 500, 500 ), array( $row['state'], $row['created'], $this->posts(), $this->records() ) );
	}

	public function test_a_tenant_that_fails_does_not_hold_up_the_others(): void {
		$bad  = $this->connected( 'bad', 5 );
		$good = $this->connected( 'good', 5 );
		$this->fault( 'bad', array( 'times' => 50, 'kind' => 'status', 'status' => 500 ) );
		Cron::enqueue_due();
		Worker::run( 30.0 );
		$this->assertSame( array( 'waiting', 'done' ), array( Runs::latest( $bad->key )['state'], Runs::latest( $good->key )['state'] ) );
	}

	public function test_the_cron_event_does_it_all(): void {
		$tenant = $this->connected( 'cron', 30 );
		do_action( Cron::EVENT );
		$this->assertSame( array( 'done', 30 ), array( Runs::latest( $tenant->key )['state'], Runs::latest( $tenant->key )['created'] ) );
	}

	public function test_a_row_that_cannot_be_read_is_refused_by_name(): void {
		$tenant = $this->connected( 'utf8', 3 );
		Sandbox::post( '/rows', array( 'tenant' => 'utf8', 'object' => 'leads', 'rows' => array( array( 'id' => 900, 'name' => 'fine', 'notes' => 'C:\\x <b>' ) ) ) );
		$run = $this->sync( $tenant );
		$this->assertSame( array( 'done', 4, 4 ), array( $run['state'], $run['created'], $run['fetched'] ) );
		$this->assertSame( 'fine', $this->post_of( $tenant, '900' )->post_title );
	}

	public function test_ids_that_differ_in_case_come_through_the_whole_way(): void {
		$tenant = $this->connected( 'cases', 40, array(), array( 'ids' => 'mixed_case' ) );
		$run    = $this->sync( $tenant );
		$this->assertSame( array( 'done', 40, 40 ), array( $run['state'], $run['created'], $this->records() ) );
		$ids = array_column( Sandbox::leads( 'cases' ), 'id' );
		$this->assertLessThan( 40, count( array_unique( array_map( 'strtolower', $ids ) ) ) );
	}
}
