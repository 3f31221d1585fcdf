<?php
/**
 * What a connector asks for: which fields a tenant takes, which of them are sealed and for which address, what becomes of them when the
 * tenant changes, and what the code of a site gets.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class ConnectorFieldsTest extends PluginCase {

	private const APP = array(
		'auth'          => 'app',
		'directory'     => 'contoso.example',
		'client_id'     => 'the-app',
		'client_secret' => 'word-of-the-app',
	);

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
	}

	private function dynamics( array $connection = self::APP, array $more = array() ): Tenant {
		return Tenants::save( array( 'id' => 'acme', 'connector' => 'dynamics', 'endpoint' => 'https://acme.crm.example', 'settings' => array( 'connection' => $connection ) ) + $more );
	}

	private function assertRefused( array $data, string $words ): void {
		$before = $this->everything();
		try {
			Tenants::save( $data );
			$this->fail( "taken: $words" );
		} catch ( InvalidArgumentException $e ) {
			$this->assertStringContainsString( $words, $e->getMessage() );
		}
		$this->assertSame( $before, $this->everything(), 'nothing was stored' );
	}

	public function test_secrets_are_sealed_and_the_rest_is_not(): void {
		$stored = $this->dynamics()->connection();
		$this->assertSame( array( 'app', 'contoso.example', 'the-app' ), array( $stored['auth'], $stored['directory'], $stored['client_id'] ) );
		$this->assertStringStartsWith( 'tcs1.', $stored['client_secret'] );
		$this->assertStringNotContainsString( 'word-of-the-app', $this->everything() );
	}

	public function test_the_article_gets_all_that_the_extension_needs(): void {
		$this->dynamics( self::APP, array( 'api_key' => 'unused' ) );
		$tenant   = Tenants::save( array( 'id' => 'acme', 'settings' => array( 'mapping' => '{"leads":{"budget":"revenue"}}' ) + Tenants::find( 'acme' )->settings ) );
		$settings = get_tenant_crm_settings( 'acme' );
		$this->assertSame( array( 'https://acme.crm.example', 'dynamics', 'app', 'the-app' ), array( $settings['api_endpoint'], $settings['connector'], $settings['auth'], $settings['client_id'] ) );
		$this->assertSame( '{"leads":{"budget":"revenue"}}', $settings['mapping'] );
		$this->assertInstanceOf( TenantCRMSync::class, TenantCRMSync::with_settings( 'acme', $settings ) );
		$this->assertContains( 'acme', get_all_configured_tenants() );
		$this->assertTrue( $tenant->is_configured() );
	}

	public function test_what_a_connector_does_not_have_is_refused(): void {
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'no-such-crm' ), 'There are: dolibarr' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'auth' => 'magic' ) ) ), 'There are: key, oauth' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'directory' => 'x' ) ) ), 'no field "directory"' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'api_key' => 'x' ) ) ), 'no field "api_key"' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'client_id' => array() ) ) ), 'must be text' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'client_id' => "a\nb" ) ) ), 'control characters' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'client_secret' => str_repeat( 'x', 8193 ) ) ) ), 'longer than' );
		$foreign = TenantCRMSync::encrypt_credential( 'b', 'x', 'client_secret', 'https://api.hubapi.com' );
		$this->assertRefused( array( 'id' => 'a', 'connector' => 'hubspot', 'settings' => array( 'connection' => array( 'client_secret' => $foreign ) ) ), 'sealed already' );
	}

	public function test_code_of_the_site_may_seal_for_itself(): void {
		$endpoint = getenv( 'TCS_SANDBOX_URL' );
		Sandbox::post( '/tenants', array( 'id' => 'force', 'key' => 'k', 'dialect' => 'salesforce', 'oauth' => array( 'client_id' => 'app', 'client_secret' => 'the-secret' ) ) );
		$sealed = TenantCRMSync::encrypt_credential( 'force', 'the-secret', 'client_secret', $endpoint );
		$fields = array( 'auth' => 'client_credentials', 'client_id' => 'app', 'client_secret' => $sealed );
		$tenant = Tenants::save( array( 'id' => 'force', 'connector' => 'salesforce', 'endpoint' => $endpoint, 'settings' => array( 'connection' => $fields ) ) );
		$result = $tenant->test_connection();
		$this->assertTrue( $result['ok'], $result['message'] );
		$this->assertRefused( array( 'id' => 'force', 'settings' => array( 'connection' => array( 'refresh_token' => $sealed ) + $fields ) ), 'not for this tenant and field' );
	}

	public function test_what_is_missing_has_a_name(): void {
		$tenant = $this->dynamics( array( 'client_id' => 'the-app' ) );
		$this->assertSame( array( 'directory', 'client_secret' ), array_keys( $tenant->missing() ) );
		$this->assertFalse( $tenant->has_credential() );
		$this->assertFalse( get_tenant_crm_settings( 'acme' ) );
		$this->assertNotContains( 'acme', get_all_configured_tenants() );
		$result = $tenant->test_connection();
		$this->assertSame( array( false, 'settings' ), array( $result['ok'], $result['problem'] ) );
		$this->assertStringContainsString( implode( ', ', $tenant->missing() ), $result['message'] );
	}

	public function test_an_address_that_a_connector_knows_may_be_left_out(): void {
		$tenant = Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'endpoint' => '', 'api_key' => 'pat-1' ) );
		$this->assertSame( array( 'https://api.hubapi.com', true ), array( $tenant->endpoint, $tenant->is_configured() ) );
		$this->assertRefused( array( 'id' => 'rest', 'endpoint' => '' ), 'URL such as' );
	}

	public function test_a_secret_is_asked_for_again_where_its_own_address_changed(): void {
		$tenant = $this->dynamics();
		// The secret goes to the login server, not to the endpoint.
		$moved = Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://other.crm.example' ) );
		$this->assertSame( $tenant->connection(), $moved->connection() );
		$login = array( 'login_endpoint' => 'https://login.other.example' ) + $tenant->connection();
		$this->assertRefused( array( 'id' => 'acme', 'settings' => array( 'connection' => $login ) ), 'Give that field again' );
		$again = Tenants::save( array( 'id' => 'acme', 'settings' => array( 'connection' => array( 'client_secret' => 'new-word' ) + $login ) ) );
		$this->assertNotSame( $tenant->connection()['client_secret'], $again->connection()['client_secret'] );
		$this->assertSame( $again->settings, Tenants::save( array( 'id' => 'acme', 'label' => 'New' ) )->settings, 'and is kept from then on' );
	}

	public function test_a_key_is_asked_for_again_where_the_address_changed(): void {
		Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://one.example', 'api_key' => 'k' ) );
		$this->assertRefused( array( 'id' => 'acme', 'endpoint' => 'https://two.example' ), 'Give its API key again' );
		$this->assertSame( 'https://one.example/sub', Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://one.example/sub' ) )->endpoint );
		$this->assertSame( 'https://two.example', Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://two.example', 'api_key' => 'l' ) )->endpoint );
	}

	public function test_secrets_of_another_way_of_authorisation_do_not_stand_in_the_way(): void {
		Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'api_key' => 'pat-1' ) );
		$oauth = array( 'auth' => 'oauth', 'client_id' => 'a', 'client_secret' => 'b' );
		$this->assertTrue( Tenants::save( array( 'id' => 'hub', 'settings' => array( 'connection' => $oauth ) ) )->has_key(), 'kept for the way back' );
		$moved = Tenants::save( array( 'id' => 'hub', 'endpoint' => 'https://eu.hubapi.example', 'settings' => array( 'connection' => $oauth ) ) );
		$this->assertFalse( $moved->has_key(), 'bound to an address that is not asked any more' );
		$this->assertTrue( $moved->is_configured() );
	}

	public function test_another_connector_begins_without_the_secrets_of_the_old_one(): void {
		$this->dynamics( self::APP, array( 'api_key' => 'k' ) );
		$other = Tenants::save( array( 'id' => 'acme', 'connector' => 'espocrm' ) );
		$this->assertSame( array( array(), false ), array( $other->connection(), $other->has_key() ) );
	}

	public function test_a_mapping_is_read_by_the_extension(): void {
		$save = static fn( $mapping ): Tenant => Tenants::save( array( 'id' => 'hub', 'connector' => 'hubspot', 'settings' => array( 'mapping' => $mapping ) ) );
		$this->assertSame( '{"leads": {"tags": {"from": "x", "pick": {}}}}', $save( ' {"leads": {"tags": {"from": "x", "pick": {}}}} ' )->mapping(), 'as it was written: {} stays an object' );
		$this->assertSame( '{"leads":{"budget":"Budget__c"}}', $save( array( 'leads' => array( 'budget' => 'Budget__c' ) ) )->mapping() );
		$this->assertSame( '', $save( '' )->mapping() );
		foreach ( array( '{"leads"' => 'not JSON', '["leads"]' => 'object types', '{"leads": {"a": {"frm": "b"}}}' => 'leads', '{"leads": {"a": {"from": "b", "as": "colour"}}}' => 'leads' ) as $mapping => $words ) {
			$this->assertRefused( array( 'id' => 'hub', 'settings' => array( 'mapping' => $mapping ) ), $words );
		}
	}

	public function test_rotation_and_the_end_of_a_tenant_reach_all_secrets(): void {
		$tenant = $this->dynamics( self::APP + array( 'refresh_token' => 'r' ), array( 'api_key' => 'k' ) );
		$this->assertTrue( Tenants::rotate( $tenant->key ) );
		$now = Tenants::get( $tenant->key );
		foreach ( array( 'client_secret', 'refresh_token' ) as $name ) {
			$this->assertNotSame( $tenant->connection()[ $name ], $now->connection()[ $name ] );
		}
		$this->assertSame( 'the-app', $now->connection()['client_id'] );
		Tenants::delete( $tenant->key );
		$this->assertStringNotContainsString( 'tcs1.', $this->everything() );
		$this->expectException( TenantCRMSync\CredentialException::class );
		TenantCRMSync::rotate_credential( 'acme', $now->connection()['client_secret'], 'client_secret' );
	}

	public function test_a_site_whose_own_function_answers_names_connector_and_mapping(): void {
		$out = $this->php(
			'require $argv[1];
			function get_tenant_crm_settings( $id ) { return "site" === $id ? array( "connector" => "hubspot", "api_key" => "k", "mapping" => array( "leads" => array( "budget" => "b" ) ) ) : false; }
			TenantCRM\Schema::migrate();
			$tenant = TenantCRM\Tenants::ensure( "site" );
			echo $tenant->connector, " ", $tenant->mapping(), " ", (int) $tenant->is_configured();'
		);
		$this->assertStringEndsWith( 'hubspot {"leads":{"budget":"b"}} 1', $out );
	}

	public function test_a_connector_of_the_site_that_is_broken_does_not_stop_the_others(): void {
		Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://acme.example', 'api_key' => 'k' ) );
		$out = $this->php(
			'require $argv[1];
			function get_tenant_crm_settings( $id ) { return "site" === $id ? array( "api_key" => "k", "api_endpoint" => "https://own.example" ) : false; }
			function get_all_configured_tenants() { return array( "site" ); }
			TenantCRM\Schema::migrate();
			foreach ( TenantCRM\Tenants::all() as $tenant ) { $tenant->client(); echo $tenant->id, (int) $tenant->is_configured(), " "; }
			try { TenantCRM\Tenants::save( array( "id" => "acme", "connector" => "hubspot" ) ); } catch ( TenantCRMSync\ConfigException $e ) { echo $e->getMessage(); }',
			true,
			'tenant_crm_sync.connector_dir=/nowhere/connectors'
		);
		$this->assertStringContainsString( 'acme1 site1 ', $out );
		$this->assertStringContainsString( '/nowhere', $out, 'whoever changes a connector is told' );
	}
}
