<?php
/**
 * The plugin without its extension, beside the article's own class, and when it is deleted.
 */

use TenantCRM\Schema;
use TenantCRM\Uninstall;

final class LifecycleTest extends PluginCase {

	private const SHOW = '
		foreach ( array( "get_tenant_crm_settings", "process_crm_leads_for_tenant" ) as $name ) { echo (int) function_exists( $name ); }
		echo (int) post_type_exists( "crm_lead" ), (int) has_action( "tenant_crm_sync_tick" ), " ";
		do_action( "tenant_crm_sync_tick" );
		TenantCRM\Plugin::activate();
		echo json_encode( TenantCRM\Plugin::is_ready() );';

	/** A process whose PHP does not load the extension. */
	private function without_extension( string $script ): string {
		$folder = getenv( 'TCS_STACK' ) . '/tmp/ini';
		if ( ! is_dir( $folder ) ) {
			mkdir( $folder );
		}
		foreach ( glob( getenv( 'TCS_PHP_INI_DIR' ) . '/*.ini' ) as $ini ) {
			if ( ! str_contains( $ini, 'tenant_crm_sync' ) ) {
				copy( $ini, $folder . '/' . basename( $ini ) );
			}
		}
		$scan = getenv( 'PHP_INI_SCAN_DIR' );
		putenv( "PHP_INI_SCAN_DIR=$folder" );
		try {
			return $this->php( $script );
		} finally {
			putenv( "PHP_INI_SCAN_DIR=$scan" );
			array_map( 'unlink', glob( "$folder/*" ) );
			rmdir( $folder );
		}
	}

	public function test_without_the_extension_nothing_happens_and_nothing_breaks(): void {
		$this->store( $this->tenant(), $this->leads( 2 ) );
		$before = $this->everything();
		$this->assertSame( '0000 false', $this->without_extension( 'require $argv[1];' . self::SHOW ) );
		$this->assertSame( $before, $this->everything() );
	}

	public function test_the_articles_own_class_is_not_taken_for_the_extension(): void {
		$this->assertSame( '0000 false', $this->without_extension( 'class TenantCRMSync { function __construct( $id ) {} function fetch_leads() {} } require $argv[1];' . self::SHOW ) );
	}

	public function test_with_the_extension_everything_is_there(): void {
		$this->assertStringStartsWith( '111', $this->php( 'require $argv[1];' . self::SHOW ) );
	}

	public function test_deleting_the_plugin_keeps_the_data(): void {
		$this->store( $this->tenant(), $this->leads( 2 ) );
		$before = $this->everything();
		Uninstall::run();
		$this->assertSame( $before, $this->everything() );
	}

	public function test_deleting_the_plugin_removes_the_data_where_the_site_asks_for_it(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 450 ) );
		$other = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'not ours' ) );
		update_option( Uninstall::OPTION, 1 );
		Uninstall::run();
		try {
			$this->assertSame( array(), array_filter( Schema::tables(), static fn( string $table ): bool => (bool) $wpdb->get_var( "SHOW TABLES LIKE '$table'" ) ) );
			$this->assertSame( array( 1, 'not ours' ), array( $this->posts(), get_post( $other )->post_title ) );
			$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE 'tenant_crm_sync%'" ) );
		} finally {
			$this->make_again();
		}
	}

	public function test_a_deletion_that_is_cut_off_goes_on_when_it_is_asked_for_again(): void {
		global $wpdb;
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 1200 ) );
		$post = $this->post_of( $tenant, '7' )->ID;
		wp_insert_comment( array( 'comment_post_ID' => $post, 'comment_content' => 'a note' ) );
		update_option( Uninstall::OPTION, 1 );
		try {
			// The process is killed in the middle of the second piece.
			$this->php( 'require $argv[1]; $n = 0; add_filter( "query", static function ( $sql ) use ( &$n ) { if ( str_starts_with( $sql, "DELETE FROM `" . $GLOBALS["wpdb"]->postmeta ) && 2 === ++$n ) { posix_kill( getmypid(), SIGKILL ); } return $sql; } ); TenantCRM\Uninstall::run();', false );
			wp_cache_flush();
			$this->assertSame( array( 700, 700, '1' ), array( $this->posts(), $this->records(), (string) get_option( Uninstall::OPTION ) ) );
			Uninstall::run();
			$this->assertSame( 0, $this->posts() );
			$this->assertSame( array( '0', '0' ), array( $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta WHERE meta_key = 'crm_lead_id'" ), $this->sql( "SELECT COUNT(*) FROM $wpdb->comments WHERE comment_post_ID = $post" ) ) );
			$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE '%tenant_crm%'" ) );
			Uninstall::run();
		} finally {
			$this->make_again();
		}
	}

	private function make_again(): void {
		Schema::migrate();
		TenantCRM\Capabilities::grant();
		TenantCRM\Cron::schedule();
		TenantCRM\Plugin::use_site();
	}
}
