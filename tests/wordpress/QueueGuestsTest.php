<?php
/**
 * What other code brings to the queue: kinds of jobs of its own, Action Scheduler and WP-Cron that wake workers.
 */

use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Transaction;
use TenantCRM\Wakers;
use TenantCRM\Worker;

final class QueueGuestsTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		Wakers::forget();
	}

	public function test_other_code_adds_kinds_of_jobs(): void {
		$done  = array();
		$greet = static function ( \TenantCRM\Job $job ) use ( &$done ): void {
			$done[] = $job->payload['whom'];
		};
		add_filter( 'tenant_crm_sync_job_kinds', static fn( array $kinds ): array => $kinds + array( 'greet' => $greet ) );
		$tenant = $this->tenant( 'kinds' );
		$run    = Jobs::enqueue( $tenant->key, 'greet', 'leads', 50, array( 'whom' => 'Zoë' ) );
		Worker::run( 5.0 );
		remove_all_filters( 'tenant_crm_sync_job_kinds' );
		$this->assertSame( array( array( 'Zoë' ), 'done' ), array( $done, Runs::get( $run )['state'] ) );
	}

	public function test_short_jobs_do_not_starve_a_pull_and_are_given_back_in_time(): void {
		$tenant = $this->connected( 'starve', 200, array( 'page_size' => 20 ) );
		$short  = static function (): void {
			usleep( 20000 );
		};
		add_filter( 'tenant_crm_sync_job_kinds', static fn( array $kinds ): array => $kinds + array( 'short' => $short ) );
		$run = Jobs::enqueue( $tenant->key, 'pull', 'leads', 40 );
		for ( $number = 0; $number < 300; $number++ ) {
			Jobs::enqueue( $tenant->key, 'short', "o$number" );
		}
		$start  = microtime( true );
		$result = Worker::run( 4.0 );
		remove_all_filters( 'tenant_crm_sync_job_kinds' );
		$this->assertSame( array( 'done', 200 ), array( Runs::get( $run )['state'], $this->posts() ) );
		$this->assertGreaterThan( 10, $result['done'] );
		$this->assertGreaterThan( 0, Jobs::counts()['queued'], 'more than there was time for' );
		$this->assertSame( 0, Jobs::counts()['running'], 'what was claimed and not begun is given back' );
		$this->assertLessThan( 12.0, microtime( true ) - $start );
	}

	public function test_a_job_that_ends_with_its_effect_and_one_that_is_cancelled_meanwhile(): void {
		global $wpdb;
		$tenant = $this->tenant( 'effect' );
		$wpdb->query( 'CREATE TEMPORARY TABLE tcs_effects (run BIGINT) ENGINE=InnoDB' );
		$effect = static function ( \TenantCRM\Job $job ): void {
			Transaction::run(
				static function ( Transaction $transaction ) use ( $job ): void {
					$transaction->query( "INSERT INTO tcs_effects VALUES ({$job->run})" );
					if ( 'cancelled' === $job->object ) {
						// Somebody else does it in between; here the same connection has to.
						$transaction->query( 'DELETE FROM ' . Schema::table( 'jobs' ) . " WHERE id = {$job->id}" );
					}
					Jobs::finish_in( $transaction, $job );
				}
			);
		};
		add_filter( 'tenant_crm_sync_job_kinds', static fn( array $kinds ): array => $kinds + array( 'effect' => $effect ) );
		$done      = Jobs::enqueue( $tenant->key, 'effect', 'done' );
		$cancelled = Jobs::enqueue( $tenant->key, 'effect', 'cancelled' );
		Worker::run( 5.0 );
		remove_all_filters( 'tenant_crm_sync_job_kinds' );
		$this->assertSame( array( (string) $done ), $wpdb->get_col( 'SELECT run FROM tcs_effects' ), 'no lease, no effect' );
		$this->assertSame( array( 'done', 'running' ), array( Runs::get( $done )['state'], Runs::get( $cancelled )['state'] ) );
	}

	/** Functions of Action Scheduler as far as they are used: each says what it was asked for. */
	private function with_action_scheduler( string $next, string $then ): string {
		return $this->php(
			"function as_enqueue_async_action( \$hook, \$args, \$group ) { echo \"now \$hook \$group\\n\"; return 1; }
			function as_schedule_recurring_action( \$at, \$every, \$hook, \$args, \$group ) { echo \"each \$every s \$hook\\n\"; return 1; }
			function as_next_scheduled_action( \$hook, \$args, \$group ) { return $next; }
			function as_unschedule_all_actions( \$hook ) { echo \"no more \$hook\\n\"; }
			require \$argv[1]; do_action( 'action_scheduler_init' ); $then"
		);
	}

	public function test_action_scheduler_is_used_where_a_site_has_it(): void {
		$key   = $this->connected( 'actions', 4 )->key;
		$click = "TenantCRM\\Jobs::enqueue( $key, 'pull', 'leads', TenantCRM\\Jobs::PRIORITY_CLICK );";
		$this->assertSame( "each 300 s tenant_crm_sync_action\nnow tenant_crm_sync_action tenant-crm-sync\ndone", $this->with_action_scheduler( 'false', "$click do_action( 'tenant_crm_sync_action' ); echo TenantCRM\\Runs::list()[0]['state'];" ) );
		$this->assertSame( '', $this->with_action_scheduler( 'true', $click ), 'one that waits is enough' );
		$this->assertSame( "no more tenant_crm_sync_action\n", $this->with_action_scheduler( 'true', 'TenantCRM\\Plugin::deactivate(); TenantCRM\\Cron::schedule();' ) );
	}

	public function test_cron_notes_that_it_came(): void {
		$this->assertNull( Wakers::last_seen() );
		Cron::tick();
		$this->assertLessThan( 5, Wakers::last_seen() );
	}
}
