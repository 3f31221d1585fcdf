<?php
/**
 * Migrations can run again, each from any point; the tables are what the design says.
 */

use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Migrations;
use TenantCRM\Schema;

final class SchemaTest extends PluginCase {

	public function test_migrations_run_twice_and_keep_the_data(): void {
		global $wpdb;
		$this->store( $this->tenant(), $this->leads( 3 ) );
		$before = $this->shape();
		update_option( Schema::OPTION, 0 );
		$this->assertFalse( Schema::is_current() );
		Schema::migrate();
		$this->assertTrue( Schema::is_current() );
		$this->assertSame( $before, $this->shape() );
		$this->assertSame( 3, $this->records() );
		$this->assertSame( '', $wpdb->last_error );
	}

	public function test_a_migration_that_was_cut_short_is_finished(): void {
		global $wpdb;
		$before = $this->shape();
		foreach ( array( 'records', 'log' ) as $name ) {
			$wpdb->query( 'DROP TABLE ' . Schema::table( $name ) );
		}
		update_option( Schema::OPTION, 0 );
		Schema::migrate();
		$this->assertSame( $before, $this->shape() );
	}

	/** @dataProvider versions */
	public function test_a_site_of_an_older_plugin_is_brought_up_to_date( int $version ): void {
		global $wpdb;
		$before = $this->shape();
		foreach ( Schema::tables() as $table ) {
			$wpdb->query( "DROP TABLE `$table`" );
		}
		for ( $number = 1; $number <= $version; $number++ ) {
			foreach ( Migrations::statements( $number ) as $sql ) {
				$this->assertNotFalse( $wpdb->query( $sql ), $sql );
			}
		}
		update_option( Schema::OPTION, $version );
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'tenants' ) . " (external_id, settings, next_due_at, created_at) VALUES ('old', '{}', UTC_TIMESTAMP(), UTC_TIMESTAMP())" );
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'records' ) . " (tenant, object, crm_id, id_hash, fingerprint, synced_at) VALUES (LAST_INSERT_ID(), 'leads', '7', '', '', UTC_TIMESTAMP())" );
		$wpdb->query( 'INSERT INTO ' . Schema::table( 'jobs' ) . " (run, tenant, kind, object, available_at, payload) VALUES (1, 1, 'pull', 'leads', UTC_TIMESTAMP(), '{}')" );
		delete_transient( 'tenant_crm_sync_trouble' );
		// As the first request after the update does.
		TenantCRM\Plugin::install_if_older();
		$this->assertTrue( Schema::is_current() );
		$this->assertSame( $before, $this->shape() );
		$this->assertSame( array( '1', '7', '1' ), array( $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ), $this->sql( 'SELECT crm_id FROM ' . Schema::table( 'records' ) ), $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'tenants' ) . " WHERE external_id = 'old' AND revision = 0" ) ) );
	}

	/** @return list<array{0: int}> */
	public function versions(): array {
		return array_map( static fn( int $version ): array => array( $version ), array( 1, 5, Schema::VERSION - 1 ) );
	}

	public function test_every_number_has_statements(): void {
		global $wpdb;
		// One that adds columns has nothing to say where they are.
		$wpdb->query( 'DROP TABLE ' . Schema::table( 'changes' ) . ', ' . Schema::table( 'suppressions' ) );
		for ( $number = 1; $number <= Schema::VERSION; $number++ ) {
			$this->assertNotSame( array(), Migrations::statements( $number ) );
		}
		$this->assertSame( array(), Migrations::statements( Schema::VERSION + 1 ) );
		update_option( Schema::OPTION, 0 );
		Schema::migrate();
	}

	public function test_tables_are_transactional_and_ids_are_bytes(): void {
		global $wpdb;
		foreach ( Schema::tables() as $table ) {
			$this->assertSame( 'InnoDB', $wpdb->get_row( "SHOW TABLE STATUS LIKE '$table'" )->Engine, $table );
		}
		$types = array();
		foreach ( array( 'tenants.external_id', 'records.crm_id', 'records.id_hash', 'records.fingerprint', 'records.object' ) as $column ) {
			list( $table, $name ) = explode( '.', $column );
			$types[ $column ]     = $wpdb->get_row( 'SHOW COLUMNS FROM ' . Schema::table( $table ) . " LIKE '$name'" )->Type;
		}
		$this->assertSame( array( 'tenants.external_id' => 'varbinary(190)', 'records.crm_id' => 'varbinary(1024)', 'records.id_hash' => 'binary(32)', 'records.fingerprint' => 'binary(16)', 'records.object' => 'varbinary(32)' ), $types );
	}

	/** @dataProvider queries */
	public function test_queries_have_an_index( string $sql, string $key ): void {
		global $wpdb;
		$one = $this->tenant();
		$this->store( $one, $this->leads( 500 ) );
		$this->store( $this->tenant( 'two' ), $this->leads( 500 ) );
		for ( $number = 0; $number < 200; $number++ ) {
			Log::add( $number % 5, 'info', 'x' );
			Jobs::enqueue( 100 + $number % 50, 'pull', "o$number" );
		}
		$wpdb->query( 'ANALYZE TABLE ' . implode( ',', Schema::tables() ) );
		$sql = strtr( $sql, array( 'TENANT' => (string) $one->key, 'POST' => (string) $this->post_of( $one, '7' )->ID ) );
		$plan = $wpdb->get_row( 'EXPLAIN ' . preg_replace_callback( '/\{(\w+)\}/', static fn( array $match ): string => Schema::table( $match[1] ), $sql ), ARRAY_A );
		$this->assertSame( '', $wpdb->last_error );
		$this->assertSame( $key, $plan['key'] );
		$this->assertStringNotContainsString( 'filesort', (string) $plan['Extra'] );
	}

	/** @return array<string, array{0: string, 1: string}> */
	public function queries(): array {
		$hash = str_repeat( '00', 32 );
		return array(
			'ledger lookup'  => array( "SELECT id FROM {records} WHERE tenant = TENANT AND object = 'leads' AND id_hash IN (x'$hash', x'11$hash')", 'record' ),
			'tenant of post' => array( 'SELECT tenant FROM {records} WHERE post_id = POST', 'post_id' ),
			'list by name'   => array( "SELECT id, name, owner FROM {records} WHERE tenant = TENANT AND object = 'leads' ORDER BY name, id LIMIT 20", 'by_name' ),
			'list by email'  => array( "SELECT id, name, owner FROM {records} WHERE tenant = TENANT AND object = 'leads' ORDER BY email, id LIMIT 20", 'by_email' ),
			'list by state'  => array( "SELECT id, name, owner FROM {records} WHERE tenant = TENANT AND object = 'leads' ORDER BY state, id LIMIT 20", 'by_state' ),
			'list by time'   => array( "SELECT id, name, owner FROM {records} WHERE tenant = TENANT AND object = 'leads' ORDER BY crm_updated_at DESC, id DESC LIMIT 20", 'by_time' ),
			'runs of tenant' => array( 'SELECT * FROM {runs} WHERE tenant = TENANT ORDER BY id DESC LIMIT 1', 'tenant' ),
			'log of tenant'  => array( 'SELECT * FROM {log} WHERE tenant = TENANT ORDER BY id DESC LIMIT 50', 'tenant' ),
		);
	}

	/** @return list<list<string|null>> */
	private function shape(): array {
		global $wpdb;
		$all = array();
		foreach ( Schema::tables() as $table ) {
			$all[] = preg_replace( '/ AUTO_INCREMENT=\d+/', '', $wpdb->get_row( "SHOW CREATE TABLE `$table`", ARRAY_N )[1] );
		}
		return $all;
	}

	public function test_posts_in_a_table_without_transactions_are_refused(): void {
		global $wpdb;
		update_option( Schema::OPTION, 0 );
		$wpdb->query( "ALTER TABLE $wpdb->postmeta ENGINE=MyISAM" );
		try {
			Schema::migrate();
			$this->fail( 'it should ask for InnoDB' );
		} catch ( RuntimeException $e ) {
			$this->assertStringContainsString( "Convert to InnoDB first: $wpdb->postmeta (", $e->getMessage() );
			$this->assertFalse( Schema::is_current() );
		} finally {
			$wpdb->query( "ALTER TABLE $wpdb->postmeta ENGINE=InnoDB" );
			Schema::migrate();
		}
	}
}
