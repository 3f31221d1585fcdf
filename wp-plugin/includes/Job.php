<?php
/**
 * A claimed job: what its worker needs to know. The row itself is changed only by Jobs and, inside of a batch, by Store.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Job {

	/** Kinds whose pages travel while others are stored: each takes a place of its worker. All other kinds are short. */
	public const PULLS = array( 'pull', Jobs::BACKFILL, Webhooks\Inbox::KIND );

	/** Commits so far, as this worker knows it: tells a batch whose COMMIT got no answer from one that was not stored. */
	public int $batches;

	/** Whether this worker stored a batch. */
	public bool $progressed = false;

	/** Whether the transaction that did its work ended it, too. */
	public bool $is_finished = false;

	/** Tenant::$revision that the pull began with: a batch of older settings is not stored. Null where no tenant's settings matter. */
	public ?int $revision = null;

	/**
	 * @param int                  $attempts Failures since the last stored batch.
	 * @param int                  $deaths   Workers that died over it since then.
	 * @param int                  $failing  Seconds since the first of those failures.
	 * @param list<int>            $touched  Posts whose caches a worker that died did not clean.
	 * @param array<string, mixed> $payload  `full`: everything is to be read again.
	 * @param string|null          $trace    The run's, as a W3C traceparent.
	 */
	public function __construct(
		public readonly int $id,
		public readonly int $run,
		public readonly int $tenant,
		public readonly string $kind,
		public readonly string $object,
		public readonly string $lease,
		public readonly int $attempts,
		public readonly int $deaths,
		public readonly int $failing,
		int $batches,
		public readonly array $touched,
		public readonly array $payload = array(),
		public readonly int $priority = 50,
		public readonly ?string $trace = null
	) {
		$this->batches = $batches;
	}

	/** Whether pages of the CRM are read and stored by it. */
	public function is_pull(): bool {
		return in_array( $this->kind, self::PULLS, true );
	}

	/** Whether it reads everything beside the pulls of changes, which go on meanwhile. */
	public function is_backfill(): bool {
		return Jobs::BACKFILL === $this->kind;
	}

	/** Name of the cursor that says how far it has come. */
	public function cursor(): string {
		return $this->is_backfill() ? "{$this->kind}:{$this->object}" : $this->object;
	}

	/** @param array<string, string|null> $row */
	public static function from_row( array $row ): self {
		$touched = (string) ( $row['touched'] ?? '' );
		return new self(
			(int) $row['id'],
			(int) $row['run'],
			(int) $row['tenant'],
			(string) $row['kind'],
			(string) $row['object'],
			(string) $row['lease'],
			(int) $row['attempts'],
			(int) $row['deaths'],
			(int) ( $row['failing'] ?? 0 ),
			(int) $row['batches'],
			'' === $touched ? array() : array_map( 'intval', explode( ',', $touched ) ),
			(array) json_decode( (string) ( $row['payload'] ?? '' ), true ),
			(int) ( $row['priority'] ?? 50 ),
			$row['trace'] ?? null
		);
	}
}
