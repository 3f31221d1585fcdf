<?php
/**
 * What the parts of one push job share: tenant, rules, CRM, and transactions under the job's lease with their counts and log.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Caches;
use TenantCRM\Fields;
use TenantCRM\Job;
use TenantCRM\Leases;
use TenantCRM\Log;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Session {

	public readonly Fields $fields;
	public readonly Rules $rules;
	public readonly Remote $remote;

	/** @param Trial|null $trial Given, nothing is stored and nothing is sent. */
	public function __construct( public readonly Job $job, public readonly Tenant $tenant, public readonly ?Trial $trial = null ) {
		$this->fields = Fields::of( $tenant, $job->object );
		$this->rules  = Rules::of( $tenant, $job->object );
		$this->remote = new Remote( $tenant, $job->object, $this->fields, $this->rules );
	}

	/**
	 * @template T
	 * @param callable(Transaction, Settlement, PostWriter, Progress): T $work About one record, which is counted if it sets `fetched` to 1. May run several times.
	 * @param list<int>    $posts  That it is about, and
	 * @param list<string> $hashes of the ids of records: what a preview shows changes of, and what is not refused any more.
	 * @return T|null Null also where the attempt before was stored after all.
	 */
	public function transact( callable $work, array $posts = array(), array $hashes = array() ) {
		if ( $this->trial ) {
			return $this->trial->run( fn( Transaction $transaction ): array => $this->settle( $transaction, $work ), $hashes, $posts );
		}
		list( $result, $progress ) = Transaction::run(
			function ( Transaction $transaction ) use ( $work, $hashes ): array {
				if ( null !== Leases::lock( $transaction, $this->job ) ) {
					return array( null, new Progress() );
				}
				list( $result, $progress ) = $this->settle( $transaction, $work );
				$progress->seen            = $hashes;
				$progress->is_note         = 0 === $progress->fetched;
				$progress->write( $transaction, $this->tenant, $this->job, null );
				return array( $result, $progress );
			}
		);
		++$this->job->batches;
		$this->job->progressed = $this->job->progressed || ! $progress->is_note;
		Caches::clean( $progress->touched() );
		if ( $progress->touched() ) {
			/** This action is documented in Store. */
			do_action( 'tenant_crm_sync_batch_stored', $this->tenant, $this->job->object, array( 'created' => $progress->created, 'updated' => array_merge( $progress->updated, $progress->beside ) ), $progress->counts() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $result;
	}

	/** @return array{0: mixed, 1: Progress} */
	private function settle( Transaction $transaction, callable $work ): array {
		$progress   = new Progress();
		$posts      = new PostWriter( $transaction, $this->tenant, $this->fields );
		$settlement = new Settlement( $transaction, $this->tenant, $this->fields, $this->rules, $posts );
		$result     = $work( $transaction, $settlement, $posts, $progress );
		$settlement->flush();
		$progress->log = array_merge( $progress->log, $settlement->log );
		$progress->of_one_record( $settlement->created, $settlement->updated );
		return array( $result, $progress );
	}

	/** For tests that end the process between two steps: nothing listens otherwise. */
	public function step( string $name ): void {
		if ( $this->trial ) {
			return;
		}
		/**
		 * A push is about to do its next step.
		 *
		 * @param string $name
		 * @param Tenant $tenant
		 */
		do_action( 'tenant_crm_sync_push_step', $name, $this->tenant );
	}

	public function log( string $level, string $message, array $context = array() ): void {
		Log::add_once( $this->tenant->key, $level, $message, $context );
	}
}
