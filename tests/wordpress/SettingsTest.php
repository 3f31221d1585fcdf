<?php
/**
 * The plugin's options: bounded, heeded, gone after the end; and the screen that shows them with the health checks, and no secret.
 */

use TenantCRM\Admin\SettingsPage;
use TenantCRM\Admin\TenantForm;
use TenantCRM\Attempts;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Settings;

final class SettingsTest extends PluginCase {

	public static function setUpBeforeClass(): void {
		foreach ( array( 'template', 'screen', 'class-wp-screen', 'user' ) as $file ) {
			require_once ABSPATH . "wp-admin/includes/$file.php";
		}
	}

	protected function tearDown(): void {
		Settings::forget();
		wp_set_current_user( 0 );
		unset( $GLOBALS['current_screen'], $GLOBALS['wp_settings_errors'] );
	}

	private function screen(): string {
		wp_set_current_user( 1 );
		set_current_screen( 'crm-sync_page_tenant-crm-sync-settings' );
		SettingsPage::settings();
		SettingsPage::load();
		ob_start();
		SettingsPage::render();
		return (string) ob_get_clean();
	}

	public function test_options_have_defaults_and_bounds(): void {
		$this->assertSame( array( 30, 90, 3600 ), array_map( array( Settings::class, 'get' ), array( Settings::KEEP_REQUESTS, Settings::KEEP_EVENTS, Settings::INTERVAL ) ) );
		SettingsPage::settings();
		foreach ( array( array( Settings::KEEP_EVENTS, '0', 1 ), array( Settings::KEEP_EVENTS, '99999', 3650 ), array( Settings::INTERVAL, '1', 60 ), array( Settings::INTERVAL, array( 'x' ), 3600 ), array( Settings::KEEP_REQUESTS, '7', 7 ) ) as list( $option, $given, $kept ) ) {
			update_option( $option, $given );
			$this->assertSame( $kept, Settings::get( $option ) );
		}
		$this->assertSame( 'a@example.com, b@example.org', SettingsPage::addresses( 'a@example.com; nonsense <script>, b@example.org' ) );
		$this->assertSame( 'tcs-address', get_settings_errors( 'tenant_crm_sync_alerts' )[0]['code'] );
		Settings::forget();
		$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->options} WHERE option_name LIKE 'tenant\\_crm\\_sync\\_keep%'" ) );
	}

	public function test_what_is_older_than_the_options_say_is_pruned(): void {
		global $wpdb;
		$tenant = $this->tenant();
		foreach ( array( 5, 20 ) as $days ) {
			Log::add( $tenant->key, 'info', "$days days old" );
			$wpdb->query( 'UPDATE ' . Schema::table( 'log' ) . " SET created_at = UTC_TIMESTAMP() - INTERVAL $days DAY WHERE message = '$days days old'" );
			$wpdb->query( 'INSERT INTO ' . Schema::table( 'attempts' ) . " SET tenant = {$tenant->key}, at = UTC_TIMESTAMP(3) - INTERVAL $days DAY, method = 'GET', operation = 'x', micros = 1, attempt = 1, sent = 0, received = 0, outcome = 'ok'" );
		}
		Log::prune();
		Attempts::prune();
		$this->assertSame( array( '2', '2' ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'log' ) ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'attempts' ) ) ) );
		update_option( Settings::KEEP_EVENTS, 10 );
		update_option( Settings::KEEP_REQUESTS, 10 );
		Log::prune();
		Attempts::prune();
		$this->assertSame( array( '5 days old', '1' ), array( $this->sql( 'SELECT GROUP_CONCAT(message) FROM ' . Schema::table( 'log' ) ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'attempts' ) ) ) );
	}

	public function test_a_new_tenant_starts_with_the_schedule_of_the_site(): void {
		update_option( Settings::INTERVAL, 900 );
		$this->assertSame( 900, ( new TenantForm( null ) )->values['interval'] );
		$this->assertSame( 3600, ( new TenantForm( $this->tenant() ) )->values['interval'], 'what is there stays' );
	}

	public function test_the_screen_shows_health_options_and_ini(): void {
		$html = $this->screen();
		foreach ( array( 'The PHP extension for CRM Sync is loaded', 'name="tenant_crm_sync_keep_events"', 'name="tenant_crm_sync_alerts"', 'name="tenant_crm_sync_delete_data"', "name='option_page' value='tenant-crm-sync'", '<code>tenant_crm_sync.max_parallel</code>', 'site-health.php' ) as $part ) {
			$this->assertStringContainsString( $part, $html );
		}
		$this->assertMatchesRegularExpression( '~<label for="tenant_crm_sync_alerts">~', $html );
		$this->assertStringNotContainsString( trim( (string) file( getenv( 'TCS_KEY_FILE' ) )[0] ), $html, 'no key' );
		$said = $this->php( 'require $argv[1]; require_once ABSPATH . "wp-admin/includes/template.php"; $show = new ReflectionMethod( "TenantCRM\\\\Admin\\\\SettingsPage", "php" ); $show->invoke( null );', true, 'tenant_crm_sync.redis_url=redis://me:word-of-redis@127.0.0.1:1/0' );
		$this->assertStringContainsString( 'redis://***@127.0.0.1:1/0', $said );
		$this->assertStringNotContainsString( 'word-of-redis', $said );
	}
}
