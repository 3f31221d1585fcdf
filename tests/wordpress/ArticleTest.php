<?php
/**
 * The article's functions on our tables: the same posts and meta as its own code made (recorded by running it under WP-Cron, without a
 * user), and one source of settings a tenant.
 */

use TenantCRM\Article;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Tenants;

final class ArticleTest extends PluginCase {

	/** What the article's function was seen to store for these leads. */
	private const RECORDED = array(
		array(
			'lead' => array( 'id' => 12, 'name' => 'Ada Lovelace', 'email' => 'ada@example.test', 'phone' => '+44 20', 'company' => 'ignored' ),
			'post' => array( 'Ada Lovelace', 'publish', 'crm_lead', '0', '', 'closed', 'closed' ),
			'meta' => array( '_tenant_id' => 'north', 'crm_lead_id' => '12', 'email' => 'ada@example.test', 'phone' => '+44 20' ),
		),
		array(
			'lead' => array( 'id' => '00QxZ' ),
			'post' => array( 'Unknown Lead', 'publish', 'crm_lead', '0', '', 'closed', 'closed' ),
			'meta' => array( '_tenant_id' => 'north', 'crm_lead_id' => '00QxZ', 'email' => '', 'phone' => '' ),
		),
		array(
			'lead' => array( 'id' => 13, 'name' => 'Müller & Söhne', 'email' => null, 'phone' => 4930 ),
			'post' => array( 'Müller &amp; Söhne', 'publish', 'crm_lead', '0', '', 'closed', 'closed' ),
			'meta' => array( '_tenant_id' => 'north', 'crm_lead_id' => '13', 'email' => '', 'phone' => '4930' ),
		),
		array(
			'lead' => array( 'id' => 14, 'name' => "Zo\u{eb} O'Brien \u{1F680}", 'email' => '<b>x</b>', 'phone' => '' ),
			'post' => array( "Zo\u{eb} O'Brien \u{1F680}", 'publish', 'crm_lead', '0', '', 'closed', 'closed' ),
			'meta' => array( '_tenant_id' => 'north', 'crm_lead_id' => '14', 'email' => '<b>x</b>', 'phone' => '' ),
		),
	);

	/** @return array<string, array{0: string}> Ours; with SEED_ARTICLE also the article's own, which holds the recording against it. */
	public function processors(): array {
		$article = ArticleText::define( 'process_crm_leads_for_tenant' );
		return array_filter(
			array(
				'ours'          => array( 'process_crm_leads_for_tenant' ),
				'the article\'s' => $article ? array( $article ) : null,
			)
		);
	}

	/** @dataProvider processors */
	public function test_leads_are_stored_as_recorded( string $process ): void {
		global $wpdb;
		// Under cron there is no user, so kses looks at titles.
		wp_set_current_user( 0 );
		kses_init();
		$process( 'north', array_column( self::RECORDED, 'lead' ) );
		foreach ( self::RECORDED as $case ) {
			$post = get_post( (int) $this->sql( $wpdb->prepare( "SELECT post_id FROM $wpdb->postmeta WHERE meta_key = 'crm_lead_id' AND meta_value = %s", $case['lead']['id'] ) ) );
			$this->assertSame( $case['post'], array( $post->post_title, $post->post_status, $post->post_type, $post->post_author, $post->post_content, $post->comment_status, $post->ping_status ) );
			$this->assertSame( $case['meta'], array_map( static fn( array $values ): string => $values[0], get_post_meta( $post->ID ) ) );
		}
		$this->assertSame( 4, $this->posts() );
		$process( 'north', array( array( 'id' => 12, 'name' => 'Ada King' ) ) );
		$this->assertSame( '1', $this->sql( "SELECT COUNT(*) FROM $wpdb->posts WHERE post_title = 'Ada King' AND post_status = 'publish'" ) );
		$this->assertSame( 4, $this->posts() );
	}

