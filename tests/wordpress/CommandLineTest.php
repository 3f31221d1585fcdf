<?php
/**
 * bin/tenant-crm, started as an operator starts it.
 */

use TenantCRM\Tenants;

final class CommandLineTest extends PluginCase {

	use Commanding;

	public function test_a_tenant_from_the_first_key_to_the_last_lead(): void {
		Sandbox::reset();
		Sandbox::tenant( 'cli', 12 );
		list( $code, $out, $err ) = $this->command( array( 'tenant', 'add', 'cli', '--endpoint=' . getenv( 'TCS_SANDBOX_URL' ), '--key-file=-', '--setting=interval=600' ), "key-of-cli\n" );
		$this->assertSame( array( 0, "Tenant \"cli\" is stored.\n", '' ), array( $code, $out, $err ) );
		$this->assertSame( array( 'interval' => 600 ), Tenants::find( 'cli' )->settings );
		list( $code, $out ) = $this->command( array( 'sync', '--all', '--format=json' ) );
		$rows               = json_decode( $out, true );
		$this->assertSame( array( 0, 'cli', 'done', 12 ), array( $code, $rows[0]['tenant'], $rows[0]['state'], $rows[0]['created'] ) );
		list( $code, $out ) = $this->command( array( 'tenant', 'list' ) );
		$this->assertSame( 0, $code );
		$this->assertMatchesRegularExpression( '/^cli .* table .* yes .* no +12$/m', $out );
		list( $code, $out ) = $this->command( array( 'status', '--format=json' ) );
		$this->assertSame( array( 0, 'done' ), array( $code, json_decode( $out, true )[0]['state'] ) );
		list( $code ) = $this->command( array( 'tenant', 'delete', 'cli' ) );
		$this->assertSame( 2, $code );
		list( $code ) = $this->command( array( 'tenant', 'delete', 'cli', '--yes' ) );
		wp_cache_flush();
		$this->assertSame( array( 0, null ), array( $code, Tenants::find( 'cli' ) ) );
	}

