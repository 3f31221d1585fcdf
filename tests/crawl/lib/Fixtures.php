<?php
/**
 * Two tenants with everything that could be shown of one: leads, comments, attachments, log, requests, syncs, conflicts, refused rows, secrets in
 * every place that takes one; and the people who look. Each thing has a canary in it.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

use TenantCRM\Capabilities;
use TenantCRM\Fields;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Store;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Tokens\TokenStore;
use TenantCRM\Webhooks\Addresses;

final class Fixtures {

	/** @var array<string, list<string>> Words by the mark of the table: `A` and `B` are leads, `a` and `b` what tells of the tenant, SECRET what nobody may see. */
	public array $canaries = array(
		'A'      => array( 'CANARYLEADA', 'canaryslugA' ),
		'B'      => array( 'CANARYLEADB', 'canaryslugB' ),
		'a'      => array( 'CANARYTENANTA' ),
		'b'      => array( 'CANARYTENANTB' ),
		'SECRET' => array( 'CANARYSECRET', 'tcs1.' ),
	);

	/** @var array<string, int> */
	public array $users = array();

	/** @var array<string, array<string, int>> By tenant: tenant, lead, post, comment, file, run, conflict. */
	public array $ids = array();

	public int $page = 0;

	public function make(): void {
		$this->clean();
		require_once ABSPATH . 'wp-admin/includes/user.php';
		Capabilities::grant();
		$key = trim( (string) preg_replace( '/^#.*$/m', '', (string) file_get_contents( (string) getenv( 'TCS_KEY_FILE' ) ) ) );
		$this->canaries['SECRET'][] = strtok( $key, "\n" );
		foreach ( array( 'a', 'b' ) as $name ) {
			$this->tenant( $name, strtoupper( $name ) );
			$this->users[ $name ] = $this->user( $name, Capabilities::PORTAL_ROLE );
			// As much as a site could give to one tenant's user without making it one who manages tenants.
			$user = new \WP_User( $this->users[ $name ] );
			$user->add_role( 'editor' );
			foreach ( array( Capabilities::SYNC, 'edit_crm_leads', 'export' ) as $capability ) {
				$user->add_cap( $capability );
			}
			Capabilities::assign( $this->users[ $name ], array( "crawl-$name" ) );
		}
		$this->users['subscriber'] = $this->user( 'subscriber', 'subscriber' );
		$this->users['admin']      = 1;
		$this->page                = (int) wp_insert_post(
			array(
				'post_type'    => 'page',
				'post_status'  => 'publish',
				'post_title'   => 'Crawl page',
				'post_content' => '<!-- wp:tenant-crm-sync/leads /--><!-- wp:shortcode -->[tenant_crm_leads]<!-- /wp:shortcode --><!-- wp:query {"queryId":1,"query":{"perPage":50,"postType":"crm_lead","inherit":false}} --><div class="wp-block-query"><!-- wp:post-template --><!-- wp:post-title {"isLink":true} /--><!-- /wp:post-template --></div><!-- /wp:query --><!-- wp:latest-posts {"postsToShow":50} /--><!-- wp:latest-comments /--><!-- wp:archives /-->',
			)
		);
	}

	private function tenant( string $name, string $mark ): void {
		$tenant = Tenants::save(
			array(
				'id'        => "crawl-$name",
				'label'     => "CANARYTENANT$mark",
				'endpoint'  => "https://canarytenant$name.invalid",
				'api_key'   => "CANARYSECRET-key-$name",
				'settings'  => array(
					'direction'  => 'both',
					'connection' => array( 'webhook_secret' => "CANARYSECRET-webhook-$name" ),
				),
			)
		);
		$this->ids[ $name ] = array( 'tenant' => $tenant->key ) + $this->leads( $tenant, $mark );
		$tokens             = new TokenStore();
		$lease              = (string) $tokens->lease( $tenant->id, 0, 30.0 );
		$tokens->commit( $tenant->id, $lease, 0, \TenantCRMSync::encrypt_credential( $tenant->id, "CANARYSECRET-token-$name", 'token', $tenant->endpoint ), null );
		$this->canaries['SECRET'][] = basename( Addresses::make( $tenant ) );
		Log::add( $tenant->key, 'error', "CANARYLEAD$mark could not be stored." );
	}

	/** @return array<string, int> */
	private function leads( Tenant $tenant, string $mark ): array {
		$job = Jobs::claim( Jobs::enqueue( $tenant->key ) );
		( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new \Rows( array( array( 'id' => '1', 'name' => "CANARYLEAD$mark person", 'email' => "canarylead$mark@example.test", 'phone' => "CANARYLEAD$mark phone", 'status' => 'open' ) ), '' ) );
		Jobs::finish( $job );
		$records = Schema::table( 'records' );
		$row     = Sql::rows( "SELECT id, post_id FROM `$records` WHERE tenant = {$tenant->key}" )[0];
		$post    = (int) $row['post_id'];
		wp_update_post( array( 'ID' => $post, 'post_content' => "CANARYLEAD$mark content", 'comment_status' => 'open', 'post_name' => 'address-of-' . strtolower( $mark ) . "-canaryslug$mark" ) );
		update_post_meta( $post, '_wp_old_slug', 'old-slug-' . strtolower( $mark ) );
		$conflicts = Schema::table( 'conflicts' );
		Sql::change( 'DELETE FROM `' . Schema::table( 'changes' ) . "` WHERE tenant = {$tenant->key}" );
		Sql::change( "INSERT INTO `$conflicts` SET tenant = {$tenant->key}, object = 'leads', record = {$row['id']}, post_id = $post, field = 'phone', base = '\"x\"', crm = '\"CANARYLEAD$mark crm\"', portal = '\"CANARYLEAD$mark phone\"', open_key = " . Sql::bytes( substr( hash( 'sha256', "crawl$mark", true ), 0, 16 ) ) . ', created_at = UTC_TIMESTAMP()' );
		$refused = Schema::table( 'refused' );
		Sql::change( "INSERT INTO `$refused` SET tenant = {$tenant->key}, object = 'leads', crm_id = '77', id_hash = " . Sql::bytes( hash( 'sha256', '77', true ) ) . ", reason = 'CANARYLEAD$mark is odd', first_at = UTC_TIMESTAMP(), last_at = UTC_TIMESTAMP()" );
		return array(
			'lead'     => (int) $row['id'],
			'post'     => $post,
			'comment'  => (int) wp_insert_comment( array( 'comment_post_ID' => $post, 'comment_content' => "CANARYLEAD$mark comment", 'comment_author' => 'x', 'comment_approved' => 1 ) ),
			'file'     => (int) wp_insert_attachment( array( 'post_title' => "CANARYLEAD$mark file", 'post_mime_type' => 'text/plain', 'post_status' => 'inherit', 'post_author' => 1 ), false, $post ),
			'run'      => Jobs::enqueue( $tenant->key ),
			'conflict' => (int) Sql::rows( "SELECT id FROM `$conflicts` WHERE tenant = {$tenant->key}" )[0]['id'],
			'refused'  => (int) Sql::rows( "SELECT id FROM `$refused` WHERE tenant = {$tenant->key}" )[0]['id'],
		);
	}

	private function user( string $name, string $role ): int {
		return (int) wp_insert_user( array( 'user_login' => "tcs-crawl-$name", 'user_pass' => "crawl-$name-Pass-1", 'user_email' => "crawl-$name@example.test", 'role' => $role ) );
	}

	/** Everything that is tenant B's, and how many of all there is: the same before and after others have tried to change it. */
	public function of_b(): string {
		global $wpdb;
		$all = array( Sql::rows( 'SELECT * FROM `' . Schema::table( 'tenants' ) . '` ORDER BY id' ), get_option( Capabilities::ROLE_OPTION ), get_user_meta( $this->users['a'], Capabilities::user_meta(), true ), get_user_meta( $this->users['b'], Capabilities::user_meta(), true ), get_user_meta( $this->users['subscriber'], Capabilities::user_meta(), true ) );
		foreach ( Schema::tables() as $table ) {
			if ( ! in_array( $table, array( Schema::table( 'tenants' ), Schema::table( 'counters' ), Schema::table( 'attempts' ) ), true ) && $wpdb->get_var( "SHOW COLUMNS FROM `$table` LIKE 'tenant'" ) ) {
				$all[ $table ] = Sql::rows( "SELECT * FROM `$table` WHERE tenant = {$this->ids['b']['tenant']} ORDER BY 1" );
			}
		}
		foreach ( array( 'post', 'file' ) as $what ) {
			$all[ $what ] = array( Sql::rows( "SELECT * FROM `$wpdb->posts` WHERE ID = {$this->ids['b'][ $what ]}" ), Sql::rows( "SELECT * FROM `$wpdb->postmeta` WHERE post_id = {$this->ids['b'][ $what ]} AND meta_key NOT LIKE '_edit_%' ORDER BY meta_id" ) );
		}
		$all['comment'] = Sql::rows( "SELECT * FROM `$wpdb->comments` WHERE comment_ID = {$this->ids['b']['comment']}" );
		return (string) json_encode( $all, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRETTY_PRINT );
	}

	public function clean(): void {
		global $wpdb;
		require_once ABSPATH . 'wp-admin/includes/user.php';
		wp_set_current_user( 0 );
		foreach ( $wpdb->get_col( "SELECT ID FROM `$wpdb->posts` WHERE post_type = 'crm_lead' OR post_title IN ('Crawl page') OR post_title LIKE 'CANARY%' OR post_name LIKE 'canary%'" ) as $post ) {
			wp_delete_post( (int) $post, true );
		}
		$wpdb->query( "DELETE FROM `$wpdb->comments` WHERE comment_content LIKE 'CANARY%'" );
		foreach ( Schema::tables() as $table ) {
			$wpdb->query( "DELETE FROM `$table`" );
		}
		foreach ( array( 'a', 'b', 'subscriber' ) as $name ) {
			$user = get_user_by( 'login', "tcs-crawl-$name" );
			if ( $user ) {
				wp_delete_user( $user->ID );
			}
		}
		delete_option( Capabilities::ROLE_OPTION );
		wp_unschedule_hook( 'tcs_crawl_article' );
		delete_option( 'tcs_crawl_article' );
		wp_cache_flush();
		flush_rewrite_rules( false );
	}
}
