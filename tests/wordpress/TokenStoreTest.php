<?php
/**
 * Tokens are stored for good at once, on a connection of their own, and every step is fenced by version and lease.
 */

use TenantCRM\Schema;
use TenantCRM\StoreException;
use TenantCRM\Tenants;
use TenantCRM\Tokens\TokenStore;

final class TokenStoreTest extends PluginCase {

	private TokenStore $store;

	protected function setUp(): void {
		parent::setUp();
		$this->tenant();
		$this->store = new TokenStore();
	}

	private function committed( string $envelope = 'tcs1.first' ): void {
		$lease = $this->store->lease( 'acme', 0, 30.0 );
		$this->assertTrue( $this->store->commit( 'acme', $lease, 0, $envelope, 1234567890 ) );
	}

	public function test_nothing_is_there_until_something_is_stored(): void {
		$this->assertNull( $this->store->load( 'acme' ) );
		$lease = $this->store->lease( 'acme', 0, 30.0 );
		$this->assertIsString( $lease );
		$this->assertNull( $this->store->load( 'acme' ) );
		$this->assertTrue( $this->store->commit( 'acme', $lease, 0, 'tcs1.first', 1234567890 ) );
		$expected = array( 'version' => 1, 'envelope' => 'tcs1.first', 'expires_at' => 1234567890, 'state' => 'ok' );
		$this->assertSame( $expected, $this->store->load( 'acme' ) );
		$this->assertSame( $expected, ( new TokenStore() )->load( 'acme' ) );
	}

	public function test_one_holds_the_lease_until_it_runs_out_or_is_given_back(): void {
		$this->committed();
		$other = new TokenStore();
		$first = $this->store->lease( 'acme', 1, 0.3 );
		$this->assertIsString( $first );
		$this->assertNull( $other->lease( 'acme', 1, 30.0 ) );
		usleep( 350000 );
		$second = $other->lease( 'acme', 1, 30.0 );
		$this->assertIsString( $second );
		$this->assertNotSame( $first, $second );
		$this->assertFalse( $this->store->commit( 'acme', $first, 1, 'tcs1.late', null ), 'a lost lease stores nothing' );
		$this->store->release( 'acme', $first );
		$this->assertNull( $this->store->lease( 'acme', 1, 30.0 ), 'a lost lease ends no other' );
		$other->release( 'acme', $second );
		$this->assertIsString( $this->store->lease( 'acme', 1, 30.0 ) );
		$this->assertSame( 'tcs1.first', $this->store->load( 'acme' )['envelope'] );
	}

	public function test_the_version_is_a_fence(): void {
		$this->committed();
		$this->assertNull( $this->store->lease( 'acme', 0, 30.0 ) );
		$this->assertNull( $this->store->lease( 'acme', 2, 30.0 ) );
		$lease = $this->store->lease( 'acme', 1, 30.0 );
		$this->assertFalse( $this->store->commit( 'acme', $lease, 2, 'tcs1.x', null ) );
		$this->assertTrue( $this->store->commit( 'acme', $lease, 1, 'tcs1.second', null ) );
		$this->assertFalse( $this->store->commit( 'acme', $lease, 1, 'tcs1.second', null ), 'a second time has no effect' );
		$this->store->refuse( 'acme', 1, 'old news' );
		$this->assertSame( array( 2, 'ok', null ), array( $this->store->load( 'acme' )['version'], $this->store->load( 'acme' )['state'], $this->store->load( 'acme' )['expires_at'] ) );
	}

