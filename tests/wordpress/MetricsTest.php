<?php
/**
 * GET tenant-crm-sync/v1/metrics: what a Prometheus gets, over HTTP and with an application password; who gets nothing; sums that only grow.
 */

use TenantCRM\Attempts;
use TenantCRM\AttemptSearch;
use TenantCRM\Capabilities;
use TenantCRM\DeadLetters;
use TenantCRM\Jobs;
use TenantCRM\Metrics;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Wakers;
use TenantCRM\Worker;

final class MetricsTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		Metrics::forget();
		\TenantCRMSync::attempts();
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		remove_all_filters( 'tenant_crm_sync_keep_attempts' );
	}

	private function measured( string $id, int $leads, array $settings = array() ): Tenant {
		// What a key is made of, not every id is.
		return $this->connected( $id, $leads, $settings, array( 'key' => 'key-of-' . md5( $id ) ) );
	}

	private function figures(): Exposed {
		Metrics::forget();
		return new Exposed( Metrics::text() );
	}

	public function test_the_figures_are_those_of_what_happened(): void {
		$hostile = "A\\b\"c\u{a0}{x=\"1\"} \u{1F680}\u{2028}";
		$tenant  = $this->measured( $hostile, 25, array( 'limits' => array( array( 'amount' => 1000, 'seconds' => 86400, 'daily' => true ) ), 'reserve' => 0 ) );
		$dead    = $this->measured( 'dead', 3 );
		Sandbox::post( '/faults', array( 'tenant' => $hostile, 'faults' => array( array( 'kind' => 'status', 'status' => 503, 'times' => 1 ) ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'dead', 'faults' => array( array( 'kind' => 'status', 'status' => 403, 'times' => null ) ) ) );
		Jobs::enqueue( $tenant->key );
		Jobs::enqueue( $dead->key );
		Worker::run( 20.0 );
		$this->assertSame( array( 'dead' ), array_map( static fn( array $letter ): string => Tenants::get( $letter['tenant'] )->id, DeadLetters::list() ), implode( ' ', array_column( DeadLetters::list(), 'reason' ) ) );
		$late = $this->measured( 'late', 1 );
		Jobs::enqueue( $late->key );
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'jobs' ) . " SET available_at = UTC_TIMESTAMP(3) - INTERVAL 90 SECOND WHERE tenant = {$late->key}" );
		Tenants::pause( $late->key, true );
		Wakers::seen( 'this test' );
		$rows = ( new AttemptSearch( array( $tenant->key ) ) )->page( 100 );
		$all  = $this->figures();
		foreach ( array( 'ok', 'transient' ) as $outcome ) {
			$this->assertSame( count( array_keys( array_column( $rows, 'outcome' ), $outcome, true ) ), $all->value( 'tenant_crm_requests_total', array( 'tenant' => $hostile, 'outcome' => $outcome ) ), $outcome );
		}
		$of = array( 'tenant' => $hostile );
		$this->assertSame( count( $rows ), $all->value( 'tenant_crm_request_duration_seconds_count', $of ) );
		$this->assertEqualsWithDelta( array_sum( array_column( $rows, 'milliseconds' ) ) / 1000, $all->value( 'tenant_crm_request_duration_seconds_sum', $of ), 0.001 );
		$this->assertSame( array_sum( array_column( $rows, 'received' ) ), $all->value( 'tenant_crm_received_bytes_total', $of ) );
		$this->assertSame( 0, $all->value( 'tenant_crm_sent_bytes_total', $of ) );
		$this->assertSame( 1, $all->value( 'tenant_crm_requests_total', array( 'tenant' => 'dead', 'outcome' => 'forbidden' ) ) );
		$this->assertSame( array( 1, 0, 1, 1 ), array_map( static fn( string $state ) => $all->value( 'tenant_crm_jobs', array( 'state' => $state ) ), array( 'queued', 'running', 'dead', 'dead' ) ) );
		$this->assertSame( 1, $all->value( 'tenant_crm_due_jobs' ) );
		$this->assertTrue( $all->value( 'tenant_crm_oldest_due_job_seconds' ) >= 89 && $all->value( 'tenant_crm_oldest_due_job_seconds' ) < 150 );
		$this->assertSame( 1, $all->value( 'tenant_crm_dead_letters', array( 'tenant' => 'dead' ) ) );
		$this->assertSame( array( 1, 1, 1, 0 ), array_map( static fn( string $state ) => $all->value( 'tenant_crm_runs', array( 'state' => $state ) ), array( 'done', 'failed', 'queued', 'waiting' ) ) );
		$this->assertSame( 25, $all->value( 'tenant_crm_records', array( 'tenant' => $hostile, 'object' => 'leads' ) ) );
		$this->assertSame( array( 2, 1 ), array( $all->value( 'tenant_crm_tenants', array( 'state' => 'active' ) ), $all->value( 'tenant_crm_tenants', array( 'state' => 'paused' ) ) ) );
		$this->assertEqualsWithDelta( time(), $all->value( 'tenant_crm_worker_last_seen_timestamp_seconds' ), 70 );
		$this->assertSame( 0, $all->value( 'tenant_crm_attempts_lost_total' ) );
		$limit = array_filter( $all->samples, static fn( string $key ): bool => str_starts_with( $key, 'tenant_crm_limit_' ) && str_contains( $key, 'window="86400"' ), ARRAY_FILTER_USE_KEY );
		$this->assertCount( 3, $limit );
		list( $held, $left, $used ) = array_values( ksort( $limit ) ? $limit : array() );
		$this->assertSame( array( 1000, true, 0 ), array( $used + $left, $used >= count( $rows ), $held ) );
	}

	public function test_sums_only_grow_also_when_rows_are_pruned(): void {
		$tenant = $this->measured( 'acme', 5 );
		$tenant->client()->fetch_leads();
		Attempts::collect();
		$first = $this->figures();
		$this->assertSame( 1, $first->value( 'tenant_crm_requests_total', array( 'tenant' => 'acme', 'outcome' => 'ok' ) ) );
		add_filter( 'tenant_crm_sync_keep_attempts', static fn(): array => array( 'rows' => 0 ) );
		Attempts::prune();
		$this->assertSame( 0, ( new AttemptSearch( null ) )->count() );
		$this->assertSame( $first->counters(), $this->figures()->counters() );
		$this->assertGreaterThan( 10, count( $first->counters() ) );
		$tenant->client()->fetch_leads();
		$tenant->client()->create_lead( array( 'name' => 'Zoë' ) );
		Attempts::collect();
		$second = $this->figures();
		foreach ( $first->counters() as $key => $value ) {
			$this->assertGreaterThanOrEqual( $value, $second->samples[ $key ], $key );
		}
		$this->assertSame( 3, $second->value( 'tenant_crm_requests_total', array( 'tenant' => 'acme', 'outcome' => 'ok' ) ) );
		$this->assertSame( strlen( '{"name":"Zo\u00eb"}' ), $second->value( 'tenant_crm_sent_bytes_total', array( 'tenant' => 'acme' ) ) );
	}

	public function test_processes_that_count_at_once_lose_nothing(): void {
		$ids = array( 'a', 'b', 'c' );
		foreach ( $ids as $id ) {
			$this->measured( $id, 0 );
		}
		$script = 'require $argv[1]; for ( $n = 0; $n < 20; $n++ ) { foreach ( ' . var_export( $ids, true ) . ' as $id ) { ( new TenantCRMSync( $id ) )->fetch_leads(); } shuffle( $ids ); TenantCRM\Attempts::collect(); }';
		$all    = array();
		for ( $number = 0; $number < 4; $number++ ) {
			$all[] = proc_open( array( PHP_BINARY, '-r', '$ids = array( "a", "b", "c" ); ' . $script, '--', __DIR__ . '/site.php' ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		}
		foreach ( $all as $process ) {
			$this->assertSame( 0, proc_close( $process ) );
		}
		$figures = $this->figures();
		foreach ( $ids as $id ) {
			$this->assertSame( 80, $figures->value( 'tenant_crm_requests_total', array( 'tenant' => $id, 'outcome' => 'ok' ) ) );
		}
		$this->assertSame( 240, ( new AttemptSearch( null ) )->count() );
	}

	public function test_a_scrape_asks_no_crm_for_a_token(): void {
		$oauth = array( 'client_id' => 'app', 'client_secret' => 'the-secret' );
		Sandbox::post( '/tenants', array( 'id' => 'force', 'key' => 'k', 'dialect' => 'salesforce', 'oauth' => $oauth ) );
		$tenant = Tenants::save( array( 'id' => 'force', 'connector' => 'salesforce', 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'settings' => array( 'connection' => array( 'auth' => 'client_credentials' ) + $oauth ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertTrue( $tenant->test_connection()['ok'] );
		Attempts::collect();
		$of     = static fn( Exposed $all ): int => count( array_filter( array_keys( $all->samples ), static fn( string $key ): bool => str_starts_with( $key, 'tenant_crm_limit_used{' ) && str_contains( $key, 'tenant="force"' ) ) );
		$before = ( new AttemptSearch( null ) )->count();
		$this->assertGreaterThan( 0, $of( $this->figures() ) );
		global $wpdb;
		$wpdb->query( 'UPDATE ' . Schema::table( 'tokens' ) . ' SET expires_at = UNIX_TIMESTAMP() + 30' );
		$all = $this->figures();
		$this->assertSame( array( 0, 1 ), array( $of( $all ), $all->value( 'tenant_crm_limits_left_out' ) ) );
		$wpdb->query( 'DELETE FROM ' . Schema::table( 'tokens' ) );
		$this->assertSame( 0, $of( $this->figures() ) );
		Attempts::collect();
		$this->assertSame( $before, ( new AttemptSearch( null ) )->count(), 'nothing was asked' );
		$this->assertContains( 'POST', array_column( ( new AttemptSearch( null ) )->page( 10 ), 'method' ), 'getting a token is a request, too' );
	}

	public function test_who_does_not_manage_tenants_gets_nothing(): void {
		$this->measured( 'mine', 1 )->client()->fetch_leads();
		Attempts::collect();
		$user = $this->account( 'syncer' );
		foreach ( array( Capabilities::SYNC, Capabilities::VIEW ) as $cap ) {
			( new WP_User( $user ) )->add_cap( $cap );
		}
		Capabilities::assign( $user, array( 'mine' ) );
		$got = array();
		foreach ( array( 0, $user, 1 ) as $who ) {
			wp_set_current_user( $who );
			$answer = rest_ensure_response( rest_do_request( new WP_REST_Request( 'GET', '/tenant-crm-sync/v1/metrics' ) ) );
			$got[]  = $answer->get_status();
			$this->assertSame( 1 === $who, str_contains( (string) wp_json_encode( $answer->get_data() ), 'mine' ) );
		}
		wp_delete_user( $user );
		$this->assertSame( array( 401, 403, 200 ), $got );
	}

	public function test_a_scraper_gets_text_over_http(): void {
		$this->measured( 'acme', 1 )->client()->fetch_leads();
		Attempts::collect();
		list( $password ) = WP_Application_Passwords::create_new_application_password( 1, array( 'name' => uniqid( 'prometheus' ) ) );
		$get = static function ( string $method, string $authorization ): array {
			$context = stream_context_create( array( 'http' => array( 'method' => $method, 'header' => "Authorization: Basic $authorization\r\nAccept: text/plain", 'ignore_errors' => true ) ) );
			$body    = file_get_contents( getenv( 'TCS_URL' ) . '/wp-json/tenant-crm-sync/v1/metrics', false, $context );
			$headers = array();
			foreach ( $http_response_header as $line ) {
				list( $name, $value )            = array_pad( explode( ': ', $line, 2 ), 2, '' );
				$headers[ strtolower( $name ) ] = $value;
			}
			return array( (int) substr( $http_response_header[0], 9, 3 ), $headers['content-type'] ?? '', $body );
		};
		$good                       = base64_encode( get_userdata( 1 )->user_login . ":$password" );
		list( $code, $type, $text ) = $get( 'GET', $good );
		$this->assertSame( array( 200, 'text/plain; version=0.0.4; charset=utf-8' ), array( $code, $type ), $text );
		$this->assertSame( 1, ( new Exposed( $text ) )->value( 'tenant_crm_requests_total', array( 'tenant' => 'acme', 'outcome' => 'ok' ) ) );
		list( $code, $type, $text ) = $get( 'HEAD', $good );
		$this->assertSame( array( 200, 'text/plain; version=0.0.4; charset=utf-8', '' ), array( $code, $type, $text ) );
		list( $code, $type, $text ) = $get( 'GET', base64_encode( 'admin:wrong' ) );
		$this->assertSame( array( 401, 'application/json; charset=UTF-8' ), array( $code, $type ) );
		$this->assertStringNotContainsString( 'acme', $text );
		WP_Application_Passwords::delete_all_application_passwords( 1 );
	}

	/** @dataProvider texts_that_prometheus_refuses */
	public function test_the_reader_of_these_tests_is_strict( string $text ): void {
		$this->expectException( RuntimeException::class );
		new Exposed( $text );
	}

	/** @return array<int, array{0: string}> */
	public function texts_that_prometheus_refuses(): array {
		$head = "# HELP a_total x\n# TYPE a_total counter\n";
		return array_map(
			static fn( string $text ): array => array( $text ),
			array( "{$head}a_total 1", "a_total 1\n", "{$head}b_total 1\n", "{$head}a_total{x=\"a\"b\"} 1\n", "{$head}a_total{x=\"a\\q\"} 1\n", "{$head}a_total{x=\"1\",x=\"2\"} 1\n", "{$head}a_total 1\na_total 2\n", "{$head}a_total -1\n", "{$head}a_total 1,5\n", "{$head}a_total 1.0E+25\n", "$head{$head}a_total 1\n", "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n" )
		);
	}
}
