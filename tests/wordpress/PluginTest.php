<?php
/**
 * The plugin in WordPress: post type, cron event, activation and deactivation, tenants, site id.
 */

use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Ledger;
use TenantCRM\Log;
use TenantCRM\Plugin;
use TenantCRM\PostType;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Site;
use TenantCRM\Tenants;

final class PluginTest extends PluginCase {

	public function test_the_post_type_is_closed(): void {
		$type = get_post_type_object( 'crm_lead' );
		foreach ( array( 'public', 'publicly_queryable', 'show_ui', 'show_in_menu', 'show_in_nav_menus', 'show_in_admin_bar', 'show_in_rest', 'has_archive', 'rewrite', 'query_var', 'can_export', 'delete_with_user', 'hierarchical' ) as $flag ) {
			$this->assertFalse( $type->$flag, $flag );
		}
		$this->assertTrue( $type->exclude_from_search );
		$this->assertSame( 'crm_lead', $type->capability_type );
		$this->assertSame( 'edit_crm_leads', $type->cap->edit_posts );
		$this->assertSame( array( 'title' => true ), get_all_post_type_supports( 'crm_lead' ) );
		$this->assertFalse( wp_revisions_enabled( new WP_Post( (object) array( 'post_type' => 'crm_lead' ) ) ) );
	}

	public function test_a_type_that_the_site_registered_is_left_alone(): void {
		$ours = get_post_type_object( 'crm_lead' );
		unregister_post_type( 'crm_lead' );
		$theirs = register_post_type( 'crm_lead', array( 'label' => 'Theirs' ) );
		PostType::register_if_missing();
		$this->assertSame( $theirs, get_post_type_object( 'crm_lead' ) );
		unregister_post_type( 'crm_lead' );
		PostType::register_if_missing();
		$this->assertEquals( $ours->cap, get_post_type_object( 'crm_lead' )->cap );
	}

