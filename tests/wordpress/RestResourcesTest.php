<?php
/**
 * The REST resources tenants, leads and conflicts in-process: what comes out is what their schemas say, for whom, and what goes in does what it
 * should; how often one user may call. Every route is called by everybody in tests/crawl.
 */

use TenantCRM\Capabilities;
use TenantCRM\Rest\ConflictResource;
use TenantCRM\Rest\Errors;
use TenantCRM\Rest\LeadResource;
use TenantCRM\Rest\TenantResource;
use TenantCRM\Tenants;

final class RestResourcesTest extends TwoWayCase {

	private const SECRET = 'canary-of-a-secret';

	/** @var int */
	private $user;

	protected function setUp(): void {
		parent::setUp();
		Capabilities::grant();
		$this->user = $this->account( 'portal', Capabilities::PORTAL_ROLE );
		Capabilities::assign( $this->user, array( 'acme' ) );
		wp_set_current_user( 1 );
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		wp_delete_user( $this->user );
		remove_all_filters( 'tenant_crm_sync_rate_limit' );
		delete_option( Capabilities::ROLE_OPTION );
	}

	/** @param array<string, mixed> $parameters */
	private function ask( string $method, string $path, array $parameters = array() ): WP_REST_Response {
		$request = new WP_REST_Request( $method, "/tenant-crm-sync/v1$path" );
		'GET' === $method ? $request->set_query_params( $parameters ) : $request->set_body_params( $parameters );
		$response = rest_ensure_response( rest_do_request( $request ) );
		$response = apply_filters( 'rest_post_dispatch', $response, rest_get_server(), $request );
		$this->assertStringNotContainsString( self::SECRET, wp_json_encode( array( $response->get_data(), $response->get_headers() ) ) );
		$this->assertStringNotContainsString( TenantCRM\ConnectionFields::ENVELOPE, wp_json_encode( $response->get_data() ) );
		$this->assertSame( 'private, no-store, max-age=0', $response->get_headers()['Cache-Control'] );
		return $response;
	}

	/** @param array<string, mixed> $schema */
	private function assertFits( array $schema, array $data ): void {
		$this->assertTrue( rest_validate_value_from_schema( json_decode( wp_json_encode( $data ), true ), $schema ) );
		$this->assertSame( array(), array_diff_key( $data, $schema['properties'] ) );
	}

