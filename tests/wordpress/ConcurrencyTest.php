<?php
/**
 * Several processes at once: no lead is doubled, none is lost, nobody waits for ever.
 */

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenants;

final class ConcurrencyTest extends PluginCase {

	/** @return list<int> Exit codes. */
	private function at_once( int $count, string $script ): array {
		$processes = array();
		for ( $number = 0; $number < $count; $number++ ) {
			$processes[] = proc_open( array( PHP_BINARY, '-d', 'memory_limit=512M', '-r', $script, '--', __DIR__ . '/site.php', (string) $number ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		}
		return array_map( 'proc_close', $processes );
	}

	public function test_the_same_new_leads_from_four_processes(): void {
		global $wpdb;
		$this->tenant( 'race' );
		$script = '
			require $argv[1];
			$leads = array();
			for ( $id = 0; $id < 600; $id++ ) { $leads[] = array( "id" => $id, "name" => "L$id", "email" => "$id@example.test", "phone" => "p" ); }
			if ( $argv[2] % 2 ) { $leads = array_reverse( $leads ); }
			foreach ( array_chunk( $leads, 150 ) as $some ) { process_crm_leads_for_tenant( "race", $some ); }';
		$this->assertSame( array( 0, 0, 0, 0 ), $this->at_once( 4, $script ) );
		$this->assertSame( array( 600, 600 ), array( $this->posts(), $this->records() ) );
		$this->assertSame( '2400', $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta m JOIN $wpdb->posts p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" ) );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ) );
	}

	public function test_four_workers_share_eight_tenants(): void {
		Sandbox::reset();
		for ( $number = 0; $number < 8; $number++ ) {
			Sandbox::tenant( "share$number", 150 );
			$tenant = Tenants::save( array( 'id' => "share$number", 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-share$number" ) );
			Jobs::enqueue( $tenant->key );
		}
		$this->assertSame( array( 0, 0, 0, 0 ), $this->at_once( 4, 'require $argv[1]; TenantCRM\Worker::run( 30 );' ) );
		$runs = Runs::list();
		$this->assertSame( array_fill( 0, 8, array( 'done', 150, 150 ) ), array_map( static fn( array $run ): array => array( $run['state'], $run['fetched'], $run['created'] ), $runs ) );
		$this->assertSame( array( 1200, 1200 ), array( $this->posts(), $this->records() ) );
	}

	public function test_a_process_that_died_while_it_imported_leaves_a_lease_that_a_worker_clears(): void {
		global $wpdb;
		$this->tenant( 'gone' );
		$this->php( 'require $argv[1]; add_action( "tenant_crm_sync_batch_stored", static function () { posix_kill( getmypid(), SIGKILL ); } ); process_crm_leads_for_tenant( "gone", array( array( "id" => 1, "name" => "x" ) ) );', false );
		$jobs = Schema::table( 'jobs' );
		$this->assertSame( '1', $this->sql( "SELECT COUNT(*) FROM $jobs" ) );
		$wpdb->query( "UPDATE $jobs SET lease_until = '2020-01-01'" );
		TenantCRM\Worker::run( 5.0 );
		$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM $jobs" ) );
		$this->assertSame( 1, $this->posts() );
	}

	public function test_the_same_new_leads_through_hooks_from_four_processes(): void {
		Tenants::save( array( 'id' => 'hooked', 'settings' => array( 'hooks' => true ) ) );
		$script = '
			require $argv[1];
			$leads = array();
			for ( $id = 0; $id < 100; $id++ ) { $leads[] = array( "id" => $id, "name" => "L$id" ); }
			process_crm_leads_for_tenant( "hooked", $leads );';
		$this->assertSame( array( 0, 0, 0, 0 ), $this->at_once( 4, $script ) );
		$this->assertSame( array( 100, 100 ), array( $this->posts(), $this->records() ) );
	}

	public function test_first_requests_agree_on_the_id_of_the_site(): void {
		global $wpdb;
		$option = 'tenant_crm_sync_site';
		$id     = TenantCRM\Site::id();
		delete_option( $option );
		try {
			add_filter(
				'query',
				static function ( string $sql ) use ( $option ): string {
					if ( str_starts_with( $sql, 'INSERT' ) && str_contains( $sql, $option ) ) {
						remove_all_filters( 'query' );
						// Another first request comes in between.
						$GLOBALS['wpdb']->query( "INSERT INTO {$GLOBALS['wpdb']->options} (option_name, option_value, autoload) VALUES ('$option', '" . str_repeat( 'a', 32 ) . "', 'yes')" );
					}
					return $sql;
				}
			);
			$this->assertSame( str_repeat( 'a', 32 ), TenantCRM\Site::id() );
		} finally {
			remove_all_filters( 'query' );
			update_option( $option, $id );
		}
	}
}
