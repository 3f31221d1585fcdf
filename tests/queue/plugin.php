<?php
/**
 * What the tests of the queue add to the plugin in every process of their site: two kinds of jobs, which leave one row each time they take
 * effect. `strict` ends in the transaction of its effect, `cheap` leaves that to the worker. The environment variable TCS_QUEUE_BURN names
 * seconds of computing that other code of the site takes after each batch.
 */

use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Sql;
use TenantCRM\Transaction;

add_filter(
	'tenant_crm_sync_job_kinds',
	static function ( array $kinds ): array {
		$strict = static function ( Job $job ): void {
			Transaction::run(
				static function ( Transaction $transaction ) use ( $job ): void {
					$transaction->query( "INSERT INTO tcs_queue_effects (run) VALUES ({$job->run})" );
					Jobs::finish_in( $transaction, $job );
				}
			);
		};
		$cheap  = static function ( Job $job ): void {
			Sql::change( "INSERT INTO tcs_queue_effects (run) VALUES ({$job->run})" );
		};
		return $kinds + array(
			'strict' => $strict,
			'cheap'  => $cheap,
		);
	}
);

add_action(
	'tenant_crm_sync_batch_stored',
	static function (): void {
		$computed = static function (): float {
			$usage = getrusage();
			return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + 1e-6 * ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] );
		};
		for ( $end = $computed() + (float) getenv( 'TCS_QUEUE_BURN' ); $computed() < $end; ) {
			continue;
		}
	}
);
