<?php
/**
 * What a stolen database is worth: a dump of every table, in the hands of somebody who has this plugin and this extension, but not the host's
 * keys, old ones only, or keys that no longer hold a tenant's.
 */

use TenantCRM\Tenants;

final class StolenDatabaseTest extends PluginCase {

	/** @var string A folder that ends with the test: keys of a host of our own. */
	private $folder;

	protected function setUp(): void {
		parent::setUp();
		$this->folder = sys_get_temp_dir() . '/tcs-stolen-' . bin2hex( random_bytes( 6 ) );
		mkdir( $this->folder, 0700 );
	}

	protected function tearDown(): void {
		exec( 'rm -rf ' . escapeshellarg( $this->folder ) );
	}

	private function key(): string {
		return base64_encode( random_bytes( 32 ) );
	}

	/** A host's key file and the folder of its tenants' keys. */
	private function host( string $name, string ...$keys ): array {
		file_put_contents( "$this->folder/$name.key", implode( "\n", $keys ) . "\n" );
		chmod( "$this->folder/$name.key", 0600 );
		if ( ! is_dir( "$this->folder/$name" ) ) {
			mkdir( "$this->folder/$name", 0700 );
		}
		return array( "$this->folder/$name.key", "$this->folder/$name" );
	}

	/** Runs a script on the site's database, but with other keys. What it prints. */
	private function with_keys( array $host, string $script ): string {
		$guarded = 'require $argv[1]; try { ' . $script . ' } catch ( Throwable $error ) { echo get_class( $error ), ": ", $error->getMessage(); }';
		$command = array( PHP_BINARY, '-d', "tenant_crm_sync.key_file=$host[0]", '-d', "tenant_crm_sync.key_dir=$host[1]", '-r', $guarded, '--', __DIR__ . '/site.php' );
		$process = proc_open( $command, array( 1 => array( 'pipe', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		$output  = (string) stream_get_contents( $pipes[1] );
		proc_close( $process );
		return $output;
	}

	/** Every byte of every table, as a thief reads it. */
	private function dump(): string {
		global $wpdb;
		$all = '';
		foreach ( $wpdb->get_col( 'SHOW TABLES' ) as $table ) {
			foreach ( $wpdb->get_results( "SELECT * FROM `$table`", ARRAY_N ) as $row ) {
				$all .= implode( "\0", array_map( 'strval', $row ) ) . "\n";
			}
		}
		return $all;
	}

	private function fetch( string $id ): string {
		return "\$rows = TenantCRM\Tenants::find( '$id' )->client()->fetch_leads(); echo is_array( \$rows ) ? count( \$rows ) . ' rows' : json_encode( \$rows );";
	}

	public function test_a_stolen_database_without_the_key_file_yields_no_credential(): void {
		$canary = 'canary-' . bin2hex( random_bytes( 12 ) );
		$second = 'canary-' . bin2hex( random_bytes( 12 ) );
		Sandbox::reset();
		Sandbox::post( '/tenants', array( 'id' => 'acme', 'key' => $canary, 'paging' => 'page' ) );
		Sandbox::post( '/seed', array( 'tenant' => 'acme', 'object' => 'leads', 'count' => 3, 'seed' => 1 ) );
		Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => $canary ) );
		Tenants::save( array( 'id' => 'north', 'connector' => 'salesforce', 'endpoint' => 'https://north.my.salesforce.com', 'settings' => array( 'connection' => array( 'auth' => 'client_credentials', 'client_id' => 'id-of-north', 'client_secret' => $second ) ) ) );
		TenantCRM\Jobs::enqueue( Tenants::find( 'acme' )->key );
		TenantCRM\Worker::run( 30.0 );
		$this->assertSame( 3, $this->posts(), 'the sync has written all it writes' );

		$dump = $this->dump();
		$this->assertStringContainsString( 'id-of-north', $dump, 'the dump is whole' );
		$this->assertGreaterThan( 1, substr_count( $dump, 'tcs1.' ) );
		foreach ( array( $canary, $second ) as $secret ) {
			foreach ( array( $secret, base64_encode( $secret ), rtrim( strtr( base64_encode( $secret ), '+/', '-_' ), '=' ), bin2hex( $secret ), strrev( $secret ), rawurlencode( $secret ), substr( $secret, 0, 16 ) ) as $form ) {
				$this->assertFalse( stripos( $dump, $form ), 'a credential is in the database' );
			}
		}

		// The thief runs our own code on it: without keys, with keys of their own, with the tenants' keys but without the host's.
		$before  = count( Sandbox::requests( 'acme' ) );
		$thief   = $this->host( 'thief', $this->key() );
		$folder  = array( $thief[0], $this->copy( (string) ini_get( 'tenant_crm_sync.key_dir' ) ) );
		foreach ( array( 'no key file' => array( "$this->folder/none", $thief[1] ), 'another key' => $thief, 'another key, and the folder' => $folder ) as $what => $host ) {
			$said = $this->with_keys( $host, $this->fetch( 'acme' ) );
			$this->assertMatchesRegularExpression( '/CredentialException: |^false$/', $said, $what );
			$this->assertStringNotContainsString( 'canary', $said, $what );
		}
		$this->assertCount( $before, Sandbox::requests( 'acme' ), 'nothing was sent' );
		$this->assertSame( '3 rows', $this->with_keys( array( (string) ini_get( 'tenant_crm_sync.key_file' ), (string) ini_get( 'tenant_crm_sync.key_dir' ) ), $this->fetch( 'acme' ) ), 'control: with the host\'s keys it opens' );
	}

	public function test_with_an_old_key_rotated_out_new_rows_stay_closed(): void {
		list( $old, $new ) = array( $this->key(), $this->key() );
		Sandbox::reset();
		Sandbox::tenant( 'acme', 3 );
		Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ) ) );
		$save   = "TenantCRM\Tenants::save( array( 'id' => 'acme', 'api_key' => 'key-of-acme' ) ); echo 'saved';";
		$rotate = "echo json_encode( TenantCRM\Tenants::rotate( TenantCRM\Tenants::find( 'acme' )->key ) );";
		$this->assertSame( 'saved', $this->with_keys( $this->host( 'site', $old ), $save ) );
		// What the thief got in time: the old key, and the folder as it was.
		$thief = $this->host( 'stolen', $old );
		exec( 'cp -a ' . escapeshellarg( "$this->folder/site/." ) . ' ' . escapeshellarg( $thief[1] ) );
		$this->assertSame( '3 rows', $this->with_keys( $thief, $this->fetch( 'acme' ) ), 'control: until the rotation the old key opens it' );

		$this->assertSame( 'true', $this->with_keys( $this->host( 'site', $new, $old ), $rotate ) );
		$site = $this->host( 'site', $new );
		$this->assertSame( '3 rows', $this->with_keys( $site, $this->fetch( 'acme' ) ), 'the site goes on with the new key alone' );
		$late = array( $thief[0], $this->copy( $site[1] ) );
		foreach ( array( 'sealed anew' => null, 'entered anew' => $save ) as $what => $script ) {
			if ( null !== $script ) {
				$this->assertSame( 'saved', $this->with_keys( $site, $script ) );
			}
			foreach ( array( 'the old folder' => $thief, 'the new folder' => $late ) as $which => $host ) {
				$this->assertMatchesRegularExpression( '/CredentialException: |^false$/', $this->with_keys( $host, $this->fetch( 'acme' ) ), "$what, with the old key and $which" );
			}
		}
	}

	public function test_a_deleted_tenants_credentials_cannot_be_opened_from_an_old_database_backup(): void {
		global $wpdb;
		Sandbox::reset();
		Sandbox::tenant( 'acme', 3 );
		Tenants::save( array( 'id' => 'acme', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'key-of-acme' ) );
		$host   = array( (string) ini_get( 'tenant_crm_sync.key_file' ), (string) ini_get( 'tenant_crm_sync.key_dir' ) );
		$table  = TenantCRM\Schema::table( 'tenants' );
		$backup = $wpdb->get_row( "SELECT * FROM $table WHERE external_id = 'acme'", ARRAY_A );
		$this->assertSame( '3 rows', $this->with_keys( $host, $this->fetch( 'acme' ) ), 'control: before' );
		Tenants::delete( Tenants::find( 'acme' )->key );

		$before = count( Sandbox::requests( 'acme' ) );
		$this->assertSame( 1, $wpdb->insert( $table, $backup ), 'the backup is played back' );
		$this->assertSame( $backup['api_key'], get_tenant_crm_settings( 'acme' )['api_key'] );
		$said = $this->with_keys( $host, $this->fetch( 'acme' ) );
		$this->assertMatchesRegularExpression( '/CredentialException: |^false$/', $said, 'with the host\'s own keys' );
		$this->assertCount( $before, Sandbox::requests( 'acme' ), 'nothing was sent' );

		// The tenant comes back under its name and gets a key of its own: what was sealed before stays shut.
		Tenants::save( array( 'id' => 'acme', 'api_key' => 'key-of-acme' ) );
		$this->assertSame( '3 rows', $this->with_keys( $host, $this->fetch( 'acme' ) ) );
		$wpdb->update( $table, array( 'api_key' => $backup['api_key'] ), array( 'external_id' => 'acme' ) );
		$this->assertMatchesRegularExpression( '/CredentialException: |^false$/', $this->with_keys( $host, $this->fetch( 'acme' ) ) );
	}

	/** A copy of a folder of keys, as a backup has it. */
	private function copy( string $from ): string {
		$to = "$this->folder/copy-" . bin2hex( random_bytes( 4 ) );
		mkdir( $to, 0700 );
		exec( 'cp -a ' . escapeshellarg( "$from/." ) . ' ' . escapeshellarg( $to ) );
		return $to;
	}
}
