<?php
/**
 * Forms, accounts and other code bring leads in. The form plugins are stand-ins here that call their public hooks with what these get.
 */

use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Tenant;

final class TwoWayFormsTest extends TwoWayCase {

	private Tenant $tenant;

	/** An account of a test, which a failed one must not leave behind: its address would be taken in all runs after it. */
	private int $user = 0;

	protected function setUp(): void {
		parent::setUp();
		remove_all_filters( 'tenant_crm_sync_forms' );
		$this->tenant = $this->pair();
		$this->settle( $this->tenant );
		add_filter(
			'tenant_crm_sync_forms',
			static fn(): array => array(
				array( 'source' => 'contact-form-7', 'form' => 7, 'tenant' => 'acme', 'fields' => array( 'name' => 'your-name', 'email' => 'your-email', 'phone' => 'topics' ) ),
				array( 'source' => 'gravity', 'form' => 3, 'tenant' => 'acme', 'fields' => array( 'name' => array( '1.3', '1.6' ), 'email' => '2' ) ),
				array( 'source' => 'wpforms', 'tenant' => 'acme', 'fields' => array( 'name' => '0', 'email' => '1' ) ),
				array( 'source' => 'user', 'tenant' => 'acme' ),
			)
		);
	}

	protected function tearDown(): void {
		remove_all_filters( 'tenant_crm_sync_forms' );
		remove_filter( 'send_email_change_email', '__return_false' );
		if ( $this->user ) {
			require_once ABSPATH . 'wp-admin/includes/user.php';
			wp_delete_user( $this->user );
		}
	}

