<?php
/**
 * One job that fetches the records that webhooks named, by their ids, and stores them as a pull's are stored. To the worker it is as Pulling is.
 *
 * A pull of the same tenant may run beside it, and either may have read a record before the other stored a newer state of it. A pull's older state
 * is replaced by the next pull, which reads everything that changed since; what is read here nobody reads again. So this one leaves alone what another
 * has written since it began, and looks again.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Adoption;
use TenantCRM\Connectors;
use TenantCRM\Fields;
use TenantCRM\HookStore;
use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Ledger;
use TenantCRM\Refused;
use TenantCRM\Retries;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Store;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Looks;
use TenantCRM\TwoWay\Rules;

final class Fetching {

	/** Turns beside a scheduled pull's: these are few records. */
	private const WEIGHT = 2.0;

	/** Records that are read by id, where the CRM gives several at once and where it gives one. For more a pull takes fewer requests. */
	private const MOST      = 500;
	private const MOST_ONES = 50;

	/** Batches that this slice stored. */
	public int $batches = 0;

	public readonly float $began;

	/** @var array<string, array<string, mixed>> Records that are not dealt with yet, by hash of the id. */
	private array $open;

	/** @var array<string, string> What was agreed on each when this began, by hash of the id: a hash of the ledger's base. */
	private readonly array $agreed;

	/** @var list<string> Hashes of the ids of those that a person asked for, whatever webhooks are for. */
	private readonly array $asked;

	/** @param list<array<string, mixed>> $hints */
	private function __construct( public readonly Job $job, public readonly Tenant $tenant, private readonly Fields $fields, private readonly Store|HookStore $store, array $hints ) {
		$this->began  = microtime( true );
		$this->open   = array_column( $hints, null, 'id_hash' );
		$this->agreed = self::agreed( $tenant->key, $job->object, array_keys( $this->open ) );
		$this->asked  = Refused::asked( $tenant->key, $job->object, array_keys( $this->open ) );
	}

	/** @throws \Throwable What Failure knows how to settle. */
	public static function begin( Job $job, Tenant $tenant ): self {
		$job->revision = $tenant->revision;
		if ( 0 === $job->batches || $job->attempts > 0 ) {
			Adoption::run( $job );
		}
		$fields = Fields::of( $tenant, $job->object );
		return new self( $job, $tenant, $fields, $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields ), self::hints( $tenant, $job->object ) );
	}

	/** As of a pull: whether workers died over this job, and nothing has come of it since. */
	public function is_suspect(): bool {
		return $this->job->deaths >= Retries::DEATHS_IN_COMPANY && 0 === $this->batches;
	}

	public function add_to( \TenantCRMSync\Pulls $pulls, string $key ): void {
		$options = array(
			'fields' => $this->fields->crm_fields(),
			'ids'    => array_column( $this->open, 'crm_id' ),
		);
		$pulls->add( $key, $this->tenant->client(), $this->job->object, null, $options, self::WEIGHT );
	}

	/** @throws \Throwable What Failure knows how to settle. */
	public function batch( \TenantCRMSync\Batch $batch ): void {
		$named = new Named( $batch, Selection::of( $this->tenant ), $this->agreed, $this->asked );
		$this->store->batch( $named );
		++$this->batches;
		$done = array();
		foreach ( $named->dealt_with() as $id ) {
			$hash = hash( 'sha256', $id, true );
			if ( isset( $this->open[ $hash ] ) ) {
				$done[] = $this->open[ $hash ];
				unset( $this->open[ $hash ] );
			}
		}
		Hints::done( $done );
		// They are asked for again, in a job of their own.
		$this->open = array_diff_key( $this->open, $named->overtaken() );
	}

	/** All have come that the CRM gives. */
	public function finish(): void {
		Hints::missing( array_values( $this->open ) );
		Refused::absent( $this->job, array_keys( $this->open ) );
		if ( Rules::BOTH === Rules::of( $this->tenant, $this->job->object )->direction ) {
			Looks::hint( $this->tenant->key, $this->job->object, array_column( $this->open, 'crm_id' ) );
		}
		Jobs::finish( $this->job );
		// Each would be a line in the history of syncs.
		Sql::change( sprintf( "DELETE FROM `%s` WHERE id = %d AND state = 'done' AND refused = 0", Schema::table( 'runs' ), $this->job->run ) );
		// Named while this job had its lease: whoever did it saw the job and asked for no other.
		if ( Hints::waiting( $this->tenant->key, $this->job->object, 1 ) ) {
			Inbox::ask( $this->tenant->key, Inbox::KIND, $this->job->object );
		}
	}

	/**
	 * What is to be read now. Where that is much, a pull reads it in fewer requests: one that has not begun yet, since one that runs may be past it.
	 *
	 * @return list<array<string, mixed>>
	 */
	private static function hints( Tenant $tenant, string $object ): array {
		$known = Connectors::find( $tenant->connector )['objects'] ?? array();
		$most  = empty( ( $known[ $object ] ?? $known['*'] ?? array() )['by_ids'] ) ? self::MOST_ONES : self::MOST;
		$hints = Hints::waiting( $tenant->key, $object, 10 * $most );
		if ( count( $hints ) <= $most ) {
			return $hints;
		}
		if ( null === Jobs::state( $tenant->key, 'pull', $object ) ) {
			Jobs::enqueue( $tenant->key, 'pull', $object );
		}
		if ( 'queued' !== Jobs::state( $tenant->key, 'pull', $object ) ) {
			return array_slice( $hints, 0, $most );
		}
		Hints::done( $hints );
		return array();
	}

	/**
	 * @param list<string> $hashes
	 * @return array<string, string>
	 */
	private static function agreed( int $tenant, string $object, array $hashes ): array {
		$agreed = array();
		foreach ( $hashes ? Sql::rows( Ledger::lookup_sql( $tenant, $object, $hashes, 'id_hash, base' ) ) : array() as $row ) {
			$agreed[ $row['id_hash'] ] = Named::mark( $row['base'] );
		}
		return $agreed;
	}
}
