<?php
/**
 * What a person decides while a worker is at it is seen before the next batch is stored: a pause, other settings, another key, a cancel.
 * And what a person decides about a run that failed for good.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

require_once __DIR__ . '/../../demo/Browser.php';

use TenantCRM\DeadLetters;
use TenantCRM\Demo\Browser;
use TenantCRM\Runs;
use TenantCRM\Tenants;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	$leads  = 1000;
	$tenant = $site->tenant( 'seen', $leads, array( 'page_size' => 20 ), 40 );
	$site->put_off();
	$worker = Worker::start();
	$run    = $site->click( $tenant );
	$pages  = static function () use ( &$run ): int {
		return Runs::get( $run )['pages'];
	};
	$goes   = static function ( int $more ) use ( $pages ): bool {
		$before = $pages();
		return Site::wait( static fn(): bool => $pages() >= $before + $more, 30.0 );
	};
	$state  = static function ( string $state ) use ( &$run ): bool {
		return Site::wait( static fn(): bool => $state === Runs::get( $run )['state'], 60.0 );
	};

	$checks->group( 'A pause' );
	$checks->is( 'the run had begun', $goes( 2 ) );
	Tenants::pause( $tenant->key, true );
	// One batch may have been in its transaction just then.
	$before = $pages();
	$checks->is( 'the run waits', $state( 'waiting' ) );
	$checks->is( 'at most the batch that was being stored was stored', $pages() - $before <= 1, $pages() - $before . ' batches' );
	usleep( 300000 );
	$site->forget_requests();
	usleep( 500000 );
	$checks->same( 'nothing more is asked of the CRM', array(), $site->requests( $tenant ) );
	Tenants::pause( $tenant->key, false );
	$checks->is( 'and goes on when the pause ends', $goes( 2 ) );

	$checks->group( 'Other settings, another key' );
	$size = static fn( array $request ): int => preg_match( '/per_page=(\d+)/', (string) $request['query'], $match ) ? (int) $match[1] : 0;
	Tenants::save( array( 'id' => $tenant->id, 'settings' => array( 'page_size' => 30, 'interval' => 86400 ) ) );
	$before = $pages();
	$site->forget_requests();
	$checks->is( 'the worker asks as is set now', Site::wait( static fn(): bool => in_array( 30, array_map( $size, $site->requests( $tenant ) ), true ), 30.0 ) );
	$checks->is( 'at most the batch that was being stored was stored', $pages() - $before <= 1 + count( array_filter( $site->requests( $tenant ), static fn( array $request ): bool => 30 === $size( $request ) ) ), $pages() - $before . ' batches' );
	// The CRM takes the new key and no longer the old one while the worker waits for a page.
	\Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array( array( 'kind' => 'stall', 'ms' => 1500, 'times' => 1 ) ) ) );
	$checks->is( 'the CRM is slow just now', Site::wait( static fn(): bool => array() === json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . "/faults?tenant={$tenant->id}" ), true ), 30.0 ) );
	\Sandbox::post( '/tenants', array( 'id' => $tenant->id, 'key' => 'another key' ) );
	Tenants::save( array( 'id' => $tenant->id, 'api_key' => 'another key' ) );
	$checks->is( 'with the new key it gets to the end', $state( 'done' ), json_encode( Runs::get( $run ) ) );
	$checks->same( 'CRM, ledger and posts are equal', array(), $site->differences( $tenant ) );

	$checks->group( 'A cancel' );
	\TenantCRM\Cursors::reset( $tenant->key, 'leads' );
	$run = $site->click( $tenant );
	$checks->is( 'the next run had begun', Site::wait( static fn(): bool => $pages() >= 2, 30.0 ) );
	$checks->is( 'it is cancelled', Runs::cancel( $run ) );
	$before = $pages();
	usleep( 500000 );
	$checks->same( 'nothing is stored any more', $before, $pages() );
	$checks->is( 'and within five seconds nothing is asked any more', Site::wait( static function () use ( $site, $tenant ): bool {
		$site->forget_requests();
		usleep( 400000 );
		return array() === $site->requests( $tenant );
	}, 6.0 ) );

	$checks->group( 'What failed for good, on the screen' );
	$browser = new Browser( (string) getenv( 'TCS_URL' ) );
	$browser->log_in( (string) getenv( 'TCS_ADMIN_USER' ), (string) getenv( 'TCS_ADMIN_PASSWORD' ) );
	\Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array( array( 'kind' => 'status', 'status' => 403, 'times' => null ) ) ) );
	$run = $site->click( $tenant );
	$checks->is( 'the run failed', $state( 'failed' ) );
	$letter = DeadLetters::list()[0]['id'];
	$checks->is( 'the screen says why', str_contains( $browser->open_screen(), 'Failed for good' ) && str_contains( $browser->open_screen(), 'HTTP 403' ) );
	\Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array() ) );
	$browser->press( 'retry', $letter );
	$run = Runs::latest( $tenant->key )['id'];
	$checks->is( 'tried again, it is done', $state( 'done' ) );
	$checks->same( 'and the letter is gone', array(), DeadLetters::list() );
	\Sandbox::post( '/faults', array( 'tenant' => $tenant->id, 'faults' => array( array( 'kind' => 'status', 'status' => 403, 'times' => null ) ) ) );
	$run = $site->click( $tenant );
	$checks->is( 'another one failed', $state( 'failed' ) );
	$browser->press( 'drop', DeadLetters::list()[0]['id'] );
	$checks->same( 'forgotten, it is gone', array(), DeadLetters::list() );
	$checks->same( 'and nothing is queued', 0, $site->number( 'SELECT COUNT(*) FROM {jobs}' ) );

	list( , $output ) = $worker->stop();
	$checks->is( 'the worker lived through all of it', str_ends_with( $output, " 2 failed\n" ), $output );
	$checks->same( 'nothing reached a log', '', $site->logged() );
};
