<?php
/**
 * Of each field of a lead it is known where its value comes from: after a pull, an edit in the portal, a merge, and a person's decision.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;
use TenantCRM\TwoWay\Explain;

final class ExplainTest extends TwoWayCase {

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		parent::tearDown();
	}

	public function test_pull_edit_push_and_merge(): void {
		$tenant = $this->pair( 'acme', 3, array( 'policy' => 'portal' ) );
		$this->settle( $tenant );
		$first = $this->field( $tenant, '1', 'email' );
		$this->assertSame( array( 'lead1@example.test', 'crm', '2026-02-03 04:05:06', 'first read from the CRM', 0 ), array_values( array_diff_key( $first, array( 'field' => 1 ) ) ) );
		wp_set_current_user( 1 );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->assertOrigin( 'portal', 'on its way to the CRM', 1, $this->field( $tenant, '1', 'email' ) );
		$this->assertOrigin( 'crm', 'first read', 0, $this->field( $tenant, '1', 'phone' ) );
		$this->settle( $tenant );
		$pushed = $this->field( $tenant, '1', 'email' );
		$this->assertOrigin( 'portal', 'changed in the portal only', 1, $pushed );
		$this->assertSame( 'one@portal.test', $pushed['value'] );
		$this->assertGreaterThan( gmdate( 'Y-m-d H:i:s', time() - 300 ), $pushed['time'] );
		// Nothing of that is forgotten when another field changes.
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 crm' ) );
		$this->settle( $tenant );
		$this->assertOrigin( 'crm', 'changed in the CRM only', 0, $this->field( $tenant, '1', 'phone' ) );
		$this->assertSame( $pushed, $this->field( $tenant, '1', 'email' ) );
		// Both sides: the policy decides.
		$this->crm_edit( $tenant, '1', array( 'phone' => '+49 crm again' ) );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'phone', '+49 portal' );
		$this->settle( $tenant );
		$this->assertOrigin( 'portal', 'portal', 1, $this->field( $tenant, '1', 'phone' ) );
		$this->assertStringContainsString( 'both sides', $this->field( $tenant, '1', 'phone' )['rule'] );
		$post = $this->post_of( $tenant, '1' )->ID;
		$this->assertSame( Explain::record( $tenant, '1' ), Explain::post( $post ) );
		$this->assertNull( Explain::record( $tenant, '99' ) );
		$id = $this->portal_lead( $tenant, array( 'name' => 'Made here', 'email' => 'made@portal.test' ) );
		$this->settle( $tenant );
		$this->assertOrigin( 'portal', 'made in the portal', 1, array_column( Explain::post( $id ), null, 'field' )['email'] );
	}

	/** @dataProvider sides */
	public function test_a_persons_decision( string $side ): void {
		$tenant = $this->pair( 'acme', 3, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 crm' ) );
		update_post_meta( $this->post_of( $tenant, '2' )->ID, 'phone', '+49 portal' );
		$this->settle( $tenant );
		$this->assertOrigin( 'portal', 'waits for a person: ', 0, $this->field( $tenant, '2', 'phone' ) );
		$this->assertStringContainsString( '+49 crm', $this->field( $tenant, '2', 'phone' )['rule'] );
		wp_set_current_user( 1 );
		Decisions::take( Conflicts::list( array( 'state' => 'open' ) )[0]['id'], $side );
		$this->assertOrigin( $side, 'decided by a person', 1, $this->field( $tenant, '2', 'phone' ) );
		$this->settle( $tenant );
		$this->settle( $tenant );
		$this->assertOrigin( $side, 'decided by a person', 1, $this->field( $tenant, '2', 'phone' ) );
		$this->assertSame( "+49 $side", $this->field( $tenant, '2', 'phone' )['value'] );
		// Its next change is a change again.
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 later' ) );
		$this->settle( $tenant );
		$this->assertOrigin( 'crm', 'changed in the CRM only', 0, $this->field( $tenant, '2', 'phone' ) );
	}

	/** @return array<string, array{0: string}> */
	public static function sides(): array {
		return array( 'the CRM' => array( 'crm' ), 'the portal' => array( 'portal' ) );
	}

	public function test_one_way(): void {
		$tenant = $this->pair( 'acme', 2, array( 'direction' => 'from_crm' ) );
		$this->pull( $tenant );
		$this->assertOrigin( 'crm', 'as the CRM sent it last', 0, $this->field( $tenant, '1', 'email' ) );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'one@portal.test' );
		$this->assertOrigin( 'portal', 'overwrites it', 0, $this->field( $tenant, '1', 'email' ) );
	}

	private function assertOrigin( string $source, string $rule, int $who, array $field ): void {
		$this->assertSame( array( $source, $who ), array( $field['source'], $field['who'] ), json_encode( $field ) );
		$this->assertStringContainsString( $rule, $field['rule'] );
		$this->assertMatchesRegularExpression( '/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/D', $field['time'] );
	}

	/** @return array<string, mixed> */
	private function field( Tenant $tenant, string $id, string $field ): array {
		wp_cache_flush();
		return array_column( Explain::record( $tenant, $id ), null, 'field' )[ $field ];
	}
}
