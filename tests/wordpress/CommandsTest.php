<?php
/**
 * What scripts rely on: formats, dry runs that change nothing, porcelain, exit codes, help; each group of commands; and the same commands by way of
 * WP-CLI, played by a stub that registers and calls as WP-CLI does (it is in no registry of Debian's).
 */

use TenantCRM\CommandLine;
use TenantCRM\Commands;
use TenantCRM\DeadLetters;
use TenantCRM\Jobs;
use TenantCRM\Output;
use TenantCRM\ProgressBar;
use TenantCRM\Refused;
use TenantCRM\Runs;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Worker;

final class CommandsTest extends PluginCase {

	use Commanding;

	/** What the command prints that ends well; in this process, since starting one takes longer than most commands do. */
	private function good( string ...$arguments ): string {
		list( $code, $out ) = $this->here( $arguments );
		$this->assertSame( 0, $code, implode( ' ', $arguments ) . "\n$out" );
		return $out;
	}

	/** @return array{0: int, 1: string} Exit code and output. */
	private function here( array $arguments ): array {
		ob_start();
		try {
			$code = CommandLine::run( $arguments );
		} finally {
			$out = ob_get_clean();
		}
		return array( $code, $out );
	}

	public function test_lists_come_in_every_format(): void {
		$this->tenant( 'one' );
		Tenants::save( array( 'id' => 'two', 'label' => "=1+1, \"two\"\n" ) );
		$this->assertSame( array( 'one', 'two' ), array_column( json_decode( $this->good( 'tenant', 'list', '--format=json' ), true ), 'tenant' ) );
		$this->assertSame( "one\ntwo\n", $this->good( 'tenant', '--format=ids' ) );
		$this->assertSame( "2\n", $this->good( 'tenant', 'list', '--format', 'count' ) );
		$this->assertSame( "tenant,leads\none,0\ntwo,0\n", $this->good( 'tenant', 'list', '--format=csv', '--fields=tenant,leads' ) );
		$this->assertStringContainsString( "two,\"'=1+1, \"\"two\"\"", $this->good( 'tenant', 'list', '--format=csv' ), 'no formula for a spreadsheet' );
		$this->assertSame( "---\n- tenant: \"one\"\n  paused: false\n- tenant: \"two\"\n  paused: false\n", $this->good( 'tenant', 'list', '--format=yaml', '--fields=tenant,paused' ) );
		$this->assertSame( "---\n[]\n", $this->good( 'queue', '--format=yaml' ) );
		$this->assertSame( "[]\n", $this->good( 'refused', '--format=json' ) );
		$this->assertSame( "tenant  leads\none         0\ntwo         0\n", $this->good( 'tenant', 'list', '--fields=tenant,leads' ) );
		list( $code, , $err ) = $this->command( array( 'tenant', 'list', '--fields=secret' ) );
		$this->assertSame( array( 2, true ), array( $code, str_contains( $err, 'there is no column "secret"' ) ) );
		\TenantCRM\Wakers::forget();
		foreach ( array( 'connectors', 'status', 'queue list', 'queue dead', 'conflict list', 'refused list', 'log', 'key status', 'doctor' ) as $command ) {
			foreach ( Commands::FORMATS as $format ) {
				list( $code, $out ) = $this->here( array_merge( explode( ' ', $command ), array( "--format=$format" ) ) );
				// Here the doctor finds that no worker comes.
				$this->assertSame( 'doctor' === $command ? 1 : 0, $code, "$command $format" );
				if ( 'json' === $format ) {
					$this->assertIsArray( json_decode( $out, true ), $command );
				} elseif ( 'count' === $format ) {
					$this->assertMatchesRegularExpression( '/^\d+$/', trim( $out ), $command );
				}
			}
		}
	}

