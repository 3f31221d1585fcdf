<?php
/**
 * What tests of two-way sync share: a tenant whose CRM is the sandbox, edits on both sides, syncs until all is quiet, and what must hold then.
 */

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Changes;
use TenantCRM\Worker;

abstract class TwoWayCase extends PluginCase {

	/** Another one in each test: a connection that failed is left alone for a while, and that is none of the next test's business. */
	private string $key = '';

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		$this->key = bin2hex( random_bytes( 8 ) );
		remove_all_actions( 'tenant_crm_sync_push_step' );
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		add_filter( 'tenant_crm_sync_settle_seconds', '__return_zero' );
	}

	public static function tearDownAfterClass(): void {
		remove_all_filters( 'tenant_crm_sync_settle_seconds' );
		Sandbox::reset();
		parent::tearDownAfterClass();
	}

	/** A tenant with some leads in its CRM. */
	protected function pair( string $id = 'acme', int $leads = 3, array $settings = array() ): Tenant {
		Sandbox::post( '/tenants', array( 'id' => $id, 'key' => "$id-{$this->key}", 'paging' => 'page', 'order' => 'updated_at' ) );
		if ( $leads ) {
			Sandbox::post( '/rows', array( 'tenant' => $id, 'object' => 'leads', 'rows' => array_map( static fn( array $lead ): array => array( 'id' => (int) $lead['id'] ) + $lead, $this->leads( $leads ) ) ) );
		}
		return Tenants::save( array( 'id' => $id, 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "$id-{$this->key}", 'settings' => $settings + array( 'direction' => 'both' ) ) );
	}

	protected function pull( Tenant $tenant, array $payload = array() ): array {
		return $this->work( Jobs::enqueue( $tenant->key, 'pull', 'leads', 10, $payload ) );
	}

	/** In as many slices as it takes. */
	private function work( int $run ): array {
		for ( $slice = 0; $slice < 20; $slice++ ) {
			Worker::run( 30.0, $run );
			if ( ! in_array( Runs::get( $run )['state'], array( 'queued', 'running' ), true ) ) {
				break;
			}
		}
		$done = Runs::get( $run );
		$this->assertSame( $done['fetched'], $done['created'] + $done['updated'] + $done['unchanged'] + $done['refused'], 'each record of a run counts once: ' . json_encode( $done ) );
		return $done;
	}

	/** Also what waits for its next attempt. */
	protected function push( Tenant $tenant ): array {
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'changes' ) . ' SET available_at = UTC_TIMESTAMP(3)' );
		return $this->work( Jobs::enqueue( $tenant->key, Changes::KIND, 'leads', 10 ) );
	}

	/** Until nothing is left to do. */
	protected function settle( Tenant $tenant ): void {
		for ( $round = 0; $round < 5; $round++ ) {
			$this->pull( $tenant );
			$this->push( $tenant );
			if ( $round > 0 && ! (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) . " WHERE refused = 0 AND tenant = {$tenant->key}" ) && ! (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) . " WHERE hint IN (1, 3) AND tenant = {$tenant->key}" ) ) {
				return;
			}
		}
	}

	/** A change in the CRM, a second later than whatever was before. */
	protected function crm_edit( Tenant $tenant, string $id, array $fields ): void {
		$this->crm( 'PATCH', $tenant, "/api/v1/leads/$id", $fields );
	}

	protected function crm( string $method, Tenant $tenant, string $path, ?array $fields = null ): array {
		usleep( 2000 );
		$context = stream_context_create(
			array(
				'http' => array(
					'method'        => $method,
					'header'        => "Authorization: Bearer {$tenant->id}-{$this->key}\r\nContent-Type: application/json\r\nX-From: user",
					'content'       => null === $fields ? '' : json_encode( $fields ),
					'ignore_errors' => true,
				),
			)
		);
		$answer = file_get_contents( getenv( 'TCS_SANDBOX_PLAIN_URL' ) . $path, false, $context );
		$this->assertMatchesRegularExpression( '~^HTTP/\S+ 2~', $http_response_header[0], "$method $path: $answer" );
		return (array) json_decode( (string) $answer, true );
	}

	protected function crm_lead( Tenant $tenant, string $id ): array {
		foreach ( Sandbox::leads( $tenant->id ) as $lead ) {
			if ( (string) $lead['id'] === $id ) {
				return $lead;
			}
		}
		$this->fail( "the CRM has no lead $id" );
	}

	/** @return list<string> Methods and paths that the plugin sent to the CRM to change something. */
	protected function writes( Tenant $tenant ): array {
		$writes = array();
		foreach ( Sandbox::requests( $tenant->id ) as $request ) {
			if ( 'GET' !== $request['method'] && ! str_contains( json_encode( $request['headers'] ), '"user"' ) ) {
				$writes[] = "{$request['method']} {$request['path']}";
			}
		}
		return $writes;
	}

	/** A lead that somebody makes in the portal. */
	protected function portal_lead( Tenant $tenant, array $fields ): int {
		$meta = array_diff_key( $fields, array( 'name' => 1 ) ) + array( '_tenant_id' => $tenant->id );
		return wp_insert_post( wp_slash( array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => $fields['name'] ?? '', 'meta_input' => $meta ) ) );
	}

	/** Both sides and the ledger are equal, nothing is doubled, nothing waits. */
	protected function assertConverged( Tenant $tenant, string $message = '' ): void {
		global $wpdb;
		$rows = Sandbox::leads( $tenant->id );
		$this->assertSame( 0, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) . " WHERE tenant = {$tenant->key}" ), "$message: changes wait: " . json_encode( $wpdb->get_results( 'SELECT post_id, refused, reason, verb FROM ' . Schema::table( 'changes' ) ) ) );
		$this->assertSame( 0, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) . " WHERE tenant = {$tenant->key} AND hint > 0" ), "$message: hints" );
		$this->assertSame( count( $rows ), (int) $this->sql( "SELECT COUNT(*) FROM $wpdb->posts p JOIN $wpdb->postmeta m ON m.post_id = p.ID AND m.meta_key = '_tenant_id' AND m.meta_value = BINARY '{$tenant->id}' WHERE p.post_type = 'crm_lead' AND p.post_status <> 'trash'" ), "$message: as many posts as records" );
		wp_cache_flush();
		foreach ( $rows as $row ) {
			$post = $this->post_of( $tenant, (string) $row['id'] );
			$this->assertSame( TenantCRM\Title::from( $row['name'] ), $post->post_title, $message );
			$this->assertSame( (string) $row['id'], get_post_meta( $post->ID, 'crm_lead_id', true ), $message );
			$base = json_decode( $this->sql( 'SELECT base FROM ' . Schema::table( 'records' ) . " WHERE post_id = $post->ID" ), true );
			foreach ( array( 'email', 'phone' ) as $field ) {
				$this->assertSame( (string) $row[ $field ], (string) get_post_meta( $post->ID, $field, true ), "$message: $field" );
				$this->assertSame( $row[ $field ], $base[ $field ], "$message: base of $field" );
			}
		}
	}

	/** Does something once, between two steps of the next push. */
	protected function at_step( string $step, callable $what ): void {
		add_action(
			'tenant_crm_sync_push_step',
			static function ( string $at ) use ( $step, $what ): void {
				if ( $at === $step ) {
					remove_all_actions( 'tenant_crm_sync_push_step' );
					$what();
				}
			}
		);
	}

	/** Jobs of processes that died, and what waits, may go on at once. */
	protected function bury_the_dead(): void {
		global $wpdb;
		wp_cache_flush();
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET lease_until = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE state = 'running'" );
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET available_at = UTC_TIMESTAMP(3), held = 0" );
	}
}