	public function test_a_refusal_is_kept_with_its_reason_until_the_next_token(): void {
		$this->committed();
		$this->store->lease( 'acme', 1, 30.0 );
		$this->store->refuse( 'acme', 1, "invalid_grant: it's \"spent\" \\ \xf0\x9f\x94\x91 " . str_repeat( 'x', 2000 ) );
		$this->assertSame( 'reconnect', $this->store->load( 'acme' )['state'] );
		$this->assertStringStartsWith( "invalid_grant: it's \"spent\" \\ \xf0\x9f\x94\x91", $this->store->reason( 'acme' ) );
		$lease = $this->store->lease( 'acme', 1, 30.0 );
		$this->assertIsString( $lease, 'a refusal ends the lease, and does not keep anybody from connecting again' );
		$this->assertTrue( $this->store->commit( 'acme', $lease, 1, 'tcs1.second', null ) );
		$this->assertSame( 'ok', $this->store->load( 'acme' )['state'] );
		$this->assertNull( $this->store->reason( 'acme' ) );
	}

	public function test_a_rollback_on_the_sites_connection_takes_no_token_along(): void {
		global $wpdb;
		$wpdb->query( 'START TRANSACTION' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'tenants' ) . " SET label = 'locked' WHERE external_id = 'acme'" );
		$started = microtime( true );
		$this->committed();
		$this->assertLessThan( 2.0, microtime( true ) - $started, 'nor does it wait for the rows that a batch has locked' );
		$wpdb->query( 'ROLLBACK' );
		$this->assertSame( 'tcs1.first', $this->store->load( 'acme' )['envelope'] );
	}

	public function test_a_connection_that_broke_is_opened_again(): void {
		$this->committed();
		$number = $this->own_connection();
		$this->other_connection()->query( "KILL $number" );
		$this->assertSame( 1, $this->store->load( 'acme' )['version'] );
		$this->assertNotSame( $number, $this->own_connection() );
		$this->other_connection()->query( 'KILL ' . $this->own_connection() );
		$this->assertIsString( $this->store->lease( 'acme', 1, 30.0 ) );
	}

	private function own_connection(): int {
		return $this->link( $this->store )->thread_id;
	}

	private function link( TokenStore $store ): ?mysqli {
		$connection = new ReflectionProperty( TokenStore::class, 'connection' );
		$link = new ReflectionProperty( TenantCRM\Tokens\Connection::class, 'link' );
		return $link->getValue( $connection->getValue( $store ) );
	}

	public function test_no_connection_until_a_token_is_needed(): void {
		$store = new TokenStore();
		$this->assertNull( $this->link( $store ) );
		$store->load( 'acme' );
		$this->assertNotNull( $this->link( $store ) );
	}

	public function test_ids_are_bytes(): void {
		$this->tenant( 'Acme' );
		$this->committed();
		$this->assertNull( $this->store->load( 'Acme' ) );
		$this->assertNull( $this->store->load( "' OR 1=1 -- " ) );
	}

	public function test_a_tenant_that_nobody_knows_gets_no_token(): void {
		$this->assertNull( $this->store->load( 'nobody' ) );
		$this->expectException( StoreException::class );
		$this->expectExceptionMessage( 'add the tenant first' );
		$this->store->lease( 'nobody', 0, 30.0 );
	}

	public function test_a_deleted_tenants_token_is_gone(): void {
		$this->committed();
		$key = Tenants::find( 'acme' )->key;
		Tenants::delete( $key );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'tokens' ) ) );
	}

	public function test_sixteen_processes_get_one_lease(): void {
		$this->committed();
		$script = 'require $argv[1]; echo null === ( new TenantCRM\Tokens\TokenStore() )->lease( "acme", 1, 30.0 ) ? 0 : 1;';
		$running = array();
		for ( $number = 0; $number < 16; $number++ ) {
			$running[] = popen( escapeshellarg( PHP_BINARY ) . ' -r ' . escapeshellarg( $script ) . ' -- ' . escapeshellarg( __DIR__ . '/site.php' ), 'r' );
		}
		$leases = 0;
		foreach ( $running as $process ) {
			$leases += (int) stream_get_contents( $process );
			pclose( $process );
		}
		$this->assertSame( 1, $leases );
	}
}