	public function test_the_function_makes_a_lead_once_and_changes_it_then(): void {
		$first = tenant_crm_sync_push( 'acme', 'leads', array( 'name' => 'Ann', 'email' => 'ann@form.test', 'phone' => '' ) );
		$this->assertIsInt( $first );
		$this->assertSame( $first, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => ' ANN@form.test ', 'phone' => '+49 1', 'name' => '' ) ), 'before the CRM knows it' );
		$this->settle( $this->tenant );
		$this->assertSame( $first, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'ann@form.test', 'name' => 'Ann B' ) ), 'and after' );
		$this->settle( $this->tenant );
		$lead = $this->crm_lead( $this->tenant, get_post_meta( $first, 'crm_lead_id', true ) );
		$this->assertSame( array( 'Ann B', '+49 1' ), array( $lead['name'], $lead['phone'] ) );
		$this->assertCount( 4, Sandbox::leads( 'acme' ) );
		$this->assertCount( 2, $this->writes( $this->tenant ) );
		// One that came from the CRM.
		$this->assertSame( $this->post_of( $this->tenant, '2' )->ID, tenant_crm_sync_push( 'acme', 'leads', array( 'email' => 'lead2@example.test', 'name' => 'Known' ) ) );
		$this->settle( $this->tenant );
		$this->assertConverged( $this->tenant );
		$this->assertSame( 'Known', $this->crm_lead( $this->tenant, '2' )['name'] );
	}

	public function test_what_cannot_be_taken_is_an_error_in_plain_words(): void {
		$this->pair( 'oneway', 0, array( 'direction' => 'from_crm' ) );
		foreach ( array( array( 'nobody', array( 'email' => 'a@b.test' ) ), array( 'oneway', array( 'email' => 'a@b.test' ) ), array( 'acme', array( 'unknown' => 'x' ) ), array( 'acme', array( 'name' => str_repeat( 'x', 70000 ) ) ) ) as list( $tenant, $data ) ) {
			$this->assertWPErrorLike( tenant_crm_sync_push( $tenant, 'leads', $data ) );
		}
		$this->assertSame( 3, $this->posts() );
		$evil = tenant_crm_sync_push( 'acme', 'leads', array( 'name' => '<script>alert(1)</script>Eve', 'email' => 'eve@form.test', '_tenant_id' => 'other', 'crm_lead_id' => '1' ) );
		$this->assertSame( array( 'Eve', 'acme', '' ), array( get_post( $evil )->post_title, get_post_meta( $evil, '_tenant_id', true ), get_post_meta( $evil, 'crm_lead_id', true ) ) );
	}

	public function test_contact_form_7(): void {
		$form = new class() {
			public int $id = 7;
			public function id(): int {
				return $this->id;
			}
		};
		$sent = new class() {
			public function get_posted_data(): array {
				return array( 'your-name' => 'Carl', 'your-email' => 'carl@form.test', 'topics' => array( 'a', 'b' ) );
			}
		};
		do_action( 'wpcf7_before_send_mail', $form, false, $sent );
		$form->id = 8;
		do_action( 'wpcf7_before_send_mail', $form, false, $sent );
		$this->assertArrived( 'Carl', 'carl@form.test', 'a, b' );
	}

	public function test_gravity_forms(): void {
		do_action( 'gform_after_submission', array( 'id' => '1', 'status' => 'active', '1.3' => 'Gina', '1.6' => 'Ray', '2' => 'gina@form.test' ), array( 'id' => 3 ) );
		do_action( 'gform_after_submission', array( 'id' => '2', 'status' => 'spam', '1.3' => 'Spam', '2' => 'spam@form.test' ), array( 'id' => 3 ) );
		$this->assertArrived( 'Gina Ray', 'gina@form.test' );
	}

	public function test_wpforms(): void {
		do_action( 'wpforms_process_complete', array( 0 => array( 'id' => 0, 'value' => 'Will' ), 1 => array( 'id' => 1, 'value' => 'will@form.test' ) ), array(), array( 'id' => '44' ), 5 );
		$this->assertArrived( 'Will', 'will@form.test' );
	}

	public function test_an_account_and_its_changed_address_are_one_person(): void {
		$user = wp_insert_user( array( 'user_login' => uniqid( 'uma' ), 'user_pass' => 'x', 'user_email' => 'uma@form.test', 'display_name' => 'Uma' ) );
		$this->assertIsInt( $user, is_wp_error( $user ) ? $user->get_error_message() : '' );
		$this->user = $user;
		$this->settle( $this->tenant );
		add_filter( 'send_email_change_email', '__return_false' );
		$changed = wp_update_user( array( 'ID' => $user, 'user_email' => 'uma.two@form.test', 'display_name' => 'Uma Two' ) );
		$this->assertSame( $user, $changed, is_wp_error( $changed ) ? $changed->get_error_message() : '' );
		$this->assertArrived( 'Uma Two', 'uma.two@form.test' );
	}

	public function test_nothing_is_bound_unless_the_site_says_so(): void {
		remove_all_filters( 'tenant_crm_sync_forms' );
		do_action( 'wpforms_process_complete', array( 0 => array( 'value' => 'Will' ), 1 => array( 'value' => 'will@form.test' ) ), array(), array( 'id' => '44' ), 5 );
		$this->assertSame( 3, $this->posts() );
		$this->assertSame( array(), Log::list( array( 'level' => 'error' ) ) );
		TenantCRM\Tenants::save( array( 'id' => 'acme', 'settings' => $this->tenant->settings + array( 'forms' => array( array( 'source' => 'wpforms', 'form' => 44, 'fields' => array( 'name' => '0', 'email' => '1' ) ) ) ) ) );
		do_action( 'wpforms_process_complete', array( 0 => array( 'value' => 'Will' ), 1 => array( 'value' => 'will@form.test' ) ), array(), array( 'id' => '44' ), 5 );
		$this->assertArrived( 'Will', 'will@form.test' );
	}

	private function assertArrived( string $name, string $email, ?string $phone = null ): void {
		$this->settle( $this->tenant );
		$leads = Sandbox::leads( 'acme' );
		$this->assertCount( 4, $leads );
		$this->assertSame( array( $name, $email, $phone ), array( $leads[3]['name'], $leads[3]['email'], $leads[3]['phone'] ) );
		$this->assertConverged( $this->tenant );
	}

	private function assertWPErrorLike( $result ): void {
		$this->assertInstanceOf( WP_Error::class, $result );
		$this->assertNotSame( '', $result->get_error_message() );
	}
}
