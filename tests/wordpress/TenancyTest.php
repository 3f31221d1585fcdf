<?php
/**
 * What queries find for whom: a user the leads of the own tenants, who manages tenants all of them, a visitor none, the site's own work all.
 * Each way of asking that WordPress has is asked for one lead of each of two tenants. What travels by HTTP is in tests/crawl.
 */

use TenantCRM\Capabilities;
use TenantCRM\Tenancy\Viewer;

final class TenancyTest extends PluginCase {

	/** @var int */
	private $user;

	/** @var array<string, int> Post by tenant. */
	private $posts = array();

	protected function setUp(): void {
		parent::setUp();
		Capabilities::grant();
		$this->user = $this->account( 'portal', Capabilities::PORTAL_ROLE );
		foreach ( array( 'Acme', 'acme' ) as $id ) {
			$tenant             = $this->tenant( $id );
			$this->posts[ $id ] = 0;
			$this->store( $tenant, array( array( 'name' => "Canary of $id" ) + $this->leads( 1 )[0] ) );
			$this->posts[ $id ] = $this->post_of( $tenant, '1' )->ID;
		}
		// A script of the command line without a user is the site's own work: here a visitor is meant.
		add_filter( 'tenant_crm_sync_is_system', array( self::class, 'as_in_the_web' ), 5 );
		wp_set_current_user( 0 );
	}

	protected function tearDown(): void {
		remove_filter( 'tenant_crm_sync_is_system', array( self::class, 'as_in_the_web' ), 5 );
		wp_set_current_user( 0 );
		wp_delete_user( $this->user );
		delete_option( Capabilities::ROLE_OPTION );
		remove_all_filters( 'tenant_crm_sync_user_tenants' );
	}

	public static function as_in_the_web( bool $is_system ): bool {
		return $is_system && 0 !== ( new ReflectionProperty( Viewer::class, 'system' ) )->getValue();
	}

	private function member_of( string ...$tenants ): void {
		Capabilities::assign( $this->user, $tenants );
		wp_set_current_user( $this->user );
	}

