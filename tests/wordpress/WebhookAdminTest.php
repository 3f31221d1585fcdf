<?php
/**
 * Webhooks for people: the panel of a tenant's screen, the command line, Site Health. The address is shown once, and secrets never.
 */

use TenantCRM\Capabilities;
use TenantCRM\Schema;
use TenantCRM\Health\DebugInfo;
use TenantCRM\SiteHealth;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Panel;
use TenantCRM\Webhooks\Words;

final class WebhookAdminTest extends WebhookCase {

	protected function setUp(): void {
		parent::setUp();
		require_once ABSPATH . 'wp-admin/includes/template.php';
		wp_set_current_user( 1 );
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		$_POST = $_REQUEST = array();
		remove_all_actions( 'admin_notices' );
	}

	private function html( Tenant $tenant ): string {
		ob_start();
		Panel::render( $tenant );
		return (string) ob_get_clean();
	}

	/** @param array<string, string> $post As the browser sends it. @return string The notices. */
	private function press( Tenant $tenant, string $button, array $post = array(), ?string $nonce = null ): string {
		$_POST = wp_slash( $post + array( Panel::ACTION => $button, '_wpnonce' => $nonce ?? wp_create_nonce( Panel::ACTION . '-' . $tenant->key ) ) );
		$_REQUEST = $_POST;
		remove_all_actions( 'admin_notices' );
		Panel::act( $tenant );
		ob_start();
		do_action( 'admin_notices' );
		return (string) ob_get_clean();
	}

	public function test_the_address_is_shown_once(): void {
		$tenant = $this->signing( 'acme' );
		$html   = $this->html( $tenant );
		$this->assertStringContainsString( 'No address yet', $html );
		$this->assertStringNotContainsString( 'value="remove"', $html );
		$this->assertStringContainsString( 'notice-success', $this->press( $tenant, 'make' ) );
		$this->assertSame( 1, preg_match( '~readonly value="([^"]+/webhook/[A-Za-z0-9_-]{43})"~', $this->html( $tenant ), $match ) );
		$body = $this->body( 1 );
		$this->assertSame( self::ACCEPTED, $this->deliver( $match[1], $body, $this->signed( $body ) ) );
		// Another request of the same screen.
		( new ReflectionProperty( Panel::class, 'address' ) )->setValue( null, '' );
		$html = $this->html( $tenant );
		$this->assertStringNotContainsString( '/webhook/', $html );
		$this->assertStringContainsString( '1 were accepted', $html );
		$this->assertStringNotContainsString( substr( self::SECRET, 6 ), $html );
		$this->press( $tenant, 'remove' );
		$this->assertSame( self::REFUSED, $this->deliver( $match[1], $body, $this->signed( $body ) ) );
	}

