<?php
/**
 * The CRM's part of the tenant form: which inputs there are, what is refused, what is never shown, and the button that tests.
 */

use TenantCRM\Admin\ConnectionForm;
use TenantCRM\Admin\ConnectionRows;
use TenantCRM\Admin\MappingRows;
use TenantCRM\Admin\TenantForm;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class ConnectionFormTest extends PluginCase {

	private const WORD = 'word-that-nobody-sees';

	protected function setUp(): void {
		parent::setUp();
		require_once ABSPATH . 'wp-admin/includes/template.php';
		wp_set_current_user( 1 );
	}

	public static function tearDownAfterClass(): void {
		wp_set_current_user( 0 );
		parent::tearDownAfterClass();
	}

	private function filled( ?Tenant $tenant, array $post ): TenantForm {
		$form = new TenantForm( $tenant );
		$form->fill( $post + array( 'tenant_id' => 'acme', 'interval' => '3600', 'storage' => 'set', 'parallel' => '1' ) );
		return $form;
	}

	private function html( ConnectionForm $form ): string {
		ob_start();
		ConnectionRows::render( $form );
		MappingRows::render( $form, null, null );
		return (string) ob_get_clean();
	}

	private function stored(): Tenant {
		return Tenants::save(
			array(
				'id'        => 'acme',
				'connector' => 'salesforce',
				'settings'  => array(
					'connection' => array(
						'auth'          => 'client_credentials',
						'client_id'     => 'the-<b>app',
						'client_secret' => self::WORD,
					),
				),
			)
		);
	}

	public function test_another_connector_shows_its_fields_and_saves_nothing(): void {
		$form = $this->filled( null, array( 'shown' => 'rest/key', 'connector' => 'salesforce', 'endpoint' => '', 'api_key' => self::WORD ) );
		$this->assertTrue( $form->connection->is_choice );
		$this->assertSame( array(), $form->errors );
		$html = $this->html( $form->connection );
		foreach ( array( 'name="auth"', 'name="field_client_id"', 'name="field_client_secret"', 'name="field_api_version"', 'placeholder="https://login.salesforce.com"', 'value="salesforce/oauth"' ) as $part ) {
			$this->assertStringContainsString( $part, $html );
		}
		$this->assertStringNotContainsString( 'name="field_private_key"', $html, 'that is of another way of authorisation' );
		$this->assertStringNotContainsString( self::WORD, $html );
		$other = $this->filled( null, array( 'shown' => 'salesforce/oauth', 'connector' => 'salesforce', 'auth' => 'jwt' ) );
		$this->assertTrue( $other->connection->is_choice );
		$this->assertMatchesRegularExpression( '/<textarea name="field_private_key"[^>]* required/', $this->html( $other->connection ) );
	}

	public function test_what_was_typed_is_saved_and_secrets_are_never_shown(): void {
		$pem  = "-----BEGIN KEY-----\r\nabc\r\n-----END KEY-----";
		$form = $this->filled( null, array( 'shown' => 'salesforce/jwt', 'connector' => 'salesforce', 'auth' => 'jwt', 'field_client_id' => 'app', 'field_username' => 'ada', 'field_private_key' => $pem, 'mapping' => '{"leads": {"budget": "Budget__c"}}' ) );
		$this->assertSame( array(), $form->errors );
		$data = $form->data();
		$this->assertSame( array( 'auth' => 'jwt', 'client_id' => 'app', 'private_key' => str_replace( "\r", '', $pem ), 'username' => 'ada' ), self::sorted( $data['settings']['connection'] ) );
		$tenant = Tenants::save( $data );
		$this->assertSame( array( true, 'https://login.salesforce.com' ), array( $tenant->is_configured(), $tenant->endpoint ) );
		$html = $this->html( ( new TenantForm( $tenant ) )->connection );
		foreach ( array( 'abc', 'BEGIN KEY', 'tcs1.' ) as $secret ) {
			$this->assertStringNotContainsString( $secret, $html );
		}
		$this->assertStringContainsString( 'Leave this empty to keep it', $html );
		$this->assertStringContainsString( 'Budget__c', $html );
	}

	public function test_a_way_that_a_person_must_agree_to_says_so(): void {
		$typed = array( 'shown' => 'hubspot/oauth', 'connector' => 'hubspot', 'auth' => 'oauth', 'field_client_id' => 'app', 'field_client_secret' => self::WORD );
		$this->assertTrue( $this->filled( null, $typed )->connection->needs_consent() );
		$this->assertFalse( $this->filled( null, array( 'field_refresh_token' => 'r' ) + $typed )->connection->needs_consent() );
		$this->assertFalse( $this->filled( null, array( 'shown' => 'hubspot/key', 'auth' => 'key' ) + $typed )->connection->needs_consent() );
	}

	public function test_an_empty_secret_keeps_the_stored_one_and_html_is_escaped(): void {
		$tenant = $this->stored();
		$html   = $this->html( ( new TenantForm( $tenant ) )->connection );
		$this->assertStringContainsString( 'value="the-&lt;b&gt;app"', $html );
		$this->assertMatchesRegularExpression( '/<input name="field_client_secret"[^>]* type="password" value=""/', $html );
		$form = $this->filled( $tenant, array( 'shown' => 'salesforce/client_credentials', 'connector' => 'salesforce', 'auth' => 'client_credentials', 'endpoint' => 'https://login.salesforce.com', 'field_client_id' => 'other' ) );
		$this->assertSame( array(), $form->errors );
		$saved = Tenants::save( $form->data() );
		$this->assertSame( $tenant->connection()['client_secret'], $saved->connection()['client_secret'] );
		$this->assertSame( 'other', $saved->connection()['client_id'] );
	}

	/** @dataProvider mistakes */
	public function test_mistakes_have_words_beside_their_field( array $post, string $input, string $words ): void {
		$form = $this->filled( $this->stored(), $post + array( 'shown' => 'salesforce/client_credentials', 'connector' => 'salesforce', 'auth' => 'client_credentials', 'field_client_id' => 'a' ) );
		$this->assertStringContainsString( $words, $form->errors[ $input ] ?? wp_json_encode( $form->errors ) );
		$this->assertStringContainsString( "id=\"tcs-$input-error\"", $this->html( $form->connection ) );
	}

	/** @return array<int, array{0: array<string, string>, 1: string, 2: string}> */
	public function mistakes(): array {
		return array(
			array( array( 'field_client_id' => '' ), 'field_client_id', 'asks for this: Consumer key' ),
			array( array( 'endpoint' => 'https://elsewhere.example' ), 'field_client_secret', 'address changed' ),
			array( array( 'endpoint' => 'nonsense' ), 'endpoint', 'not an address' ),
			array( array( 'field_client_secret' => 'tcs1.abc' ), 'field_client_secret', 'a stored secret' ),
			array( array( 'mapping' => '{"leads": ' ), 'mapping', 'not JSON' ),
			array( array( 'mapping' => '{"leads": {"a": {"frm": "b"}}}' ), 'mapping', 'cannot be used' ),
			array( array( 'connector' => 'no-such' ), 'connector', 'of the list' ),
		);
	}

	public function test_the_button_tests_what_is_stored_for_those_who_may(): void {
		Sandbox::reset();
		Sandbox::tenant( 'acme', 1 );
		$tenant = Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-acme' ) );
		$this->assertStringContainsString( 'notice-success', $this->tested( $tenant ) );
		$wrong = Tenants::save( array( 'id' => 'acme', 'api_key' => self::WORD ) );
		$html  = $this->tested( $wrong );
		$this->assertStringContainsString( 'notice-error', $html );
		$this->assertStringContainsString( '401', $html );
		$this->assertStringNotContainsString( self::WORD, $html );
		wp_set_current_user( 0 );
		$this->expectException( DomainException::class );
		$this->tested( $tenant );
	}

	private function tested( Tenant $tenant ): string {
		$_REQUEST['_wpnonce'] = wp_create_nonce( ConnectionRows::TEST . '-' . $tenant->key );
		add_filter( 'wp_die_handler', array( self::class, 'die_handler' ) );
		try {
			ConnectionRows::run_test( $tenant );
			ob_start();
			ConnectionRows::test( $tenant );
			return (string) ob_get_clean();
		} finally {
			unset( $_REQUEST['_wpnonce'] );
			remove_filter( 'wp_die_handler', array( self::class, 'die_handler' ) );
		}
	}

	public static function die_handler(): callable {
		return static function ( $message ): void {
			throw new DomainException( is_string( $message ) ? $message : 'died' );
		};
	}

	private static function sorted( array $list ): array {
		ksort( $list );
		return $list;
	}
}