	public function test_a_dry_run_changes_nothing(): void {
		Sandbox::reset();
		$tenant = $this->connected( 'dry', 4 );
		$empty  = $this->tenant( 'empty' );
		Worker::run( 5.0, Jobs::enqueue( $empty->key ) );
		$letter = DeadLetters::list()[0]['id'];
		$run    = Jobs::enqueue( $tenant->key );
		$this->store_refused( $tenant );
		$before = $this->everything();
		$this->assertStringContainsString( '12 changes', $this->good( 'sync', '--tenant=dry', '--dry-run' ) );
		$this->assertSame( "12\n", $this->good( 'sync', '--tenant=dry', '--dry-run', '--format=count' ) );
		$this->assertStringContainsString( 'pull', $this->good( 'work', '--dry-run' ) );
		$this->assertSame( "Tenant \"dry\" would be paused.\n", $this->good( 'tenant', 'pause', 'dry', '--dry-run' ) );
		$this->assertStringContainsString( 'would be deleted', $this->good( 'tenant', 'delete', 'dry', '--dry-run' ) );
		$this->assertStringContainsString( "Tenant \"dry\": would be sealed with the newest host key.\nTenant \"empty\": has no stored", $this->good( 'key', 'rotate', '--all', '--dry-run' ) );
		$this->assertStringContainsString( 'empty', $this->good( 'queue', 'retry', (string) $letter, '--dry-run' ) );
		$this->good( 'queue', 'drop', (string) $letter, '--dry-run' );
		$this->assertSame( "$run: would be cancelled\n", $this->good( 'queue', 'cancel', (string) $run, '--dry-run' ) );
		$this->assertStringContainsString( 'no title', $this->good( 'refused', 'retry', '--all', '--dry-run' ) );
		$this->assertStringContainsString( 'no title', $this->good( 'refused', 'drop', '--tenant=dry', '--dry-run' ) );
		// A preview notes its requests.
		$quiet = static fn( string $all ): array => array_diff_key( unserialize( $all ), array_flip( array_map( array( \TenantCRM\Schema::class, 'table' ), array( 'attempts', 'counters' ) ) ) );
		$this->assertSame( $quiet( $before ), $quiet( $this->everything() ) );
	}