	/**
	 * Ways to ask for leads. Each gives the ids of posts.
	 *
	 * @return array<string, array{0: callable(array<string, int>): array<int>}>
	 */
	public function ways(): array {
		$query = static fn( array $args ): callable => static fn(): array => array_map( static fn( $post ) => is_object( $post ) ? $post->ID : (int) $post, ( new WP_Query( $args + array( 'post_status' => 'any', 'posts_per_page' => -1 ) ) )->posts ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$ids   = static fn( array $posts ): array => wp_list_pluck( $posts, 'ID' );
		return array(
			'WP_Query'                          => array( $query( array( 'post_type' => 'crm_lead' ) ) ),
			'WP_Query, ids only'                => array( $query( array( 'post_type' => 'crm_lead', 'fields' => 'ids' ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'WP_Query, without filters'         => array( $query( array( 'post_type' => 'crm_lead', 'suppress_filters' => true ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'WP_Query of several types'         => array( $query( array( 'post_type' => array( 'post', 'crm_lead', 'attachment' ) ) ) ),
			'WP_Query, the type oddly written'  => array( $query( array( 'post_type' => array( 'CRM_Lead' ) ) ) ),
			'WP_Query by a search'              => array( $query( array( 'post_type' => 'crm_lead', 's' => 'Canary' ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'WP_Query by meta'                  => array( $query( array( 'post_type' => 'crm_lead', 'meta_key' => '_tenant_id', 'meta_value' => array( 'Acme', 'acme' ) ) ) ), // phpcs:ignore WordPress
			'WP_Query by number'                => array( fn( array $posts ): array => array_merge( ...array_map( static fn( int $post ): array => $query( array( 'post_type' => 'crm_lead', 'p' => $post ) )(), array_values( $posts ) ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'get_posts'                         => array( fn() => $ids( get_posts( array( 'post_type' => 'crm_lead', 'numberposts' => -1 ) ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'get_posts that includes numbers'   => array( fn( array $posts ) => $ids( get_posts( array( 'post_type' => 'crm_lead', 'include' => $posts ) ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			'wp_get_recent_posts'               => array( fn() => wp_list_pluck( wp_get_recent_posts( array( 'post_type' => 'crm_lead' ) ), 'ID' ) ),
			'wp_count_posts'                    => array( fn( array $posts ) => array_slice( array_values( $posts ), 0, (int) wp_count_posts( 'crm_lead' )->publish ) ),
			'may it be read'                    => array( fn( array $posts ) => array_filter( $posts, static fn( int $post ): bool => current_user_can( 'read_post', $post ) ) ),
			'may it be shown'                   => array( fn( array $posts ) => array_filter( $posts, array( Viewer::class, 'sees' ) ) ),
		);
	}

	/** @dataProvider ways */
	public function test_everybody_finds_the_own( callable $ask ): void {
		$found = fn(): array => array_values( array_intersect( array_unique( array_map( 'intval', $ask( $this->posts ) ) ), $this->posts ) );
		$this->assertSame( array(), $found(), 'a visitor' );
		wp_set_current_user( $this->user );
		$this->assertSame( array(), $found(), 'a user of no tenant' );
		$this->member_of( 'Acme' );
		$this->assertSame( array( $this->posts['Acme'] ), $found(), 'a user of one' );
		$this->member_of( 'Acme', 'acme' );
		$this->assertEqualsCanonicalizing( array_values( $this->posts ), $found(), 'a user of both' );
		wp_set_current_user( 1 );
		$this->assertEqualsCanonicalizing( array_values( $this->posts ), $found(), 'who manages tenants' );
		$this->member_of( 'gone' );
		$this->assertSame( array(), $found(), 'a user of a tenant that is not there' );
	}

	public function test_a_sync_in_a_strangers_request_finds_the_post_of_the_record_that_it_writes(): void {
		$look = static fn( array $by, array $more = array() ): array => wp_list_pluck( get_posts( array( 'post_type' => 'crm_lead', 'meta_query' => $by ) + $more ), 'ID' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$of   = static fn( string $key, $value, array $more = array() ): array => compact( 'key', 'value' ) + $more;
		$id   = array( 'meta_key' => 'crm_lead_id', 'meta_value' => '1' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		foreach ( array( 0, $this->account( 'stranger' ) ) as $user ) {
			wp_set_current_user( $user );
			$this->assertContains( $this->posts['Acme'], $look( array( $of( '_tenant_id', 'Acme' ) ), $id ), 'as the article looks' );
			$this->assertContains( $this->posts['acme'], $look( array( $of( '_tenant_id', 'acme' ), $of( 'crm_lead_id', '1' ) ) ) );
			$this->assertSame( array(), $look( array( $of( '_tenant_id', 'Acme' ) ) ), 'all of a tenant' );
			$this->assertSame( array(), $look( array(), $id ), 'of any tenant' );
			$this->assertSame( array(), $look( array( $of( '_tenant_id', 'Acme' ) ), array( 'suppress_filters' => false ) + $id ), 'a query that asks for filters' );
			$this->assertSame( array(), $look( array( 'relation' => 'OR', $of( '_tenant_id', 'Acme' ), $of( 'crm_lead_id', '1' ) ) ), 'one or the other' );
			$this->assertSame( array(), $look( array( $of( '_tenant_id', array( 'Acme', 'acme' ), array( 'compare' => 'IN' ) ) ), $id ), 'several tenants' );
			$this->assertSame( array(), $look( array( $of( '_tenant_id', '', array( 'compare' => 'LIKE' ) ) ), $id ), 'whichever' );
		}
		wp_delete_user( $user );
	}

	public function test_a_cached_result_is_not_anothers(): void {
		$ask = static fn(): array => ( new WP_Query( array( 'post_type' => 'crm_lead', 'fields' => 'ids' ) ) )->posts; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		wp_set_current_user( 1 );
		$this->assertCount( 2, $ask() );
		$this->member_of( 'Acme' );
		$this->assertSame( array( $this->posts['Acme'] ), $ask() );
		$this->assertSame( array( $this->posts['Acme'] ), $ask(), 'from the cache' );
		$this->member_of( 'acme' );
		$this->assertSame( array( $this->posts['acme'] ), $ask() );
	}

	public function test_comments_and_attachments_belong_to_the_lead(): void {
		foreach ( $this->posts as $id => $post ) {
			$comments[ $id ] = wp_insert_comment( array( 'comment_post_ID' => $post, 'comment_content' => 'x', 'comment_approved' => 1 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$files[ $id ]    = wp_insert_attachment( array( 'post_title' => 'contract', 'post_mime_type' => 'text/plain', 'post_status' => 'inherit' ), false, $post ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		$found = static fn(): array => array(
			array_map( 'intval', get_comments( array( 'fields' => 'ids', 'post_type' => 'crm_lead' ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			( new WP_Query( array( 'post_type' => 'attachment', 'post_status' => 'inherit', 'fields' => 'ids', 's' => 'contract' ) ) )->posts, // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		);
		try {
			wp_set_current_user( 1 );
			$this->assertEqualsCanonicalizing( array_values( $comments ), $found()[0] );
			$this->assertEqualsCanonicalizing( array_values( $files ), $found()[1] );
			$this->member_of( 'acme' );
			$this->assertSame( array( array( $comments['acme'] ), array( $files['acme'] ) ), $found() );
			$this->assertFalse( Viewer::sees( $files['Acme'] ) );
			wp_set_current_user( 0 );
			$this->assertSame( array( array(), array() ), $found() );
		} finally {
			array_map( 'wp_delete_attachment', $files );
			array_map( static fn( $comment ) => wp_delete_comment( $comment, true ), $comments );
		}
	}

	public function test_neighbours_archives_and_months_are_the_viewers(): void {
		global $wpdb;
		$wpdb->update( $wpdb->posts, array( 'post_date' => '2025-01-01 00:00:00' ), array( 'ID' => $this->posts['Acme'] ) );
		clean_post_cache( $this->posts['Acme'] );
		// As of a type that the site made public.
		add_filter( 'is_post_type_viewable', '__return_true' );
		$seen = function (): array {
			$GLOBALS['post'] = get_post( $this->posts['acme'] );
			$before          = get_adjacent_post();
			unset( $GLOBALS['post'] );
			return array( $before instanceof WP_Post, substr_count( wp_get_archives( array( 'type' => 'postbypost', 'post_type' => 'crm_lead', 'echo' => 0 ) ), 'Canary of' ), apply_filters( 'disable_months_dropdown', false, 'crm_lead' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		};
		wp_set_current_user( 1 );
		$this->assertSame( array( true, 2, false ), $seen() );
		$this->member_of( 'acme' );
		$this->assertSame( array( false, 1, true ), $seen() );
		wp_set_current_user( 0 );
		$this->assertSame( array( false, 0, true ), $seen() );
		remove_filter( 'is_post_type_viewable', '__return_true' );
	}

	public function test_cron_finds_all_whoever_is_logged_in_but_a_page_after_it_does_not(): void {
		$this->member_of( 'acme' );
		$shown = $this->php(
			'define( "DOING_CRON", true );
			require $argv[1];
			wp_set_current_user( ' . $this->user . ' );
			$count = static fn() => count( get_posts( array( "post_type" => "crm_lead" ) ) );
			echo $count(), " ";
			do_action( "parse_request" );
			echo $count();'
		);
		$this->assertSame( '2 1', $shown );
	}

	public function test_an_export_holds_the_own_leads(): void {
		$this->member_of( 'acme' );
		do_action( 'export_wp', array() );
		global $wpdb;
		$find = static fn(): array => array_map( 'intval', $wpdb->get_col( "SELECT ID FROM {$wpdb->posts}  WHERE {$wpdb->posts}.post_type = 'crm_lead' AND {$wpdb->posts}.post_status != 'auto-draft'" ) );
		$this->assertSame( array( $this->posts['acme'] ), $find() );
		$this->assertCount( 2, $find(), 'one statement only' );
	}

	public function test_a_lead_that_the_ledger_does_not_know_is_nobodys(): void {
		$loose = wp_insert_post( array( 'post_type' => 'crm_lead', 'post_title' => 'Loose', 'post_status' => 'publish', 'meta_input' => array( '_tenant_id' => 'acme' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->member_of( 'acme' );
		$this->assertSame( array( $this->posts['acme'] ), wp_list_pluck( get_posts( array( 'post_type' => 'crm_lead' ) ), 'ID' ) );
		$this->assertFalse( Viewer::sees( $loose ) );
		wp_set_current_user( 1 );
		$this->assertCount( 3, get_posts( array( 'post_type' => 'crm_lead' ) ) );
	}

	public function test_queries_that_cannot_find_leads_stay_as_they_are(): void {
		$this->member_of( 'acme' );
		foreach ( array( array( 'posts_per_page' => 1 ), array( 'post_type' => 'post' ), array( 'post_type' => array( 'post', 'page' ) ), array( 'pagename' => 'x' ) ) as $args ) {
			$this->assertStringNotContainsString( 'tcs_', ( new WP_Query( $args ) )->request );
		}
		$this->assertStringContainsString( 'tcs_lead.tenant IN', ( new WP_Query( array( 's' => 'x' ) ) )->request );
	}

	public function test_membership_by_role_and_by_filter(): void {
		$seen = static fn(): array => wp_list_pluck( get_posts( array( 'post_type' => 'crm_lead' ) ), 'ID' );
		wp_set_current_user( $this->user );
		Capabilities::assign_roles( 'Acme', array( Capabilities::PORTAL_ROLE ) );
		$this->assertSame( array( Capabilities::PORTAL_ROLE ), Capabilities::roles_of( 'Acme' ) );
		$this->assertSame( array( $this->posts['Acme'] ), $seen() );
		$this->assertTrue( current_user_can( Capabilities::VIEW, 'Acme' ) );
		$this->assertFalse( current_user_can( Capabilities::VIEW, 'acme' ) );
		$this->assertFalse( current_user_can( Capabilities::SYNC, 'Acme' ), 'a member without the capability' );
		( new WP_User( $this->user ) )->set_role( 'subscriber' );
		wp_set_current_user( 0 );
		wp_set_current_user( $this->user );
		$this->assertSame( array(), $seen() );
		( new WP_User( $this->user ) )->set_role( Capabilities::PORTAL_ROLE );
		wp_set_current_user( 0 );
		wp_set_current_user( $this->user );
		add_filter( 'tenant_crm_sync_user_tenants', static fn( $ids ) => array_merge( $ids, array( 'acme' ) ) );
		$this->assertEqualsCanonicalizing( array_values( $this->posts ), $seen() );
		wp_set_current_user( 0 );
		$this->assertSame( array(), $seen(), 'no filter makes a visitor a member' );
		$this->expectException( InvalidArgumentException::class );
		Capabilities::assign_roles( 'Acme', array( 'no such role' ) );
	}

	public function test_a_deleted_tenant_leaves_the_roles(): void {
		Capabilities::assign_roles( 'Acme', array( 'editor', 'author' ) );
		Capabilities::assign_roles( 'acme', array( 'editor' ) );
		Capabilities::forget_tenant( 'Acme' );
		$this->assertSame( array( 'editor' => array( 'acme' ) ), Capabilities::by_role() );
	}

	public function test_the_sites_own_work_finds_all_whoever_asked_for_it(): void {
		$this->member_of( 'acme' );
		$ask = static fn(): int => count( get_posts( array( 'post_type' => 'crm_lead' ) ) );
		$this->assertSame( 1, $ask() );
		$this->assertSame( 2, Viewer::as_system( $ask ) );
		try {
			Viewer::as_system( static fn() => throw new DomainException( 'x' ) );
		} catch ( DomainException $e ) {
			$this->assertSame( 1, $ask(), 'also after a failure' );
		}
		$seen = 0;
		add_action(
			'tenant_crm_sync_batch_stored',
			static function () use ( &$seen, $ask ): void {
				$seen = $ask();
			}
		);
		process_crm_leads_for_tenant( 'acme', $this->leads( 1, 2 ) );
		$this->assertSame( 3, $seen, 'while leads are stored' );
		$this->assertSame( 2, $ask() );
	}
}