	public function test_only_who_manages_tenants_gets_one(): void {
		$tenant = $this->signing( 'acme' );
		$user   = $this->account( 'syncer' );
		( new WP_User( $user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $user, array( 'acme' ) );
		$tries = array( array( 1, 'not the nonce' ), array( $user, null ) );
		$stop  = static fn(): callable => static function (): void {
			throw new DomainException( 'refused' );
		};
		add_filter( 'wp_die_handler', $stop );
		foreach ( $tries as list( $who, $nonce ) ) {
			wp_set_current_user( $who );
			try {
				$this->press( $tenant, 'make', array(), $nonce );
				$this->fail( 'it was done' );
			} catch ( DomainException $e ) {
				$this->assertNull( Addresses::of( $tenant->key ) );
			}
		}
		remove_filter( 'wp_die_handler', $stop );
		wp_delete_user( $user );
	}

	public function test_what_is_chosen_is_saved_and_mistakes_are_told(): void {
		$tenant = $this->hubspot( 'hub', '100' );
		$this->press( $tenant, 'make' );
		$this->assertStringContainsString( 'saved', $this->press( $tenant, 'save', array( 'webhook_account' => '100', 'webhook_objects' => 'leads', 'webhook_fields' => "email, phone\n", 'webhook_filter' => '{"status":["open","o\'pen"]}' ) ) );
		$saved = Tenants::get( $tenant->key );
		$this->assertSame( array( 'objects' => array( 'leads' ), 'fields' => array( 'email', 'phone' ), 'filter' => array( 'status' => array( 'open', 'o\'pen' ) ) ), $saved->settings['webhook'] );
		$this->assertSame( '100', Addresses::of( $tenant->key )['account'] );
		$html = $this->html( $saved );
		$this->assertStringContainsString( 'value="email, phone"', $html );
		$this->assertStringContainsString( 'value="100"', $html );
		// A line a field, as people write it, does the same.
		$this->press( $saved, 'save', array( 'webhook_account' => '100', 'webhook_objects' => 'leads', 'webhook_fields' => "email, phone\n", 'webhook_filter' => " status : open,o'pen \r\n\r\n" ) );
		$this->assertSame( $saved->settings['webhook'], Tenants::get( $saved->key )->settings['webhook'] );
		foreach ( array( array( 'webhook_filter' => 'open' ), array( 'webhook_filter' => ': open' ), array( 'webhook_filter' => 'status:' ), array( 'webhook_filter' => '["open"]' ), array( 'webhook_account' => str_repeat( 'x', 191 ) ) ) as $post ) {
			$this->assertStringContainsString( 'notice-error', $this->press( $saved, 'save', $post ) );
		}
		$this->press( $saved, 'save' );
		$this->assertArrayNotHasKey( 'webhook', Tenants::get( $tenant->key )->settings );
		// Another account of the same app.
		$second = $this->hubspot( 'second', '200' );
		$this->assertStringContainsString( 'by the address of “hub”', $this->html( $second ) );
		$this->press( $second, 'save', array( 'webhook_via' => (string) $tenant->key ) );
		$this->press( $second, 'save', array( 'webhook_via' => (string) $tenant->key, 'webhook_account' => '200' ) );
		$this->assertSame( array( $tenant->key, '200' ), array( Addresses::of( $second->key )['owner'], Addresses::of( $second->key )['account'] ) );
	}

	public function test_hostile_words_of_a_crm_are_only_words(): void {
		$tenant = $this->hubspot( 'hub', '1' );
		$url    = Addresses::make( $tenant );
		$body   = (string) json_encode( array( array( 'eventId' => 1, 'portalId' => '<script>alert(1)</script>', 'subscriptionType' => 'contact.creation', 'objectId' => 1 ) ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		$html = $this->html( $tenant );
		$this->assertStringContainsString( 'name the account', $html );
		$this->assertStringNotContainsString( '<script>', $html );
	}

	public function test_a_crm_that_proves_nothing_says_so(): void {
		$tenant = Tenants::save( array( 'id' => 'force', 'connector' => 'salesforce' ) );
		$html   = $this->html( $tenant );
		$this->assertStringContainsString( 'not signed', $html );
		$this->assertStringNotContainsString( '<form', $html );
	}

	public function test_the_command_line(): void {
		$tenant = $this->signing( 'acme' );
		$run    = function ( string ...$arguments ): array {
			$process = proc_open( array_merge( array( PHP_BINARY, 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm', 'tenant', 'webhook', 'acme' ), $arguments ), array( 1 => array( 'pipe', 'w' ), 2 => array( 'pipe', 'w' ) ), $pipes, getenv( 'TCS_WWW' ) );
			$output  = stream_get_contents( $pipes[1] );
			$errors  = stream_get_contents( $pipes[2] );
			return array( proc_close( $process ), $output, $errors );
		};
		list( $code, $url, $errors ) = $run( '--new' );
		$this->assertSame( array( 0, '' ), array( $code, $errors ) );
		$body = $this->body( 1 );
		$this->assertSame( self::ACCEPTED, $this->deliver( trim( $url ), $body, $this->signed( $body ) ) );
		$this->deliver( trim( $url ), $body, array() );
		$told = $run()[1];
		$this->assertStringContainsString( '1 were accepted', $told );
		$this->assertStringContainsString( '1 were refused', $told );
		$this->assertStringNotContainsString( $this->key_of( trim( $url ) ), $told );
		$row = json_decode( $run( '--account=55', '--format=json' )[1], true )[0];
		$this->assertSame( array( 'acme', '55', 1, 1, 'missing', 1 ), array( $row['tenant'] ?? '', $row['account'], $row['accepted'], $row['refused'], $row['reason'], $row['waiting'] ) );
		$this->assertSame( 2, $run( '--new', '--remove' )[0] );
		$this->assertSame( 1, $run( '--via=nobody' )[0] );
		$this->assertSame( 0, $run( '--remove' )[0] );
		$this->assertSame( self::REFUSED, $this->deliver( trim( $url ), $body, $this->signed( $body, 'msg_9' ) ) );
	}

	public function test_site_health_tells_of_refusals_and_names_nobody(): void {
		global $wpdb;
		$this->assertSame( 'good', SiteHealth::result( 'webhooks' )['status'] );
		$tenant = $this->signing( 'canary' );
		$url    = Addresses::make( $tenant );
		$body   = $this->body( 1 );
		$this->deliver( $url, $body, array() );
		$result = SiteHealth::result( 'webhooks' );
		$this->assertSame( 'recommended', $result['status'] );
		$this->assertStringContainsString( '1 tenant was refused', $result['description'] );
		$this->assertStringNotContainsString( 'canary', serialize( array( $result, DebugInfo::add( array() ) ) ) );
		$wpdb->query( 'UPDATE ' . Schema::table( 'webhooks' ) . ' SET refused_at = refused_at - INTERVAL 1 MINUTE' );
		$this->deliver( $url, $body, $this->signed( $body ) );
		$this->assertSame( 'good', SiteHealth::result( 'webhooks' )['status'], 'the next one was accepted' );
		$this->assertNotSame( array(), Words::of( $tenant ) );
	}
}
