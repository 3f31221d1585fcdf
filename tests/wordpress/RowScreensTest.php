<?php
/**
 * The screens "Conflicts" and "Refused rows" as their forms are posted: by whom, with what nonce, for whose rows; one row, many, undone; and
 * what they print of values that strangers typed.
 */

use TenantCRM\Admin\ConflictsPage;
use TenantCRM\Admin\RefusedPage;
use TenantCRM\Admin\Screens;
use TenantCRM\Capabilities;
use TenantCRM\Refused;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Conflicts;

final class RowScreensTest extends TwoWayCase {

	/** @var int Belongs to the tenant "acme" alone, and may sync it. */
	private int $user;

	public static function setUpBeforeClass(): void {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
	}

	protected function setUp(): void {
		parent::setUp();
		$this->user = $this->account( 'syncer' );
		( new WP_User( $this->user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $this->user, array( 'acme' ) );
		add_filter( 'wp_redirect', array( $this, 'stop' ) );
		add_filter( 'wp_die_handler', array( $this, 'die_handler' ) );
	}

	protected function tearDown(): void {
		remove_filter( 'wp_redirect', array( $this, 'stop' ) );
		remove_filter( 'wp_die_handler', array( $this, 'die_handler' ) );
		$_GET     = array();
		$_POST    = array();
		$_REQUEST = array();
		unset( $_SERVER['REQUEST_METHOD'], $GLOBALS['current_screen'] );
		wp_set_current_user( 0 );
		wp_delete_user( $this->user );
	}

	/** @throws RuntimeException Instead of the exit that follows. */
	public function stop( string $location ): string {
		throw new RuntimeException( $location );
	}

	public function die_handler(): callable {
		return static function ( $message, $title, $args ): void {
			throw new DomainException( is_scalar( $message ) ? (string) $message : 'died', (int) ( $args['response'] ?? 0 ) );
		};
	}

	public function test_one_conflict_is_decided_by_its_button_and_undone_from_the_notice(): void {
		$tenant = $this->collided( 'acme', 1 );
		$id     = Conflicts::list()[0]['id'];
		$said   = $this->post( ConflictsPage::class, $this->user, array( 'one' => "portal:$id" ) );
		$this->assertSame( array( 'decided', '1', (string) $id ), array( $said['did'], $said['done'], $said['ids'] ) );
		$this->assertSame( array( 'taken', 'portal', $this->user ), $this->decision( $id ) );
		$html = $this->screen( ConflictsPage::class, $this->user, $said );
		$this->assertStringContainsString( '1 conflict was decided', $html );
		$this->assertStringContainsString( "name=\"rows[]\" value=\"$id\"> <button class=\"button-link\" name=\"all\" value=\"undo\">Undo", $html );
		$this->settle( $tenant );
		$this->assertSame( 'p1@portal.test', $this->crm_lead( $tenant, '1' )['email'] );
		$said = $this->post( ConflictsPage::class, $this->user, array( 'all' => 'undo', 'rows' => array( (string) $id ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( 'undone', '1' ), array( $said['did'], $said['done'] ) );
		$this->settle( $tenant );
		$this->assertSame( 'c1@crm.test', $this->crm_lead( $tenant, '1' )['email'] );
		$this->assertConverged( $tenant );
		$this->assertStringContainsString( 'was undone', $this->screen( ConflictsPage::class, $this->user, $said ) );
		$this->assertSame( array( '1', '' ), array( $this->post( ConflictsPage::class, $this->user, array( 'one' => "undo:$id" ) )['again'], $this->writes_since( $tenant ) ), 'once' );
	}

	public function test_many_conflicts_are_decided_by_the_menu_above_or_below(): void {
		$tenant = $this->collided( 'acme', 4 );
		$ids    = array_map( 'strval', array_column( Conflicts::list(), 'id' ) );
		$said   = $this->post( ConflictsPage::class, $this->user, array( 'action' => 'crm', 'action2' => '-1', 'rows' => array_slice( $ids, 0, 2 ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( '2', $said['done'] );
		$said = $this->post( ConflictsPage::class, $this->user, array( 'action' => '-1', 'action2' => 'portal', 'rows' => array_slice( $ids, 2 ) ), array( 's' => 'Lead', 'tenant' => (string) $tenant->key ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( '2', 'Lead', (string) $tenant->key ), array( $said['done'], $said['s'], $said['tenant'] ), 'back to the same list' );
		$this->settle( $tenant );
		$this->assertSame( array( 'p1@portal.test', 'p2@portal.test', 'c3@crm.test', 'c4@crm.test' ), array_map( fn( string $id ): string => $this->crm_lead( $tenant, $id )['email'], array( '1', '2', '3', '4' ) ) );
		$this->assertConverged( $tenant );
		foreach ( array( array( 'action' => '-1', 'rows' => $ids ), array( 'action' => 'crm' ), array( 'action' => 'drop', 'rows' => $ids ), array( 'one' => "erase:{$ids[0]}" ), array( 'one' => array( 'crm' ), 'rows' => 'x' ) ) as $nothing ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->assertArrayNotHasKey( 'done', $this->post( ConflictsPage::class, $this->user, $nothing ), wp_json_encode( $nothing ) );
		}
		$this->assertStringContainsString( 'Nothing was done', $this->screen( ConflictsPage::class, $this->user, array( 'none' => '1' ) ) );
	}

	public function test_nobody_decides_about_another_tenants_rows_nor_without_nonce_and_capability(): void {
		$this->collided( 'acme', 1 );
		$theirs  = $this->collided( 'other', 1 );
		$this->refuse( $theirs );
		$before  = $this->decisions();
		$id      = Conflicts::list( array( 'tenants' => array( $theirs->key ) ) )[0]['id'];
		$refused = Refused::list()[0]['key'];
		// A user of the tenant "acme".
		foreach ( array( array( 'one' => "crm:$id" ), array( 'action' => 'portal', 'rows' => array( (string) $id ) ), array( 'all' => 'undo', 'rows' => array( (string) $id ) ) ) as $post ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$said = $this->post( ConflictsPage::class, $this->user, $post );
			$this->assertSame( array( '1', false ), array( $said['again'], isset( $said['done'] ) ) );
		}
		foreach ( array( array( 'one' => "retry:$refused" ), array( 'one' => "drop:$refused" ), array( 'action' => 'drop', 'rows' => array( $refused ) ) ) as $post ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$said = $this->post( RefusedPage::class, $this->user, $post );
			$this->assertSame( array( '1', false, false ), array( $said['gone'], isset( $said['dropped'] ), isset( $said['waits'] ) ) );
		}
		// Neither screen tells that they are there, whatever the address says.
		foreach ( array( array(), array( 'tenant' => (string) $theirs->key ), array( 's' => 'Lead' ) ) as $get ) {
			foreach ( array( ConflictsPage::class, RefusedPage::class ) as $page ) {
				$html = $this->screen( $page, $this->user, $get );
				$this->assertStringNotContainsString( 'other', preg_replace( '~</?(?:a|form|option|script|style)[^>]*>~', '', $html ) . '' );
				// With what is decided before it: the seconds of a time end in such a number too.
				$this->assertDoesNotMatchRegularExpression( "/(crm|portal|undo):$id\"/", $html );
				$this->assertStringNotContainsString( $refused, $html );
			}
		}
		// Somebody without the capability, and one with it but with another's nonce.
		$stranger = $this->account( 'stranger' );
		Capabilities::assign( $stranger, array( 'other' ) );
		foreach ( array( ConflictsPage::class => "crm:$id", RefusedPage::class => "drop:$refused" ) as $page => $one ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->assertSame( 403, $this->dies( fn() => $this->post( $page, $stranger, array( 'one' => $one ) ) ) );
			$this->assertSame( 403, $this->dies( fn() => $this->post( $page, 1, array( 'one' => $one, 'tcs-nonce' => wp_create_nonce( 'something else' ) ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		$this->assertSame( $before, $this->decisions(), 'nothing was decided' );
		wp_delete_user( $stranger );
	}

	/** That the site has moved unlocks every tenant's CRM. */
	public function test_only_who_manages_tenants_says_that_the_site_has_moved(): void {
		$tenant = $this->tenant( 'acme' );
		Conflicts::ask_for_all( $tenant->key, 'leads', 'home', 'The address of this site has changed.' );
		$id = Conflicts::list()[0]['id'];
		update_option( TenantCRM\TwoWay\Home::OPTION, 'elsewhere' );
		$this->assertSame( '1', $this->post( ConflictsPage::class, $this->user, array( 'one' => "portal:$id" ) )['again'] );
		$this->assertFalse( TenantCRM\TwoWay\Home::is_here() );
		$this->assertStringContainsString( 'The site has moved: go on', $this->screen( ConflictsPage::class, 1 ) );
		$this->assertSame( '1', $this->post( ConflictsPage::class, 1, array( 'one' => "portal:$id" ) )['done'] );
		$this->assertTrue( TenantCRM\TwoWay\Home::is_here() );
	}

	public function test_refused_rows_are_tried_again_at_once_and_dropped(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		foreach ( array( '1', '2', '3' ) as $id ) {
			update_post_meta( $this->post_of( $tenant, $id )->ID, 'email', "no address $id" );
		}
		$this->settle( $tenant );
		$this->assertSame( 3, Refused::count() );
		// One is corrected by hand in the database, which no hook tells of.
		global $wpdb;
		$wpdb->update( $wpdb->postmeta, array( 'meta_value' => 'right@portal.test' ), array( 'post_id' => $this->post_of( $tenant, '2' )->ID, 'meta_key' => 'email' ) ); // phpcs:ignore WordPress
		wp_cache_flush();
		$keys = array_column( Refused::list(), 'key' );
		$said = $this->post( RefusedPage::class, $this->user, array( 'action' => 'retry', 'rows' => $keys ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( '1', '2' ), array( $said['through'], $said['again'] ) );
		$this->assertSame( 'right@portal.test', $this->crm_lead( $tenant, '2' )['email'] );
		$html = $this->screen( RefusedPage::class, $this->user, $said );
		$this->assertStringContainsString( '1 row got through', $html );
		$this->assertStringContainsString( '2 rows were refused again', $html );
		$this->assertStringContainsString( 'From the portal <span class="count">(2)</span>', $html );
		$keys = array_column( Refused::list(), 'key' );
		$this->assertSame( '1', $this->post( RefusedPage::class, $this->user, array( 'one' => "drop:{$keys[0]}" ) )['dropped'] );
		$this->assertSame( array( '1', '1' ), array_values( array_intersect_key( $this->post( RefusedPage::class, $this->user, array( 'all' => 'drop', 'rows' => $keys ) ), array( 'dropped' => 1, 'gone' => 1 ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertStringContainsString( 'Nothing is refused', $this->screen( RefusedPage::class, $this->user ) );
	}

	public function test_a_paused_tenants_row_is_queued_and_told_so(): void {
		$tenant = $this->pair();
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'no address' );
		$this->settle( $tenant );
		Tenants::pause( $tenant->key, true );
		$said = $this->post( RefusedPage::class, $this->user, array( 'one' => 'retry:' . Refused::list()[0]['key'] ) );
		$this->assertSame( '1', $said['waits'] );
		$this->assertStringContainsString( 'queued to be tried again', $this->screen( RefusedPage::class, $this->user, $said ) );
	}

	public function test_whoever_looks_for_a_reason_is_led_to_syncs_that_failed_as_a_whole(): void {
		$letters = array( 'acme' => $this->tenant( 'acme' ), 'other' => $this->tenant( 'other' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$words   = 'failed as a whole';
		$this->assertStringNotContainsString( "$words. <a", $this->screen( RefusedPage::class, $this->user ) );
		foreach ( $letters as $tenant ) {
			// Its connection lacks everything.
			TenantCRM\Worker::run( 5.0, TenantCRM\Jobs::enqueue( $tenant->key ) );
		}
		$this->assertStringContainsString( "1 sync $words", $this->screen( RefusedPage::class, $this->user ) );
		$this->assertStringContainsString( "2 syncs $words", $this->screen( RefusedPage::class, 1 ) );
	}

	public function test_values_are_shown_as_the_text_that_they_are(): void {
		$tenant = $this->pair( 'acme', 2, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'phone', '<script>alert(1)</script>' );
		$this->crm_edit( $tenant, '1', array( 'phone' => '<img src=x onerror=alert(2)>' ) );
		wp_update_post( array( 'ID' => $this->post_of( $tenant, '2' )->ID, 'post_title' => '" onclick="alert(3)' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		update_post_meta( $this->post_of( $tenant, '2' )->ID, 'email', '<b>no address</b>' );
		$this->settle( $tenant );
		$html = $this->screen( ConflictsPage::class, $this->user ) . $this->screen( RefusedPage::class, $this->user );
		foreach ( array( '&lt;script&gt;alert(1)&lt;/script&gt;', '&lt;img src=x onerror=alert(2)&gt;', '&quot; onclick=&quot;alert(3)' ) as $text ) {
			$this->assertStringContainsString( $text, $html );
		}
		foreach ( array( '<script>', '<img', '" onclick="', '<b>' ) as $markup ) {
			$this->assertStringNotContainsString( $markup, $html );
		}
	}

	public function test_a_list_is_searched_and_paged_and_keeps_its_address(): void {
		$tenant = $this->collided( 'acme', 3 );
		update_user_meta( $this->user, 'tenant_crm_per_page', 2 );
		$html = $this->screen( ConflictsPage::class, $this->user );
		$this->assertSame( 2, substr_count( $html, 'name="rows[]"' ) );
		$this->assertStringContainsString( '3 items', $html );
		$this->assertSame( 1, substr_count( $this->screen( ConflictsPage::class, $this->user, array( 'paged' => '2' ) ), 'name="rows[]"' ) );
		$this->assertSame( 1, substr_count( $this->screen( ConflictsPage::class, $this->user, array( 's' => 'lead 2' ) ), 'name="rows[]"' ) );
		$this->assertStringContainsString( 'No conflicts that fit', $this->screen( ConflictsPage::class, $this->user, array( 's' => 'phone' ) ) );
		$this->assertStringContainsString( 'Lead 3, email', $html, 'each box and button has a name of its own' );
		$this->assertSame( substr_count( $html, '<button class="button button-small"' ), substr_count( $html, 'aria-label="Take the ' ) );
	}

	/** A tenant with so many leads whose e-mail both sides changed, and both ask. */
	private function collided( string $id, int $count ): Tenant {
		$tenant = $this->pair( $id, max( 2, $count ), array( 'policy' => 'ask' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->settle( $tenant );
		for ( $lead = 1; $lead <= $count; $lead++ ) {
			update_post_meta( $this->post_of( $tenant, (string) $lead )->ID, 'email', "p$lead@portal.test" );
			$this->crm_edit( $tenant, (string) $lead, array( 'email' => "c$lead@crm.test" ) );
		}
		$this->settle( $tenant );
		$this->assertSame( $count, Conflicts::count( array( 'state' => 'open', 'tenants' => array( $tenant->key ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		return $tenant;
	}

	private function refuse( Tenant $tenant ): void {
		update_post_meta( $this->post_of( $tenant, '2' )->ID, 'email', 'no address' );
		$this->settle( $tenant );
	}

	/**
	 * Posts the form of a screen.
	 *
	 * @param class-string          $page
	 * @param array<string, mixed>  $post
	 * @param array<string, string> $get
	 * @return array<string, string> What the address says that it goes back to.
	 */
	private function post( string $page, int $user, array $post, array $get = array() ): array {
		wp_set_current_user( $user );
		$slug                      = ConflictsPage::class === $page ? Screens::CONFLICTS : Screens::REFUSED;
		$_GET                      = array( 'page' => $slug ) + $get;
		$_POST                     = wp_slash( $post + array( 'tcs-nonce' => wp_create_nonce( $slug ) ) );
		$_REQUEST                  = $_POST + $_GET;
		$_SERVER['REQUEST_METHOD'] = 'POST';
		set_current_screen( "crm-sync_page_$slug" );
		try {
			$page::load();
			$this->fail( 'it went on' );
		} catch ( RuntimeException $e ) {
			wp_parse_str( (string) wp_parse_url( $e->getMessage(), PHP_URL_QUERY ), $said );
			$this->assertSame( $slug, $said['page'], $e->getMessage() );
			return $said;
		} finally {
			$_POST                     = array();
			$_REQUEST                  = array();
			$_SERVER['REQUEST_METHOD'] = 'GET';
		}
	}

	/**
	 * @param class-string          $page
	 * @param array<string, string> $get
	 */
	private function screen( string $page, int $user, array $get = array() ): string {
		wp_set_current_user( $user );
		$slug     = ConflictsPage::class === $page ? Screens::CONFLICTS : Screens::REFUSED;
		$_GET     = array( 'page' => $slug ) + $get;
		$_REQUEST = $_GET;
		set_current_screen( "crm-sync_page_$slug" );
		$page::load();
		ob_start();
		$page::render();
		return (string) ob_get_clean();
	}

	/** @return int The answer's status. */
	private function dies( callable $what ): int {
		try {
			$what();
		} catch ( DomainException $e ) {
			return $e->getCode();
		}
		return 0;
	}

	/** @return array{0: string, 1: ?string, 2: int} */
	private function decision( int $id ): array {
		$row = Conflicts::get( $id );
		return array( $row['state'], $row['choice'], $row['decided_by'] );
	}

	/** Everything that a decision changes, as text. */
	private function decisions(): string {
		global $wpdb;
		return wp_json_encode( array_map( static fn( string $table ): array => $wpdb->get_results( 'SELECT * FROM ' . Schema::table( $table ) . ' ORDER BY id', ARRAY_N ), array( 'conflicts', 'changes', 'refused' ) ), JSON_INVALID_UTF8_SUBSTITUTE );
	}

	private function writes_since( Tenant $tenant ): string {
		$before = count( $this->writes( $tenant ) );
		$this->settle( $tenant );
		return implode( ' ', array_slice( $this->writes( $tenant ), $before ) );
	}
}
