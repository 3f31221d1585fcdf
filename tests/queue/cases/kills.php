<?php
/**
 * kill -9 of any worker at any time: each job runs to its end, exactly once in effect. Workers die at random moments while changes and
 * clicks go on; then CRM, ledger and posts are equal, nothing is doubled, nothing is left. Leases, which last two minutes, are cut short in
 * the database: who said nothing for two seconds is taken for dead, sometimes wrongly, and that must do no harm either.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Jobs;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	$seed = (int) ( getenv( 'QUEUE_SEED' ) ?: random_int( 1, 999999 ) );
	mt_srand( $seed );
	$checks->group( "kill -9 at random times (QUEUE_SEED=$seed)" );
	$site->change( 'CREATE TABLE tcs_queue_effects (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB' );
	$tenants = array();
	for ( $number = 1; $number <= 6; $number++ ) {
		// One of them through WordPress's own functions, which know no transactions.
		$tenants[] = $site->tenant( "kill$number", 1 === $number ? 120 : 150 * $number, array( 'page_size' => 20 ) + ( 1 === $number ? array( 'hooks' => true ) : array() ), 15 );
	}
	$site->put_off();

	$workers = array_map( static fn(): Worker => Worker::start(), range( 1, 3 ) );
	$kills   = 0;
	$taken   = 0;
	$strict  = 0;
	$end     = microtime( true ) + 14.0;
	// On a busy machine many die before they have begun: longer, then.
	while ( microtime( true ) < $end || ( $taken < 15 && microtime( true ) < $end + 60.0 ) ) {
		foreach ( $tenants as $tenant ) {
			if ( 0 === mt_rand( 0, 3 ) ) {
				$site->click( $tenant );
			}
		}
		for ( $more = mt_rand( 0, 20 ); $more > 0; $more-- ) {
			++$strict;
			Jobs::enqueue( $tenants[0]->key, 'strict', "o$strict" );
		}
		\Sandbox::post( '/touch', array( 'tenant' => $tenants[ mt_rand( 0, 5 ) ]->id, 'object' => 'leads', 'count' => mt_rand( 1, 40 ) ) );
		usleep( mt_rand( 20000, 350000 ) );
		$victim = mt_rand( 0, 2 );
		$workers[ $victim ]->kill();
		++$kills;
		$workers[ $victim ] = Worker::start();
		$taken += $site->end_leases( 2.0 );
	}
	// Quiet: the workers that are there finish what is there, and one more pull of each sees the last changes.
	$is_empty = static function () use ( $site ): bool {
		$site->end_leases( 5.0 );
		return 0 === $site->number( 'SELECT COUNT(*) FROM {jobs}' );
	};
	$checks->is( 'no job is left', Site::wait( $is_empty, 90.0, 0.1 ), json_encode( $site->rows( 'SELECT kind, object, state, attempts, deaths, reason FROM {jobs} LIMIT 5' ) ) );
	array_map( array( $site, 'click' ), $tenants );
	$checks->is( 'nor after one more pull of each', Site::wait( $is_empty, 60.0, 0.1 ) );
	array_map( static fn( Worker $worker ) => $worker->stop(), $workers );

	$leads = 0;
	foreach ( $tenants as $tenant ) {
		$checks->same( "{$tenant->id}: CRM, ledger and posts are equal", array(), $site->differences( $tenant ) );
		$leads += count( \Sandbox::leads( $tenant->id ) );
	}
	$checks->same( 'no post without a record, no record without a post', array( $leads, $leads ), array( $site->number( "SELECT COUNT(*) FROM wp_posts WHERE post_type = 'crm_lead'" ), $site->number( 'SELECT COUNT(*) FROM {records}' ) ) );
	$checks->same( 'every run is done', array( 'done' ), array_column( $site->rows( 'SELECT DISTINCT state FROM {runs}' ), 0 ) );
	$checks->same( 'each lead was counted as created once', array(), $site->rows( "SELECT r.tenant, SUM(r.created), (SELECT COUNT(*) FROM {records} x WHERE x.tenant = r.tenant) AS n FROM {runs} r WHERE r.kind = 'pull' AND r.tenant <> {$tenants[0]->key} GROUP BY r.tenant HAVING SUM(r.created) <> n" ) );
	$checks->same( 'the counts of each run add up', array(), $site->rows( 'SELECT id, fetched, created, updated, unchanged, refused FROM {runs} WHERE fetched <> created + updated + unchanged + refused' ) );
	$checks->same( 'jobs with an effect of their own had it once', array( array( (string) $strict, (string) $strict ) ), $site->rows( 'SELECT COUNT(*), COUNT(DISTINCT run) FROM tcs_queue_effects' ) );
	$checks->is( 'many were killed, and many jobs lost their worker', $kills >= 20 && $taken >= 15, "$kills workers, $taken jobs" );
	$checks->same( 'nothing reached a log', '', $site->logged() );
	printf( "  %d workers killed, %d leases cut, %d pulls and %d other jobs, %d leads\n", $kills, $taken, $site->number( "SELECT COUNT(*) FROM {runs} WHERE kind = 'pull'" ), $strict, $leads );
};
