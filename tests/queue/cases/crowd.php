<?php
/**
 * FAULTS A20: ten workers and 100,000 cheap jobs, while others ask for more: each done once, no deadlock in any log, nothing left behind.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Jobs;
use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): void {
	$checks->group( 'FAULTS A20: ten workers, 100,000 jobs' );
	$jobs = 100000;
	$asked = 1000;
	$site->change( 'CREATE TABLE tcs_queue_effects (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB' );
	$tenant = $site->tenant( 'crowd', 0 );
	$site->put_off();
	// Most at once, by SQL: it is the workers that are tested. The rest comes while they work, as it does on a site.
	$first = $jobs - $asked;
	$start = microtime( true );
	$site->change( "INSERT INTO {runs} (tenant, kind, object, queued_at) SELECT {$tenant->key}, 'cheap', CONCAT('o', seq), UTC_TIMESTAMP() FROM seq_1_to_$first" );
	$site->change( "INSERT INTO {jobs} (run, tenant, kind, object, dedupe, priority, queued_at, available_at, payload) SELECT id, tenant, kind, object, CONCAT('cheap:', tenant, ':', object), 50, UTC_TIMESTAMP(), UTC_TIMESTAMP(3), '[]' FROM {runs} WHERE kind = 'cheap'" );
	$checks->same( 'all are queued', $first, $site->number( 'SELECT COUNT(*) FROM {jobs}' ) );
	printf( "  queued in %.1f s\n", microtime( true ) - $start );
	$deadlocks = $site->number( "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_deadlocks'" );

	$start   = microtime( true );
	$workers = array_map( static fn(): Worker => Worker::start(), range( 1, 10 ) );
	for ( $number = 1; $number <= $asked; $number++ ) {
		Jobs::enqueue( $tenant->key, 'cheap', "late$number" );
	}
	$done = Site::wait( static fn(): bool => 0 === $site->number( 'SELECT COUNT(*) FROM {jobs}' ), 240.0, 0.5 );
	$took = microtime( true ) - $start;
	$checks->is( 'all are done', $done, $site->number( 'SELECT COUNT(*) FROM {jobs}' ) . ' are left' );
	$ended = array_map( static fn( Worker $worker ): array => $worker->stop(), $workers );
	$checks->same( 'every worker ended well', array_fill( 0, 10, 0 ), array_column( $ended, 0 ) );
	$per = array_map( static fn( array $end ): int => preg_match( '/, (\d+) runs done/', $end[1], $match ) ? (int) $match[1] : 0, $ended );
	printf( "  %.1f s, %d jobs a second; by worker: %s\n", $took, $jobs / $took, implode( ' ', $per ) );
	$checks->is( 'all workers had a share', min( $per ) > $jobs / 100, implode( ' ', $per ) );

	$checks->same( 'each had its effect once', array( array( (string) $jobs, (string) $jobs ) ), $site->rows( 'SELECT COUNT(*), COUNT(DISTINCT run) FROM tcs_queue_effects' ) );
	$checks->same( 'each run is done', array( 'done' ), array_column( $site->rows( 'SELECT DISTINCT state FROM {runs}' ), 0 ) );
	printf( "  deadlocks that were answered by trying again: %d\n", $site->number( "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_deadlocks'" ) - $deadlocks );
	$checks->same( 'nothing reached a log', '', $site->logged() );
	$checks->same( 'nor the log of the plugin', array(), $site->rows( "SELECT level, message FROM {log}" ) );

	$start = microtime( true );
	\TenantCRM\Cron::prune();
	$checks->same( 'runs are kept up to their bound', 20000, $site->number( "SELECT COUNT(*) FROM {runs}" ) );
	// The database removes rows that are deleted when nobody looks any more.
	$size   = static function () use ( $site ): int {
		$site->rows( 'ANALYZE TABLE {jobs}' );
		return $site->number( "SELECT DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{jobs}'" );
	};
	$bounded = Site::wait( static fn(): bool => $size() <= 512 * 1024, 15.0 );
	$checks->is( 'the pages of the table are free again', $bounded, $size() . ' bytes' );
	printf( "  pruned and purged in %.1f s; the table uses %d KiB\n", microtime( true ) - $start, $size() / 1024 );
};