	public function test_a_tenant_from_making_to_deleting(): void {
		$made = $this->ask( 'POST', '/tenants', array( 'id' => 'acme', 'label' => 'Acme', 'endpoint' => 'https://crm.example', 'api_key' => self::SECRET, 'settings' => array( 'direction' => 'both', 'interval' => 600 ), 'roles' => array( 'editor' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( 201, $made->get_status(), wp_json_encode( $made->get_data() ) );
		$data = $made->get_data();
		$this->assertSame( array( 'acme', 'Acme', true, array( 'api_key' ), array( 'editor' ), 'https://crm.example' ), array( $data['id'], $data['label'], $data['configured'], $data['secrets'], $data['roles'], $data['endpoint'] ) );
		$this->assertSame( array( 'direction' => 'both', 'interval' => 600 ), (array) $data['settings'] );
		$this->assertFits( TenantResource::schema(), $data );
		$path = "/tenants/{$data['key']}";
		$this->assertStringEndsWith( $path, $made->get_headers()['Location'] );
		$this->assertSame( 409, $this->ask( 'POST', '/tenants', array( 'id' => 'acme' ) )->get_status() );

		$changed = $this->ask( 'PATCH', $path, array( 'label' => 'Acme & Co', 'paused' => true, 'settings' => array( 'interval' => null, 'policy' => 'ask' ) ) )->get_data(); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( 'Acme & Co', true, array( 'api_key' ), 'https://crm.example' ), array( $changed['label'], $changed['paused'], $changed['secrets'], $changed['endpoint'] ) );
		$this->assertSame( array( 'direction' => 'both', 'policy' => 'ask' ), (array) $changed['settings'] );
		$this->assertSame( 'acme', $this->ask( 'PATCH', $path, array( 'id' => 'other' ) )->get_data()['id'], 'the id stays' );

		$this->assertSame( 400, $this->ask( 'PATCH', $path, array( 'endpoint' => 'https://elsewhere.example' ) )->get_status(), 'a key is not sent to another address' );
		$this->assertSame( 400, $this->ask( 'PATCH', $path, array( 'settings' => array( 'direction' => 'up' ) ) )->get_status() );
		$this->assertSame( 400, $this->ask( 'PATCH', $path, array( 'settings' => array( 'connection' => array() ) ) )->get_status() );
		$this->assertSame( 400, $this->ask( 'PATCH', $path, array( 'roles' => array( 'nobody' ) ) )->get_status() );
		$this->assertSame( 400, $this->ask( 'POST', '/tenants', array( 'id' => "x\n" ) )->get_status() );

		$this->assertSame( 501, $this->ask( 'DELETE', $path )->get_status() );
		$this->assertTrue( $this->ask( 'DELETE', $path, array( 'force' => true ) )->get_data()['deleted'] );
		$this->assertNull( Tenants::find( 'acme' ) );
		$this->assertSame( array(), Capabilities::by_role() );
		$this->assertSame( 404, $this->ask( 'GET', $path )->get_status() );
	}

	public function test_secret_fields_of_a_connection_go_in_and_never_come_out(): void {
		$made = $this->ask( 'POST', '/tenants', array( 'id' => 'suite', 'connector' => 'suitecrm', 'endpoint' => 'https://crm.example', 'connection' => array( 'client_id' => 'seen', 'client_secret' => self::SECRET ) ) )->get_data(); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( 'client_id' => 'seen' ), (array) $made['connection'], wp_json_encode( $made ) );
		$this->assertSame( array( 'client_secret' ), $made['secrets'] );
		$kept = $this->ask( 'PATCH', "/tenants/{$made['key']}", array( 'connection' => array( 'client_id' => 'other' ) ) )->get_data(); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( array( 'client_id' => 'other' ), array( 'client_secret' ) ), array( (array) $kept['connection'], $kept['secrets'] ) );
		$gone = $this->ask( 'PATCH', "/tenants/{$made['key']}", array( 'connection' => array( 'client_secret' => null ) ) )->get_data(); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array(), $gone['secrets'] );
	}

	public function test_users_see_their_own_tenants_in_short(): void {
		$mine   = $this->tenant( 'acme' );
		$theirs = $this->tenant( 'Acme' );
		$this->assertSame( array( 'acme', 'Acme' ), wp_list_pluck( $this->ask( 'GET', '/tenants' )->get_data(), 'id' ) );
		$second = $this->ask( 'GET', '/tenants', array( 'per_page' => 1, 'page' => 2 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( array( 'Acme' ), '2' ), array( wp_list_pluck( $second->get_data(), 'id' ), $second->get_headers()['X-WP-TotalPages'] ) );
		wp_set_current_user( $this->user );
		$list = $this->ask( 'GET', '/tenants' )->get_data();
		$this->assertSame( array( 'acme' ), wp_list_pluck( $list, 'id' ) );
		$this->assertFits( TenantResource::schema(), $list[0] );
		$this->assertArrayNotHasKey( 'endpoint', $list[0] );
		$this->assertSame( array(), $this->ask( 'GET', '/tenants', array( 'id' => 'Acme' ) )->get_data() );
		$this->assertSame( 200, $this->ask( 'GET', "/tenants/{$mine->key}" )->get_status() );
		$this->assertSame( 404, $this->ask( 'GET', "/tenants/{$theirs->key}" )->get_status() );
		$this->assertSame( 403, $this->ask( 'GET', "/tenants/{$mine->key}", array( 'context' => 'edit' ) )->get_status() );
		foreach ( array( array( 'PATCH', "/tenants/{$mine->key}" ), array( 'DELETE', "/tenants/{$mine->key}" ), array( 'POST', '/tenants' ) ) as list( $method, $path ) ) {
			$this->assertSame( 403, $this->ask( $method, $path, array( 'id' => 'new', 'force' => true ) )->get_status(), "$method $path" ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
	}

	public function test_leads_are_searched_sorted_and_paged_within_the_own_tenants(): void {
		$mine = $this->tenant( 'acme' );
		$this->store( $mine, $this->leads( 25 ) );
		$this->store( $this->tenant( 'Acme' ), $this->leads( 3, 100 ) );
		wp_set_current_user( $this->user );
		$page = $this->ask( 'GET', '/leads', array( 'per_page' => 10, 'page' => 3, 'orderby' => 'name', 'order' => 'asc' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( '25', '3', 5 ), array( $page->get_headers()['X-WP-Total'], $page->get_headers()['X-WP-TotalPages'], count( $page->get_data() ) ) );
		$this->assertSame( 'Lead 9', $page->get_data()[4]['name'] );
		$this->assertStringContainsString( 'rel="prev"', $page->get_headers()['Link'] );
		$this->assertFits( LeadResource::schema(), $page->get_data()[0] );
		$this->assertSame( array( 'lead7@example.test' ), wp_list_pluck( $this->ask( 'GET', '/leads', array( 'search' => 'lead7@' ) )->get_data(), 'email' ) );
		$this->assertSame( array(), $this->ask( 'GET', '/leads', array( 'search' => 'lead101' ) )->get_data() );
		$this->assertSame( array(), $this->ask( 'GET', '/leads', array( 'tenant' => Tenants::find( 'Acme' )->key ) )->get_data() );
		$this->assertSame( 400, $this->ask( 'GET', '/leads', array( 'orderby' => 'post_id' ) )->get_status() );
		$this->assertSame( 400, $this->ask( 'GET', '/leads', array( 'per_page' => 1000 ) )->get_status() );
		wp_trash_post( $this->post_of( $mine, '7' )->ID );
		$this->assertSame( array(), $this->ask( 'GET', '/leads', array( 'search' => 'lead7@' ) )->get_data(), 'what is in the bin is not shown' );
		$this->assertCount( 1, $this->ask( 'GET', '/leads', array( 'search' => 'lead7@', 'stands' => 'any' ) )->get_data() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		wp_set_current_user( 1 );
		$this->assertSame( '27', $this->ask( 'GET', '/leads' )->get_headers()['X-WP-Total'] );
	}

	public function test_one_lead_is_read_and_where_that_is_allowed_changed(): void {
		$two = $this->pair( 'acme', 2 );
		$this->settle( $two );
		$one = $this->tenant( 'oneway' );
		$this->store( $one, $this->leads( 1 ) );
		$id   = $this->ask( 'GET', '/leads', array( 'search' => 'lead1@', 'tenant' => $two->key ) )->get_data()[0]['id']; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$lead = $this->ask( 'GET', "/leads/$id" )->get_data();
		$this->assertFits( LeadResource::schema(), $lead );
		$this->assertSame( array( 'name' => 'Lead 1', 'email' => 'lead1@example.test', 'phone' => '+49 30 1' ), (array) $lead['fields'] ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertTrue( $lead['editable'] );
		$changed = $this->ask( 'PATCH', "/leads/$id", array( 'fields' => array( 'name' => "Zo\u{eb} O'Brien \\ Co", 'phone' => '+49 77' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( "Zo\u{eb} O'Brien \\ Co", ( (array) $changed->get_data()['fields'] )['name'] );
		$this->settle( $two );
		$this->assertSame( array( "Zo\u{eb} O'Brien \\ Co", '+49 77', 'lead1@example.test' ), array_values( array_intersect_key( array_replace( array_flip( array( 'name', 'phone', 'email' ) ), $this->crm_lead( $two, '1' ) ), array_flip( array( 'name', 'phone', 'email' ) ) ) ), 'it is at the CRM' );
		$this->assertSame( 400, $this->ask( 'PATCH', "/leads/$id", array( 'fields' => array( '_tenant_id' => 'oneway' ) ) )->get_status() );
		$other = $this->ask( 'GET', '/leads', array( 'tenant' => $one->key ) )->get_data()[0]['id'];
		$this->assertSame( 409, $this->ask( 'PATCH', "/leads/$other", array( 'fields' => array( 'name' => 'x' ) ) )->get_status() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		wp_set_current_user( $this->user );
		$this->assertFalse( $this->ask( 'GET', "/leads/$id" )->get_data()['editable'] );
		$this->assertSame( 403, $this->ask( 'PATCH', "/leads/$id", array( 'fields' => array( 'name' => 'x' ) ) )->get_status() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		foreach ( array( 'GET', 'PATCH' ) as $method ) {
			$this->assertSame( Errors::unknown_lead()->get_error_code(), $this->ask( $method, "/leads/$other", array( 'fields' => array( 'name' => 'x' ) ) )->get_data()['code'], $method ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		( new WP_User( $this->user ) )->add_cap( 'edit_crm_leads' );
		wp_set_current_user( 0 );
		wp_set_current_user( $this->user );
		$this->assertSame( 200, $this->ask( 'PATCH', "/leads/$id", array( 'fields' => array( 'name' => 'By the portal' ) ) )->get_status() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( 404, $this->ask( 'PATCH', "/leads/$other", array( 'fields' => array( 'name' => 'x' ) ) )->get_status() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	public function test_a_conflict_is_decided_and_that_undone(): void {
		$tenant = $this->pair( 'acme', 1, array( 'policy' => 'ask' ) );
		$this->settle( $tenant );
		update_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', 'portal@portal.test' );
		$this->crm_edit( $tenant, '1', array( 'email' => 'crm@crm.test' ) );
		$this->settle( $tenant );
		$open = $this->ask( 'GET', '/conflicts' );
		$this->assertSame( '1', $open->get_headers()['X-WP-Total'] );
		$conflict = $open->get_data()[0];
		$this->assertFits( ConflictResource::schema(), $conflict );
		$this->assertSame( array( 'email', 'crm@crm.test', 'portal@portal.test' ), array( $conflict['field'], $conflict['crm'], $conflict['portal'] ) );
		$path = "/conflicts/{$conflict['id']}";
		wp_set_current_user( $this->user );
		$this->assertSame( 403, $this->ask( 'GET', '/conflicts' )->get_status(), 'to read leads is not to decide' );
		( new WP_User( $this->user ) )->add_cap( Capabilities::SYNC );
		Capabilities::assign( $this->user, array( 'other' ) );
		wp_set_current_user( 0 );
		wp_set_current_user( $this->user );
		$this->assertSame( array(), $this->ask( 'GET', '/conflicts' )->get_data() );
		foreach ( array( array( 'GET', '' ), array( 'POST', '/decision' ), array( 'DELETE', '/decision' ) ) as list( $method, $end ) ) {
			$this->assertSame( 404, $this->ask( $method, $path . $end, array( 'choice' => 'crm' ) )->get_status(), "$method $end" );
		}
		Capabilities::assign( $this->user, array( 'acme' ) );
		$this->assertSame( 409, $this->ask( 'DELETE', "$path/decision" )->get_status(), 'nothing to undo' );
		$this->assertSame( 400, $this->ask( 'POST', "$path/decision", array( 'choice' => 'both' ) )->get_status() );
		$taken = $this->ask( 'POST', "$path/decision", array( 'choice' => 'crm' ) )->get_data();
		$this->assertSame( array( 'taken', 'crm', get_userdata( $this->user )->display_name ), array( $taken['state'], $taken['choice'], $taken['decided_by'] ) );
		$this->assertSame( 409, $this->ask( 'POST', "$path/decision", array( 'choice' => 'portal' ) )->get_status(), 'decided already' );
		$this->assertSame( 'closed', $this->ask( 'DELETE', "$path/decision" )->get_data()['state'] );
		wp_cache_flush();
		$this->assertSame( 'portal@portal.test', get_post_meta( $this->post_of( $tenant, '1' )->ID, 'email', true ) );
	}

	public function test_a_failing_database_is_an_answer_without_its_words(): void {
		$this->tenant( 'acme' );
		$break = static fn( $sql ) => str_contains( $sql, 'tenant_crm_records' ) || str_contains( $sql, 'tenant_crm_conflicts' ) ? 'SELECT broken FROM nowhere' : $sql;
		$log   = ini_set( 'error_log', '/dev/null' );
		$quiet = $GLOBALS['wpdb']->suppress_errors( true );
		foreach ( array( '/leads', '/conflicts', '/portal/leads' ) as $path ) {
			add_filter( 'query', $break );
			$answer = $this->ask( 'GET', $path );
			remove_filter( 'query', $break );
			$this->assertSame( array( 500, 'unexpected_error' ), array( $answer->get_status(), $answer->get_data()['code'] ), $path );
			$this->assertStringNotContainsString( 'nowhere', wp_json_encode( $answer->get_data() ) );
		}
		$GLOBALS['wpdb']->suppress_errors( $quiet );
		ini_set( 'error_log', $log );
	}

	public function test_who_calls_too_often_waits(): void {
		$only = uniqid( 'route' );
		add_filter( 'tenant_crm_sync_rate_limit', static fn( $amount, $kind ) => 'read' === $kind ? 4 : $amount, 10, 2 );
		$ask = fn(): WP_REST_Response => $this->ask( 'GET', '/tenants', array( 'id' => $only ) );
		wp_set_current_user( $this->user );
		$statuses = array_map( static fn(): int => $ask()->get_status(), range( 1, 4 ) );
		$this->assertContains( 200, $statuses );
		$this->assertContains( 429, $statuses );
		$refused = $ask();
		$this->assertSame( array( 429, 'tenant_crm_too_many_requests' ), array( $refused->get_status(), $refused->get_data()['code'] ) );
		$this->assertGreaterThan( 0, (int) $refused->get_headers()['Retry-After'] );
		$this->assertLessThanOrEqual( 60, (int) $refused->get_headers()['Retry-After'] );
		$this->assertSame( 200, $this->ask( 'GET', '/leads' )->get_status(), 'another route' );
		$other = $this->account( 'portal', Capabilities::PORTAL_ROLE );
		wp_set_current_user( $other );
		$this->assertSame( 200, $ask()->get_status(), 'another user' );
		wp_delete_user( $other );
	}
}
