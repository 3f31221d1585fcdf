<?php
/**
 * The portal's table in-process: the shell is the same for everybody and holds no lead, what fills it is the viewer's and escaped. What people
 * see of it is in tests/browser.
 */

use TenantCRM\Capabilities;
use TenantCRM\Portal\Block;

final class PortalTest extends PluginCase {

	/** @var int */
	private $user;

	protected function setUp(): void {
		parent::setUp();
		Capabilities::grant();
		$this->user = $this->account( 'portal', Capabilities::PORTAL_ROLE );
		Capabilities::assign( $this->user, array( 'acme' ) );
		$this->store( $this->tenant( 'acme' ), array( array( 'name' => 'Mine <script>alert(1)</script>', 'email' => '"><img src=x>@example.test', 'status' => '<b>bold</b>' ) + $this->leads( 1 )[0] ) );
		$this->store( $this->tenant( 'Acme' ), array( array( 'name' => 'Theirs' ) + $this->leads( 1 )[0] ) );
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		wp_delete_user( $this->user );
	}

	private function shell( array $attributes = array() ): string {
		( new ReflectionProperty( Block::class, 'shells' ) )->setValue( null, 0 );
		return render_block( array( 'blockName' => Block::NAME, 'attrs' => $attributes, 'innerBlocks' => array(), 'innerHTML' => '', 'innerContent' => array() ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	private function filled( array $parameters = array() ): WP_REST_Response {
		$request = new WP_REST_Request( 'GET', '/tenant-crm-sync/v1/portal/leads' );
		$request->set_query_params( $parameters );
		return rest_do_request( $request );
	}

	public function test_the_shell_is_the_same_for_everybody(): void {
		$nobody = $this->shell();
		$this->assertStringContainsString( 'class="tcs-portal', $nobody );
		foreach ( array( 1, $this->user ) as $user ) {
			wp_set_current_user( $user );
			$this->assertSame( $nobody, $this->shell() );
			$this->assertSame( $nobody, $this->shell( array( 'tenant' => 'acme', 'tenants' => array( 1 ) ) ), 'no attribute says whose leads' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		$this->assertStringNotContainsString( wp_create_nonce( 'wp_rest' ), $nobody );
		$this->assertStringContainsString( 'data-per-page="100" data-columns="name,owner"', do_shortcode( '[tenant_crm_leads per_page="5000" columns="owner, name,password" tenant="Acme"]' ) );
		$this->assertTrue( wp_script_is( 'tenant-crm-sync-leads-view-script' ) );
	}

	public function test_it_is_filled_with_the_viewers_leads_escaped(): void {
		$this->assertSame( 401, $this->filled()->get_status() );
		wp_set_current_user( $this->user );
		$data = $this->filled( array( 'columns' => 'name,email,state' ) )->get_data();
		$this->assertSame( array( 1, 1, '1 lead' ), array( $data['tenants'], $data['total'], $data['summary'] ) );
		$this->assertStringContainsString( 'Mine &lt;script&gt;', $data['html'] );
		$this->assertStringContainsString( '&quot;&gt;&lt;img src=x&gt;@example.test', $data['html'] );
		$this->assertStringContainsString( '&lt;b&gt;bold', $data['html'] );
		$this->assertStringNotContainsString( 'Theirs', $data['html'] );
		$this->assertStringNotContainsString( '<select', $data['html'], 'nothing to choose from' );
		Capabilities::assign( $this->user, array( 'acme', 'Acme' ) );
		$both = $this->filled();
		$this->assertSame( 2, $both->get_data()['total'] );
		$this->assertStringContainsString( '<select', $both->get_data()['html'] );
		Capabilities::assign( $this->user, array() );
		$none = $this->filled()->get_data();
		$this->assertSame( array( 0, '' ), array( $none['tenants'], $none['html'] ) );
		( new WP_User( $this->user ) )->set_role( 'subscriber' );
		wp_set_current_user( 0 );
		wp_set_current_user( $this->user );
		$this->assertSame( 403, $this->filled()->get_status() );
	}
}