	public function test_leads_are_in_no_search_feed_or_front_end_query(): void {
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 3 ) );
		$post = $this->post_of( $tenant, '1' );
		foreach ( array( 's=Lead', "p=$post->ID", "p=$post->ID&post_type=crm_lead", 'post_type=crm_lead', "name=$post->post_name", 'feed=rss2&post_type=crm_lead', "crm_lead=$post->post_name" ) as $query ) {
			$wp = new WP();
			$wp->init();
			parse_str( $query, $_GET );
			$wp->parse_request();
			$found = ( new WP_Query() )->query( $wp->query_vars );
			$this->assertSame( array(), array_filter( $found, static fn( WP_Post $found ): bool => 'crm_lead' === $found->post_type ), $query );
		}
		$_GET = array();
	}

	public function test_activation_and_deactivation_keep_only_our_event(): void {
		wp_schedule_event( time() + 3600, 'daily', 'tenant_crm_sync_event' );
		Plugin::deactivate();
		$this->assertFalse( wp_next_scheduled( Cron::EVENT ) );
		$this->assertNotFalse( wp_next_scheduled( 'tenant_crm_sync_event' ), 'the article\'s event is the site\'s' );
		Plugin::activate();
		$first = wp_next_scheduled( Cron::EVENT );
		$this->assertNotFalse( $first );
		$this->assertSame( Cron::SCHEDULE, wp_get_schedule( Cron::EVENT ) );
		$this->assertSame( 300, wp_get_schedules()[ Cron::SCHEDULE ]['interval'] );
		Plugin::activate();
		$this->assertSame( $first, wp_next_scheduled( Cron::EVENT ) );
		wp_clear_scheduled_hook( 'tenant_crm_sync_event' );
	}

	public function test_due_tenants_are_enqueued_once_an_interval(): void {
		global $wpdb;
		$due    = Tenants::save( array( 'id' => 'due', 'endpoint' => 'https://crm.example', 'api_key' => 'k', 'settings' => array( 'interval' => 7200 ) ) );
		$paused = Tenants::save( array( 'id' => 'paused', 'endpoint' => 'https://crm.example', 'api_key' => 'k' ) );
		Tenants::save( array( 'id' => 'without-key', 'endpoint' => 'https://crm.example' ) );
		Tenants::pause( $paused->key, true );
		$this->assertSame( 1, Cron::enqueue_due() );
		$this->assertSame( 0, Cron::enqueue_due() );
		$this->assertSame( array( $due->key ), array_column( Runs::list(), 'tenant' ) );
		$this->assertEqualsWithDelta( 7200, (int) $this->sql( 'SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), next_due_at) FROM ' . Schema::table( 'tenants' ) . " WHERE id = $due->key" ), 5 );
		Tenants::pause( $paused->key, false );
		$this->assertSame( 1, Cron::enqueue_due() );
	}

	public function test_tenants_are_saved_found_and_deleted_bytewise(): void {
		$acme = Tenants::save( array( 'id' => 'Acme', 'label' => 'One', 'endpoint' => 'https://one.example', 'api_key' => 'secret-one' ) );
		$this->assertNull( Tenants::find( 'acme' ) );
		$this->assertNull( Tenants::find( 'Acme ' ) );
		$this->assertSame( $acme->key, Tenants::find( 'Acme' )->key );
		$other = Tenants::save( array( 'id' => 'acme', 'endpoint' => 'https://two.example', 'api_key' => 'secret-two' ) );
		$this->assertStringNotContainsString( 'secret-', $this->everything() . print_r( $acme, true ) . json_encode( $acme ) );
		$changed = Tenants::save( array( 'id' => 'Acme', 'label' => 'New' ) );
		$this->assertSame( array( 'New', 'https://one.example', true ), array( $changed->label, $changed->endpoint, $changed->has_credential() ) );
		$this->store( $changed, $this->leads( 3 ), 'w' );
		$this->store( $other, $this->leads( 2 ), 'w' );
		Tenants::delete( $changed->key );
		$this->assertNull( Tenants::find( 'Acme' ) );
		$this->assertSame( array( 0, 2, 5 ), array( Ledger::count( $changed->key ), Ledger::count( $other->key ), $this->posts() ) );
		$this->assertNull( Runs::latest( $changed->key ) );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'cursors' ) ) );
	}

	/** @dataProvider bad_tenants */
	public function test_bad_tenants_are_refused_in_plain_words( array $data, string $words ): void {
		try {
			Tenants::save( $data );
			$this->fail( 'it should be refused' );
		} catch ( InvalidArgumentException $e ) {
			$this->assertStringContainsString( $words, $e->getMessage() );
		}
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'tenants' ) ) );
	}

	/** @return array<int, array{0: array<string, mixed>, 1: string}> */
	public function bad_tenants(): array {
		return array(
			array( array( 'id' => '' ), '1 to 190 bytes' ),
			array( array( 'id' => str_repeat( 'x', 191 ) ), '1 to 190 bytes' ),
			array( array( 'id' => "a\nb" ), 'control characters' ),
			array( array( 'id' => " a" ), 'blanks' ),
			array( array( 'id' => "\xff" ), '1 to 190 bytes' ),
			array( array( 'id' => 'a', 'endpoint' => 'crm.example' ), 'URL such as' ),
			array( array( 'id' => 'a', 'endpoint' => 'file:///etc/passwd' ), 'URL such as' ),
			array( array( 'id' => 'a', 'endpoint' => 'https://u:p@crm.example' ), 'user or a password' ),
			array( array( 'id' => 'a', 'connector' => '../x' ), 'connector' ),
			array( array( 'id' => 'a', 'api_key' => 'k' ), 'endpoint' ),
		);
	}

	public function test_the_site_keeps_its_id(): void {
		$id = Site::id();
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{32}$/', $id );
		wp_cache_flush();
		$this->assertSame( $id, Site::id() );
	}

	public function test_the_log_is_listed_by_tenant_and_level(): void {
		Log::add( 1, 'info', 'a' );
		Log::add( 2, 'error', 'b', array( 'x' => "\u{1F600}\\" ) );
		$this->assertSame( array( 'b', 'a' ), array_column( Log::list(), 'message' ) );
		$this->assertSame( array( 'a' ), array_column( Log::list( array( 'tenant' => 1 ) ), 'message' ) );
		$this->assertSame( array( 'x' => "\u{1F600}\\" ), Log::list( array( 'level' => 'error' ) )[0]['context'] );
	}
}
