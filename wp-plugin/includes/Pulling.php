<?php
/**
 * One job that is being pulled: what it asks of the CRM, and where its batches go. Which job's turn it is, and for how long, is Worker's
 * business.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Pulling {

	/** A person waits for this one: it gets so many times the turns of a scheduled one. */
	private const WEIGHT_CLICK = 4.0;

	/** Nobody waits for this one. */
	private const WEIGHT_BACKFILL = 0.25;

	/** Batches that this slice stored. */
	public int $batches = 0;

	public readonly float $began;

	private bool $told = false;

	private function __construct( public readonly Job $job, public readonly Tenant $tenant, private readonly Fields $fields, private readonly Store|HookStore $store ) {
		$this->began = microtime( true );
	}

	/** @throws \Throwable What Failure knows how to settle. */
	public static function begin( Job $job, Tenant $tenant ): self {
		$job->revision = $tenant->revision;
		if ( 0 === $job->batches || $job->attempts > 0 ) {
			Adoption::run( $job );
		}
		if ( 0 === $job->batches && ! empty( $job->payload['full'] ) ) {
			Cursors::reset( $tenant->key, $job->cursor() );
		}
		$fields = Fields::of( $tenant, $job->object );
		return new self( $job, $tenant, $fields, $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields ) );
	}

	/** Whether workers died over this job, and nothing has come of it since. */
	public function is_suspect(): bool {
		return $this->job->deaths >= Retries::DEATHS_IN_COMPANY && 0 === $this->batches;
	}

	public function add_to( \TenantCRMSync\Pulls $pulls, string $key ): void {
		$options = array( 'fields' => $this->fields->crm_fields() );
		if ( null !== $this->tenant->page_size() ) {
			$options['page_size'] = $this->tenant->page_size();
		}
		$cursor = Cursors::read( $this->tenant->key, $this->job->cursor(), $this->fields->hash() );
		$pulls->add( $key, $this->tenant->client(), $this->job->object, $cursor, $options, $this->weight() );
	}

	private function weight(): float {
		if ( $this->job->is_backfill() ) {
			return self::WEIGHT_BACKFILL;
		}
		return $this->job->priority <= Jobs::PRIORITY_CLICK ? self::WEIGHT_CLICK : 1.0;
	}

	/** Its last batch is stored. */
	public function finish(): void {
		Jobs::finish( $this->job );
	}

	/** @throws \Throwable What Failure knows how to settle. */
	public function batch( \TenantCRMSync\Batch $batch ): void {
		$this->store->batch( $batch );
		++$this->batches;
		if ( $batch->is_last() ) {
			TwoWay\Deletions::after_scan( $this->job, $this->tenant );
			if ( ! empty( $this->job->payload['full'] ) ) {
				Refused::after_scan( $this->job );
			}
			if ( $this->job->is_backfill() ) {
				Cursors::reset( $this->tenant->key, $this->job->cursor() );
			}
		}
		if ( ! $this->told && $batch->stats()['unasked'] > 0 ) {
			$this->told = true;
			Log::add_once( $this->tenant->key, 'warning', "The CRM of tenant \"{$this->tenant->id}\" sent records that are older than what was asked for: it does not filter by the time of the change. Nothing is lost, but every sync reads more than it needs.", array( 'run' => $this->job->run ) );
		}
	}
}
