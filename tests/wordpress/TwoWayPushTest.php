<?php
/**
 * Pushes that go wrong: answers that never come, somebody else who is faster, records that the CRM refuses. Nothing is lost,
 * nothing is doubled, and one bad lead holds up no other.
 */

use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\TwoWay\Changes;
use TenantCRM\Worker;

final class TwoWayPushTest extends TwoWayCase {

	/** @return array<string, array{0: string, 1: bool}> */
	public function cuts(): array {
		return array(
			'done, no answer'      => array( 'cut_after_read', true ),
			'not done, no answer'  => array( 'cut_after_read', false ),
			'half an answer'       => array( 'cut_mid_body', true ),
			'an error of a server' => array( 'status', true ),
		);
	}

	/** @dataProvider cuts */
	public function test_a_create_of_unknown_outcome_is_looked_for_and_not_repeated( string $kind, bool $process ): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => $kind, 'method' => 'POST', 'process' => $process, 'times' => $process ? 1 : 4 ) ) ) );
		$this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$this->portal_lead( $tenant, array( 'name' => 'Nobody knows me' ) );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 5, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	/** @dataProvider cuts */
	public function test_a_pull_between_a_create_and_its_answer_makes_no_second_lead( string $kind, bool $process ): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		add_filter( 'tenant_crm_sync_settle_seconds', static fn(): int => 60, 20 );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => $kind, 'method' => 'POST', 'process' => $process, 'times' => 2 ) ) ) );
		$this->portal_lead( $tenant, array( 'name' => 'New', 'email' => 'new@portal.test' ) );
		$this->portal_lead( $tenant, array( 'name' => 'Nobody knows me' ) );
		$this->push( $tenant );
		$this->pull( $tenant );
		$this->assertSame( 5, $this->posts() );
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array() ) );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertCount( 5, Sandbox::leads( 'acme' ) );
		$this->assertConverged( $tenant );
	}

	public function test_an_update_of_unknown_outcome_is_not_repeated_if_it_was_done(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'cut_after_read', 'method' => 'PATCH', 'process' => true ) ) ) );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->settle( $tenant );
		$this->assertSame( array( 'PATCH /api/v1/leads/1' ), $this->writes( $tenant ) );
		$this->assertConverged( $tenant );
	}

	/** FAULTS A16. */
	public function test_one_bad_lead_holds_up_no_other_and_says_why(): void {
		$tenant = $this->pair( 'acme', 12 );
		$this->settle( $tenant );
		for ( $number = 1; $number <= 12; $number++ ) {
			update_post_meta( $this->post_of( $tenant, (string) $number )->ID, 'email', 5 === $number ? 'this is no address' : "new$number@portal.test" );
		}
		$run = $this->push( $tenant );
		$this->assertSame( array( 'done', 1 ), array( $run['state'], $run['refused'] ) );
		$this->assertCount( 12, $this->writes( $tenant ), 'each once' );
		$this->assertCount( 11, array_filter( Sandbox::leads( 'acme' ), static fn( array $lead ): bool => str_starts_with( $lead['email'], 'new' ) ) );
		$this->assertStringContainsString( 'e-mail address', $this->sql( 'SELECT reason FROM ' . Schema::table( 'changes' ) . ' WHERE refused = 1' ) );
		$this->assertStringContainsString( 'e-mail address', Log::list( array( 'level' => 'error' ) )[0]['message'] );
		$this->settle( $tenant );
		$this->assertCount( 12, $this->writes( $tenant ), 'it waits for its next change' );
		update_post_meta( $this->post_of( $tenant, '5' )->ID, 'email', 'new5@portal.test' );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
	}

	public function test_a_crm_that_is_away_loses_nothing(): void {
		// A tenant of its own: its connection is left alone for a while after that.
		$tenant = $this->pair( 'away', 4 );
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'away', 'faults' => array( array( 'kind' => 'status', 'status' => 503, 'times' => null ) ) ) );
		foreach ( array( 1, 2, 3, 4 ) as $number ) {
			update_post_meta( $this->post_of( $tenant, (string) $number )->ID, 'email', "new$number@portal.test" );
		}
		$this->assertSame( 'waiting', $this->push( $tenant )['state'] );
		$this->bury_the_dead();
		$this->assertSame( 'waiting', $this->push( $tenant )['state'] );
		$this->assertGreaterThan( 1, (int) $this->sql( 'SELECT MAX(attempts) FROM ' . Schema::table( 'jobs' ) ), 'its waits grow' );
		$this->assertSame( array( '4', '0' ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ), $this->sql( 'SELECT SUM(refused) FROM ' . Schema::table( 'changes' ) ) ) );
		// Another key is another connection.
		Sandbox::post( '/tenants', array( 'id' => 'away', 'key' => 'another-key' ) );
		Sandbox::post( '/faults', array( 'tenant' => 'away', 'faults' => array() ) );
		$tenant = TenantCRM\Tenants::save( array( 'id' => 'away', 'api_key' => 'another-key' ) );
		$this->bury_the_dead();
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$this->assertSame( 'new4@portal.test', $this->crm_lead( $tenant, '4' )['email'] );
	}

	/** FAULTS B11. */
	public function test_a_server_that_rewrites_values_is_no_change(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' );
		update_post_meta( $post->ID, 'phone', '030 / 12 34' );
		$answer = wp_json_encode( array( 'id' => 1, 'name' => 'Lead 1', 'email' => 'lead1@example.test', 'phone' => '+49301234', 'updated_at' => '2026-03-01T00:00:00Z', 'created_at' => '2026-01-02T03:04:05Z', 'status' => 'open' ) );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'PATCH', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => $answer ) ) ) );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( array_merge( $this->leads( 1 )[0], array( 'id' => 1, 'phone' => '030 / 12 34', 'updated_at' => '2026-02-28T00:00:00Z' ) ) ) ) );
		$this->push( $tenant );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( json_decode( $answer, true ) ) ) );
		$this->settle( $tenant );
		wp_cache_flush();
		$this->assertSame( '+49301234', get_post_meta( $post->ID, 'phone', true ), 'the server\'s way to write it' );
		$this->assertLessThanOrEqual( 1, count( $this->writes( $tenant ) ) );
		$this->assertConverged( $tenant );
	}

	public function test_a_look_that_a_pull_has_overtaken_counts_for_nothing(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		$this->at_step(
			'settle',
			function () use ( $tenant ): void {
				$this->crm_edit( $tenant, '1', array( 'email' => 'newer@crm.test' ) );
				$this->pull_elsewhere( $tenant );
			}
		);
		// A note without a difference: no answer of a write puts anything right.
		Changes::mark( $post );
		$this->push( $tenant );
		wp_cache_flush();
		$this->assertSame( 'newer@crm.test', get_post_meta( $post, 'email', true ) );
		$this->assertSame( array(), $this->writes( $tenant ) );
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
	}

	public function test_a_pull_that_overtakes_the_answer_takes_an_own_write_for_nobodys_change(): void {
		$tenant = $this->pair( 'acme', 3, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		$post   = $this->post_of( $tenant, '1' )->ID;
		$answer = array( 'id' => 1, 'name' => 'REWRITTEN BY THE SERVER', 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', time() + 2 ) ) + Sandbox::leads( 'acme' )[0];
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'PATCH', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => wp_json_encode( $answer ) ) ) ) );
		$this->at_step(
			'sent',
			function () use ( $tenant, $answer ): void {
				Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => array( $answer ) ) );
				$this->pull_elsewhere( $tenant );
			}
		);
		wp_update_post( array( 'ID' => $post, 'post_title' => 'Rewritten' ) );
		$this->push( $tenant );
		$this->settle( $tenant );
		$this->assertSame( 0, TenantCRM\TwoWay\Conflicts::count() );
		$this->assertConverged( $tenant );
		$this->assertSame( 'REWRITTEN BY THE SERVER', get_post( $post )->post_title );
	}

	/** Nothing that either side changes while a push is between two steps is lost, the same field of the lead included. */
	public function test_edits_in_the_middle_of_a_push(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		$post = $this->post_of( $tenant, '1' )->ID;
		foreach ( array( 'look', 'settle', 'send', 'sent', 'done' ) as $number => $step ) {
			update_post_meta( $post, 'email', "before$number@portal.test" );
			update_post_meta( $post, 'phone', "+49 $number" );
			$this->at_step(
				$step,
				function () use ( $number, $post, $tenant ): void {
					update_post_meta( $post, 'email', "middle$number@portal.test" );
					$this->crm_edit( $tenant, '1', array( 'name' => "Middle $number" ) );
				}
			);
			$this->push( $tenant );
			$this->settle( $tenant );
			$lead = $this->crm_lead( $tenant, '1' );
			$this->assertSame( array( "Middle $number", "middle$number@portal.test", "+49 $number" ), array( $lead['name'], $lead['email'], $lead['phone'] ), $step );
			$this->assertConverged( $tenant, $step );
		}
		$this->assertLessThanOrEqual( 10, count( $this->writes( $tenant ) ) );
	}

	/** By another worker, while this one is in the middle of a push. */
	private function pull_elsewhere( TenantCRM\Tenant $tenant ): void {
		$run = Jobs::enqueue( $tenant->key );
		$this->php( "require \$argv[1]; TenantCRM\\Worker::run( 20.0, $run );" );
		$this->assertSame( 'done', TenantCRM\Runs::get( $run )['state'] );
	}
}
