<?php
/**
 * Trace context (W3C) from whoever asks to the CRM, and the lines for log shippers: each run has one trace, in every slice and process; no
 * secret is in any place that tells of requests.
 */

use TenantCRM\Attempts;
use TenantCRM\AttemptSearch;
use TenantCRM\Jobs;
use TenantCRM\Metrics;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Worker;

final class TracesTest extends PluginCase {

	private const ASKED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

	protected function setUp(): void {
		parent::setUp();
		Sandbox::reset();
		\TenantCRMSync::attempts();
		wp_set_current_user( 1 );
	}

	protected function tearDown(): void {
		wp_set_current_user( 0 );
		\TenantCRMSync::trace( null );
	}

	private function traced( string $id, int $leads, string $key = '' ): Tenant {
		return $this->connected( $id, $leads, array( 'page_size' => 10 ), $key ? array( 'key' => $key ) : array() );
	}

	/** @return list<string|null> Trace ids of a run's rows, each once. */
	private function traces( int $run ): array {
		return array_values( array_unique( array_column( ( new AttemptSearch( null, array( 'run' => $run ) ) )->page( 1000 ), 'trace_id' ) ) );
	}

	private function trace_of( int $run ): string {
		return substr( (string) $this->sql( 'SELECT trace FROM ' . Schema::table( 'runs' ) . " WHERE id = $run" ), 3, 32 );
	}

	private function ask( string $path, ?string $traceparent, array $parameters = array() ): array {
		$request = new WP_REST_Request( 'POST', "/tenant-crm-sync/v1/sync$path" );
		foreach ( $parameters as $name => $value ) {
			$request->set_param( $name, $value );
		}
		if ( null !== $traceparent ) {
			$request->set_header( 'traceparent', $traceparent );
		}
		return rest_do_request( $request )->get_data();
	}

