<?php
/**
 * Every request to a CRM is a row: whose, what, how it ended, in which trace and run; whatever it was sent for, and however the request of
 * PHP ended. The rows are bounded, fairly, and writing them never fails the work.
 */

use TenantCRM\Attempts;
use TenantCRM\AttemptSearch;
use TenantCRM\Counters;
use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\SiteHealth;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Worker;

final class AttemptsTest extends PluginCase {

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		Attempts::forget();
		\TenantCRMSync::attempts();
		( new ReflectionProperty( Attempts::class, 'failed' ) )->setValue( null, 0.0 );
	}

	protected function tearDown(): void {
		Attempts::forget();
		remove_all_filters( 'tenant_crm_sync_keep_attempts' );
	}

	private function fault( string $tenant, int $status, int $times ): void {
		Sandbox::post( '/faults', array( 'tenant' => $tenant, 'faults' => array( array( 'kind' => 'status', 'status' => $status, 'times' => $times ) ) ) );
	}

	/** @return list<array<string, mixed>> Oldest first. */
	private function rows( ?Tenant $tenant = null, array $filter = array() ): array {
		return array_reverse( ( new AttemptSearch( $tenant ? array( $tenant->key ) : null, $filter ) )->page( 1000 ) );
	}

	/** Rows that are there, and no request was sent for them. */
	private function made( Tenant $tenant, int $count, string $age = '0 SECOND', string $values = "'ok', 200, 'GET', 'GET https://crm.example/leads', NULL" ): void {
		global $wpdb;
		$row = "({$tenant->key}, UTC_TIMESTAMP(3) - INTERVAL $age, 1000, 1, 0, 10, $values)";
		foreach ( array_chunk( array_fill( 0, $count, $row ), 1000 ) as $rows ) {
			$wpdb->query( 'INSERT INTO ' . Schema::table( 'attempts' ) . ' (tenant, at, micros, attempt, sent, received, outcome, status, method, operation, excerpt) VALUES ' . implode( ',', $rows ) );
		}
		$this->assertSame( '', $wpdb->last_error );
	}

	public function test_each_attempt_of_a_sync_with_all_that_is_known_of_it(): void {
		$tenant = $this->connected( 'acme', 250 );
		$this->fault( 'acme', 503, 2 );
		$run   = Jobs::enqueue( $tenant->key );
		$began = microtime( true );
		Worker::run( 20.0, $run );
		$rows = $this->rows();
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->assertSame( array( 'transient', 'transient', 'ok' ), array_slice( array_column( $rows, 'outcome' ), 0, 3 ) );
		$this->assertSame( array( 503, 503, 200 ), array_slice( array_column( $rows, 'status' ), 0, 3 ) );
		$this->assertSame( array( 1, 2, 3 ), array_slice( array_column( $rows, 'attempt' ), 0, 3 ) );
		$this->assertSame( array( array( $tenant->key ), array( $run ), array( 'GET' ), array( 'GET ' . getenv( 'TCS_SANDBOX_URL' ) . '/api/v1/leads' ) ), array_map( static fn( string $column ): array => array_values( array_unique( array_column( $rows, $column ) ) ), array( 'tenant', 'run', 'method', 'operation' ) ) );
		$this->assertStringContainsString( 'A planned fault', $rows[0]['excerpt'] );
		$this->assertNull( $rows[2]['excerpt'] );
		$this->assertGreaterThan( 10000, $rows[2]['received'] );
		$this->assertSame( 0, $rows[2]['sent'] );
		foreach ( $rows as $row ) {
			$at = ( new DateTimeImmutable( $row['at'], new DateTimeZone( 'UTC' ) ) )->format( 'U.u' );
			$this->assertTrue( $at > $began - 0.01 && $at < microtime( true ), $row['at'] );
			$this->assertTrue( $row['milliseconds'] > 0 && $row['milliseconds'] < 20000 );
		}
		$this->assertCount( count( $rows ), array_unique( array_column( $rows, 'span_id' ) ) );
		$this->assertSame( array( substr( (string) $this->sql( 'SELECT trace FROM ' . Schema::table( 'runs' ) . " WHERE id = $run" ), 3, 32 ) ), array_values( array_unique( array_column( $rows, 'trace_id' ) ) ) );
		$requests = array_column( array_filter( Counters::all(), static fn( array $row ): bool => $row['tenant'] === $tenant->key ), 'requests', 'outcome' );
		$this->assertSame( array( 'ok' => count( $rows ) - 2, 'transient' => 2 ), $requests );
	}

	public function test_code_that_uses_the_class_by_itself_however_its_request_ends(): void {
		global $wpdb;
		$tenant = $this->connected( 'acme' );
		$call   = 'require $argv[1]; ( new TenantCRMSync( "acme" ) )->fetch_leads();';
		$this->php( $call );
		$this->assertCount( 1, $this->rows( $tenant ), 'at its end' );
		$this->php( $call . ' exit( 0 );' );
		$this->assertCount( 2, $this->rows( $tenant ), 'by exit' );
		$this->php( $call . ' no_such_function();', false );
		$this->assertCount( 3, $this->rows( $tenant ), 'by a fatal error' );
		$this->php( $call . ' $GLOBALS["wpdb"]->query( "START TRANSACTION" ); update_option( "tcs_half", "1" ); exit( 0 );' );
		wp_cache_flush();
		$this->assertFalse( get_option( 'tcs_half' ), 'what the site\'s own code left open is not committed by us' );
		$this->php(
			'require $argv[1]; ( new TenantCRMSync( "acme" ) )->fetch_leads();
			add_filter( "query", static function ( $sql ) { if ( str_starts_with( $sql, "COMMIT" ) ) { exit( 0 ); } return $sql; } );
			process_crm_leads_for_tenant( "acme", array( array( "id" => 1, "name" => "Half" ) ) );'
		);
		$this->assertCount( 4, $this->rows( $tenant ), 'in the middle of a batch' );
		$this->assertSame( 0, $this->posts(), 'which is not stored' );
		$this->assertSame( '0', $this->php( $call . ' do_action( "switch_blog", 2, 1 ); echo count( TenantCRMSync::attempts() );' ), 'taken before another site of a network has the word' );
		$this->assertCount( 5, $this->rows( $tenant ), 'and stored at the end' );
		$this->assertSame( array( 0 ), array_values( array_unique( array_column( $this->rows(), 'run' ) ) ) );
	}

	public function test_the_work_goes_on_where_rows_cannot_be_written_and_they_are_written_later(): void {
		global $wpdb;
		$tenant  = $this->connected( 'acme' );
		$refused = 0;
		$refuse  = static function ( string $sql ) use ( &$refused ): string {
			if ( str_starts_with( $sql, 'INSERT INTO `' . Schema::table( 'attempts' ) ) ) {
				++$refused;
				return "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1031, MESSAGE_TEXT = 'made by a test'";
			}
			return $sql;
		};
		$again   = static fn() => ( new ReflectionProperty( Attempts::class, 'failed' ) )->setValue( null, 0.0 );
		add_filter( 'query', $refuse );
		$errors = ini_set( 'error_log', '/dev/null' );
		$run    = Jobs::enqueue( $tenant->key );
		Worker::run( 10.0, $run );
		$this->assertSame( array( 'done', 5 ), array( Runs::get( $run )['state'], $this->posts() ) );
		$this->assertGreaterThan( 0, $refused );
		$this->assertSame( array(), $this->rows() );
		remove_filter( 'query', $refuse );
		$again();
		Attempts::collect();
		$count = count( $this->rows() );
		$this->assertGreaterThan( 0, $count );
		$this->assertSame( $count, array_sum( array_column( Counters::all(), 'requests' ) ), 'counted once' );
		$this->assertNull( Counters::lost() );

		// A row that is refused for ever does not stop those after it.
		add_filter( 'query', $refuse );
		$tenant->client()->fetch_leads();
		for ( $try = 0; $try < 3; $try++ ) {
			$again();
			Attempts::collect();
		}
		ini_set( 'error_log', (string) $errors );
		remove_filter( 'query', $refuse );
		$again();
		$tenant->client()->fetch_leads();
		Attempts::collect();
		$this->assertCount( $count + 1, $this->rows() );
		$this->assertSame( 1, Counters::lost()['count'] );
		$health = SiteHealth::result( 'log' );
		$this->assertSame( 'recommended', $health['status'] );
		$this->assertStringContainsString( 'At least 1 were lost', $health['description'] );
	}

	public function test_what_the_extension_had_no_room_for_is_counted(): void {
		$this->connected( 'acme', 0 );
		$out = $this->php( 'require $argv[1]; $crm = new TenantCRMSync( "acme" ); for ( $n = 0; $n < 2030; $n++ ) { $crm->fetch_leads(); }' );
		$this->assertSame( '', $out );
		$this->assertSame( array( 2000, 30 ), array( count( ( new AttemptSearch( null ) )->page( 5000 ) ), Counters::lost()['count'] ) );
	}

	public function test_a_noisy_tenant_pushes_out_nobody_elses_rows(): void {
		$quiet = $this->tenant( 'quiet' );
		$noisy = $this->tenant( 'noisy' );
		$third = $this->tenant( 'third' );
		$this->made( $quiet, 20 );
		$this->made( $third, 60 );
		$this->made( $noisy, 3000 );
		add_filter( 'tenant_crm_sync_keep_attempts', static fn(): array => array( 'days' => 30, 'rows' => 100 ) );
		Attempts::prune();
		$this->assertSame( array( 20, 40, 40 ), array( count( $this->rows( $quiet ) ), count( $this->rows( $third ) ), count( $this->rows( $noisy ) ) ) );
		$newest = (int) $this->sql( 'SELECT MAX(id) FROM ' . Schema::table( 'attempts' ) );
		$this->assertSame( range( $newest - 39, $newest ), array_column( $this->rows( $noisy ), 'id' ), 'the newest stay' );
	}

	public function test_shares(): void {
		$this->assertSame( PHP_INT_MAX, Attempts::share( array(), 10 ) );
		$this->assertSame( PHP_INT_MAX, Attempts::share( array( 5, 5 ), 10 ) );
		$this->assertSame( 5, Attempts::share( array( 6, 5 ), 10 ) );
		$this->assertSame( 40, Attempts::share( array( 1 => 20, 7 => 60, 9 => 3000 ), 100 ) );
		$this->assertSame( 79, Attempts::share( array( 1, 20, 200 ), 100 ) );
		$this->assertSame( 0, Attempts::share( array( 1, 1, 1 ), 2 ) );
	}

	public function test_old_rows_go_and_the_sums_stay(): void {
		$tenant = $this->connected( 'acme' );
		$tenant->client()->fetch_leads();
		Attempts::collect();
		$sums = Counters::all();
		$this->made( $tenant, 10, '31 DAY' );
		$this->made( $tenant, 3, '29 DAY' );
		Attempts::prune();
		$this->assertCount( 4, $this->rows() );
		add_filter( 'tenant_crm_sync_keep_attempts', static fn(): array => array( 'days' => 30, 'rows' => 0 ) );
		Attempts::prune();
		$this->assertSame( array(), $this->rows() );
		$this->assertSame( $sums, Counters::all() );
	}

	public function test_rows_and_sums_of_a_deleted_tenant_go_and_none_come_later(): void {
		$gone  = $this->connected( 'gone' );
		$stays = $this->connected( 'stays' );
		$gone->client()->fetch_leads();
		$stays->client()->fetch_leads();
		Attempts::collect();
		$client = $gone->client();
		$client->fetch_leads();
		Tenants::delete( $gone->key );
		Attempts::collect();
		$this->assertSame( array( $stays->key ), array_column( $this->rows(), 'tenant' ) );
		$this->assertSame( array( 0 => 1, $stays->key => 1 ), array_column( Counters::all(), 'requests', 'tenant' ), 'what was sent after all is in the sums of nobody' );
	}

	/** @dataProvider searches */
	public function test_they_are_found( array $filter, array $expected ): void {
		$one = $this->tenant( 'one' );
		$this->made( $one, 1, '2 HOUR', "'ok', 200, 'GET', 'GET https://crm.example/leads', NULL" );
		$this->made( $one, 1, '1 HOUR', "'transient', 503, 'GET', 'GET https://crm.example/leads', 'Bad %gateway_'" );
		$this->made( $this->tenant( 'two' ), 1, '1 MINUTE', "'invalid', 422, 'POST', 'POST https://crm.example/Ärzte', 'Größe fehlt'" );
		$this->made( $one, 1, '1 SECOND', "'connect', NULL, 'PATCH', 'PATCH https://crm.example/leads/7', 'no route to host'" );
		if ( isset( $filter['since'] ) ) {
			$filter['since'] = gmdate( 'Y-m-d H:i:s', time() - $filter['since'] );
		}
		$search = new AttemptSearch( isset( $filter['tenant'] ) ? array( Tenants::find( $filter['tenant'] )->key ) : null, $filter );
		$this->assertSame( $expected, array_column( $search->page( 10 ), 'outcome' ) );
		$this->assertSame( count( $expected ), $search->count() );
	}

	/** @return array<string, array{0: array<string, mixed>, 1: list<string>}> */
	public function searches(): array {
		return array(
			'all, newest first'  => array( array(), array( 'connect', 'invalid', 'transient', 'ok' ) ),
			'failures'           => array( array( 'outcome' => 'failed' ), array( 'connect', 'invalid', 'transient' ) ),
			'one outcome'        => array( array( 'outcome' => 'invalid' ), array( 'invalid' ) ),
			'tenant'             => array( array( 'tenant' => 'two' ), array( 'invalid' ) ),
			'status'             => array( array( 'status' => '503' ), array( 'transient' ) ),
			'class of status'    => array( array( 'status' => '4xx' ), array( 'invalid' ) ),
			'method'             => array( array( 'method' => 'PATCH' ), array( 'connect' ) ),
			'since'              => array( array( 'since' => 600 ), array( 'connect', 'invalid' ) ),
			'words of address'   => array( array( 'words' => 'LEADS/7' ), array( 'connect' ) ),
			'words of excerpt'   => array( array( 'words' => 'große FEHLT' ), array( 'invalid' ) ),
			'accents of address' => array( array( 'words' => 'arzte' ), array( 'invalid' ) ),
			'no pattern'         => array( array( 'words' => '%gateway_' ), array( 'transient' ) ),
			'no pattern, none'   => array( array( 'words' => 'B_d' ), array() ),
			'a trace'            => array( array( 'words' => str_repeat( 'ab', 16 ) ), array() ),
			'hostile'            => array( array( 'words' => "' OR 1=1 -- ", 'status' => '1 OR 1', 'method' => "x' OR '1", 'outcome' => "\\' OR 1" ), array() ),
			'several'            => array( array( 'outcome' => 'failed', 'tenant' => 'one', 'method' => 'GET' ), array( 'transient' ) ),
		);
	}

	/** @dataProvider plans */
	public function test_searches_have_an_index( array $filter, bool $of_tenant, array $keys ): void {
		global $wpdb;
		$one = $this->tenant( 'one' );
		foreach ( range( 1, 20 ) as $number ) {
			$this->made( $this->tenant( "t$number" ), 100 );
		}
		$this->made( $one, 300 );
		$this->made( $one, 5, '10 DAY', "'transient', 503, 'GET', 'x', 'y'" );
		$wpdb->query( 'ANALYZE TABLE ' . Schema::table( 'attempts' ) );
		$plan = $wpdb->get_row( 'EXPLAIN ' . ( new AttemptSearch( $of_tenant ? array( $one->key ) : null, $filter ) )->sql( 20 ), ARRAY_A );
		// Two at once may be as good as one.
		$this->assertNotEmpty( array_intersect( explode( ',', (string) $plan['key'] ), $keys ), (string) $plan['key'] );
		// Only the few rows that two indexes have in common may be sorted: MariaDB's samples decide which way it goes.
		if ( str_contains( (string) $plan['Extra'], 'intersect' ) ) {
			$this->assertLessThanOrEqual( 20, (int) $plan['rows'] );
		} else {
			$this->assertStringNotContainsString( 'filesort', (string) $plan['Extra'] );
		}
	}

	/** @return array<string, array{0: array<string, string>, 1: bool, 2: list<string>}> */
	public function plans(): array {
		return array(
			'all'               => array( array(), false, array( 'PRIMARY' ) ),
			'tenant'            => array( array(), true, array( 'tenant' ) ),
			'outcome'           => array( array( 'outcome' => 'transient' ), false, array( 'outcome' ) ),
			'outcome of tenant' => array( array( 'outcome' => 'transient' ), true, array( 'tenant_outcome', 'outcome', 'tenant' ) ),
			'status'            => array( array( 'status' => '503' ), false, array( 'status' ) ),
			'run'               => array( array( 'run' => '7' ), false, array( 'run' ) ),
		);
	}

	public function test_a_log_file_that_cannot_be_written_is_told_by_site_health(): void {
		$tenant = $this->connected( 'acme' );
		$this->assertSame( 'good', SiteHealth::result( 'log' )['status'] );
		$this->php( 'require $argv[1]; ( new TenantCRMSync( "acme" ) )->fetch_leads(); usleep( 300000 );', true, 'tenant_crm_sync.log_file=/nowhere/at/all.jsonl' );
		wp_cache_flush();
		$health = SiteHealth::result( 'log' );
		$this->assertSame( 'recommended', $health['status'] );
		$this->assertStringContainsString( '/nowhere/at/all.jsonl', $health['description'] );
		$this->assertCount( 1, $this->rows( $tenant ), 'the table has it all the same' );
	}
}
