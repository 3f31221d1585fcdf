<?php
/**
 * The switch of a tenant: posts go through wp_insert_post() and wp_update_post(), and hold the same as when they are stored set-based.
 */

use TenantCRM\Adoption;
use TenantCRM\Fields;
use TenantCRM\HookStore;
use TenantCRM\LeaseLost;
use TenantCRM\Log;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\StoreException;

final class HookStoreTest extends PluginCase {

	public function test_hooks_run_for_what_is_written_and_for_nothing_else(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$seen   = array();
		$watch  = static function ( int $id, WP_Post $post, bool $update ) use ( &$seen ): void {
			$seen[] = array( $post->post_title, $update );
		};
		add_action( 'save_post_crm_lead', $watch, 10, 3 );
		$leads = $this->leads( 2 );
		$this->assertCounts( 2, 0, 0, $this->store( $tenant, $leads, 'w' ) );
		$leads[1]['name'] = 'Renamed';
		$this->assertCounts( 0, 1, 1, $this->store( $tenant, $leads ) );
		$this->assertCounts( 0, 0, 2, $this->store( $tenant, $leads ) );
		remove_action( 'save_post_crm_lead', $watch );
		$this->assertSame( array( array( 'Lead 1', false ), array( 'Lead 2', false ), array( 'Renamed', true ) ), $seen );
		$this->assertSame( 'w', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ) );
		$run = Runs::latest( $tenant->key );
		$this->assertSame( array( 2, 2, 1 ), array( $run['fetched'], $run['unchanged'], $run['pages'] ) );
	}

	public function test_posts_and_meta_are_the_same_both_ways(): void {
		$leads   = $this->leads( 3 );
		$leads[] = array(
			'id'         => 'a\\b',
			'name'  => 'R&D "x" <b>bold</b> \\n O\'Brien ' . "\u{1F680}",
			'email' => 'C:\\temp <script>alert(1)</script>',
			'phone' => 'O:8:"stdClass":0:{}',
			'created_at' => '2026-01-02T03:04:05Z',
		);
		$stored = array();
		foreach ( array( 'sets' => array(), 'hooks' => array( 'hooks' => true ) ) as $id => $settings ) {
			$tenant = $this->tenant( $id, $settings );
			$this->store( $tenant, $leads );
			foreach ( $leads as $lead ) {
				$post                              = $this->post_of( $tenant, $lead['id'] );
				$meta                              = get_post_meta( $post->ID );
				$stored[ $id ][ $lead['id'] ]      = array( $post->post_title, $post->post_status, $post->post_author, $post->post_date, $post->post_date_gmt, $post->comment_status, $post->ping_status, $post->post_content, array_diff_key( $meta, array( '_tenant_id' => 1 ) ) );
			}
		}
		$this->assertSame( $stored['sets'], $stored['hooks'] );
	}

	public function test_a_post_that_wordpress_refuses_is_named_and_the_rest_lands(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$refuse = static fn( bool $empty, array $post ): bool => 'Lead 2' === $post['post_title'];
		add_filter( 'wp_insert_post_empty_content', $refuse, 10, 2 );
		$this->assertCounts( 2, 0, 0, $this->store( $tenant, $this->leads( 3 ) ), 1 );
		remove_filter( 'wp_insert_post_empty_content', $refuse );
		$this->assertStringContainsString( 'Lead "2" of tenant "acme" was refused', Log::list()[0]['message'] );
		$this->assertCounts( 1, 0, 2, $this->store( $tenant, $this->leads( 3 ) ) );
	}

	public function test_posts_of_a_worker_that_died_before_the_ledger_are_not_doubled(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$job    = $this->job( $tenant );
		add_filter(
			'query',
			static function ( string $sql ): string {
				if ( str_contains( $sql, 'tenant_crm_records` (tenant' ) ) {
					throw new Error( 'the worker dies here' );
				}
				return $sql;
			}
		);
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 3 ) ) );
			$this->fail( 'the worker should have died' );
		} catch ( Error $e ) {
			remove_all_filters( 'query' );
		}
		TenantCRM\Jobs::finish( $job );
		$this->assertSame( array( 3, 0 ), array( $this->posts(), $this->records() ) );
		Adoption::run();
		$this->store( $tenant, $this->leads( 3 ) );
		$this->assertSame( array( 3, 3 ), array( $this->posts(), $this->records() ) );
	}

	/** @return array<string, array{0: string}> The statement behind which the connection is lost. */
	public static function statements_that_are_sent_twice(): array {
		return array(
			'the post'         => array( '/^\s*INSERT INTO `\w+posts`/' ),
			'whose it is'      => array( "/^\s*INSERT INTO `\w+postmeta`.*'_tenant_id'/s" ),
			'one of its fields' => array( "/^\s*INSERT INTO `\w+postmeta`.*'email'/s" ),
		);
	}

	/** @dataProvider statements_that_are_sent_twice */
	public function test_what_wpdb_sends_again_after_a_lost_connection_is_not_doubled( string $pattern ): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$times  = 0;
		$lose   = static function ( string $sql ) use ( $pattern, &$times ): string {
			global $wpdb;
			if ( 1 === preg_match( $pattern, $sql ) && 3 === ++$times ) {
				mysqli_query( $wpdb->dbh, $sql );
				mysqli_query( $wpdb->dbh, 'KILL ' . mysqli_thread_id( $wpdb->dbh ) );
			}
			return $sql;
		};
		add_filter( 'query', $lose );
		try {
			$this->store( $tenant, $this->leads( 4 ) );
			$this->fail( 'the lock was lost' );
		} catch ( StoreException $e ) {
			$this->assertStringContainsString( 'The database was away', $e->getMessage() );
		} finally {
			remove_filter( 'query', $lose );
		}
		$this->assertGreaterThanOrEqual( 3, $times );
		$this->assertSame( 0, $this->records() );
		$this->sql( 'DELETE FROM ' . Schema::table( 'jobs' ) );
		$this->store( $tenant, $this->leads( 4 ) );
		$this->assertSame( array( 4, 4 ), array( $this->posts(), $this->records() ) );
		$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM (SELECT m.post_id FROM $wpdb->postmeta m JOIN $wpdb->posts p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead' GROUP BY m.post_id, m.meta_key HAVING COUNT(*) > 1) twice" ) );
	}

	public function test_what_a_dead_worker_made_and_nobody_can_find_goes(): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$this->store( $tenant, $this->leads( 1 ) );
		$post = array( 'post_type' => 'crm_lead', 'post_status' => 'publish', 'post_title' => 'abandoned' );
		$name = get_post( (int) $this->sql( 'SELECT post_id FROM ' . Schema::table( 'records' ) ) )->post_name;
		foreach ( array( "$name-2", 'lead-of-the-site', 'lead-0123456789abcdef0123-3' ) as $one ) {
			wp_insert_post( array( 'post_name' => $one ) + $post );
		}
		$wpdb->query( "UPDATE $wpdb->posts SET post_modified_gmt = UTC_TIMESTAMP() - INTERVAL 11 MINUTE WHERE post_name <> 'lead-0123456789abcdef0123-3'" );
		wp_cache_flush();
		HookStore::sweep();
		$this->assertSame( array( $name, 'lead-of-the-site', 'lead-0123456789abcdef0123-3' ), $wpdb->get_col( "SELECT post_name FROM $wpdb->posts WHERE post_type = 'crm_lead' ORDER BY ID" ), 'only what is ours, old and of nobody' );
	}

	/** Calls a function once, where a statement like this is about to be sent. */
	private function before( string $pattern, callable $then ): void {
		$watch = static function ( string $sql ) use ( &$watch, $pattern, $then ): string {
			if ( 1 === preg_match( $pattern, $sql ) ) {
				remove_filter( 'query', $watch );
				$then();
			}
			return $sql;
		};
		add_filter( 'query', $watch );
	}

	public function test_a_post_that_is_just_being_made_is_nobody_s_left_over_however_old_its_lead_is(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads  = array_map( static fn( array $lead ): array => array( 'created_at' => '2021-01-02T03:04:05Z' ) + $lead, $this->leads( 3 ) );
		$swept  = 0;
		$this->before(
			"/^\s*INSERT INTO `\w+postmeta`.*'_tenant_id'/s",
			static function () use ( &$swept ): void {
				++$swept;
				HookStore::sweep();
			}
		);
		$this->assertCounts( 3, 0, 0, $this->store( $tenant, $leads ) );
		$this->assertSame( array( 1, 3, 3 ), array( $swept, $this->posts(), $this->records() ) );
		$post = $this->post_of( $tenant, '1' );
		$this->assertSame( '2021-01-02 03:04:05', $post->post_date_gmt );
		$this->assertLessThan( 60, abs( time() - strtotime( "$post->post_modified_gmt UTC" ) ) );
	}

	/** Another process, as far as the database can tell. */
	private function elsewhere( callable $work ): void {
		global $wpdb;
		$own  = $wpdb;
		$wpdb = new wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST ); // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- given back below.
		$wpdb->set_prefix( $own->prefix );
		try {
			$work();
		} finally {
			$wpdb->close();
			$wpdb = $own; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- its own.
		}
	}

	public function test_what_another_process_is_just_storing_nobody_adopts(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$ran    = 0;
		// A worker lost its lease between the posts and their ledger rows.
		$this->before(
			'/tenant_crm_records` \(tenant/',
			static function (): void {
				throw new LeaseLost( 'taken over' );
			}
		);
		try {
			$this->store( $tenant, $this->leads( 3 ) );
			$this->fail( 'it has no lease' );
		} catch ( LeaseLost $e ) {
			$this->sql( 'DELETE FROM ' . Schema::table( 'jobs' ) );
		}
		$this->assertSame( array( 3, 0 ), array( $this->posts(), $this->records() ) );
		// The next one has looked into the ledger when a third one looks for posts of nobody.
		$this->before(
			'/^\s*SELECT p\.ID FROM `\w+posts` p LEFT JOIN/',
			function () use ( &$ran ): void {
				++$ran;
				$this->elsewhere( static fn() => Adoption::run() );
			}
		);
		$this->store( $tenant, $this->leads( 3 ) );
		$this->assertSame( array( 1, 3, 3 ), array( $ran, $this->posts(), $this->records() ) );
		$this->assertSame( 0, Adoption::run() );
	}

	/** Before every third statement of a batch, before each with TCS_EACH=1, another process adopts and sweeps. */
	public function test_whenever_others_look_for_left_overs_each_lead_has_one_post(): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads  = array_map( static fn( array $lead ): array => array( 'created_at' => '2021-01-02T03:04:05Z' ) + $lead, $this->leads( 2 ) );
		$step   = getenv( 'TCS_EACH' ) ? 1 : 3;
		for ( $at = 0, $went = true; $went; $at += $step ) {
			self::wipe();
			$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
			// One lead's post was made by a worker that lost its lease, the other's by one that died before it could say whose it is.
			$this->before(
				'/tenant_crm_records` \(tenant/',
				static function (): void {
					throw new LeaseLost( 'taken over' );
				}
			);
			try {
				$this->store( $tenant, $leads );
			} catch ( LeaseLost $e ) {
				$this->sql( 'DELETE FROM ' . Schema::table( 'jobs' ) );
			}
			$wpdb->query( "DELETE FROM $wpdb->postmeta WHERE post_id = (SELECT MAX(ID) FROM $wpdb->posts WHERE post_type = 'crm_lead')" );
			wp_cache_flush();
			$job   = $this->job( $tenant );
			$count = 0;
			$went  = false;
			$watch = function ( string $sql ) use ( &$count, &$went, $at ): string {
				if ( ! $went && $count++ === $at ) {
					$went = true;
					$this->elsewhere( array( self::class, 'look_for_left_overs' ) );
				}
				return $sql;
			};
			add_filter( 'query', $watch );
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $leads, 'w' ) );
			remove_filter( 'query', $watch );
			$whole = "SELECT COUNT(*) FROM $wpdb->posts p JOIN " . Schema::table( 'records' ) . " r ON r.post_id = p.ID JOIN $wpdb->postmeta m ON m.post_id = p.ID AND m.meta_key = 'phone'";
			$this->assertSame( array( 2, 2, '2' ), array( $this->posts(), $this->records(), $this->sql( $whole ) ), "before statement $at" );
		}
		$this->assertGreaterThan( 30, $at );
	}

	public static function look_for_left_overs(): void {
		global $wpdb;
		$wpdb->query( 'SET SESSION innodb_lock_wait_timeout = 0' );
		$wpdb->suppress_errors( true );
		foreach ( array( array( Adoption::class, 'run' ), array( HookStore::class, 'sweep' ) ) as $look ) {
			try {
				$look();
			} catch ( StoreException $e ) {
				// What it would change is locked.
				continue;
			}
		}
	}

	public function test_posts_that_nobody_could_look_at_are_looked_at_next_time(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		for ( $scan = 0; $scan < 3; $scan++ ) {
			$last = wp_insert_post(
				array(
					'post_type'   => 'crm_lead',
					'post_status' => 'publish',
					'post_title'  => 'Old',
					'meta_input'  => array(
						'_tenant_id'  => 'acme',
						'crm_lead_id' => "7$scan",
					),
				)
			);
			$this->before(
				'/^SELECT id, id_hash/',
				fn() => $this->elsewhere( fn() => $this->assertSame( 0, Adoption::run(), 'the tenant is being stored' ) )
			);
			$this->store( $tenant, $this->leads( 1 ), "w$scan" );
		}
		$this->assertSame( 3, Adoption::run() );
		$this->assertSame( $last, $this->post_of( $tenant, '72' )->ID );
	}

	public function test_without_the_lease_nothing_is_stored(): void {
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$job    = $this->job( $tenant );
		Runs::cancel( $job->run );
		$this->expectException( LeaseLost::class );
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $this->leads( 3 ) ) );
		} finally {
			$this->assertSame( 0, $this->posts() );
		}
	}

	/** The statement that matches fails as if the database had given up on it. */
	private function fail_statement( string $pattern, int $code ): void {
		add_filter(
			'query',
			static fn( string $sql ): string => preg_match( $pattern, $sql ) ? "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = $code, MESSAGE_TEXT = 'made by a test'" : $sql
		);
	}

	/** @return array<string, array{0: string}> The statement that fails. */
	public function outages(): array {
		return array(
			'a new post'     => array( '/^INSERT INTO `\w+posts`.*Lead 9/s' ),
			'its meta'       => array( '/^INSERT INTO `\w+postmeta`.*\'crm_lead_id\', \'9\'/s' ),
			'a changed post' => array( '/^UPDATE `\w+posts` SET.*Renamed/s' ),
			'the ledger'     => array( '/^SELECT id, id_hash/' ),
			'its base'       => array( '/^SELECT base FROM/' ),
		);
	}

	/** @dataProvider outages */
	public function test_a_failing_database_is_not_taken_for_a_bad_lead_or_an_empty_ledger( string $pattern ): void {
		global $wpdb;
		$tenant = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads  = $this->leads( 9 );
		$this->store( $tenant, array_slice( $leads, 0, 8 ), 'before' );
		$leads[0]['name'] = 'Renamed';
		$job              = $this->job( $tenant );
		$this->fail_statement( $pattern, 1205 );
		$wpdb->suppress_errors( true );
		try {
			( new HookStore( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( new Rows( $leads, 'after' ) );
			$this->fail( 'it should say that the database failed' );
		} catch ( StoreException $e ) {
			$this->assertStringContainsString( 'made by a test', $e->getMessage() );
		} finally {
			$wpdb->suppress_errors( false );
			remove_all_filters( 'query' );
		}
		$this->assertSame( 8, $this->posts() );
		$this->assertSame( 'before', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ) );
		TenantCRM\Jobs::finish( $job );
		Adoption::run();
		$this->store( $tenant, $leads, 'after' );
		$this->assertSame( array( 9, 9, 'Renamed' ), array( $this->posts(), $this->records(), $this->post_of( $tenant, '1' )->post_title ) );
	}

	public function test_meta_that_wordpress_cannot_store_is_a_refusal(): void {
		global $wpdb;
		$tenant            = $this->tenant( 'acme', array( 'hooks' => true ) );
		$leads             = $this->leads( 3 );
		$leads[1]['phone'] = "\u{1F600}";
		$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb3" );
		$forget = function (): void {
			$this->col_meta = array();
			$this->table_charset = array();
		};
		$forget->call( $wpdb );
		$wpdb->suppress_errors( true );
		try {
			$counts = $this->store( $tenant, $leads );
			// The same as a change of a post that is there.
			$leads[1]['phone'] = '+49';
			$this->assertCounts( 1, 0, 2, $this->store( $tenant, $leads ) );
			$leads[1]['phone'] = "\u{1F600}";
			$this->assertCounts( 0, 0, 2, $this->store( $tenant, $leads ), 1 );
		} finally {
			$wpdb->suppress_errors( false );
			$wpdb->query( "ALTER TABLE $wpdb->postmeta MODIFY meta_value LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci" );
			$forget->call( $wpdb );
		}
		$this->assertCounts( 2, 0, 0, $counts, 1 );
		$this->assertSame( 3, $this->posts() );
		$this->assertStringContainsString( 'Lead "2" of tenant "acme" was refused: WordPress could not store its field "phone"', Log::list()[0]['message'] );
	}
}
