<?php
/**
 * On a network each site has tables, tenants and keys of its own: made with the site or when it is first used, gone with it; the network's screen
 * adds them up.
 */

use PHPUnit\Framework\TestCase;
use TenantCRM\Admin\NetworkPage;
use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Network;
use TenantCRM\Plugin;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Site;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Rules;
use TenantCRM\Uninstall;
use TenantCRM\Worker;

final class NetworkTest extends TestCase {

	private const PLUGIN = 'tenant-crm-sync/tenant-crm-sync.php';

	private static int $early = 0;

	private static int $north = 0;

	public static function setUpBeforeClass(): void {
		Sandbox::reset();
		// A site that was there before the plugin.
		self::$early = self::site( 'early' );
		activate_plugin( self::PLUGIN, '', true );
		Plugin::boot( WP_PLUGIN_DIR . '/' . self::PLUGIN );
		self::$north = self::site( 'north' );
	}

	private static function site( string $name ): int {
		return (int) wp_insert_site( array( 'domain' => 'network.test', 'path' => "/$name/", 'title' => ucfirst( $name ), 'user_id' => 1 ) );
	}

	private static function leads(): int {
		global $wpdb;
		return (int) $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->posts WHERE post_type = 'crm_lead' AND post_status = 'publish'" );
	}

	private function on( int $site, callable $do ) {
		switch_to_blog( $site );
		try {
			return $do();
		} finally {
			restore_current_blog();
		}
	}

	/** @return list<string> */
	private function tables( int $site ): array {
		global $wpdb;
		return $wpdb->get_col( $wpdb->prepare( 'SHOW TABLES LIKE %s', $wpdb->esc_like( $wpdb->get_blog_prefix( $site ) . 'tenant_crm_' ) . '%' ) );
	}

	/** A request to a site, as an own process: `php bin/tenant-crm --url=…`. */
	private function command( string $path, string ...$words ): array {
		exec( implode( ' ', array_map( 'escapeshellarg', array_merge( array( PHP_BINARY, WP_PLUGIN_DIR . '/tenant-crm-sync/bin/tenant-crm', "--url=http://network.test$path" ), $words ) ) ) . ' 2>&1', $output, $code );
		return array( $code, implode( "\n", $output ) );
	}

