<?php
/**
 * What a batch did, and how that is written down: log, run, job, and last of all the watermark.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Progress {

	/** Refused records of one batch that get an entry of their own in the log. */
	private const NAMED = 50;

	public int $fetched = 0;
	public int $pages   = 0;

	/** @var list<int> Post ids. */
	public array $created = array();

	/** @var list<int> Post ids. */
	public array $updated = array();

	/** Records of which only the ledger changed: status, owner. */
	public int $updated_ledger = 0;

	public int $unchanged = 0;

	/** @var list<int> Ids of posts that were written, too, of records that are counted elsewhere. */
	public array $beside = array();

	/** @var list<array{id: ?string, reason: string, by_id?: bool, post?: int}> by_id: false where the CRM cannot be asked for this id. post: a lead of the portal. */
	public array $refused = array();

	/** @var list<string> Hashes of the ids of the CRM's records that this was about. */
	public array $seen = array();

	/** @var list<array{0: int, 1: string, 2: string, 3: array<string, mixed>}> */
	public array $log = array();

	/** @return list<int> Posts that were written. */
	public function touched(): array {
		return array_merge( $this->created, $this->updated, $this->beside );
	}

	/**
	 * Notes the posts that were written while at most one record was settled: whatever there was to be done, the record counts once.
	 *
	 * @param list<int> $created
	 * @param list<int> $updated
	 */
	public function of_one_record( array $created, array $updated ): void {
		$posts        = array_values( array_unique( array_merge( $created, $updated ) ) );
		$is_counted   = $posts && $this->fetched && ! $this->refused;
		$this->beside = $is_counted ? array_slice( $posts, 1 ) : $posts;
		if ( $is_counted ) {
			$this->created        = $created ? array( $posts[0] ) : array();
			$this->updated        = $created ? array() : array( $posts[0] );
			$this->updated_ledger = 0;
		}
		$this->unchanged = max( 0, $this->fetched - count( $this->refused ) - count( $this->created ) - count( $this->updated ) - $this->updated_ledger );
	}

	/** @return array{fetched: int, created: int, updated: int, unchanged: int, refused: int, pages: int} */
	public function counts(): array {
		return array(
			'fetched'   => $this->fetched,
			'created'   => count( $this->created ),
			'updated'   => count( $this->updated ) + $this->updated_ledger,
			'unchanged' => $this->unchanged,
			'refused'   => count( $this->refused ),
			'pages'     => $this->pages,
		);
	}

	public function add( self $other ): void {
		$this->fetched        += $other->fetched;
		$this->pages          += $other->pages;
		$this->unchanged      += $other->unchanged;
		$this->updated_ledger += $other->updated_ledger;
		array_push( $this->created, ...$other->created );
		array_push( $this->updated, ...$other->updated );
		array_push( $this->refused, ...$other->refused );
	}

	/** Whether nothing but a note of what is to be done was stored: that alone gets nobody further. */
	public bool $is_note = false;

	/**
	 * The last statements of a batch.
	 *
	 * @param string|null $watermark_sql Null where there is none yet to be stored.
	 */
	public function write( Transaction $transaction, Tenant $tenant, Job $job, ?string $watermark_sql ): void {
		$entries = array_merge( $this->log, $this->refusals( $tenant, $job ) );
		if ( $entries ) {
			$transaction->insert( Log::head(), Log::rows( $entries ), '', false );
		}
		// Leads of the portal that the CRM refused stand in `changes`.
		Refused::settle( $transaction, $job, array_values( array_filter( $this->refused, static fn( array $refusal ): bool => ! isset( $refusal['post'] ) ) ), $this->seen );
		$set = '';
		foreach ( $this->counts() as $name => $count ) {
			$set .= ", r.$name = r.$name + $count";
		}
		$transaction->query(
			sprintf(
				'UPDATE `%s` j LEFT JOIN `%s` r ON r.id = j.run SET j.batches = j.batches + 1, %sj.touched = %s, j.lease_until = UTC_TIMESTAMP(3) + INTERVAL %d SECOND%s WHERE j.id = %d',
				Schema::table( 'jobs' ),
				Schema::table( 'runs' ),
				$this->is_note ? '' : 'j.attempts = 0, j.deaths = 0, j.failing_since = NULL, ',
				Sql::text( implode( ',', $this->touched() ) ),
				Leases::SECONDS,
				$set,
				$job->id
			)
		);
		if ( null !== $watermark_sql ) {
			$transaction->query( $watermark_sql ); // phpcs:ignore WordPress.DB.PreparedSQL -- made by Cursors::write_sql().
		}
	}

	/** @return list<array{0: int, 1: string, 2: string, 3: array<string, mixed>}> */
	private function refusals( Tenant $tenant, Job $job ): array {
		$entries = array();
		foreach ( array_slice( $this->refused, 0, self::NAMED ) as $refusal ) {
			$name      = null === $refusal['id'] ? 'A lead without an id' : "Lead \"{$refusal['id']}\"";
			$entries[] = array( $tenant->key, 'error', "$name of tenant \"{$tenant->id}\" was refused: {$refusal['reason']}.", array( 'run' => $job->run ) );
		}
		$rest = count( $this->refused ) - self::NAMED;
		if ( $rest > 0 ) {
			$entries[] = array( $tenant->key, 'error', "$rest more leads of this batch of tenant \"{$tenant->id}\" were refused, too.", array( 'run' => $job->run ) );
		}
		return $entries;
	}
}