	public function test_the_lease_is_given_back(): void {
		process_crm_leads_for_tenant( 'north', $this->leads( 2 ) );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ) );
	}

	/** The article's job, from its description: every configured tenant, its class, its functions. */
	public function test_a_job_like_the_articles_runs_on_our_functions(): void {
		Sandbox::reset();
		foreach ( array( 'north' => 3, 'south' => 2 ) as $id => $count ) {
			Sandbox::tenant( $id, $count, array( 'paging' => 'none' ) );
			save_tenant_crm_settings( $id, "key-of-$id", getenv( 'TCS_SANDBOX_URL' ) . '/' );
		}
		$stored = $this->php(
			'require $argv[1];
			foreach ( get_all_configured_tenants() as $id ) {
				$leads = ( new TenantCRMSync( $id ) )->fetch_leads( get_option( "tenant_{$id}_crm_last_sync" ) );
				if ( false !== $leads ) { process_crm_leads_for_tenant( $id, $leads ); echo $id, count( $leads ), " "; }
			}'
		);
		$this->assertSame( 'north3 south2 ', $stored );
		$this->assertSame( 5, $this->posts() );
		$lead = Sandbox::leads( 'north' )[0];
		$post = $this->post_of( Tenants::find( 'north' ), (string) $lead['id'] );
		$this->assertSame( array( (string) $lead['email'], 'north' ), array( get_post_meta( $post->ID, 'email', true ), get_post_meta( $post->ID, '_tenant_id', true ) ) );
	}

	public function test_posts_of_the_articles_own_code_are_taken_over(): void {
		$id = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'Old', 'meta_input' => array( '_tenant_id' => '5', 'crm_lead_id' => 7, 'email' => '', 'phone' => '' ) ) );
		process_crm_leads_for_tenant( 5, array( array( 'id' => 7, 'name' => 'New' ) ) );
		$this->assertSame( 1, $this->posts() );
		$this->assertSame( 'New', get_post( $id )->post_title );
	}

	public function test_leads_that_cannot_be_stored_are_named(): void {
		process_crm_leads_for_tenant( 'north', array( array( 'id' => 1, 'name' => "bad \xff" ), array( 'name' => 'no id' ), 'no lead', array( 'id' => 2, 'name' => 'good' ) ) );
		$this->assertSame( 1, $this->posts() );
		$log = implode( "\n", array_column( Log::list(), 'message' ) );
		$this->assertStringContainsString( 'Lead "1" of tenant "north" was refused', $log );
		$this->assertStringContainsString( 'it has no id', $log );
		$this->assertStringContainsString( 'it is not a record', $log );
		process_crm_leads_for_tenant( 'north', array() );
		process_crm_leads_for_tenant( 'north', null );
		$this->assertSame( 1, $this->posts() );
	}

	public function test_leads_that_come_both_ways_are_not_rewritten(): void {
		global $wpdb;
		process_crm_leads_for_tenant( 'north', $this->leads( 3 ) );
		$wpdb->query( "UPDATE $wpdb->posts SET post_modified_gmt = '2026-01-01 00:00:00' WHERE post_type = 'crm_lead'" );
		$this->assertCounts( 0, 0, 3, $this->store( Tenants::find( 'north' ), $this->leads( 3 ) ) );
		$this->assertSame( '3', $this->sql( "SELECT COUNT(*) FROM $wpdb->posts WHERE post_modified_gmt = '2026-01-01 00:00:00'" ) );
	}

	public function test_settings_are_saved_sealed_and_read_back(): void {
		$this->assertFalse( get_tenant_crm_settings( 'north' ) );
		save_tenant_crm_settings( 'north', 'plain-key', 'https://crm.example/' );
		$settings = get_tenant_crm_settings( 'north' );
		$this->assertSame( 'https://crm.example', $settings['api_endpoint'] );
		$this->assertNotSame( 'plain-key', $settings['api_key'] );
		$this->assertStringNotContainsString( 'plain-key', $this->everything() );
		$this->assertFalse( get_tenant_crm_settings( 'North' ) );
		save_tenant_crm_settings( 7, 'k', 'https://crm.example' );
		$this->assertNotFalse( get_tenant_crm_settings( 7 ) );
		Tenants::save( array( 'id' => 'half' ) );
		$this->assertFalse( get_tenant_crm_settings( 'half' ) );
		$this->assertSame( array( 'north', '7' ), get_all_configured_tenants() );
	}

	public function test_functions_of_the_site_are_not_touched_and_answer_for_its_tenants(): void {
		$script = <<<'PHP'
			function get_tenant_crm_settings( $id ) { return 'site' === $id ? array( 'api_key' => 'plain', 'api_endpoint' => 'https://own.example' ) : false; }
			function get_all_configured_tenants() { return array( 'site' ); }
			require $argv[1];
			TenantCRM\Tenants::save( array( 'id' => 'ours', 'endpoint' => 'https://ours.example', 'api_key' => 'k' ) );
			foreach ( TenantCRM\Tenants::all() as $tenant ) { echo $tenant->id, ' ', $tenant->source, ' ', $tenant->endpoint, ' ', (int) $tenant->has_credential(), "\n"; }
			echo (int) TenantCRM\Article::site_has( 'get_tenant_crm_settings' ), (int) TenantCRM\Article::site_has( 'process_crm_leads_for_tenant' ), "\n";
			PHP;
		$this->assertSame( "ours table https://ours.example 1\nsite function https://own.example 1\n10\n", $this->php( $script ) );
		$this->assertFalse( Article::site_has( 'get_tenant_crm_settings' ) );
	}

	public function test_a_function_of_the_site_that_throws_holds_up_only_its_own_tenant(): void {
		$script = <<<'PHP'
			function get_tenant_crm_settings( $id ) { if ( 'bad' === $id ) { throw new Error( 'secret' ); } return 'site' === $id ? array( 'api_key' => 'plain', 'api_endpoint' => 'https://own.example' ) : false; }
			function get_all_configured_tenants() { if ( ! empty( $GLOBALS['broken'] ) ) { throw new Exception( 'secret' ); } return array( 'bad', 'site' ); }
			require $argv[1];
			foreach ( array( false, true ) as $GLOBALS['broken'] ) {
				foreach ( TenantCRM\Tenants::all() as $tenant ) { echo $tenant->id, ' ', $tenant->source, ' ', $tenant->endpoint, "\n"; }
			}
			PHP;
		$this->assertSame( str_repeat( "bad function \nsite function https://own.example\n", 2 ), $this->php( $script ) );
		$messages = array_column( Log::list(), 'message' );
		$this->assertCount( 2, $messages );
		$this->assertStringContainsString( 'get_all_configured_tenants() of this site failed: Exception', $messages[0] );
		$this->assertStringContainsString( 'tenant "bad": Error', $messages[1] );
	}

	public function test_a_lease_is_taken_only_when_the_leads_are_there(): void {
		$held  = array();
		$leads = ( function () use ( &$held ) {
			foreach ( $this->leads( 2 ) as $lead ) {
				$held[] = $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) );
				yield $lead;
			}
		} )();
		Article::store( 'north', $leads );
		$this->assertSame( array( '0', '0' ), $held );
		$this->assertSame( 2, $this->posts() );
	}
}
