<?php
/**
 * Who works a job: one worker at a time, nobody while a dead one's lease stands, somebody else after it. FAULTS A18: what a killed worker
 * left can be stopped and started from the screen, over REST and on the command line; a worker that slept through its lease stores nothing.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

require_once __DIR__ . '/../../demo/Browser.php';

use TenantCRM\Demo\Browser;
use TenantCRM\Runs;
use TenantCRM\Tenant;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	$leads  = 450;
	$tenant = $site->tenant( 'turns', $leads, array( 'page_size' => 25 ), 40 );
	$site->put_off();
	$begun = static function ( int $run, int $pages = 2 ): bool {
		return Site::wait( static fn(): bool => Runs::get( $run )['pages'] >= $pages, 30.0 );
	};
	$ended = static function ( int $run ): string {
		Site::wait( static fn(): bool => in_array( Runs::get( $run )['state'], array( 'done', 'failed', 'cancelled' ), true ), 60.0 );
		return Runs::get( $run )['state'];
	};

	$checks->group( 'One running pull per tenant and object: four workers, a click every 50 ms' );
	$workers = array_map( static fn(): Worker => Worker::start(), range( 1, 4 ) );
	$run     = $site->click( $tenant );
	$runs    = array( $run => true );
	Site::wait(
		static function () use ( $site, $tenant, $run, &$runs ): bool {
			if ( 'done' === Runs::get( $run )['state'] ) {
				return true;
			}
			$runs[ $site->click( $tenant ) ] = true;
			return false;
		},
		30.0,
		0.05
	);
	Site::wait( static fn(): bool => 0 === $site->number( 'SELECT COUNT(*) FROM {jobs}' ), 60.0 );
	$used = array();
	foreach ( $site->requests( $tenant ) as $request ) {
		$used[] = $request['connection'];
	}
	$changes = count( array_filter( array_keys( $used ), static fn( int $at ): bool => $at > 0 && $used[ $at ] !== $used[ $at - 1 ] ) );
	$checks->same( 'the run is done', array( 'done', $leads ), array( Runs::get( $run )['state'], Runs::get( $run )['created'] ) );
	$checks->is( 'clicks on the way join it', count( $runs ) <= 2, count( $runs ) . ' runs' );
	$checks->is( 'no two workers ask at the same time', $changes < count( $runs ), "the connection changed $changes times in " . count( $used ) . ' requests' );
	array_map( static fn( Worker $worker ) => $worker->stop(), $workers );

	$browser = new Browser( (string) getenv( 'TCS_URL' ) );
	$browser->log_in( (string) getenv( 'TCS_ADMIN_USER' ), (string) getenv( 'TCS_ADMIN_PASSWORD' ) );
	$browser->open_screen();
	$latest = static fn( Tenant $tenant ): int => Runs::latest( $tenant->key )['id'];
	$ways   = array(
		'REST'             => array(
			static fn( int $run ) => $browser->rest( 'DELETE', "tenant-crm-sync/v1/sync/$run", array() ),
			static fn(): int => $browser->rest( 'POST', 'tenant-crm-sync/v1/sync', array( 'tenant' => $tenant->id ) )['id'],
		),
		'the screen'       => array(
			static fn( int $run ) => $browser->press( 'cancel', $tenant->key ),
			static function () use ( $browser, $tenant, $latest ): int {
				$browser->press( 'sync', $tenant->key );
				return $latest( $tenant );
			},
		),
		'the command line' => array(
			static fn( int $run ) => Worker::run( array( 'queue', 'cancel', (string) $run ) ),
			static function () use ( $tenant, $latest ): int {
				Worker::run( array( 'sync', "--tenant={$tenant->id}" ) );
				return $latest( $tenant );
			},
		),
	);
	foreach ( $ways as $way => list( $stop, $start ) ) {
		$checks->group( "FAULTS A18: a worker is killed (-9), the run stopped and started by $way" );
		\TenantCRM\Cursors::reset( $tenant->key, 'leads' );
		$worker = Worker::start();
		$run    = $site->click( $tenant );
		$checks->is( 'it had begun', $begun( $run ) );
		$worker->kill();
		$other = Worker::start();
		$site->forget_requests();
		$asked = Site::wait( static fn(): bool => array() !== $site->requests( $tenant ), 1.5, 0.1 );
		$checks->is( 'nobody else works it while its lease stands', ! $asked );
		$stop( $run );
		$checks->same( 'it is stopped', 'cancelled', Runs::get( $run )['state'] );
		$checks->same( 'and leaves no job', 0, $site->number( 'SELECT COUNT(*) FROM {jobs}' ) );
		$again = $start();
		$checks->is( 'it is started anew', $again > $run );
		$checks->same( 'and done', 'done', $ended( $again ) );
		$checks->same( 'CRM, ledger and posts are equal', array(), $site->differences( $tenant ) );
		$other->stop();
	}

	$checks->group( 'Stale lock: a worker sleeps through its lease' );
	\TenantCRM\Cursors::reset( $tenant->key, 'leads' );
	\Sandbox::post( '/touch', array( 'tenant' => $tenant->id, 'object' => 'leads', 'count' => 300 ) );
	$sleeper = Worker::start();
	$run     = $site->click( $tenant );
	$checks->is( 'it had begun', $begun( $run ) );
	// Asleep between two batches: one that sleeps in the middle of one keeps its row locked, and nobody can take it.
	do {
		$sleeper->signal( SIGCONT );
		usleep( 30000 );
		$sleeper->signal( SIGSTOP );
		usleep( 30000 );
	} while ( array() === $site->rows( "SELECT id FROM {jobs} WHERE run = $run FOR UPDATE SKIP LOCKED" ) );
	$site->end_leases( 0.0 );
	$other = Worker::start();
	$checks->is( 'another one takes over', $begun( $run, Runs::get( $run )['pages'] + 1 ) );
	$sleeper->signal( SIGCONT );
	$checks->same( 'and gets to the end', 'done', $ended( $run ) );
	$fetched = Runs::get( $run )['fetched'];
	$checks->is( 'the first one woke up and stored nothing more', $fetched <= $leads + 25, "$fetched rows were stored" );
	$checks->same( 'it is well', 0, $sleeper->stop()[0] );
	$checks->same( 'CRM, ledger and posts are equal', array(), $site->differences( $tenant ) );
	$other->stop();
	$checks->same( 'nothing reached a log', '', $site->logged() );
};
