<?php
/**
 * Stores batches set-based: a handful of multi-row statements in one transaction, however many records there are.
 *
 * The job's row is locked by its lease first, the watermark is written last. The ledger says which records are new, changed or
 * unchanged; of unchanged ones nothing is built and nothing is written. How posts are written is in PostWriter, what is counted and
 * logged in Progress.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Store {

	/** Records of one transaction. */
	private const CHUNK = 1000;

	public function __construct( private readonly Tenant $tenant, private readonly Job $job, private readonly Fields $fields ) {
	}

	/**
	 * Stores a batch and its watermark.
	 *
	 * @param \TenantCRMSync\Batch|ArrayRows|Webhooks\Named $batch
	 * @return array{fetched: int, created: int, updated: int, unchanged: int, refused: int, pages: int}
	 * @throws LeaseLost
	 * @throws TenantChanged
	 * @throws StoreException
	 */
	public function batch( object $batch ): array {
		$incoming  = new Incoming( $batch, $this->fields, Privacy\Suppressions::of( $this->tenant->key, $this->job->object ) );
		$total     = new Progress();
		$watermark = $batch->watermark();
		$chunks    = array_chunk( $incoming->items, self::CHUNK );
		$chunks    = $chunks ? $chunks : array( array() );
		$last      = array_key_last( $chunks );
		foreach ( $chunks as $number => $items ) {
			$extra = new Progress();
			if ( $number === $last ) {
				$extra->fetched   = $incoming->repeated + count( $incoming->refused );
				$extra->unchanged = $incoming->repeated;
				$extra->refused   = $incoming->refused;
				$extra->pages     = 1;
			}
			$sql = $number === $last && '' !== $watermark ? Cursors::write_sql( $this->tenant->key, $this->job->cursor(), $this->fields->hash(), $watermark ) : null;
			$this->store( $incoming, $items, $extra, $sql, $total );
		}
		/**
		 * A batch is stored and the caches are clean.
		 *
		 * @param Tenant $tenant
		 * @param string $object
		 * @param array{created: list<int>, updated: list<int>} $posts  Ids of posts.
		 * @param array<string, int>                            $counts
		 */
		do_action( 'tenant_crm_sync_batch_stored', $this->tenant, $this->job->object, array( 'created' => $total->created, 'updated' => $total->updated ), $total->counts() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		return $total->counts();
	}

	/**
	 * Stores some records in one transaction. Where the database cannot hold a value, the half that has it is halved again, until
	 * one record is refused and all others are stored.
	 *
	 * @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items
	 * @param Progress    $extra     What belongs to the batch and not to a record.
	 * @param string|null $watermark Statement.
	 */
	private function store( Incoming $incoming, array $items, Progress $extra, ?string $watermark, Progress $total ): void {
		try {
			$done = Transaction::run( fn( Transaction $transaction ): ?Progress => $this->attempt( $transaction, $incoming, $items, $extra, $watermark ) );
		} catch ( BadValue $e ) {
			if ( count( $items ) > 1 ) {
				$half = (int) ceil( count( $items ) / 2 );
				$this->store( $incoming, array_slice( $items, 0, $half ), new Progress(), null, $total );
				$this->store( $incoming, array_slice( $items, $half ), $extra, $watermark, $total );
				return;
			}
			if ( ! $items ) {
				throw $e;
			}
			++$extra->fetched;
			$extra->refused[] = array(
				'id'     => $items[0]['id'],
				'reason' => $e->getMessage(),
			);
			$this->store( $incoming, array(), $extra, $watermark, $total );
			return;
		}
		++$this->job->batches;
		$this->job->progressed = true;
		Caches::clean( $done->touched() );
		$total->add( $done );
	}

	/**
	 * All statements of one transaction. May run several times; only the last one counts.
	 *
	 * @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items
	 */
	private function attempt( Transaction $transaction, Incoming $incoming, array $items, Progress $extra, ?string $watermark ): Progress {
		$progress           = new Progress();
		$progress->fetched += count( $items );
		$progress->seen     = array_column( $items, 'hash' );
		$progress->add( $extra );
		$earlier = Leases::lock( $transaction, $this->job );
		if ( null !== $earlier ) {
			// The COMMIT of the attempt before arrived, only its answer did not.
			$progress->created = $earlier;
			return $progress;
		}
		$this->apply( $transaction, $incoming, $items, $progress );
		$progress->write( $transaction, $this->tenant, $this->job, $watermark );
		return $progress;
	}

	/**
	 * What becomes of posts and ledger: all that a preview needs, too.
	 *
	 * @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items
	 */
	public function apply( Transaction $transaction, Incoming $incoming, array $items, Progress $progress ): void {
		$posts = new PostWriter( $transaction, $this->tenant, $this->fields );
		if ( TwoWay\Rules::of( $this->tenant, $this->job->object )->is_two_way() ) {
			( new TwoWay\Reconciliation( $transaction, $this->tenant, $this->job, $this->fields, $posts ) )->batch( $incoming, $items, $progress );
			return;
		}
		$new     = array();
		$changed = array();
		$known   = $this->lookup( $transaction, $items );
		foreach ( $items as $item ) {
			$row = $known[ $item['hash'] ] ?? null;
			if ( null === $row ) {
				$new[] = array( $incoming->lead( $item ), null );
			} elseif ( $row['fingerprint'] === $item['fingerprint'] && null !== $row['post_id'] ) {
				++$progress->unchanged;
			} else {
				$changed[ (int) $row['id'] ] = $item;
			}
		}
		$ledger = $this->change( $transaction, $incoming, $changed, $posts, $progress, $new );
		$this->create( $transaction, $new, $posts, $ledger, $progress );
		if ( $ledger ) {
			$transaction->insert( Ledger::update_head(), $ledger, Ledger::update_tail() );
		}
	}

	/**
	 * @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items
	 * @return array<string, array<string, string|null>> Ledger rows by hash.
	 */
	private function lookup( Transaction $transaction, array $items ): array {
		if ( ! $items ) {
			return array();
		}
		return array_column( $transaction->rows( Ledger::lookup_sql( $this->tenant->key, $this->job->object, array_column( $items, 'hash' ) ) ), null, 'id_hash' );
	}

	/**
	 * Brings posts up to date, after a look at what somebody may have edited in them meanwhile.
	 *
	 * @param array<int, array{position: int, id: string, hash: string, fingerprint: string}> $changed By ledger id.
	 * @param list<array{0: Lead, 1: int|null}> $new Gets the records whose post is gone.
	 * @return list<string> Values of the ledger rows to be updated.
	 */
	private function change( Transaction $transaction, Incoming $incoming, array $changed, PostWriter $posts, Progress $progress, array &$new ): array {
		if ( ! $changed ) {
			return array();
		}
		$rows     = $transaction->rows( Ledger::lock_sql( array_keys( $changed ) ) );
		$existing = $posts->lock( array_map( 'intval', array_filter( array_column( $rows, 'post_id' ) ) ) );
		$ledger   = array();
		foreach ( $rows as $row ) {
			if ( $incoming->is_overtaken( $row['id_hash'], $row['base'] ) ) {
				++$progress->unchanged;
				continue;
			}
			$lead = $incoming->lead( $changed[ (int) $row['id'] ] );
			if ( Ledger::is_ahead( $this->job, $row, $lead->revision ) ) {
				++$progress->unchanged;
				continue;
			}
			$post = $existing[ (int) $row['post_id'] ] ?? null;
			if ( ! $post ) {
				$new[] = array( $lead, (int) $row['id'] );
				continue;
			}
			$post_id    = (int) $row['post_id'];
			$comparison = new Comparison( $this->tenant, $lead, $this->fields, $row['base'], $post->title, $post->first_meta() );
			if ( $comparison->edits ) {
				$progress->log[] = $comparison->log_entry( $this->tenant, $lead, $post_id );
			}
			if ( $comparison->post_differs() ) {
				$posts->update( $post, $lead, $comparison );
				$progress->updated[] = $post_id;
			} elseif ( $comparison->same_base ) {
				++$progress->unchanged;
			} else {
				++$progress->updated_ledger;
			}
			$ledger[] = Ledger::values( $this->tenant, $this->job->object, $lead, $post_id, (int) $row['id'] );
		}
		$posts->flush();
		return $ledger;
	}

	/**
	 * @param list<array{0: Lead, 1: int|null}> $new    Leads, and their ledger id where only the post is gone.
	 * @param list<string>                      $ledger Gets the values of those.
	 */
	private function create( Transaction $transaction, array $new, PostWriter $posts, array &$ledger, Progress $progress ): void {
		if ( ! $new ) {
			return;
		}
		$post_ids = $posts->insert( array_column( $new, 0 ) );
		$rows     = array();
		foreach ( $new as $number => list( $lead, $ledger_id ) ) {
			$values = Ledger::values( $this->tenant, $this->job->object, $lead, $post_ids[ $number ], $ledger_id );
			if ( null === $ledger_id ) {
				$rows[] = $values;
			} else {
				$ledger[] = $values;
			}
			$progress->created[] = $post_ids[ $number ];
		}
		$transaction->insert( Ledger::insert_head(), $rows );
	}
}
