<?php
/**
 * What both sides changed: decided by policy, or by a person from the inbox, which holds up nothing else and can be undone.
 */

use TenantCRM\Tenants;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class TwoWayConflictTest extends TwoWayCase {

	/** @return array<string, array{0: array<string, mixed>, 1: string}> */
	public function policies(): array {
		return array(
			'the CRM counts'    => array( array( 'policy' => 'crm' ), 'crm@crm.test' ),
			'the portal counts' => array( array( 'policy' => 'portal' ), 'portal@portal.test' ),
			'by field'          => array( array( 'policy' => 'crm', 'policies' => array( 'email' => 'portal' ) ), 'portal@portal.test' ),
			'the newest counts' => array( array( 'policy' => 'newest' ), 'crm@crm.test' ),
		);
	}

	/** @dataProvider policies */
	public function test_a_policy_decides( array $settings, string $expected ): void {
		$tenant = $this->pair( 'acme', 2, $settings );
		$this->settle( $tenant );
		// Whole seconds are all that most CRMs tell.
		$this->collide( $tenant, 'newest' === $settings['policy'] ? 2100000 : 0 );
		$this->settle( $tenant );
		$this->assertSame( $expected, $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant );
		$this->assertSame( 0, Conflicts::count() );
	}

	/** @return array<string, array{0: string, 1: string, 2: string}> */
	public function sides(): array {
		return array( 'the CRM\'s' => array( 'crm', 'crm@crm.test', 'portal@portal.test' ), 'the portal\'s' => array( 'portal', 'portal@portal.test', 'crm@crm.test' ) );
	}

	/** @dataProvider sides */
	public function test_a_person_decides_and_undoes_it( string $side, string $chosen, string $other ): void {
		$tenant = $this->pair( 'acme', 2, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		wp_set_current_user( 1 );
		$this->collide( $tenant );
		$this->settle( $tenant );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertCount( 1, $open );
		$this->assertSame( array( 'email', 'lead1@example.test', 'crm@crm.test', 'portal@portal.test', '1', 1 ), array( $open[0]['field'], $open[0]['base'], $open[0]['crm'], $open[0]['portal'], $open[0]['crm_id'], $open[0]['who'] ) );
		// It blocks nothing else, and is not asked twice.
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 77' ) );
		$post = $this->post_of( $tenant, '1' );
		wp_update_post( array( 'ID' => $post->ID, 'post_title' => 'Renamed' ) );
		$this->settle( $tenant );
		$lead = $this->crm_lead( $tenant, '1' );
		$this->assertSame( array( 'Renamed', 'crm@crm.test', '+49 77' ), array( $lead['name'], $lead['email'], $lead['phone'] ) );
		wp_cache_flush();
		$this->assertSame( array( 'portal@portal.test', '+49 77' ), array( get_post_meta( $post->ID, 'email', true ), get_post_meta( $post->ID, 'phone', true ) ) );
		$this->assertSame( 1, Conflicts::count() );
		$this->assertSame( 'taken', Decisions::take( $open[0]['id'], $side ) );
		$this->assertSame( 'gone', Decisions::take( $open[0]['id'], $side ), 'once' );
		$this->settle( $tenant );
		$this->assertSame( $chosen, $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant, 'decided' );
		$this->assertSame( 0, Conflicts::count( array( 'state' => 'open' ) ) );
		$this->assertSame( 'undone', Decisions::undo( $open[0]['id'] ) );
		$this->settle( $tenant );
		$this->assertSame( $other, $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant, 'undone' );
		wp_set_current_user( 0 );
	}

	public function test_a_decision_about_values_that_are_old_asks_again(): void {
		$tenant = $this->pair( 'acme', 2, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		$post = $this->collide( $tenant );
		$this->settle( $tenant );
		$id = Conflicts::list()[0]['id'];
		update_post_meta( $post, 'email', 'later@portal.test' );
		$this->assertSame( 'asked', Decisions::take( $id, 'portal' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 'open', 'later@portal.test' ), array( Conflicts::get( $id )['state'], Conflicts::get( $id )['portal'] ) );
		// The other side: what was chosen is compared with what is there now.
		$this->crm_edit( $tenant, '1', array( 'email' => 'later@crm.test' ) );
		$this->assertSame( 'taken', Decisions::take( $id, 'portal' ) );
		$this->settle( $tenant );
		$open = Conflicts::list( array( 'state' => 'open' ) );
		$this->assertSame( array( 'later@crm.test', 'later@portal.test' ), array( $open[0]['crm'], $open[0]['portal'] ) );
		$this->assertSame( 'later@crm.test', $this->crm_lead( $tenant, '1' )['email'], 'nothing was overwritten unseen' );
	}

	public function test_a_conflict_that_the_sides_solve_is_closed(): void {
		$tenant = $this->pair( 'acme', 2, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		$post = $this->collide( $tenant );
		$this->settle( $tenant );
		update_post_meta( $post, 'email', 'crm@crm.test' );
		$this->settle( $tenant );
		$this->assertSame( 'closed', Conflicts::list()[0]['state'] );
		$this->assertConverged( $tenant );
	}

	public function test_many_are_taken_at_once_on_the_command_line(): void {
		$tenant = $this->pair( 'acme', 5, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		foreach ( array( '1', '2', '3' ) as $id ) {
			update_post_meta( $this->post_of( $tenant, $id )->ID, 'email', "p$id@portal.test" );
			$this->crm_edit( $tenant, $id, array( 'email' => "c$id@crm.test" ) );
		}
		$this->settle( $tenant );
		ob_start();
		$this->assertSame( 0, TenantCRM\CommandLine::run( array( 'conflict', 'list', '--format=json' ) ) );
		$list = json_decode( ob_get_clean(), true );
		$this->assertSame( array( 'c3@crm.test', 'p3@portal.test' ), array( $list[0]['crm'], $list[0]['portal'] ) );
		ob_start();
		$this->assertSame( 0, TenantCRM\CommandLine::run( array( 'conflict', 'take', 'portal', '--tenant=acme' ) ) );
		ob_end_clean();
		$this->settle( $tenant );
		$this->assertConverged( $tenant );
		$this->assertSame( 'p2@portal.test', $this->crm_lead( $tenant, '2' )['email'] );
	}

	public function test_settings_that_make_no_sense_are_refused(): void {
		foreach ( array( array( 'direction' => 'sideways' ), array( 'policy' => 'me' ), array( 'direction' => 'both', 'hooks' => true ), array( 'policies' => array( 'email' => 'them' ) ), array( 'same' => array( 'email' => array( 'nonsense' ) ) ) ) as $settings ) {
			try {
				Tenants::save( array( 'id' => 'acme', 'settings' => $settings ) );
				$this->fail( wp_json_encode( $settings ) );
			} catch ( InvalidArgumentException $e ) {
				$this->assertNull( Tenants::find( 'acme' ) );
			}
		}
	}

	/** Both sides change the same field; the CRM last. */
	private function collide( $tenant, int $apart = 0 ): int {
		$post = $this->post_of( $tenant, '1' )->ID;
		update_post_meta( $post, 'email', 'portal@portal.test' );
		usleep( $apart );
		$this->crm_edit( $tenant, '1', array( 'email' => 'crm@crm.test' ) );
		return $post;
	}
}
