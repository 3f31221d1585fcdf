<?php
/**
 * What becomes of a write to the CRM: its answer is settled; a failure is tried again, waits, or is refused, by what is known of the outcome. A
 * write of which nobody knows whether it was done is looked for once it cannot come late any more, and never sent again for that reason.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Jobs;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Retries;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Transaction;

final class Outcomes {

	/** Seconds after a write's last moment until lists show it. */
	private const LAG = 10.0;

	/** Seconds within which a write is sent once it is noted; a process that was asleep for longer does not send it. */
	private const CLAIM = 10.0;

	/** Seconds of a call, where the tenant does not say. */
	private const TIMEOUT = 10.0;

	/** Failures of one lead before it waits for a person or for its next change, and failures one after the other that mean the CRM is away. */
	private const MAX_ATTEMPTS = 8;
	private const MAX_IN_A_ROW = 3;

	private int $failures = 0;

	public function __construct( private readonly Session $session, private readonly Claims $claims ) {
	}

	/** Settles a write with what the CRM has behind it. @param array<string, string|null> $change */
	public function settle( array $change, string $verb, array $data, ?Lead $lead, string $outcome ): void {
		$this->session->transact(
			function ( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) use ( $change, $verb, $data, $lead, $outcome ): void {
				$subject = $this->claims->subject( $transaction, $posts, $change, true );
				if ( ! $subject || null === $subject->change['sent_at'] ) {
					return;
				}
				$id                = (int) $change['id'];
				$progress->fetched = 1;
				++$progress->updated_ledger;
				if ( 'create' === $verb ) {
					$this->claims->take_over( $transaction, $settlement, $subject, $lead );
				}
				if ( 'delete' === $verb && ! $lead ) {
					// Somebody may have taken it out of the bin meanwhile: then it is a new lead.
					$is_back       = $subject->is_present();
					$subject->post = $is_back ? null : $subject->post;
					$settlement->settle( $subject, null );
					$settlement->then( $is_back ? Changes::update_sql( $id, Changes::SETTLED . ', available_at = UTC_TIMESTAMP(3)' ) : Changes::delete_sql( $id ) );
					return;
				}
				$settled = $settlement->settle( $subject, $lead, 'delete' === $verb ? null : $data, 'delete' === $verb ? null : $outcome );
				// Also where the lead was deleted while its create was on its way: then the record has no post.
				$record = $lead ? sprintf( 'record = (SELECT id FROM `%s` WHERE tenant = %d AND object = %s AND id_hash = %s), ', Schema::table( 'records' ), $this->session->tenant->key, Sql::bytes( $this->session->job->object ), Sql::bytes( $lead->hash ) ) : '';
				$settlement->then( $settled->is_dirty() ? Changes::update_sql( $id, $record . Changes::SETTLED . ', attempts = ' . ( 'unknown' === $outcome ? 'attempts' : '0' ) . ', available_at = UTC_TIMESTAMP(3)' ) : Changes::delete_sql( $id ) );
			}
		);
	}

	/**
	 * A write of which nobody knows whether it was done: look, once it cannot come late any more.
	 *
	 * @param array<string, string|null> $change
	 */
	public function recover( array $change ): void {
		$session = $this->session;
		$left    = $this->settle_seconds() - (float) Sql::rows( 'SELECT TIMESTAMPDIFF(MICROSECOND, sent_at, UTC_TIMESTAMP(3)) / 1000000 AS age FROM `' . Schema::table( 'changes' ) . "` WHERE id = {$change['id']}" )[0]['age'];
		if ( $left > 0 ) {
			$this->wait( $change, 'Whether the CRM got the last write is not known; it is looked for.', $left, false );
			return;
		}
		// A list that was asked before this moment may not show it.
		$since = microtime( true ) + $left;
		$data = (array) json_decode( (string) $change['sent'], true );
		if ( 'create' === $change['verb'] ) {
			$person = $session->rules->unique_hash( $data[ $session->rules->unique ] ?? null );
			$found  = null === $person ? $session->remote->find_same( $data, $since ) : $session->remote->find( $person, $since );
			if ( null === $found ) {
				$this->wait( $change, 'The CRM has to be read before it is known whether the last write was done.', 60, true );
				Jobs::enqueue( $session->tenant->key, 'pull', $session->job->object );
				return;
			}
			$lead = $found ? reset( $found ) : null;
		} else {
			$lead = $session->remote->get( (string) $change['sent_id'] );
		}
		if ( 'create' === $change['verb'] && ! $lead ) {
			// It was not done.
			$this->retry( $change, 'The CRM does not have what was sent to it.' );
			return;
		}
		$this->settle( $change, (string) $change['verb'], $data, $lead, 'unknown' );
	}

	/** @param array<string, string|null> $change */
	public function failed( array $change, \TenantCRMSync\Exception $e ): void {
		$outcome = Remote::outcome( $e );
		$is_sent = null !== ( Sql::rows( 'SELECT sent_at FROM `' . Schema::table( 'changes' ) . "` WHERE id = {$change['id']}" )[0]['sent_at'] ?? null );
		if ( null !== $change['sent_at'] || ( $is_sent && 'unknown' === $outcome ) ) {
			$this->wait( $change, $e->getMessage(), $this->settle_seconds(), null !== $change['sent_at'] );
		} elseif ( 'refused' === $outcome ) {
			// What the CRM says of it, redacted by the extension.
			$this->refuse( $change, $e->getMessage() . ( $e->body ? ': ' . mb_substr( wp_strip_all_tags( $e->body ), 0, 300 ) : '' ) );
			return;
		} elseif ( 'undone' === $outcome ) {
			$this->set( $change, Changes::SETTLED );
		} else {
			$this->retry( $change, $e->getMessage() );
		}
		if ( 'undone' === $outcome || ( 'unknown' === $outcome && ++$this->failures >= self::MAX_IN_A_ROW ) ) {
			throw $e;
		}
	}

	/** Surely not done: later again. @param array<string, string|null> $change */
	private function retry( array $change, string $reason ): void {
		if ( (int) $change['attempts'] + 1 >= self::MAX_ATTEMPTS ) {
			$this->refuse( $change, $reason );
			return;
		}
		$this->set( $change, sprintf( '%s, reason = %s, available_at = UTC_TIMESTAMP(3) + INTERVAL %d SECOND', Changes::SETTLED, Sql::text( $reason ), (int) ceil( Retries::backoff( (int) $change['attempts'] ) ) ), $reason );
	}

	/** @param array<string, string|null> $change */
	public function wait( array $change, string $reason, float $seconds, bool $counts ): void {
		$this->set( $change, sprintf( 'attempts = attempts + %d, reason = %s, available_at = UTC_TIMESTAMP(3) + INTERVAL %d MICROSECOND', (int) $counts, Sql::text( $reason ), (int) ceil( 1000000 * $seconds ) ), $reason );
	}

	/** It waits for a person, or for its next change. @param array<string, string|null> $change */
	public function refuse( array $change, string $reason ): void {
		if ( $this->session->trial ) {
			$this->session->trial->note( $change, $reason );
			return;
		}
		$this->session->transact(
			function ( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) use ( $change, $reason ): void {
				// Unless it has changed again.
				$transaction->query( Changes::update_sql( (int) $change['id'], Changes::SETTLED . ", refused = (marks = {$change['marks']}), reason = " . Sql::text( $reason ) ) );
				$progress->fetched = 1;
				$progress->refused = array( array( 'id' => 'post ' . $change['post_id'], 'reason' => rtrim( $reason, '.' ), 'post' => (int) $change['post_id'] ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			}
		);
	}

	/** @param array<string, string|null> $change */
	private function set( array $change, string $set, string $reason = '' ): void {
		if ( $this->session->trial ) {
			'' === $reason || $this->session->trial->note( $change, $reason );
			return;
		}
		// Under the job's lease: whoever lost it while it waited for the CRM changes nothing of what another one sends.
		$this->session->transact( static fn( Transaction $transaction ) => $transaction->query( Changes::update_sql( (int) $change['id'], $set ) ) );
	}

	/** What was noted was not sent. @param array<string, string|null> $change */
	public function unsent( array $change ): void {
		$this->set( $change, Changes::SETTLED . ', available_at = UTC_TIMESTAMP(3)' );
	}

	/** A lead was pushed. */
	public function is_well(): void {
		$this->failures = 0;
	}

	public static function claim_seconds(): float {
		/** @param float $seconds Within which a write is sent once it is noted. */
		return (float) apply_filters( 'tenant_crm_sync_claim_seconds', self::CLAIM );
	}

	/** Seconds after which a write that got no answer cannot be done any more, and lists show it if it was. */
	public function settle_seconds(): float {
		$given = $this->session->tenant->settings['timeout'] ?? null;
		/** @param float $seconds After which a write that got no answer is looked for. Not below the timeout of a call. */
		return (float) apply_filters( 'tenant_crm_sync_settle_seconds', self::claim_seconds() + max( self::TIMEOUT, is_numeric( $given ) ? (float) $given : 0.0, (int) ini_get( 'tenant_crm_sync.timeout_ms' ) / 1000 ) + self::LAG );
	}
}
