<?php
/**
 * A batch of the CRM's records for a tenant that goes two ways: which of them say nothing new, which are settled, and which have to be read
 * again one by one, since a list may show a record as it was before our own write. Called by Store inside of its transaction.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\Incoming;
use TenantCRM\Job;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Reconciliation {

	private readonly Rules $rules;
	private readonly Settlement $settlement;

	/** @var list<int> Ledger ids of records to be read again. */
	private array $hints = array();

	/** @var array<int, string> New fingerprints of what did not change, by ledger id. */
	private array $fingerprints = array();

	public function __construct( private readonly Transaction $transaction, private readonly Tenant $tenant, private readonly Job $job, private readonly Fields $fields, private readonly PostWriter $posts ) {
		$this->rules      = Rules::of( $tenant, $job->object );
		$this->settlement = new Settlement( $transaction, $tenant, $fields, $this->rules, $posts, empty( $job->payload['full'] ) ? 0 : $job->run );
	}

	/** @param array<string, array{position: int, id: string, hash: string, fingerprint: string}>|list<array{position: int, id: string, hash: string, fingerprint: string}> $items */
	public function batch( Incoming $incoming, array $items, Progress $progress ): void {
		$refused = count( $progress->refused );
		$known   = $this->lookup( array_column( $items, 'hash' ) );
		$new     = array();
		$settle  = array();
		foreach ( $items as $item ) {
			$row = $known[ $item['hash'] ] ?? null;
			if ( null === $row ) {
				$new[] = $incoming->lead( $item );
			} elseif ( $this->is_silent( $row, $item, $incoming ) ) {
				continue;
			} elseif ( ! $this->is_settled_here( $row, $incoming->revision( $item ) ) ) {
				$this->hints[] = (int) $row['id'];
			} else {
				$settle[ (int) $row['id'] ] = $incoming->lead( $item );
			}
		}
		$this->settle_all( $settle, $progress );
		$this->settlement->expect( $new );
		foreach ( $new as $lead ) {
			$this->settlement->arrive( $lead, null );
		}
		$this->settlement->flush();
		$this->write( $known );
		$this->count( count( $items ) - count( $progress->refused ) + $refused, $progress );
	}

	/**
	 * @param list<string> $hashes
	 * @return array<string, array<string, string|null>>
	 */
	private function lookup( array $hashes ): array {
		if ( ! $hashes ) {
			return array();
		}
		$sql = sprintf(
			'SELECT id, id_hash, post_id, base IS NOT NULL AS is_agreed, fingerprint, crm_revision, hint, gone, seen, mapping, scan FROM `%s` WHERE tenant = %d AND object = %s AND id_hash IN (%s)',
			Schema::table( 'records' ),
			$this->tenant->key,
			Sql::bytes( $this->rules->object ),
			implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) )
		);
		return array_column( $this->transaction->rows( $sql ), null, 'id_hash' );
	}

	/**
	 * Whether the record says what is known of it.
	 *
	 * @param array<string, string|null> $row
	 * @param array{position: int, id: string, hash: string, fingerprint: string} $item
	 */
	private function is_silent( array $row, array $item, Incoming $incoming ): bool {
		if ( 2 === (int) $row['gone'] || ( $this->rules->is_mirror() && 0 === (int) $row['gone'] ) ) {
			return true;
		}
		// Without a post, yet agreed on: its lead was deleted, and somebody is asked.
		if ( (int) $row['gone'] || ( null === $row['post_id'] && ! $row['is_agreed'] ) || $this->fields->hash() !== $row['mapping'] || self::is_newer( $incoming->revision( $item ), $row['crm_revision'] ) ) {
			return false;
		}
		if ( $row['fingerprint'] === $item['fingerprint'] ) {
			return true;
		}
		// What was read alone, or came as the answer to a write, has no fingerprint of the list.
		if ( null === $row['seen'] || Projection::hash( (array) json_decode( $incoming->lead( $item )->base, true ) ) !== $row['seen'] ) {
			return false;
		}
		$this->fingerprints[ (int) $row['id'] ] = $item['fingerprint'];
		return true;
	}

	/**
	 * Whether what the list says is newer than what is known, and can be settled as it is.
	 *
	 * @param array<string, string|null> $row
	 */
	private function is_settled_here( array $row, string $revision ): bool {
		return null !== $row['post_id'] && ! (int) $row['gone'] && ( $this->fields->hash() !== $row['mapping'] || self::is_newer( $revision, $row['crm_revision'] ) );
	}

	/** @param array<int, Lead> $leads By ledger id. */
	private function settle_all( array $leads, Progress $progress ): void {
		if ( ! $leads ) {
			return;
		}
		foreach ( Subject::lock( $this->transaction, $this->posts, array_keys( $leads ), array() ) as $subject ) {
			$id   = (int) ( $subject->row['id'] ?? 0 );
			$lead = $leads[ $id ] ?? null;
			if ( ! $lead ) {
				continue;
			}
			if ( ! $subject->post || $subject->is_sent() || ! $this->is_settled_here( $subject->row, $lead->revision ) ) {
				$this->hints[] = $id;
				continue;
			}
			if ( ! $subject->is_of( $this->tenant->id ) ) {
				$progress->refused[] = array( 'id' => $lead->id, 'reason' => Claims::other_tenant( $subject->post ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				continue;
			}
			$settled = $this->settlement->settle( $subject, $lead );
			if ( $settled->is_dirty() ) {
				$this->transaction->query( Changes::mark_sql( $this->tenant->key, $this->rules->object, $subject->post->id, $id ) );
			}
		}
	}

	/** @param array<string, array<string, string|null>> $known */
	private function write( array $known ): void {
		$table = Schema::table( 'records' );
		if ( $this->hints ) {
			$this->transaction->query( "UPDATE `$table` SET hint = 1, version = version + 1 WHERE hint <> 1 AND id IN (" . implode( ',', $this->hints ) . ')' );
		}
		foreach ( $this->fingerprints as $id => $fingerprint ) {
			$this->transaction->query( "UPDATE `$table` SET fingerprint = " . Sql::bytes( $fingerprint ) . " WHERE id = $id" );
		}
		if ( ! empty( $this->job->payload['full'] ) && $known ) {
			$this->transaction->query( "UPDATE `$table` SET scan = {$this->job->run} WHERE id IN (" . implode( ',', array_map( 'intval', array_column( $known, 'id' ) ) ) . ')' );
		}
	}

	/** Each record counts once. Nothing was done with those that said nothing new, and with those that were only noted, to be read again. */
	private function count( int $records, Progress $progress ): void {
		$created                   = $this->settlement->created;
		$updated                   = array_values( array_unique( $this->settlement->updated ) );
		$ledger                    = max( 0, $this->settlement->kept - count( $updated ) );
		$progress->created         = array_merge( $progress->created, $created );
		$progress->updated         = array_merge( $progress->updated, $updated );
		$progress->updated_ledger += $ledger;
		$progress->unchanged      += max( 0, $records - count( $created ) - count( $updated ) - $ledger );
		$progress->log             = array_merge( $progress->log, $this->settlement->log );
	}

	private static function is_newer( string $revision, ?string $than ): bool {
		return true === \TenantCRMSync::is_newer( $revision, (string) $than );
	}
}
