<?php
/**
 * A person's consent: to the CRM with a state of this user's own, back with a code that is exchanged once. The CRM is the sandbox.
 */

use TenantCRM\Capabilities;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Tokens\Connect;
use TenantCRM\Tokens\ConnectPanel;
use TenantCRM\Tokens\TokenStore;

final class ConnectTest extends PluginCase {

	private const CODE = 'the-code';

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		wp_set_current_user( 1 );
		self::forget_states();
	}

	private static function forget_states(): void {
		global $wpdb;
		$wpdb->query( "DELETE FROM $wpdb->options WHERE option_name LIKE '%\\_tenant\\_crm\\_oauth\\_%'" );
		wp_cache_flush();
	}

	public static function tearDownAfterClass(): void {
		wp_set_current_user( 0 );
		Sandbox::reset();
		self::forget_states();
		parent::tearDownAfterClass();
	}

	private function connection( string $id = 'acme', string $code = self::CODE ): Tenant {
		$oauth = array( 'client_id' => "client-$id", 'client_secret' => 'secret-of-the-client', 'refresh_token' => "refresh-$id", 'code' => $code, 'access_ttl_s' => 1800, 'rotation' => 'single_use' );
		Sandbox::post( '/tenants', array( 'id' => $id, 'key' => "key-of-$id", 'dialect' => 'hubspot', 'oauth' => $oauth ) );
		return Tenants::save(
			array(
				'id'        => $id,
				'connector' => 'hubspot',
				'endpoint'  => getenv( 'TCS_SANDBOX_URL' ),
				'settings'  => array(
					'connection' => array(
						'auth'          => 'oauth',
						'client_id'     => "client-$id",
						'client_secret' => 'secret-of-the-client',
					),
				),
			)
		);
	}

	private function begin( Tenant $tenant ): string {
		parse_str( (string) wp_parse_url( Connect::begin( $tenant ), PHP_URL_QUERY ), $query );
		$this->assertSame( Connect::redirect_uri(), $query['redirect_uri'] );
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{64}$/', $query['state'] );
		return $query['state'];
	}

	private function last_words( Tenant $tenant ): string {
		return (string) $this->sql( 'SELECT message FROM ' . Schema::table( 'log' ) . " WHERE tenant = {$tenant->key} ORDER BY id DESC LIMIT 1" );
	}

	public function test_a_consent_connects_the_tenant(): void {
		$tenant = $this->connection();
		$this->assertSame( 'connected', Connect::finish( $this->begin( $tenant ), self::CODE, '' ) );
		$stored = ( new TokenStore() )->load( 'acme' );
		$this->assertSame( array( 1, 'ok' ), array( $stored['version'], $stored['state'] ) );
		$this->assertStringStartsWith( 'tcs1.', $stored['envelope'] );
		$this->assertIsArray( $tenant->client()->fetch_records( 'leads' ), 'and its token is good' );
		$this->assertStringContainsString( 'connected', $this->last_words( $tenant ) );
	}

	public function test_a_state_is_good_for_one_user_and_one_use(): void {
		$tenant = $this->connection();
		$state  = $this->begin( $tenant );
		$other  = wp_insert_user( array( 'user_login' => 'other-admin', 'user_pass' => wp_generate_password(), 'role' => 'administrator' ) );
		try {
			wp_set_current_user( $other );
			$this->assertSame( 'stale-consent', Connect::finish( $state, self::CODE, '' ) );
		} finally {
			wp_set_current_user( 1 );
			require_once ABSPATH . 'wp-admin/includes/user.php';
			wp_delete_user( $other );
		}
		$this->assertSame( 'stale-consent', Connect::finish( '', self::CODE, '' ) );
		$this->assertSame( 'stale-consent', Connect::finish( str_repeat( '0', 64 ), self::CODE, '' ) );
		$this->assertNull( ( new TokenStore() )->load( 'acme' ) );
		$this->assertSame( 'connected', Connect::finish( $state, self::CODE, '' ) );
		$this->assertSame( 'stale-consent', Connect::finish( $state, self::CODE, '' ) );
	}

	public function test_a_refusal_changes_nothing_and_is_logged(): void {
		$tenant = $this->connection();
		$this->assertSame( 'not-agreed', Connect::finish( $this->begin( $tenant ), '', 'access_denied' ) );
		$this->assertStringContainsString( 'access_denied', $this->last_words( $tenant ) );
		$this->assertSame( 'not-connected', Connect::finish( $this->begin( $tenant ), 'another-code', '' ) );
		$this->assertStringContainsString( 'start again', $this->last_words( $tenant ) );
		$this->assertStringNotContainsString( 'secret-of-the-client', $this->last_words( $tenant ) );
		$this->assertNull( ( new TokenStore() )->load( 'acme' ) );
	}

	public function test_whoever_may_not_manage_cannot_connect(): void {
		$tenant = $this->connection();
		$state  = $this->begin( $tenant );
		$denied = static fn( array $caps ): array => array( Capabilities::MANAGE => false ) + $caps;
		add_filter( 'user_has_cap', $denied );
		try {
			$this->assertSame( 'unknown', Connect::finish( $state, self::CODE, '' ) );
		} finally {
			remove_filter( 'user_has_cap', $denied );
		}
		$this->assertNull( ( new TokenStore() )->load( 'acme' ) );
	}

	public function test_the_state_itself_is_nowhere_stored(): void {
		global $wpdb;
		$state = $this->begin( $this->connection() );
		$this->assertSame( '0', $this->sql( $wpdb->prepare( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE %s OR option_value LIKE %s", "%$state%", "%$state%" ) ) );
		$this->assertSame( '1', $this->sql( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE '\\_transient\\_tenant\\_crm\\_oauth\\_%'" ) );
	}

	public function test_the_secrets_of_a_connection_are_stored_sealed(): void {
		$tenant = $this->connection();
		$stored = (string) $this->sql( 'SELECT settings FROM ' . Schema::table( 'tenants' ) );
		$this->assertStringNotContainsString( 'secret-of-the-client', $stored );
		$this->assertStringStartsWith( 'tcs1.', $tenant->settings['connection']['client_secret'] );
		$this->assertSame( 'client-acme', $tenant->settings['connection']['client_id'] );
		$again = Tenants::save( array( 'id' => 'acme', 'label' => 'Another name' ) );
		$this->assertSame( $tenant->settings, $again->settings, 'what is sealed is not sealed twice' );
		foreach ( array( 'no_such_field' => 'x', 'client_id' => array( 'x' ) ) as $name => $value ) {
			try {
				Tenants::save( array( 'id' => 'acme', 'settings' => array( 'connection' => array( $name => $value ) ) ) );
				$this->fail( "$name was taken" );
			} catch ( InvalidArgumentException $e ) {
				$this->assertStringContainsString( "\"$name\"", $e->getMessage() );
			}
		}
	}

	public function test_secrets_and_tokens_are_sealed_anew_with_the_newest_host_key(): void {
		$tenant = $this->connection();
		Connect::finish( $this->begin( $tenant ), self::CODE, '' );
		$before = ( new TokenStore() )->load( 'acme' );
		$this->assertTrue( Tenants::rotate( $tenant->key ) );
		$after = ( new TokenStore() )->load( 'acme' );
		$this->assertNotSame( $before['envelope'], $after['envelope'] );
		$this->assertSame( $before['version'], $after['version'] );
		$now = Tenants::find( 'acme' );
		$this->assertNotSame( $tenant->settings['connection']['client_secret'], $now->settings['connection']['client_secret'] );
		Sandbox::post( '/oauth/expire', array( 'tenant' => 'acme' ) );
		$this->assertIsArray( $now->client()->fetch_records( 'leads' ), 'both can still be opened' );
	}

	public function test_the_screen_offers_it_where_there_is_something_to_agree_to(): void {
		require_once ABSPATH . 'wp-admin/includes/template.php';
		$tenant = $this->connection();
		$panel  = static function () use ( $tenant ): string {
			ob_start();
			ConnectPanel::render( $tenant );
			return (string) ob_get_clean();
		};
		$this->assertStringContainsString( 'Not connected yet', $panel() );
		$this->assertStringContainsString( 'value="tenant_crm_connect"', $panel() );
		Connect::finish( $this->begin( $tenant ), self::CODE, '' );
		$this->assertStringContainsString( 'Connected.', $panel() );
		( new TokenStore() )->refuse( 'acme', 1, 'invalid_grant <b>' );
		$this->assertStringContainsString( '(invalid_grant &lt;b&gt;)', $panel() );
		$keyed = Tenants::save( array( 'id' => 'keyed', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'k' ) );
		ob_start();
		ConnectPanel::render( $keyed );
		$this->assertSame( '', ob_get_clean() );
	}
}
