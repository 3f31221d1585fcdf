<?php
/**
 * Workers that are killed (-9) between any two steps and before any statement of pull and push, and eight of them at once: no lead is lost,
 * none is doubled.
 */

use TenantCRM\Jobs;
use TenantCRM\TwoWay\Changes;
use TenantCRM\Worker;

require_once __DIR__ . '/../convergence/lib/Child.php';

final class TwoWayKillTest extends TwoWayCase {

	/** @return array<string, array{0: string, 1: int}> Step of a push, and which time it comes: of an edit, or of a new lead behind it. */
	public function steps(): array {
		$steps = array();
		foreach ( array( 'looked', 'look', 'settle', 'send', 'sent', 'done' ) as $step ) {
			$steps[ "$step, an edit" ] = array( $step, 1 );
			if ( 'looked' !== $step ) {
				$steps[ "$step, a new lead" ] = array( $step, 2 );
			}
		}
		return $steps;
	}

	/** @dataProvider steps */
	public function test_a_worker_that_is_killed_between_two_steps( string $step, int $time ): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+48 2' ) );
		TenantCRM\TwoWay\Looks::hint( $tenant->key, 'leads', array( '2' ) );
		Jobs::enqueue( $tenant->key, Changes::KIND );
		$reached = tempnam( sys_get_temp_dir(), 'step' );
		Child::start(
			static function () use ( $step, $time, $reached ): void {
				add_action(
					'tenant_crm_sync_push_step',
					static function ( string $at ) use ( $step, $time, $reached ): void {
						static $seen = 0;
						if ( $step === $at && $time === ++$seen ) {
							file_put_contents( $reached, $step );
							posix_kill( getmypid(), SIGKILL );
						}
					}
				);
				Worker::run( 20.0 );
			}
		)->wait();
		$this->assertSame( $step, file_get_contents( $reached ), 'it was killed there' );
		unlink( $reached );
		$this->bury_the_dead();
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 4, Sandbox::leads( 'acme' ) );
		$this->assertSame( 'one@portal.test', $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant );
		$this->assertCount( 2, $this->writes( $tenant ), 'each once' );
	}

	/** Every third statement; TCS_EACH=1 tries all. */
	public function test_a_worker_that_is_killed_before_any_statement(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$each  = (int) ( getenv( 'TCS_EACH' ) ?: 3 );
		$count = tempnam( sys_get_temp_dir(), 'statements' );
		for ( $at = 1, $is_over = false; ! $is_over; $at += $each ) {
			$this->portal_lead( $tenant, array( 'name' => "New $at", 'email' => "new$at@portal.test" ) );
			update_post_meta( $this->post_of( $tenant, '1' )->ID, 'phone', "+49 $at" );
			$this->crm_edit( $tenant, '2', array( 'phone' => "+48 $at" ) );
			Jobs::enqueue( $tenant->key, 'pull' );
			Jobs::enqueue( $tenant->key, Changes::KIND );
			file_put_contents( $count, '' );
			Child::start(
				static function () use ( $count ): void {
					Worker::run( 20.0 );
					file_put_contents( $count, 'not killed' );
				},
				$at - 1
			)->wait();
			$is_over = 'not killed' === file_get_contents( $count );
			$this->bury_the_dead();
			$this->pull( $tenant );
			$this->push( $tenant );
			$this->push( $tenant );
		}
		unlink( $count );
		$this->settle( $tenant );
		$this->assertGreaterThan( 60, $at, 'statements' );
		$this->assertCount( 3 + intdiv( $at - 1, $each ), Sandbox::leads( 'acme' ), 'no lead is doubled' );
		$this->assertConverged( $tenant );
		$this->assertSame( array( '+49 ' . ( $at - $each ), '+48 ' . ( $at - $each ) ), array( $this->crm_lead( $tenant, '1' )['phone'], $this->crm_lead( $tenant, '2' )['phone'] ) );
	}

	/** FAULTS A7. */
	public function test_eight_workers_and_both_sides_make_one_pair(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$this->crm( 'POST', $tenant, '/api/v1/leads', array( 'name' => 'Both', 'email' => 'both@sides.test' ) );
		$script = 'require $argv[1]; while ( microtime( true ) < ' . ( microtime( true ) + 1.5 ) . ' ) { usleep( 1000 ); }
			tenant_crm_sync_push( "acme", "leads", array( "name" => "Both", "email" => "both@sides.test", "phone" => "+49 1" ) );
			TenantCRM\Jobs::enqueue( TenantCRM\Tenants::find( "acme" )->key ); TenantCRM\Worker::run( 5.0 ); TenantCRM\Worker::run( 5.0 );';
		$processes = array();
		for ( $number = 0; $number < 8; $number++ ) {
			$processes[] = proc_open( array( PHP_BINARY, '-r', $script, '--', __DIR__ . '/site.php' ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		}
		foreach ( $processes as $process ) {
			$this->assertSame( 0, proc_close( $process ) );
		}
		$this->bury_the_dead();
		$this->settle( $tenant );
		$this->assertCount( 4, Sandbox::leads( 'acme' ) );
		$this->assertSame( 4, $this->posts() );
		$this->assertConverged( $tenant );
		$this->assertSame( '+49 1', Sandbox::leads( 'acme' )[3]['phone'] );
	}

	/** An editor's process, before any of its statements: what it wrote goes to the CRM, and nothing else does. */
	public function test_an_editor_who_is_killed_before_any_statement(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		$done = tempnam( sys_get_temp_dir(), 'editor' );
		for ( $at = 0, $is_over = false; ! $is_over; $at++ ) {
			$this->crm_edit( $tenant, '1', array( 'phone' => "+48 $at" ) );
			file_put_contents( $done, '' );
			Child::start(
				static function () use ( $post, $at, $done ): void {
					wp_update_post( array( 'ID' => $post, 'post_title' => "Title $at" ) );
					update_post_meta( $post, 'email', "email$at@portal.test" );
					file_put_contents( $done, 'done' );
				},
				$at
			)->wait();
			$is_over = 'done' === file_get_contents( $done );
			wp_cache_flush();
			$has = array( get_post( $post )->post_title, get_post_meta( $post, 'email', true ) );
			$this->settle( $tenant );
			$lead = $this->crm_lead( $tenant, '1' );
			$this->assertSame( array( ...$has, "+48 $at" ), array( $lead['name'], $lead['email'], $lead['phone'] ), "statement $at" );
			$this->assertConverged( $tenant, "statement $at" );
		}
		unlink( $done );
		$this->assertGreaterThan( 10, $at );
		$this->assertSame( 'Title ' . ( $at - 1 ), $lead['name'] );
	}
}