	public function test_work_enqueues_what_is_due(): void {
		Sandbox::reset();
		Sandbox::tenant( 'due', 3 );
		Tenants::save( array( 'id' => 'due', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-due' ) );
		list( $code, $out ) = $this->command( array( 'work', '--seconds=2' ) );
		$this->assertSame( array( 0, "1 slices, 1 runs done, 0 failed\n" ), array( $code, $out ) );
		$this->assertSame( 3, $this->posts() );
	}

	public function test_a_failed_sync_is_an_exit_code(): void {
		$this->tenant( 'empty' );
		list( $code, $out ) = $this->command( array( 'sync', '--tenant=empty' ) );
		$this->assertSame( 1, $code );
		$this->assertStringContainsString( 'lacks: endpoint, API key', $out );
	}

	public function test_a_tenant_of_another_crm_from_its_fields_to_its_leads(): void {
		Sandbox::reset();
		$oauth = array( 'client_id' => 'app', 'client_secret' => 'the-secret' );
		Sandbox::post( '/tenants', array( 'id' => 'force', 'key' => 'k', 'dialect' => 'salesforce', 'oauth' => $oauth ) );
		Sandbox::post( '/seed', array( 'tenant' => 'force', 'object' => 'leads', 'count' => 7 ) );
		list( $code, $out, $err ) = $this->command( array( 'tenant', 'add', 'force', '--connector=salesforce', '--auth=client_credentials', '--endpoint=' . getenv( 'TCS_SANDBOX_URL' ), '--field', 'client_id=app' ) );
		$this->assertSame( array( 0, "Tenant \"force\" is stored, but its connection still lacks: Consumer secret.\n", '' ), array( $code, $out, $err ) );
		list( $code, , $err ) = $this->command( array( 'tenant', 'test', 'force' ) );
		$this->assertSame( 1, $code );
		$this->assertStringContainsString( 'Consumer secret', $err );
		$this->command( array( 'tenant', 'add', 'force', '--secret', 'client_secret=-' ), "wrong\n" );
		list( $code, , $err ) = $this->command( array( 'tenant', 'test', 'force' ) );
		$this->assertSame( 1, $code );
		$this->assertStringContainsString( 'invalid_client', $err );
		$this->command( array( 'tenant', 'add', 'force', '--secret', 'client_secret=-' ), "the-secret\n" );
		list( $code, $out, $err ) = $this->command( array( 'tenant', 'test', 'force' ) );
		$this->assertSame( array( 0, '' ), array( $code, $err ), $out );
		list( $code, $out ) = $this->command( array( 'tenant', 'test', 'force', '--format=json' ) );
		$this->assertSame( array( 0, true ), array( $code, json_decode( $out, true )[0]['ok'] ) );
		list( $code, $out ) = $this->command( array( 'sync', '--tenant=force', '--format=json' ) );
		$this->assertSame( array( 0, 7 ), array( $code, json_decode( $out, true )[0]['created'] ) );
		$this->command( array( 'tenant', 'add', 'force', '--field', 'api_version=61.0', '--setting=mapping={"leads":{"budget":"Budget__c"}}' ) );
		wp_cache_flush();
		$tenant = Tenants::find( 'force' );
		$this->assertSame( array( 'client_credentials', 'app', '61.0' ), array( $tenant->connection()['auth'], $tenant->connection()['client_id'], $tenant->connection()['api_version'] ) );
		$this->assertSame( '{"leads":{"budget":"Budget__c"}}', $tenant->mapping() );
		$this->command( array( 'tenant', 'add', 'force', '--field', 'api_version=', '--setting=mapping=' ) );
		wp_cache_flush();
		$tenant = Tenants::find( 'force' );
		$this->assertSame( array( false, '' ), array( isset( $tenant->connection()['api_version'] ), $tenant->mapping() ) );
		$this->assertTrue( $tenant->is_configured() );
	}

	public function test_connectors_are_listed_with_what_they_can_do(): void {
		list( $code, $out ) = $this->command( array( 'connectors' ) );
		$this->assertSame( 0, $code );
		$this->assertMatchesRegularExpression( '/^salesforce +Salesforce +oauth jwt client_credentials key .* since .* upsert delete +no$/m', $out );
		$this->assertMatchesRegularExpression( '/^rest .* since .* yes$/m', $out );
		list( , $out ) = $this->command( array( 'connectors', '--format=json' ) );
		$this->assertSame( array_keys( TenantCRMSync::connectors() ), array_column( json_decode( $out, true ), 'connector' ) );
	}

	/** @dataProvider mistakes */
	public function test_mistakes_are_explained( array $arguments, int $expect, string $words ): void {
		list( $code, $out, $err ) = $this->command( $arguments );
		$this->assertSame( array( $expect, '' ), array( $code, $out ) );
		$this->assertStringContainsString( $words, $err );
	}

	/** @return array<int, array{0: list<string>, 1: int, 2: string}> */
	public function mistakes(): array {
		return array(
			array( array(), 2, 'Usage:' ),
			array( array( 'dance' ), 2, '"dance" is no command' ),
			array( array( 'tenant', 'dance' ), 2, '"tenant dance" is no command' ),
			array( array( 'sync', '--tenant' ), 2, '--tenant wants a value' ),
			array( array( 'sync', '--all=1' ), 2, '--all takes no value' ),
			array( array( 'status', '--format=xml' ), 2, 'table, json, csv' ),
			array( array( 'status', '--all' ), 2, '"--all" is not understood' ),
			array( array( 'tenant', 'test' ), 2, 'say which: <id>' ),
			array( array( 'tenant', 'test', 'a', 'b' ), 2, '"b" is not understood' ),
			array( array( 'work', '--seconds=soon' ), 2, '--seconds wants a number' ),
			array( array( 'queue', 'retry', 'x' ), 2, 'numbers that tenant-crm queue dead shows' ),
			array( array( 'queue', 'retry', '4711' ), 1, 'nothing that failed for good has the number 4711' ),
			array( array( 'queue', 'cancel', '4711' ), 1, 'no run 4711 waits' ),
			array( array( 'refused', 'retry' ), 2, '--tenant=ID or --all' ),
			array( array( 'refused', 'list', '--side=middle' ), 2, 'crm or portal' ),
			array( array( 'refused', 'drop', 'crm-4711' ), 1, '"crm-4711" is not refused' ),
			array( array( 'conflict', 'take', 'both' ), 2, 'crm or portal?' ),
			array( array( 'sync' ), 2, '--tenant=ID or --all' ),
			array( array( 'sync', '--all', '--bogus' ), 2, '"--bogus" is not understood' ),
			array( array( 'sync', '--tenant=nobody' ), 1, 'there is no tenant "nobody"' ),
			array( array( 'status', '--path=/nowhere' ), 2, 'no wp-load.php' ),
			array( array( 'status', '--url=nonsense' ), 2, '--url must be' ),
			array( array( 'tenant', 'add', 'x', '--endpoint=ftp://x' ), 1, 'URL such as' ),
			array( array( 'tenant', 'add', 'x', '--connector=nothing' ), 1, 'There are: dolibarr' ),
			array( array( 'tenant', 'add', 'x', '--connector=hubspot', '--field', 'client_secret=abc' ), 2, 'is a secret' ),
			array( array( 'tenant', 'add', 'x', '--connector=hubspot', '--secret', 'client_id=-' ), 2, 'has no secret "client_id"' ),
			array( array( 'tenant', 'add', 'x', '--connector=hubspot', '--secret=client_secret=-', '--key-file=-' ), 2, 'only one secret' ),
			array( array( 'tenant', 'add', 'x', '--connector=hubspot', '--secret', 'client_secret=/nowhere' ), 1, 'no client_secret in the file' ),
			array( array( 'tenant', 'add', 'x', '--connector=hubspot', '--field', 'client_id' ), 2, '--field NAME=VALUE' ),
			array( array( 'tenant', 'add', 'x', '--setting=connection={}' ), 2, '--field and --secret' ),
			array( array( 'tenant', 'add', 'x', '--setting=mapping={"leads":1}' ), 1, 'The mapping cannot be used' ),
			array( array( 'tenant', 'test', 'nobody' ), 1, 'there is no tenant "nobody"' ),
		);
	}

	public function test_all_leaves_out_what_cannot_be_pulled(): void {
		Sandbox::reset();
		Sandbox::tenant( 'good', 1 );
		foreach ( array( 'good', 'paused' ) as $id ) {
			$tenant = Tenants::save( array( 'id' => $id, 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-$id" ) );
		}
		Tenants::pause( $tenant->key, true );
		$this->tenant( 'empty' );
		list( $code, $out ) = $this->command( array( 'sync', '--all', '--format=json' ) );
		$this->assertSame( array( 0, array( 'good' ) ), array( $code, array_column( json_decode( $out, true ), 'tenant' ) ) );
	}

	public function test_an_operator_rotates_the_host_key(): void {
		Sandbox::reset();
		Sandbox::tenant( 'acme', 1 );
		Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-acme' ) );
		$this->tenant( 'empty' );
		$file = getenv( 'TCS_KEY_FILE' );
		$old  = file_get_contents( $file );
		$new  = base64_encode( random_bytes( 32 ) ) . "\n";
		try {
			file_put_contents( $file, $new . $old );
			list( $code, $out, $err ) = $this->command( array( 'tenant', 'rotate', '--all' ) );
			$this->assertSame( array( 0, "Tenant \"acme\": sealed with the newest host key.\nTenant \"empty\": has no stored API key or other secret.\n", '' ), array( $code, $out, $err ) );
			file_put_contents( $file, $new );
			list( $code, $out ) = $this->command( array( 'sync', '--tenant=acme' ) );
			$this->assertSame( 0, $code, $out );
		} finally {
			// What other tests sealed was sealed with the old one.
			file_put_contents( $file, $new . $old );
		}
	}
}
