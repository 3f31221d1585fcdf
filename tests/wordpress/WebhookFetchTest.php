<?php
/**
 * From a proven event to the stored record: it is fetched by its id, in few requests however many events name it, and what a newer state has
 * written meanwhile is not taken back.
 */

use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Inbox;
use TenantCRM\Worker;

final class WebhookFetchTest extends WebhookCase {

	/** @param array<string, mixed> $fields */
	private function change( string $tenant, int $id, array $fields, string $object = 'leads' ): void {
		Sandbox::post( '/rows', array( 'tenant' => $tenant, 'object' => $object, 'rows' => array( array( 'id' => $id ) + $fields ) ) );
	}

	/** @param list<int|string> $ids */
	private function tell( Tenant $tenant, string $url, array $ids, string $type = 'lead.updated' ): void {
		foreach ( $ids as $id ) {
			$body = $this->body( $id, $type );
			$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed( $body, uniqid( 'msg_' ) ) ) );
		}
	}

	private function pulled( Tenant $tenant ): Tenant {
		Jobs::enqueue( $tenant->key );
		Worker::run( 20.0 );
		$this->asked( $tenant->id );
		return $tenant;
	}

	public function test_an_event_becomes_a_stored_record_within_one_slice(): void {
		$tenant = $this->pulled( $this->signing( 'acme', 30 ) );
		$url    = Addresses::make( $tenant );
		$pull   = Runs::latest( $tenant->key );
		$this->change( 'acme', 7, array( 'name' => 'Zoë Neu', 'email' => 'zoe@example.test' ) );
		$this->change( 'acme', 31, array( 'name' => 'New One', 'email' => 'new@example.test' ) );
		$body = $this->body( 7 );
		$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $this->signed( $body ) ) );
		$this->tell( $tenant, $url, array( 31 ), 'lead.created' );
		$this->assertSame( array( 1, 1, 0 ), array_values( array_intersect_key( Worker::run( 20.0 ), array( 'slices' => 1, 'done' => 1, 'failed' => 1 ) ) ) );
		$this->assertSame( array( 'GET /api/v1/leads/7', 'GET /api/v1/leads/31' ), $this->asked( 'acme' ) );
		$this->assertSame( array( 'Zoë Neu', 'zoe@example.test' ), array( $this->post_of( $tenant, '7' )->post_title, get_post_meta( $this->post_of( $tenant, '7' )->ID, 'email', true ) ) );
		$this->assertSame( 'New One', $this->post_of( $tenant, '31' )->post_title );
		$this->assertSame( 31, $this->posts() );
		$this->assertSame( array(), $this->waiting( $tenant ) );
		// The history of syncs has syncs.
		$this->assertSame( array( $pull ), Runs::list() );
		// To the next pull they are what it has already: the same fingerprints, whichever way they came.
		$run = Jobs::enqueue( $tenant->key, 'pull', 'leads', 50, array( 'full' => true ) );
		Worker::run( 20.0 );
		$this->assertSame( array( 'done', 0, 0, 31 ), array( Runs::get( $run )['state'], Runs::get( $run )['created'], Runs::get( $run )['updated'], Runs::get( $run )['unchanged'] ) );
	}

	public function test_a_thousand_events_for_fifty_records_are_few_reads(): void {
		$tenant = $this->pulled( $this->hubspot( 'storm', '62515', 60 ) );
		$ids    = array_slice( array_column( Sandbox::rows( 'storm', 'contacts' ), 'id' ), 0, 50 );
		$url    = Addresses::make( $tenant );
		Addresses::set_account( $tenant, '62515' );
		foreach ( $ids as $id ) {
			$this->change( 'storm', (int) $id, array( 'email' => "stormy$id@example.test" ), 'contacts' );
		}
		for ( $message = 0; $message < 20; $message++ ) {
			$body = $this->hubspot_body( $ids, '62515' );
			$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		}
		$this->assertSame( array( 20, 0, 0, 0 ), $this->counts( $tenant ) );
		Worker::run( 20.0 );
		$asked = $this->asked( 'storm' );
		$this->assertSame( 50, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) . " WHERE email LIKE 'stormy%'" ) );
		$this->assertLessThanOrEqual( 2, count( $asked ), implode( "\n", $asked ) );
		$this->assertSame( array( array(), '0' ), array( $this->waiting( $tenant ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ) ) );
	}

	public function test_many_records_of_a_crm_that_gives_one_at_a_time_are_a_pull(): void {
		$tenant = $this->pulled( $this->signing( 'many', 300 ) );
		$url    = Addresses::make( $tenant );
		for ( $id = 1; $id <= 80; $id++ ) {
			$this->change( 'many', $id, array( 'name' => "Changed $id" ) );
		}
		$this->tell( $tenant, $url, range( 1, 80 ) );
		Worker::run( 20.0 );
		$this->assertSame( '80', $this->sql( "SELECT COUNT(*) FROM {$GLOBALS['wpdb']->posts} WHERE post_title LIKE 'Changed %'" ) );
		$this->assertLessThan( 10, count( $this->asked( 'many' ) ) );
		$this->assertSame( array(), $this->waiting( $tenant ) );
	}

	public function test_absent_is_not_deleted(): void {
		$tenant = $this->pulled( $this->signing( 'acme', 5 ) );
		$url    = Addresses::make( $tenant );
		$this->change( 'acme', 2, array( 'name' => 'Still There' ) );
		$context = array( 'http' => array( 'method' => 'DELETE', 'header' => 'Content-Type: application/json', 'content' => (string) json_encode( array( 'tenant' => 'acme', 'object' => 'leads', 'ids' => array( 3 ) ) ) ) );
		file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/rows', false, stream_context_create( $context ) );
		// One is deleted, of the other it is only said.
		$this->tell( $tenant, $url, array( 3, 2 ), 'lead.deleted' );
		Worker::run( 20.0 );
		$this->assertSame( array( 5, 'publish' ), array( $this->posts(), $this->post_of( $tenant, '3' )->post_status ) );
		$this->assertSame( 'Still There', $this->post_of( $tenant, '2' )->post_title );
		$this->assertSame( array( array( '3', '1' ) ), $GLOBALS['wpdb']->get_results( 'SELECT crm_id, is_deleted FROM ' . Schema::table( 'webhook_records' ) . ' WHERE missing_at IS NOT NULL', ARRAY_N ) );
		$this->assertSame( array(), $this->waiting( $tenant ) );
		// It is asked for again only when it is named again.
		$this->asked( 'acme' );
		Inbox::sweep();
		Worker::run( 5.0 );
		$this->assertSame( array(), $this->asked( 'acme' ) );
		$this->change( 'acme', 3, array( 'name' => 'Restored' ) );
		$this->tell( $tenant, $url, array( 3 ) );
		Worker::run( 20.0 );
		$this->assertSame( array( 'Restored', '0' ), array( $this->post_of( $tenant, '3' )->post_title, $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'webhook_records' ) ) ) );
	}

	/** @dataProvider ways */
	public function test_a_newer_state_that_a_pull_stored_meanwhile_is_not_taken_back( bool $hooks ): void {
		$tenant = $this->pulled( $this->signing( 'acme', 5, self::SECRET, array( 'hooks' => $hooks ) ) );
		$url    = Addresses::make( $tenant );
		$this->change( 'acme', 1, array( 'name' => 'Second State' ) );
		$this->change( 'acme', 6, array( 'name' => 'Second State' ) );
		$this->tell( $tenant, $url, array( 1, 6 ) );
		// When the fetched records are about to be stored, a pull has stored a third state of one and made the other.
		$first = $hooks ? '/GET_LOCK/' : '/tenant_crm_jobs` WHERE id = \d+ AND lease = .* FOR UPDATE/';
		$once  = function ( string $sql ) use ( &$once, $first ): string {
			if ( preg_match( $first, $sql ) ) {
				remove_filter( 'query', $once );
				$this->change( 'acme', 1, array( 'name' => 'Third State' ) );
				$this->change( 'acme', 6, array( 'name' => 'Third State' ) );
				$this->php( 'require $argv[1]; TenantCRM\Jobs::enqueue( TenantCRM\Tenants::find( "acme" )->key, "pull", "leads", 1 ); TenantCRM\Worker::run( 20.0 );' );
			}
			return $sql;
		};
		$sums  = array();
		$count = static function ( $tenant, $object, $posts, array $counts ) use ( &$sums ): void {
			$sums[] = array( $counts['fetched'], $counts['created'] + $counts['updated'] + $counts['unchanged'] + $counts['refused'] );
		};
		add_filter( 'query', $once );
		add_action( 'tenant_crm_sync_batch_stored', $count, 10, 4 );
		Worker::run( 20.0 );
		remove_filter( 'query', $once );
		remove_action( 'tenant_crm_sync_batch_stored', $count );
		wp_cache_flush();
		$this->assertSame( array( 2, 2 ), $sums[0] );
		$this->assertSame( array( 'Third State', 'Third State', 6 ), array( $this->post_of( $tenant, '1' )->post_title, $this->post_of( $tenant, '6' )->post_title, $this->posts() ) );
		$this->assertSame( array(), $this->waiting( $tenant ), 'and they were looked at again' );
		$this->assertSame( 2, count( array_keys( $this->asked( 'acme' ), 'GET /api/v1/leads/1', true ) ) );
	}

	/** @return array<string, array{0: bool}> */
	public function ways(): array {
		return array(
			'set-based'     => array( false ),
			'through hooks' => array( true ),
		);
	}

	public function test_named_again_while_it_is_fetched_is_fetched_again(): void {
		$tenant = $this->pulled( $this->signing( 'acme', 5 ) );
		$url    = Addresses::make( $tenant );
		$this->tell( $tenant, $url, array( 1 ) );
		$told = false;
		$hook = function () use ( &$told, $tenant, $url ): void {
			if ( ! $told ) {
				$told = true;
				$this->change( 'acme', 1, array( 'name' => 'Newest' ) );
				$this->change( 'acme', 2, array( 'name' => 'Newest' ) );
				$this->tell( $tenant, $url, array( 1, 2 ) );
			}
		};
		add_action( 'tenant_crm_sync_batch_stored', $hook );
		Worker::run( 20.0 );
		remove_action( 'tenant_crm_sync_batch_stored', $hook );
		$this->assertSame( array( 'Newest', 'Newest', array() ), array( $this->post_of( $tenant, '1' )->post_title, $this->post_of( $tenant, '2' )->post_title, $this->waiting( $tenant ) ) );
	}

	public function test_records_whose_job_was_never_asked_for_are_found(): void {
		global $wpdb;
		$tenant = $this->pulled( $this->signing( 'acme', 3 ) );
		$url    = Addresses::make( $tenant );
		$this->change( 'acme', 1, array( 'name' => 'Found' ) );
		$this->tell( $tenant, $url, array( 1 ) );
		$wpdb->query( 'DELETE FROM ' . Schema::table( 'jobs' ) );
		Worker::run( 5.0 );
		$this->assertSame( array( '1' ), $this->waiting( $tenant ) );
		TenantCRM\Cron::tick();
		$this->assertSame( array( 'Found', array() ), array( $this->post_of( $tenant, '1' )->post_title, $this->waiting( $tenant ) ) );
	}

	public function test_a_crm_that_is_away_or_refuses_one_loses_nothing(): void {
		$tenant = $this->pulled( $this->signing( 'acme', 5, self::SECRET, array( 'timeout' => 2 ) ) );
		$url    = Addresses::make( $tenant );
		$this->change( 'acme', 1, array( 'name' => 'Later' ) );
		$this->change( 'acme', 2, array( 'name' => 'Good' ) );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'status', 'status' => 503, 'times' => null ) ) ) );
		$this->tell( $tenant, $url, array( 1 ) );
		Worker::run( 10.0 );
		$this->assertSame( array( array( '1' ), 'queued' ), array( $this->waiting( $tenant ), Jobs::state( $tenant->key, 'fetch', 'leads' ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'canned', 'status' => 422, 'times' => 1, 'headers' => new stdClass(), 'body_base64' => base64_encode( '{"message":"odd"}' ) ) ) ) );
		$this->tell( $tenant, $url, array( 2 ) );
		$GLOBALS['wpdb']->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET available_at = '2020-01-01'" );
		Worker::run( 10.0 );
		$this->assertSame( array( 'Good', array() ), array( $this->post_of( $tenant, '2' )->post_title, $this->waiting( $tenant ) ) );
		$this->assertStringContainsString( 'Lead "1" of tenant "acme" was refused', Log::list( array( 'level' => 'error' ) )[0]['message'] );
	}

	public function test_a_tenant_chooses_what_is_worth_fetching(): void {
		$chosen = array( 'fields' => array( 'email', 'phone' ), 'filter' => array( 'status' => array( 'qualified' ) ) );
		$tenant = $this->pulled( $this->hubspot( 'picky', '1', 3, array( 'webhook' => $chosen ) ) );
		$rows   = Sandbox::rows( 'picky', 'contacts' );
		$url    = Addresses::make( $tenant );
		Addresses::set_account( $tenant, '1' );
		$send = function ( string $body ) use ( $url ): void {
			$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		};
		$send( $this->hubspot_body( array( $rows[0]['id'] ), '1', 'contact.propertyChange', 'favourite_colour' ) );
		$send( $this->hubspot_body( array( 5 ), '1', 'company.propertyChange' ) );
		$this->assertSame( array( array( 0, 0, 2, 0 ), array() ), array( $this->counts( $tenant ), $this->waiting( $tenant ) ), 'an unwanted field, an unwanted object' );
		$send( $this->hubspot_body( array( $rows[0]['id'] ), '1', 'contact.creation', '' ) );
		$send( $this->hubspot_body( array( $rows[1]['id'] ), '1', 'contact.propertyChange', 'phone' ) );
		$this->assertCount( 2, $this->waiting( $tenant ) );
		Worker::run( 20.0 );
		// Of new records only those come that the filter holds for; those that are here are kept up to date, so that they can leave.
		$this->change( 'picky', 1001, array( 'name' => 'No', 'email' => 'no@example.test', 'status' => 'new' ), 'contacts' );
		$this->change( 'picky', 1002, array( 'name' => 'Yes', 'email' => 'yes@example.test', 'status' => 'qualified' ), 'contacts' );
		$this->change( 'picky', (int) $rows[0]['id'], array( 'email' => 'left@example.test', 'status' => 'lost' ), 'contacts' );
		$send( $this->hubspot_body( array( 1001, 1002, $rows[0]['id'] ), '1' ) );
		Worker::run( 20.0 );
		$emails = $GLOBALS['wpdb']->get_col( 'SELECT email FROM ' . Schema::table( 'records' ) . ' ORDER BY email' );
		$this->assertContains( 'yes@example.test', $emails );
		$this->assertContains( 'left@example.test', $emails );
		$this->assertNotContains( 'no@example.test', $emails );
		$this->assertSame( array(), $this->waiting( $tenant ) );
	}

	public function test_choices_that_mean_nothing_are_refused(): void {
		foreach ( array( array( 'colours' => array() ), 'all', array( 'objects' => array( 'no such' ) ), array( 'fields' => array( array() ) ), array( 'filter' => array( 'open' ) ), array( 'fields' => array_fill( 0, 101, 'x' ) ) ) as $chosen ) {
			try {
				Tenants::save( array( 'id' => 'odd', 'connector' => 'zoho', 'settings' => array( 'webhook' => $chosen ) ) );
				$this->fail( (string) json_encode( $chosen ) );
			} catch ( InvalidArgumentException $e ) {
				$this->assertNotSame( '', $e->getMessage() );
			}
		}
	}

	public function test_a_deleted_tenant_leaves_nothing(): void {
		$tenant = $this->signing( 'acme', 3 );
		$this->tell( $tenant, Addresses::make( $tenant ), array( 1 ) );
		Tenants::delete( $tenant->key );
		foreach ( array( 'webhooks', 'webhook_messages', 'webhook_records', 'jobs' ) as $name ) {
			$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( $name ) ), $name );
		}
	}

	public function test_what_is_known_again_and_what_waits_is_bounded(): void {
		global $wpdb;
		$tenant = $this->signing( 'acme', 3 );
		$this->tell( $tenant, Addresses::make( $tenant ), array( 1, 2 ) );
		Inbox::prune();
		$this->assertSame( array( '2', '2' ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'webhook_messages' ) ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'webhook_records' ) ) ) );
		$wpdb->query( 'UPDATE ' . Schema::table( 'webhook_messages' ) . ' SET heard_at = heard_at - INTERVAL 4 DAY' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'webhook_records' ) . ' SET heard_at = heard_at - INTERVAL 8 DAY' );
		Inbox::prune();
		$this->assertSame( array( '0', '0' ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'webhook_messages' ) ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'webhook_records' ) ) ) );
	}
}