	public function test_runs_that_are_worked_at_once_have_each_its_own(): void {
		$runs = array();
		foreach ( array( 'a', 'b', 'c' ) as $id ) {
			$runs[] = Jobs::enqueue( $this->traced( $id, 30 )->key );
		}
		$this->assertSame( 3, Worker::run( 20.0 )['done'] );
		$seen = array_map( fn( int $run ): array => $this->traces( $run ), $runs );
		$this->assertSame( array_map( fn( int $run ): array => array( $this->trace_of( $run ) ), $runs ), $seen );
		$this->assertCount( 3, array_unique( array_merge( ...$seen ) ) );
		$this->assertSame( 0, ( new AttemptSearch( null, array( 'run' => 0 ) ) )->count() - ( new AttemptSearch( null ) )->count() );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'attempts' ) . ' WHERE run = 0' ) );
	}

	public function test_a_run_keeps_its_own_through_slices_and_processes(): void {
		$tenant = $this->traced( 'slices', 60 );
		$run    = Jobs::enqueue( $tenant->key );
		Sandbox::post( '/behaviour', array( 'tenant' => 'slices', 'latency_ms' => 150 ) );
		Worker::run( 0.4, $run );
		$this->assertNotSame( 'done', Runs::get( $run )['state'], 'this test is about several slices' );
		$first = ( new AttemptSearch( null, array( 'run' => $run ) ) )->count();
		$this->php( "require \$argv[1]; TenantCRM\\Worker::run( 20.0, $run );" );
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->assertGreaterThan( $first, ( new AttemptSearch( null, array( 'run' => $run ) ) )->count() );
		$this->assertSame( array( $this->trace_of( $run ) ), $this->traces( $run ) );
	}

	public function test_the_one_that_a_sync_was_asked_for_in_goes_on_in_the_worker(): void {
		$tenant = $this->traced( 'asked', 5 );
		$run    = $this->ask( '', self::ASKED, array( 'tenant' => 'asked' ) )['id'];
		$this->php( 'require $argv[1]; TenantCRM\Worker::run( 20.0 );' );
		$this->assertSame( 'done', Runs::get( $run )['state'] );
		$this->assertSame( array( substr( self::ASKED, 3, 32 ) ), $this->traces( $run ) );
		$heard = $this->heard( 'asked' );
		$this->assertMatchesRegularExpression( '/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/D', $heard[0] );
		$this->assertStringNotContainsString( 'b7ad6b7169203331', $heard[0], 'with a span of its own' );
	}

	public function test_a_slice_that_is_asked_for_in_another_goes_on_in_that_one(): void {
		$tenant = $this->traced( 'sliced', 5 );
		$run    = $this->ask( '', 'nonsense', array( 'tenant' => 'sliced' ) )['id'];
		$this->assertSame( '', $this->trace_of( $run ) );
		$this->assertSame( 'done', $this->ask( "/$run/slice", self::ASKED )['state'] );
		$this->assertSame( array( substr( self::ASKED, 3, 32 ) ), $this->traces( $run ) );
		// What this request calls afterwards is not part of it.
		$tenant->client()->fetch_leads();
		$this->assertSame( array( null ), array_column( \TenantCRMSync::attempts(), 'trace_id' ) );
	}

	public function test_what_a_request_calls_by_itself_goes_on_in_its_own(): void {
		$this->traced( 'direct', 5 );
		$this->php( '$_SERVER["HTTP_TRACEPARENT"] = "' . self::ASKED . '"; require $argv[1]; ( new TenantCRMSync( "direct" ) )->fetch_leads();' );
		$this->assertSame( array( substr( self::ASKED, 3, 32 ) ), array_column( ( new AttemptSearch( null, array( 'words' => substr( self::ASKED, 3, 32 ) ) ) )->page( 10 ), 'trace_id' ) );
	}

	public function test_lines_for_log_shippers_and_no_secret_anywhere(): void {
		$key    = 'canary-' . bin2hex( random_bytes( 16 ) );
		$file   = sys_get_temp_dir() . '/tcs-' . bin2hex( random_bytes( 8 ) ) . '.jsonl';
		$tenant = $this->traced( 'lines', 35, $key );
		// The CRM says the key back, in a failure that is tried again and in one that is not.
		$echo = array( 'kind' => 'canned', 'times' => 1, 'headers' => array( 'Content-Type' => 'application/json' ) );
		Sandbox::post( '/faults', array( 'tenant' => 'lines', 'faults' => array( $echo + array( 'status' => 503, 'body' => "{\"error\":\"Bearer $key is busy\"}" ) ) ) );
		$run = Jobs::enqueue( $tenant->key );
		$this->php( "require \$argv[1]; TenantCRM\\Worker::run( 20.0, $run );", true, "tenant_crm_sync.log_file=$file" );
		$this->assertSame( 'done', Runs::get( $run )['state'], (string) Runs::get( $run )['error'] );
		Sandbox::post( '/faults', array( 'tenant' => 'lines', 'faults' => array( $echo + array( 'status' => 403, 'body' => "{\"error\":\"the key $key may not\"}" ) ) ) );
		$failed = Jobs::enqueue( $tenant->key );
		$this->php( "require \$argv[1]; TenantCRM\\Worker::run( 20.0, $failed );", true, "tenant_crm_sync.log_file=$file" );
		$this->assertSame( 'failed', Runs::get( $failed )['state'] );

		$text  = (string) file_get_contents( $file );
		$lines = array_map( static fn( string $line ): array => json_decode( $line, true, 8, JSON_THROW_ON_ERROR ), explode( "\n", rtrim( $text, "\n" ) ) );
		unlink( $file );
		$rows = array_reverse( ( new AttemptSearch( null ) )->page( 100 ) );
		$this->assertGreaterThan( 5, count( $lines ) );
		$this->assertCount( count( $rows ), $lines, 'a line for each row' );
		foreach ( $lines as $number => $line ) {
			$row = $rows[ $number ];
			$this->assertSame( array( 'lines', $row['operation'], $row['method'], $row['status'], $row['attempt'], $row['sent'], $row['received'], $row['outcome'], $row['excerpt'], $row['trace_id'], $row['span_id'] ), array( $line['tenant'], $line['operation'], $line['method'], $line['status'], $line['attempt'], $line['sent'], $line['received'], $line['outcome'], $line['excerpt'] ?? null, $line['trace_id'], $line['span_id'] ) );
			$this->assertSame( str_replace( ' ', 'T', $row['at'] ) . 'Z', $line['time'] );
			$this->assertEqualsWithDelta( $row['milliseconds'], $line['ms'], 0.06 );
		}
		$this->assertSame( array( $this->trace_of( $run ), $this->trace_of( $failed ) ), array_values( array_unique( array_column( $lines, 'trace_id' ) ) ) );
		$this->assertSame( array( 'transient', 'ok', 'forbidden' ), array_values( array_unique( array_column( $rows, 'outcome' ) ) ) );
		$this->assertStringContainsString( 'is busy', (string) $rows[0]['excerpt'], 'what was said is kept but for the key' );

		global $wpdb;
		$places = array(
			'lines'   => $text,
			'metrics' => Metrics::text(),
		);
		foreach ( array( 'attempts', 'counters', 'log', 'runs', 'jobs' ) as $table ) {
			$places[ $table ] = serialize( $wpdb->get_results( 'SELECT * FROM ' . Schema::table( $table ), ARRAY_A ) );
			$this->assertGreaterThan( 20, strlen( $places[ $table ] ), $table );
		}
		foreach ( $places as $place => $content ) {
			$this->assertStringNotContainsString( $key, $content, $place );
		}
	}

	/** @return list<string> The header as the CRM got it. */
	private function heard( string $tenant ): array {
		$all = json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . "/requests?tenant=$tenant" ), true );
		return array_map(
			static function ( array $request ): string {
				foreach ( $request['headers'] as $name => $value ) {
					list( $name, $value ) = is_array( $value ) ? $value : array( $name, $value );
					if ( 'traceparent' === strtolower( (string) $name ) ) {
						return $value;
					}
				}
				return '';
			},
			$all['requests'] ?? $all
		);
	}
}
