<?php
/**
 * Records of which the CRM may have something else than a list showed, or which it may have no more: each is read by its id and settled. One
 * that is gone waits until all have been looked at, so that a mass deletion is noticed before its first lead goes to the bin.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\BadValue;
use TenantCRM\Budget;
use TenantCRM\Lead;
use TenantCRM\Leases;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Transaction;

final class Looks {

	public const LOOK    = 1;
	public const MISSING = 2;
	public const ALLOWED = 3;

	private const CHUNK = 100;

	public function __construct( private readonly Session $session ) {
	}

	/**
	 * Has records looked at, where the ledger knows them: for whatever says that they may have changed or be gone.
	 *
	 * @param list<string> $ids Of the CRM.
	 * @throws \TenantCRM\StoreException
	 */
	public static function hint( int $tenant, string $object, array $ids ): void {
		if ( $ids ) {
			$hashes = array_map( static fn( string $id ): string => Sql::bytes( hash( 'sha256', $id, true ) ), $ids );
			Sql::change( sprintf( 'UPDATE `%s` SET hint = %d, version = version + 1 WHERE tenant = %d AND object = %s AND id_hash IN (%s) AND gone = 0 AND hint = 0', Schema::table( 'records' ), self::LOOK, $tenant, Sql::bytes( $object ), implode( ',', $hashes ) ) );
		}
	}

	/** @throws \TenantCRMSync\Exception Where the CRM cannot be asked. */
	public function run( Budget $budget ): void {
		$last = 0;
		do {
			$rows = $this->rows( self::LOOK . ',' . self::ALLOWED, $last );
			foreach ( $rows as $row ) {
				$last = (int) $row['id'];
				Leases::renew( $this->session->job );
				$this->look( $row );
				if ( $budget->is_over() ) {
					return;
				}
			}
		} while ( $rows );
		if ( ! ( new Brake( $this->session ) )->lets_bin() ) {
			return;
		}
		$last = 0;
		do {
			$rows = $this->rows( (string) self::MISSING, $last );
			foreach ( $rows as $row ) {
				$last = (int) $row['id'];
				Leases::renew( $this->session->job );
				$this->look( $row, true );
				if ( $budget->is_over() ) {
					return;
				}
			}
		} while ( $rows );
	}

	/** @return list<array<string, string|null>> */
	private function rows( string $hints, int $last ): array {
		$changes = Schema::table( 'changes' );
		// Not those that a write is on its way to, nor those that may be what is being made just now: the write's answer settles them.
		return Sql::rows( // phpcs:ignore WordPress.DB.PreparedSQL -- hints are lists of constants.
			sprintf(
				"SELECT id, crm_id, version, hint FROM `%s` r WHERE tenant = %d AND object = %s AND hint IN (%s) AND id > %d
				AND NOT EXISTS (SELECT 1 FROM `$changes` c WHERE c.record = r.id AND c.sent_at IS NOT NULL)
				AND NOT (r.post_id IS NULL AND r.base IS NULL AND r.gone = 0 AND EXISTS (SELECT 1 FROM `$changes` c WHERE c.tenant = r.tenant AND c.object = r.object AND c.verb = 'create')) ORDER BY id LIMIT %d",
				Schema::table( 'records' ),
				$this->session->tenant->key,
				Sql::bytes( $this->session->job->object ),
				$hints,
				$last,
				self::CHUNK
			)
		);
	}

	/**
	 * @param array<string, string|null> $row
	 * @param bool                       $may_bin Whether a record that is gone may take its lead with it.
	 */
	public function look( array $row, bool $may_bin = false ): void {
		$may_bin = $may_bin || self::ALLOWED === (int) $row['hint'];
		$session = $this->session;
		try {
			$lead = $session->remote->get( (string) $row['crm_id'] );
		} catch ( BadValue $e ) {
			$this->give_up( $row, "cannot be read: {$e->getMessage()}" );
			return;
		} catch ( \TenantCRMSync\Exception $e ) {
			if ( 'refused' !== Remote::outcome( $e ) ) {
				throw $e;
			}
			// This one alone may not be read.
			$this->give_up( $row, "cannot be read: {$e->getMessage()}" );
			return;
		}
		$session->step( 'looked' );
		$session->trial?->saw( $lead );
		try {
			$session->transact(
				function ( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) use ( $row, $lead, $may_bin ): void {
					$this->settle( $transaction, $settlement, $posts, $progress, $row, $lead, $may_bin );
				},
				array(),
				array( hash( 'sha256', (string) $row['crm_id'], true ) )
			);
		} catch ( BadValue $e ) {
			$this->give_up( $row, "cannot be stored: {$e->getMessage()}" );
		}
	}

	/** Until its next change. @param array<string, string|null> $row */
	private function give_up( array $row, string $why ): void {
		if ( $this->session->trial ) {
			$this->session->trial->notes[ (string) $row['crm_id'] ] = $why;
			return;
		}
		$this->session->transact(
			static function ( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) use ( $row, $why ): void {
				$transaction->query( 'UPDATE `' . Schema::table( 'records' ) . "` SET hint = 0 WHERE id = {$row['id']} AND version = {$row['version']}" );
				$progress->fetched = 1;
				$progress->refused = array( array( 'id' => (string) $row['crm_id'], 'reason' => 'it ' . rtrim( $why, '.' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			}
		);
	}

	/** @param array<string, string|null> $row As it was before the look. */
	private function settle( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress, array $row, ?Lead $lead, bool $may_bin ): void {
		$subject = Subject::lock( $transaction, $posts, array( (int) $row['id'] ), array() )[0] ?? null;
		if ( ! $subject || $subject->row['version'] !== $row['version'] || $subject->is_sent() || ! $subject->is_of( $this->session->tenant->id ) ) {
			return;
		}
		if ( ! $lead && $subject->is_present() && ! $may_bin ) {
			$transaction->query( 'UPDATE `' . Schema::table( 'records' ) . '` SET hint = ' . self::MISSING . " WHERE id = {$row['id']}" );
			return;
		}
		$progress->fetched = 1;
		if ( 1 === (int) $subject->row['gone'] && $lead ) {
			// It is there again.
			$subject->row['gone'] = '0';
		}
		if ( $lead && ! $subject->is_present() && null === $subject->row['base'] && ! $subject->post ) {
			$settlement->arrive( $lead, $subject->row );
			return;
		}
		$settled = $settlement->settle( $subject, $lead );
		++$progress->updated_ledger;
		$post = $subject->post->id ?? (int) ( $subject->change['post_id'] ?? 0 );
		if ( $settled->is_dirty() && $post ) {
			$settlement->then( Changes::mark_sql( $this->session->tenant->key, $this->session->job->object, $post, (int) $row['id'] ) );
		}
	}
}