	private function store_refused( Tenant $tenant ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'INSERT INTO ' . \TenantCRM\Schema::table( 'refused' ) . " (tenant, object, crm_id, id_hash, by_id, reason, run, first_at, last_at) VALUES (%d, 'leads', '77', UNHEX(%s), 1, 'It has no title.', 0, UTC_TIMESTAMP(), UTC_TIMESTAMP())", $tenant->key, hash( 'sha256', '77' ) ) );
	}

	public function test_porcelain_is_numbers_and_the_background_waits_for_a_worker(): void {
		Sandbox::reset();
		$this->connected( 'p', 2 );
		$run = (int) $this->good( 'sync', '--tenant=p', '--background', '--porcelain' );
		$this->assertSame( 'queued', Runs::get( $run )['state'] );
		$this->assertSame( "$run\n", $this->good( 'queue', 'list', '--format=ids', '--fields=run' ) );
		$this->assertSame( "$run\n", $this->good( 'sync', '--tenant=p', '--porcelain' ), 'the same sync, worked now' );
		$this->assertSame( array( 'done', 2 ), array( Runs::get( $run )['state'], $this->posts() ) );
		$this->assertSame( "q\n", $this->good( 'tenant', 'add', 'q', '--porcelain' ) );
		$this->assertMatchesRegularExpression( '/^\d+\n$/', $this->good( 'backfill', '--tenant=p', '--porcelain' ) );
	}

	public function test_exit_codes_tell_failed_from_waiting(): void {
		Sandbox::reset();
		$this->connected( 'good', 1 );
		$this->connected( 'busy', 1 );
		$this->connected( 'wrong', 1 );
		Sandbox::post( '/faults', array( 'tenant' => 'busy', 'faults' => array( array( 'kind' => 'status', 'status' => 429, 'headers' => array( 'Retry-After' => '600' ), 'times' => null ) ) ) );
		Sandbox::post( '/faults', array( 'tenant' => 'wrong', 'faults' => array( array( 'kind' => 'status', 'status' => 401, 'times' => null ) ) ) );
		$this->assertSame( 3, $this->command( array( 'sync', '--tenant=good', '--tenant=busy' ) )[0] );
		$this->assertSame( 1, $this->command( array( 'sync', '--all' ) )[0] );
		list( $code, $out ) = $this->here( array( 'doctor', '--tenant=wrong' ) );
		$this->assertSame( array( 1, 1 ), array( $code, preg_match( '/^tenant wrong +critical/m', $out ) ) );
	}

	public function test_what_failed_for_good_and_what_is_refused(): void {
		Sandbox::reset();
		$tenant = $this->tenant( 'dead' );
		Worker::run( 5.0, Jobs::enqueue( $tenant->key ) );
		$letter = (string) DeadLetters::list()[0]['id'];
		$this->assertSame( "$letter\n", $this->good( 'queue', 'dead', '--format=ids', '--fields=id' ) );
		$run = (int) $this->good( 'queue', 'retry', $letter, '--porcelain' );
		$this->assertSame( "$run: cancelled\n", $this->good( 'queue', 'cancel', (string) $run ) );
		$tenant = $this->connected( 'r', 0 );
		$this->store_refused( $tenant );
		$key = Refused::list()[0]['key'];
		$this->assertSame( "$key\n", $this->good( 'refused', '--format=ids' ) );
		$this->assertSame( "0\n", $this->good( 'refused', 'list', '--side=portal', '--format=count' ) );
		$this->assertStringContainsString( "$key: asked for again, as run ", $this->good( 'refused', 'retry', $key ) );
		$this->assertSame( "$key: dropped\n", $this->good( 'refused', 'drop', '--all' ) );
		$this->assertSame( 0, Refused::count() );
	}

	public function test_tenants_are_paused_and_resumed_and_keys_are_told(): void {
		$this->tenant( 'one' );
		$this->good( 'tenant', 'pause', 'one' );
		$this->assertTrue( Tenants::find( 'one' )->paused );
		$this->good( 'tenant', 'resume', 'one' );
		wp_cache_flush();
		$this->assertFalse( Tenants::find( 'one' )->paused );
		$status = json_decode( $this->good( 'key', '--format=json' ), true )[0];
		$this->assertSame( array( getenv( 'TCS_KEY_FILE' ), 0, null ), array( $status['key_file'], $status['sealed'], $status['error'] ) );
		$this->assertMatchesRegularExpression( '/^06[04]0$/', $status['mode'] );
		$this->assertStringNotContainsString( trim( file_get_contents( getenv( 'TCS_KEY_FILE' ) ) ), json_encode( $status ) );
	}

	public function test_help_names_every_command_and_option(): void {
		$all = $this->good( 'help' );
		foreach ( array_keys( Commands::ALL ) as $command ) {
			$this->assertStringContainsString( "  $command ", $all );
			$help = $this->good( ...array_merge( array( 'help' ), explode( ' ', $command ) ) );
			$this->assertStringContainsString( 'Usage: tenant-crm ' . Commands::synopsis( $command ), $help );
			foreach ( Commands::ALL[ $command ][2] as $option ) {
				$this->assertArrayHasKey( $option, Commands::OPTIONS );
				$this->assertStringContainsString( "  --$option", $help );
			}
			$this->assertTrue( is_callable( Commands::ALL[ $command ][0] ), $command );
		}
		$used = array_unique( array_merge( ...array_values( array_column( Commands::ALL, 2 ) ) ) );
		$this->assertSame( array(), array_diff( array_keys( Commands::OPTIONS ), $used ), 'options of no command' );
	}

	public function test_text_of_a_crm_does_not_steer_the_terminal(): void {
		$this->assertSame( 'a [31mb c', Output::cell( "a\x1b[31mb\u{9b}c" ) );
		$this->assertSame( 'a b', Output::cell( "a\x9bb" ), 'nor does what is no UTF-8' );
	}

	public function test_a_terminal_shows_progress_and_a_pipe_does_not(): void {
		$this->assertSame( 'north [============>           ] 500 rows, 5 pages, 250 rows/s, about 2 s left', ProgressBar::line( 'north', 500, 5, 1000, 2.0 ) );
		$this->assertSame( 'north 1,500 rows, 15 pages, 750 rows/s', ProgressBar::line( 'north', 1500, 15, 1000, 2.0 ), 'more than was guessed' );
		Sandbox::reset();
		$this->connected( 'bar', 5 );
		$words = implode( ' ', array_map( 'escapeshellarg', array( PHP_BINARY, 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm', 'sync', '--tenant=bar' ) ) );
		list( $code, $out ) = $this->process( array( 'script', '-qec', $words, '/dev/null' ) );
		$this->assertSame( 0, $code, $out );
		$this->assertStringContainsString( 'bar 0 rows, 0 pages', $out );
		$this->assertMatchesRegularExpression( '/bar +\d+ +done +5/', $out );
		list( , , $err ) = $this->command( array( 'sync', '--tenant=bar' ) );
		$this->assertSame( '', $err );
	}

	public function test_the_script_is_for_terminals_only_and_takes_an_address(): void {
		$cgi = is_executable( '/usr/sbin/php-fpm8.2' ) ? file_get_contents( getenv( 'TCS_URL' ) . '/wp-content/plugins/tenant-crm-sync/bin/tenant-crm', false, stream_context_create( array( 'http' => array( 'ignore_errors' => true ) ) ) ) : '';
		$this->assertStringNotContainsString( 'Usage', $cgi );
		$this->assertStringContainsString( "PHP_SAPI !== 'cli'", file_get_contents( WP_PLUGIN_DIR . '/tenant-crm-sync/bin/tenant-crm' ) );
		$this->assertSame( 0, $this->command( array( 'status', '--url=https://portal.example.test/sub' ) )[0] );
	}

	/** @return array{0: int, 1: string, 2: string} As `wp tenant-crm …`. */
	private function wp( string ...$words ): array {
		return $this->process( array_merge( array( PHP_BINARY, __DIR__ . '/wp-cli-stub.php', __DIR__ . '/site.php', 'tenant-crm' ), $words ) );
	}

	public function test_wp_cli_has_the_same_commands(): void {
		Sandbox::reset();
		$this->connected( 'one', 2 );
		$this->connected( 'two', 3 );
		$this->connected( 'three', 4 );
		list( $code, $out, $err ) = $this->wp( 'sync', '--tenant=one', '--tenant=two', '--format=json' );
		$this->assertSame( array( 0, '' ), array( $code, $err ) );
		$this->assertSame( array( 'one', 'two' ), array_column( json_decode( $out, true ), 'tenant' ), 'an option that is said twice' );
		$this->assertSame( array( 0, "3\n", '' ), $this->wp( 'tenant', 'list', '--format=count' ) );
		$this->assertSame( array( 0, "Tenant \"one\" is paused.\nTenant \"two\" is paused.\n", '' ), $this->wp( 'tenant', 'pause', 'one', 'two' ) );
		$this->assertSame( 2, $this->wp( 'sync' )[0] );
		$this->assertSame( 1, $this->wp( 'sync', '--tenant=nobody' )[0] );
		list( $code, , $err ) = $this->wp( 'work', '--seconds=soon' );
		$this->assertSame( array( 2, "Error: --seconds wants a number\n" ), array( $code, $err ) );
		list( $code, , $err ) = $this->wp( 'sync', '--bogus' );
		$this->assertSame( array( 1, "Error: unknown --bogus parameter\n" ), array( $code, $err ), 'WP-CLI itself checks by the synopsis' );
		list( , $out ) = $this->wp( '--list' );
		$this->assertSame( array_keys( Commands::ALL ), array_column( json_decode( $out, true ), 'command' ) );
		$sync = array_column( json_decode( $out, true ), null, 'command' )['sync'];
		$this->assertSame( Commands::ALL['sync'][3], $sync['shortdesc'] );
		$this->assertSame( array( 'type' => 'flag', 'name' => 'all', 'optional' => true, 'description' => 'all of them' ), $sync['synopsis'][1] );
	}
}
