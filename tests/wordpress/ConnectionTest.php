<?php
/**
 * The connection to the database is killed before each statement of a batch, in turn: nothing is ever half stored, and what is replayed
 * is stored once.
 */

use TenantCRM\Fields;
use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Store;
use TenantCRM\StoreException;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class ConnectionTest extends PluginCase {

	/** A batch with new, changed and unchanged leads, a portal edit and a refusal: every statement that Store has. */
	private function mixed_batch(): array {
		$leads             = $this->leads( 12 );
		$leads[0]['name']  = 'Renamed';
		$leads[1]['phone'] = '1';
		$leads[2]['email'] = 'c@example.test';
		return array( new Rows( $leads, 'after', array( array( 'position' => 12, 'id' => '13', 'reason' => 'broken' ) ) ), array( 6, 3, 3, 1 ) );
	}

	private function prepared(): Tenant {
		$tenant = $this->tenant();
		$this->store( $tenant, $this->leads( 6 ), 'before' );
		update_post_meta( $this->post_of( $tenant, '3' )->ID, 'email', 'edited@portal.test' );
		delete_post_meta( $this->post_of( $tenant, '1' )->ID, 'phone' );
		return $tenant;
	}

	/** Calls $act when the $number-th statement of the next batch is about to be sent. */
	private function before_statement( int $number, callable $act ): stdClass {
		$state       = new stdClass();
		$state->seen = 0;
		$state->last = '';
		add_filter(
			'query',
			static function ( string $sql ) use ( $state, $number, $act ): string {
				++$state->seen;
				if ( $state->seen === $number ) {
					$state->last = $sql;
					$act( $sql );
				}
				return $sql;
			}
		);
		return $state;
	}

	private function kill( mysqli $other ): void {
		global $wpdb;
		$id = mysqli_thread_id( $wpdb->dbh );
		$other->query( "KILL CONNECTION $id" );
		// KILL only asks; the server may still be reading.
		while ( $other->query( "SELECT 1 FROM information_schema.processlist WHERE id = $id" )->num_rows ) {
			usleep( 1000 );
		}
	}

	private function statements(): int {
		$tenant = $this->prepared();
		$job    = $this->job( $tenant );
		$state  = $this->before_statement( 0, static fn() => null );
		( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $this->mixed_batch()[0] );
		remove_all_filters( 'query' );
		return $state->seen;
	}

	public function test_a_killed_connection_is_replayed_and_stored_once(): void {
		$other = $this->other_connection();
		$total = $this->statements();
		$this->assertGreaterThan( 14, $total );
		for ( $number = 1; $number <= $total; $number++ ) {
			self::wipe();
			$tenant               = $this->prepared();
			$job                  = $this->job( $tenant );
			list( $rows, $expect ) = $this->mixed_batch();
			$state                = $this->before_statement( $number, fn() => $this->kill( $other ) );
			( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $rows );
			remove_all_filters( 'query' );
			$run = Runs::get( $job->run );
			$why = "killed before statement $number: {$state->last}";
			$this->assertSame( $expect, array( $run['created'], $run['updated'], $run['unchanged'], $run['refused'] ), $why );
			$this->assert_whole( $tenant, $why );
		}
	}

	public function test_a_worker_that_dies_with_its_connection_leaves_nothing_half_stored(): void {
		$other = $this->other_connection();
		$total = $this->statements();
		for ( $number = 1; $number <= $total; $number++ ) {
			self::wipe();
			$tenant = $this->prepared();
			$job    = $this->job( $tenant );
			$before = $this->everything();
			$this->before_statement(
				$number,
				function () use ( $other ): void {
					$this->kill( $other );
					throw new Error( 'the worker dies here' );
				}
			);
			try {
				( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $this->mixed_batch()[0] );
				$this->fail( 'the worker should have died' );
			} catch ( Error $e ) {
				$this->assertSame( 'the worker dies here', $e->getMessage() );
			}
			remove_all_filters( 'query' );
			$GLOBALS['wpdb']->check_connection( false );
			$this->assertSame( $before, $this->everything(), "died before statement $number" );
		}
	}

	public function test_a_commit_without_an_answer_is_not_counted_twice(): void {
		global $wpdb;
		$other = $this->other_connection();
		$tenant = $this->prepared();
		$job    = $this->job( $tenant );
		$killed = false;
		add_filter(
			'query',
			function ( string $sql ) use ( $other, $wpdb, &$killed ): string {
				if ( 'COMMIT' === $sql && ! $killed ) {
					$killed = true;
					mysqli_query( $wpdb->dbh, 'COMMIT' );
					$this->kill( $other );
				}
				return $sql;
			}
		);
		list( $rows, $expect ) = $this->mixed_batch();
		( new Store( $tenant, $job, Fields::of( $tenant, 'leads' ) ) )->batch( $rows );
		$this->assertTrue( $killed );
		$run = Runs::get( $job->run );
		$this->assertSame( $expect, array( $run['created'], $run['updated'], $run['unchanged'], $run['refused'] ) );
		$this->assert_whole( $tenant, 'COMMIT' );
	}

	public function test_a_deadlock_is_replayed(): void {
		$tenant = $this->tenant();
		$tries  = 0;
		$result = Transaction::run(
			static function ( Transaction $transaction ) use ( &$tries ): string {
				if ( ++$tries < 3 ) {
					$transaction->query( "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'" );
				}
				return 'stored';
			}
		);
		$this->assertSame( array( 'stored', 3 ), array( $result, $tries ) );
	}

	public function test_replays_are_bounded_and_end_in_plain_words(): void {
		global $wpdb;
		$tries = 0;
		try {
			Transaction::run(
				static function ( Transaction $transaction ) use ( &$tries ): void {
					++$tries;
					$transaction->query( "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'" );
				}
			);
			$this->fail( 'it should give up' );
		} catch ( StoreException $e ) {
			$this->assertStringContainsString( 'Nothing of it was stored', $e->getMessage() );
		}
		$this->assertSame( 5, $tries );
		$this->assertSame( 5, $wpdb->reconnect_retries );
	}

	public function test_a_broken_statement_is_not_replayed(): void {
		$tries = 0;
		try {
			Transaction::run(
				static function ( Transaction $transaction ) use ( &$tries ): void {
					++$tries;
					$transaction->query( 'SELEKT' );
				}
			);
			$this->fail( 'it should fail' );
		} catch ( StoreException $e ) {
			$this->assertSame( 1, $tries );
		}
	}

	private function assert_whole( Tenant $tenant, string $why ): void {
		global $wpdb;
		$this->assertSame( array( 12, 12 ), array( $this->posts(), $this->records() ), $why );
		$this->assertSame( '0', $this->sql( "SELECT COUNT(*) FROM $wpdb->posts p LEFT JOIN " . Schema::table( 'records' ) . " r ON r.post_id = p.ID WHERE p.post_type = 'crm_lead' AND r.id IS NULL" ), $why );
		$this->assertSame( '48', $this->sql( "SELECT COUNT(*) FROM $wpdb->postmeta m JOIN $wpdb->posts p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" ), $why );
		$this->assertSame( 'after', $this->sql( 'SELECT watermark FROM ' . Schema::table( 'cursors' ) ), $why );
		$this->assertSame( '2', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'log' ) . " WHERE message LIKE '%edited in the portal%'" ), $why );
		$this->assertSame( array( 'Renamed', '1', 'c@example.test' ), array( $this->post_of( $tenant, '1' )->post_title, get_post_meta( $this->post_of( $tenant, '2' )->ID, 'phone', true ), get_post_meta( $this->post_of( $tenant, '3' )->ID, 'email', true ) ), $why );
	}
}