	private function tenant( string $id, int $leads ): void {
		Sandbox::tenant( $id, $leads );
		Tenants::save( array( 'id' => $id, 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-$id" ) );
	}

	public function test_a_new_site_has_its_tables_at_once_and_an_old_one_with_its_first_request(): void {
		$this->assertTrue( is_multisite() );
		$this->assertCount( count( Schema::tables() ), $this->tables( self::$north ) );
		$this->assertTrue( $this->on( self::$north, static fn(): bool => Schema::is_current() && false !== wp_next_scheduled( 'tenant_crm_sync_tick' ) && get_role( 'administrator' )->has_cap( Capabilities::MANAGE ) ) );
		$this->assertSame( array(), $this->tables( self::$early ) );
		// Nothing breaks where code switches to a site that has none.
		$this->assertFalse( $this->on( self::$early, static fn(): bool => Rules::any() ) );
		list( $code, $out ) = $this->command( '/early/', 'tenant', 'list' );
		$this->assertSame( array( 0, 'There are no tenants yet.' ), array( $code, $out ) );
		$this->assertCount( count( Schema::tables() ), $this->tables( self::$early ) );
	}

	/** @depends test_a_new_site_has_its_tables_at_once_and_an_old_one_with_its_first_request */
	public function test_a_tenant_belongs_to_its_site(): void {
		$this->on( self::$north, fn() => $this->tenant( 'acme', 3 ) );
		$this->assertNull( $this->on( self::$early, static fn() => Tenants::find( 'acme' ) ) );
		$this->on( self::$early, fn() => $this->tenant( 'other', 2 ) );
		$ids = array( Site::id(), $this->on( self::$north, static fn(): string => Site::id() ), $this->on( self::$early, static fn(): string => Site::id() ) );
		$this->assertCount( 3, array_unique( $ids ), 'keys of sites are apart' );
		// What one site has sealed, another cannot open, though somebody copies the row.
		$envelope = $this->on( self::$north, static fn(): string => TenantCRMSync::encrypt_credential( 'acme', 'secret', 'api_key', getenv( 'TCS_SANDBOX_URL' ) ) );
		$problem  = static function () use ( $envelope ): string {
			try {
				return TenantCRMSync::with_settings( 'acme', array( 'api_endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => $envelope ) )->test_connection()['message'];
			} catch ( \TenantCRMSync\Exception $e ) {
				return $e->getMessage();
			}
		};
		$this->assertStringContainsString( '401', $this->on( self::$north, $problem ), 'opened and sent: the CRM does not know it' );
		$this->assertStringContainsString( 'No data key for tenant "acme"', $this->on( self::$early, $problem ) );
		foreach ( array( '/north/' => 3, '/early/' => 2 ) as $path => $leads ) {
			list( $code, $out ) = $this->command( $path, 'sync', '--all', '--format=json' );
			$this->assertSame( array( 0, $leads ), array( $code, json_decode( $out, true )[0]['created'] ?? $out ) );
		}
		$count = static fn(): int => self::leads();
		$this->assertSame( array( 0, 3, 2 ), array( $count(), $this->on( self::$north, $count ), $this->on( self::$early, $count ) ) );
		$this->assertNotSame( $this->on( self::$north, static fn(): string => Capabilities::user_meta() ), $this->on( self::$early, static fn(): string => Capabilities::user_meta() ), 'who belongs to a tenant is a site’s business' );
		// One process may work both.
		foreach ( array( self::$north, self::$early ) as $site ) {
			$this->assertSame( 'done', $this->on( $site, static function () use ( $site ): string {
				$run = Jobs::enqueue( Tenants::all()[0]->key );
				Worker::run( 20.0, $run );
				return Runs::get( $run )['state'];
			} ) );
		}
	}

	/** @depends test_a_tenant_belongs_to_its_site */
	public function test_the_networks_screen_adds_up(): void {
		$this->on( self::$north, static fn() => Worker::run( 5.0, Jobs::enqueue( Tenants::save( array( 'id' => 'bad' ) )->key ) ) );
		// Other processes have written options.
		wp_cache_flush();
		$rows = array_column( Network::sites( 50 ), null, 'site' );
		$this->assertSame( array( 0, 0 ), array( $rows[1]['tenants'], $rows[1]['records'] ) );
		$this->assertSame( array( 2, 3, 1 ), array( $rows[ self::$north ]['tenants'], $rows[ self::$north ]['records'], $rows[ self::$north ]['dead'] ) );
		$this->assertSame( array( 1, 2, 0 ), array( $rows[ self::$early ]['tenants'], $rows[ self::$early ]['records'], $rows[ self::$early ]['dead'] ) );
		$this->assertSame( array( 'no tenants', 'something waits for a person', 'good' ), array_map( array( NetworkPage::class, 'health' ), array( $rows[1], $rows[ self::$north ], $rows[ self::$early ] ) ) );
		$this->assertSame( 'nobody works: a sync has been due for 1 hour', NetworkPage::health( array( 'overdue' => 3600 ) + $rows[ self::$early ] ) );
		$this->assertSame( '1 tenant fails', NetworkPage::health( array( 'failing' => 1 ) + $rows[ self::$early ] ) );
		wp_set_current_user( 1 );
		ob_start();
		NetworkPage::render();
		$html = ob_get_clean();
		$this->assertStringContainsString( '3 tenants on 2 sites, with 5 leads. 0 tenants have been failing.', $html );
		$this->assertStringContainsString( 'http://network.test/north/wp-admin/admin.php?page=tenant-crm-sync', $html );
		$this->assertStringNotContainsString( 'acme', $html, 'tenants are the sites’ business' );
		wp_set_current_user( wp_insert_user( array( 'user_login' => 'editor', 'user_pass' => 'x', 'user_email' => 'editor@example.test', 'role' => 'administrator' ) ) );
		$this->expectException( WPDieException::class );
		add_filter( 'wp_die_handler', static fn() => static function ( $message ) { throw new WPDieException( (string) $message ); } );
		ob_start();
		try {
			NetworkPage::render();
		} finally {
			ob_end_clean();
			wp_set_current_user( 1 );
		}
	}

	/** @depends test_the_networks_screen_adds_up */
	public function test_deleting_the_plugin_asks_each_site_and_deleting_a_site_takes_all_of_it(): void {
		$keys = count( glob( getenv( 'TCS_KEY_DIR' ) . '/*' ) );
		$this->on( self::$early, static fn() => update_option( Uninstall::OPTION, 1 ) );
		Uninstall::run();
		$this->assertSame( array( 0, count( Schema::tables() ) ), array( count( $this->tables( self::$early ) ), count( $this->tables( self::$north ) ) ) );
		$this->assertSame( 3, $this->on( self::$north, static fn(): int => self::leads() ), 'who did not ask keeps everything' );
		$this->assertTrue( $this->on( self::$north, static fn(): bool => Tenants::find( 'acme' )->test_connection()['ok'] ), 'and its keys' );
		wp_delete_site( self::$north );
		$this->assertSame( array(), $this->tables( self::$north ) );
		$this->assertLessThan( $keys, count( glob( getenv( 'TCS_KEY_DIR' ) . '/*' ) ), 'data keys go, too' );
	}
}

final class WPDieException extends Exception {
}
