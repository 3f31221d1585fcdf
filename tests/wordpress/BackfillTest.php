<?php
/**
 * Everything is read again beside the pulls of changes: killed, it goes on from where it was; what changes meanwhile arrives meanwhile and is
 * not undone by a page that was read before; and what a complete one did not show is looked for.
 */

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Worker;

final class BackfillTest extends TwoWayCase {

	/** @dataProvider directions */
	public function test_killed_half_way_it_goes_on_while_changes_arrive( string $direction ): void {
		$tenant = $this->pair( 'acme', 0, array( 'page_size' => 10, 'direction' => $direction ) );
		$rows   = array_map( static fn( array $lead ): array => array( 'id' => (int) $lead['id'], 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', 1770000000 + 3600 * (int) $lead['id'] ) ) + $lead, $this->leads( 60 ) );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => $rows ) );
		$this->settle( $tenant );
		$gone = $this->post_of( $tenant, '55' )->ID;
		$this->crm( 'DELETE', $tenant, '/api/v1/leads/55' );
		$before = $this->cursor( 'leads' );
		$run    = Jobs::backfill( $tenant->key );
		$this->assertSame( $run, Jobs::backfill( $tenant->key ), 'asked for twice, done once' );
		$this->php( 'require $argv[1]; $n = 0; add_action( "tenant_crm_sync_batch_stored", function () use ( &$n ) { 3 === ++$n && posix_kill( getmypid(), SIGKILL ); } ); TenantCRM\Worker::run( 30.0, ' . $run . ' );', false );
		$this->assertSame( array( 'running', '30' ), array( Runs::get( $run )['state'], (string) Runs::get( $run )['fetched'] ) );
		$this->assertSame( $before, $this->cursor( 'leads' ), 'the cursor of the pulls is not touched' );
		$this->assertNotNull( $this->cursor( 'backfill:leads' ) );
		// Meanwhile, with the backfill in the hands of a worker that says nothing more.
		$this->crm_edit( $tenant, '58', array( 'phone' => '+49 58' ) );
		$pull = $this->pull( $tenant );
		$this->assertSame( 'done', $pull['state'] );
		$this->assertLessThan( 20, (int) $pull['fetched'], 'only what changed' );
		$this->assertSame( '+49 58', get_post_meta( $this->post_of( $tenant, '58' )->ID, 'phone', true ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET lease_until = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE run = $run" );
		$asked = count( $this->lists() );
		Worker::run( 30.0, $run );
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->assertLessThanOrEqual( 5, count( $this->lists() ) - $asked, 'not from the beginning' );
		$this->assertNull( $this->cursor( 'backfill:leads' ) );
		wp_cache_flush();
		$this->assertSame( '+49 58', get_post_meta( $this->post_of( $tenant, '58' )->ID, 'phone', true ) );
		$this->assertSame( 'publish', get_post_status( $gone ), 'absent is not deleted' );
		if ( 'both' === $direction ) {
			$this->push( $tenant );
			$this->assertSame( 'trash', get_post_status( $gone ), 'looked for, and gone' );
			$this->assertConverged( $tenant );
		}
		$this->assertSame( array(), $this->writes( $tenant ) );
	}

	/** @return array<string, array{0: string}> */
	public static function directions(): array {
		return array( 'both ways' => array( 'both' ), 'one way' => array( 'from_crm' ) );
	}

	/** @dataProvider stores */
	public function test_a_page_that_was_read_before_a_pull_undoes_nothing( array $settings ): void {
		$tenant = $this->pair( 'acme', 3, $settings );
		$this->pull( $tenant );
		$stale = wp_json_encode( array( 'data' => Sandbox::leads( 'acme' ), 'meta' => array( 'current_page' => 1, 'last_page' => 1 ) ) );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 new' ) );
		$this->pull( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'method' => 'GET', 'status' => 200, 'headers' => array( 'Content-Type' => 'application/json' ), 'body' => $stale ) ) ) );
		$run = Jobs::backfill( $tenant->key );
		Worker::run( 30.0, $run );
		$this->assertSame( array( 'done', '3' ), array( Runs::get( $run )['state'], (string) Runs::get( $run )['fetched'] ) );
		wp_cache_flush();
		$this->assertSame( '+49 new', get_post_meta( $this->post_of( $tenant, '2' )->ID, 'phone', true ) );
	}

	/** @dataProvider one_way_stores */
	public function test_a_crm_that_was_restored_or_whose_clock_was_set_back_is_believed( array $settings ): void {
		$tenant = $this->pair( 'acme', 3, $settings );
		$old    = array_map( static fn( array $lead ): array => array( 'updated_at' => '2026-01-01T00:00:00Z', 'phone' => '+49 old' ) + $lead, Sandbox::leads( 'acme' ) );
		$this->pull( $tenant );
		Sandbox::post( '/rows', array( 'tenant' => 'acme', 'object' => 'leads', 'rows' => $old ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'records' ) . ' SET synced_at = UTC_TIMESTAMP() - INTERVAL 16 MINUTE' );
		Worker::run( 30.0, Jobs::backfill( $tenant->key ) );
		wp_cache_flush();
		$this->assertSame( '+49 old', get_post_meta( $this->post_of( $tenant, '2' )->ID, 'phone', true ) );
	}

	/** @return array<string, array{0: array<string, mixed>}> */
	public static function one_way_stores(): array {
		return array_diff_key( self::stores(), array( 'both ways' => 1 ) );
	}

	/** @return array<string, array{0: array<string, mixed>}> */
	public static function stores(): array {
		return array(
			'in sets'    => array( array( 'direction' => 'from_crm' ) ),
			'one by one' => array( array( 'direction' => 'from_crm', 'hooks' => true ) ),
			'both ways'  => array( array() ),
		);
	}

	public function test_pulls_go_first(): void {
		$tenant = $this->pair();
		$other  = $this->pair( 'north' );
		$run    = Jobs::backfill( $tenant->key );
		Jobs::enqueue( $other->key );
		$this->assertSame( 'pull', Jobs::claim()->kind );
		$job = Jobs::claim();
		$this->assertSame( array( $run, Jobs::BACKFILL, 'backfill:leads' ), array( $job->run, $job->kind, $job->cursor() ) );
	}

	private function cursor( string $name ): ?string {
		return $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) . " WHERE object = '$name'" );
	}

	/** @return list<array<string, mixed>> Pages that were asked for. */
	private function lists(): array {
		return array_values( array_filter( Sandbox::requests( 'acme' ), static fn( array $request ): bool => 'GET' === $request['method'] && str_starts_with( $request['path'], '/api/v1/leads' ) && ! preg_match( '~/leads/\d~', $request['path'] ) ) );
	}

	public function test_the_button_is_for_who_manages_the_tenant(): void {
		$tenant = $this->pair();
		$user   = $this->account( 'syncer' );
		( new WP_User( $user ) )->add_cap( TenantCRM\Capabilities::SYNC );
		TenantCRM\Capabilities::assign( $user, array( 'acme' ) );
		$backfills = fn(): array => array_column( Runs::list( array( 'tenant' => $tenant->key, 'kind' => Jobs::BACKFILL ) ), 'state' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( 403, $this->press( $tenant, $user, 'start' ) );
		$this->assertSame( 403, $this->press( $tenant, 1, 'start', 'another nonce' ) );
		$this->assertSame( array(), $backfills() );
		$this->assertSame( 302, $this->press( $tenant, 1, 'start' ) );
		$this->assertSame( 302, $this->press( $tenant, 1, 'start' ), 'it is one' );
		$this->assertSame( array( 'queued' ), $backfills() );
		$this->assertSame( 403, $this->press( $tenant, $user, 'cancel' ) );
		$this->assertSame( 302, $this->press( $tenant, 1, 'cancel' ) );
		$this->assertSame( array( 'cancelled' ), $backfills() );
		TenantCRM\Tenants::pause( $tenant->key, true );
		$this->press( TenantCRM\Tenants::get( $tenant->key ), 1, 'start' );
		$this->assertSame( array( 'cancelled' ), $backfills(), 'a paused tenant is left alone' );
		wp_set_current_user( 0 );
		wp_delete_user( $user );
	}

	/** @return int Status: 302 where it goes back to the screen. */
	private function press( TenantCRM\Tenant $tenant, int $user, string $button, string $nonce = '' ): int {
		wp_set_current_user( $user );
		$name     = TenantCRM\Admin\BackfillPanel::NAME;
		$_POST    = array( $name => $button, '_wpnonce' => '' === $nonce ? wp_create_nonce( "$name-{$tenant->key}" ) : $nonce ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$_REQUEST = $_POST;
		$stop     = static function ( $location ): void {
			throw new DomainException( $location, 302 );
		};
		$die      = static fn(): callable => static function ( $message, $title, $args ): void {
			throw new DomainException( 'died', (int) $args['response'] );
		};
		add_filter( 'wp_redirect', $stop );
		add_filter( 'wp_die_handler', $die );
		try {
			TenantCRM\Admin\BackfillPanel::act( $tenant );
		} catch ( DomainException $e ) {
			return $e->getCode();
		} finally {
			remove_filter( 'wp_redirect', $stop );
			remove_filter( 'wp_die_handler', $die );
			$_POST    = array();
			$_REQUEST = array();
		}
		return 0;
	}
}
