<?php
/**
 * Credentials that lie in the host's secrets manager: what is stored of them is the reference, and only this tenant's own. What the extension
 * looks up is shown in tests/secrets.
 */

use TenantCRM\Admin\TenantForm;
use TenantCRM\Schema;
use TenantCRM\Tenants;

final class SecretReferenceTest extends PluginCase {

	private const ACME = 'vault://secret/crm/acme#api_key';

	/** @return array<string, string> */
	private function stored( string $id ): array {
		return (array) $GLOBALS['wpdb']->get_row( 'SELECT api_key, settings FROM ' . Schema::table( 'tenants' ) . " WHERE external_id = '$id'", ARRAY_A );
	}

	/** @param array<string, string> $post */
	private function form( ?string $id, array $post ): TenantForm {
		$form = new TenantForm( null === $id ? null : Tenants::find( $id ) );
		$form->fill( $post + array( 'interval' => '3600', 'storage' => 'sets', 'direction' => 'from_crm', 'parallel' => '1', 'connector' => 'rest', 'auth' => '', 'endpoint' => 'https://crm.example', 'mapping' => '' ) );
		return $form;
	}

	public function test_the_form_stores_a_reference_as_it_is(): void {
		$form = $this->form( null, array( 'tenant_id' => 'acme', 'api_key' => self::ACME ) );
		$this->assertSame( array(), $form->errors );
		Tenants::save( $form->data() );
		$this->assertSame( self::ACME, $this->stored( 'acme' )['api_key'] );
		$this->assertSame( self::ACME, get_tenant_crm_settings( 'acme' )['api_key'] );

		// The form shows where it lies, and saved again without one it stays.
		$again = $this->form( 'acme', array( 'api_key' => '' ) );
		$this->assertSame( self::ACME, $again->connection->reference( 'api_key' ) );
		$this->assertSame( array(), $again->errors );
		Tenants::save( $again->data() );
		$this->assertSame( self::ACME, $this->stored( 'acme' )['api_key'] );
		$this->assertFalse( Tenants::rotate( Tenants::find( 'acme' )->key ), 'there is nothing to be sealed anew' );

		// Another address wants it given again, as it does with a key.
		$moved = $this->form( 'acme', array( 'api_key' => '', 'endpoint' => 'https://evil.example' ) );
		$this->assertArrayHasKey( 'api_key', $moved->errors );
		$given = $this->form( 'acme', array( 'api_key' => self::ACME, 'endpoint' => 'https://crm2.example' ) );
		$this->assertSame( array(), $given->errors );
		$this->assertSame( 'https://crm2.example', Tenants::save( $given->data() )->endpoint );
	}

	public function test_a_reference_to_anothers_secret_is_refused_in_plain_words_and_nothing_is_stored(): void {
		$form = $this->form( null, array( 'tenant_id' => 'other', 'api_key' => self::ACME ) );
		try {
			Tenants::save( $form->data() );
			$this->fail( 'it was stored' );
		} catch ( TenantCRMSync\CredentialException $error ) {
			$this->assertStringContainsString( 'vault://secret/crm/acme is not a secret of tenant "other": on this host its references begin with vault://secret/crm/other#', $error->getMessage() );
		}
		$this->assertSame( array(), $this->stored( 'other' ) );
	}

	public function test_a_secret_field_of_a_connector_may_be_a_reference(): void {
		$settings = static fn( string $secret ): array => array( 'connection' => array( 'auth' => 'client_credentials', 'client_id' => 'id-of-acme', 'client_secret' => $secret ) );
		$save     = static fn( string $secret ) => Tenants::save( array( 'id' => 'acme', 'connector' => 'salesforce', 'endpoint' => 'https://acme.my.salesforce.com', 'settings' => $settings( $secret ) ) );
		$save( 'vault://secret/crm/acme#client_secret' );
		$this->assertSame( 'vault://secret/crm/acme#client_secret', json_decode( $this->stored( 'acme' )['settings'], true )['connection']['client_secret'] );
		$save( 'vault://secret/crm/acme#client_secret' );
		$this->assertSame( 'vault://secret/crm/acme#client_secret', Tenants::find( 'acme' )->reference( 'client_secret' ) );
		$this->expectException( TenantCRMSync\CredentialException::class );
		$save( 'aws-sm://crm/acme#client_secret' );
	}
}
