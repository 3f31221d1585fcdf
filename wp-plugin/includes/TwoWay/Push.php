<?php
/**
 * The job that brings changes of the portal to the CRM, one lead after the other: look at the record, settle, note what is sent, send it
 * once, settle with the answer. What was noted and not settled has an unknown outcome: it is looked for once it cannot come late any more,
 * and never sent again for that reason. A lead that fails waits longer each time and holds up no other.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Adoption;
use TenantCRM\BadValue;
use TenantCRM\Budget;
use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Lead;
use TenantCRM\LeaseLost;
use TenantCRM\Leases;
use TenantCRM\PostWriter;
use TenantCRM\Progress;
use TenantCRM\Retries;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Tenant;
use TenantCRM\TenantChanged;
use TenantCRM\Tenants;
use TenantCRM\Transaction;

final class Push {

	/** Seconds of one slice: the pulls of the same worker wait for it. */
	private const SECONDS = 5.0;

	/** Seconds after which a write that got no answer cannot be done any more, and lists show it if it was. */
	private const SETTLE = 30;

	/** Failures of one lead before it waits for a person or for its next change, and failures one after the other that mean the CRM is away. */
	private const MAX_ATTEMPTS = 8;
	private const MAX_IN_A_ROW = 3;

	private int $failures = 0;

	/** The lead that was settled last. */
	private ?Subject $seen = null;

	private function __construct( private readonly Session $session ) {
	}

	/** @throws \Throwable What Failure knows how to settle. */
	public static function job( Job $job ): void {
		$tenant = Tenants::get( $job->tenant );
		if ( ! $tenant || ! Rules::of( $tenant, $job->object )->is_two_way() ) {
			Changes::forget( $job->tenant, $job->object );
			return;
		}
		$job->revision = $tenant->revision;
		if ( $tenant->paused ) {
			throw new TenantChanged( "Tenant \"{$tenant->id}\" is paused." );
		}
		if ( $tenant->missing() ) {
			throw new \Exception( sprintf( 'Nothing can be written to the CRM of tenant "%s" yet, its connection lacks: %s.', $tenant->id, implode( ', ', $tenant->missing() ) ) );
		}
		if ( ! Home::is_here() ) {
			Conflicts::ask_for_all( $tenant->key, $job->object, 'home', 'The address of this site has changed. If this is a copy, do nothing, or take the CRM\'s side: nothing is written to the CRM. If the site has moved, take the portal\'s.' );
			return;
		}
		Adoption::run( $job );
		( new self( new Session( $job, $tenant ) ) )->run();
	}

	/** What would become of these changes; see Preview. @param list<int> $ids */
	public static function foresee( Session $session, array $ids ): void {
		$push = new self( $session );
		foreach ( $ids as $id ) {
			$change = Changes::get( $id );
			if ( $change && null !== $change['sent_at'] ) {
				$session->trial->note( $change, 'Whether the CRM got the last write of this lead is not known; that is looked for first.' );
			} elseif ( $change ) {
				$push->one( $change );
			}
		}
	}

	/** Whether there is something to be pushed or looked at now. */
	public static function has_work( int $tenant, string $object ): bool {
		return Changes::due( $tenant, $object, 1 )
			|| Sql::rows( sprintf( 'SELECT id FROM `%s` WHERE tenant = %d AND object = %s AND hint IN (1, 3) LIMIT 1', Schema::table( 'records' ), $tenant, Sql::bytes( $object ) ) );
	}

	public static function other_tenant( StoredPost $post ): string {
		return sprintf( 'its post %d says that it belongs to another tenant (_tenant_id); nothing of it is exchanged until that is put right', $post->id );
	}

	private function run(): void {
		$budget  = new Budget( self::SECONDS );
		$session = $this->session;
		Sweep::slice( $session->job, $session->tenant );
		Deletions::feed( $session );
		( new Looks( $session ) )->run( $budget );
		while ( ! $budget->is_over() ) {
			$ids = Changes::due( $session->tenant->key, $session->job->object );
			if ( ! $ids ) {
				return;
			}
			foreach ( $ids as $id ) {
				$change = $budget->is_over() ? null : Changes::get( $id );
				if ( $change ) {
					Leases::renew( $session->job );
					$this->one( $change );
				}
			}
		}
		Jobs::release( $session->job );
		throw new LeaseLost( 'The rest is pushed by the next slice.' );
	}

	/** @param array<string, string|null> $change */
	private function one( array $change ): void {
		try {
			null === $change['sent_at'] ? $this->push( $change ) : $this->recover( $change );
			$this->failures = 0;
		} catch ( BadValue $e ) {
			$this->refuse( $change, $e->getMessage() );
		} catch ( \TenantCRMSync\Exception $e ) {
			$this->failed( $change, $e );
		}
	}

	/** @param array<string, string|null> $change */
	private function push( array $change ): void {
		$session = $this->session;
		$before  = $session->transact( fn( Transaction $transaction, Settlement $settlement, PostWriter $posts ) => $this->claim( $transaction, $posts, $change ) );
		if ( ! $before ) {
			return;
		}
		list( $row, $person ) = $before;
		$session->step( 'look' );
		$lead = null;
		if ( $row && 1 !== (int) $row['gone'] ) {
			$lead = $session->remote->get( (string) $row['crm_id'] );
		} elseif ( null !== $person ) {
			$session->trial && $session->trial->searches = true;
			$found = $session->remote->find( $person );
			if ( null === $found ) {
				$this->wait( $change, 'The CRM has not been read yet: whether it knows this person is looked up first.', 60, false );
				$session->trial || Jobs::enqueue( $session->tenant->key, 'pull', $session->job->object );
				return;
			}
			if ( count( $found ) > 1 ) {
				$this->refuse( $change, sprintf( 'the CRM has several records of this person (%s): %s; merge them there, or give the lead another', $session->rules->unique, implode( ', ', array_keys( $found ) ) ) );
				return;
			}
			$lead = $found ? reset( $found ) : null;
		}
		$session->step( 'settle' );
		$session->trial?->saw( $lead );
		$write = $session->transact( fn( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) => $this->settle( $transaction, $settlement, $posts, $progress, $change, $row, $lead ), array( (int) $change['post_id'] ) );
		if ( ! $write ) {
			return;
		}
		if ( $session->trial ) {
			$session->trial->send( $write[0], $write[1], $this->seen, $write[2] );
			return;
		}
		list( $verb, $id, $data ) = $write;
		$session->step( 'send' );
		list( $now, $outcome ) = $session->remote->write( $verb, $id, $data );
		$session->step( 'sent' );
		if ( 'delete' !== $verb && ! $now ) {
			// The answer names no record: as if there had been none.
			$this->wait( $change, 'The CRM did not say which record it made; it is looked for.', self::settle_seconds(), false );
			return;
		}
		// A lead that becomes a new record was taken from the row of the old one before it was sent.
		$this->settle_sent( 'create' === $verb ? array( 'record' => null ) + $change : $change, $verb, $data, $now, $outcome );
		$session->step( 'done' );
	}

	/**
	 * What is there to be pushed.
	 *
	 * @param array<string, string|null> $change
	 * @return array{0: array<string, string|null>|null, 1: string|null}|null Its ledger row, and by what a new lead is known; null: nothing.
	 */
	private function claim( Transaction $transaction, PostWriter $posts, array $change ): ?array {
		$subject = $this->subject( $transaction, $posts, $change );
		if ( ! $subject ) {
			return null;
		}
		$row = $subject->row;
		if ( ! $row && $subject->post && ! isset( $subject->post->first_meta()['_tenant_id'] ) ) {
			// Whoever made it died before it was anybody's lead.
			$transaction->query( Changes::delete_sql( (int) $change['id'] ) );
			return null;
		}
		if ( ! $subject->is_of( $this->session->tenant->id ) ) {
			throw new BadValue( self::other_tenant( $subject->post ) );
		}
		if ( ( ! $row && ! $subject->is_present() ) || ( $row && ( 3 === (int) $row['gone'] || ( 1 === (int) $row['gone'] && ! $subject->is_present() ) ) ) ) {
			// Gone before the CRM ever knew it, or not wanted there.
			$transaction->query( Changes::delete_sql( (int) $change['id'] ) );
			return null;
		}
		// Counted first: one that kills its worker comes after the others next time.
		$transaction->query( Changes::update_sql( (int) $change['id'], 'attempts = attempts + 1' ) );
		$person = null;
		if ( ! $row || 1 === (int) $row['gone'] ) {
			$portal = Projection::portal( $this->session->fields, $subject->post, null, null );
			$person = $this->session->rules->unique_hash( $portal[ $this->session->rules->unique ] ?? null );
			$this->refuse_copy( $transaction, $subject );
			$this->refuse_double( $transaction, $change, $person );
			$transaction->query( Changes::update_sql( (int) $change['id'], 'unique_hash = ' . Subject::literal( $person ) ) );
		}
		return array( $row, $person );
	}

	/** A post that was duplicated with its meta names a record that has another post. */
	private function refuse_copy( Transaction $transaction, Subject $subject ): void {
		$id = $subject->post->first_meta()['crm_lead_id'] ?? '';
		if ( $subject->row || '' === $id ) {
			return;
		}
		$row = $transaction->rows( sprintf( 'SELECT post_id, gone FROM `%s` WHERE tenant = %d AND object = %s AND id_hash = %s', Schema::table( 'records' ), $this->session->tenant->key, Sql::bytes( $this->session->job->object ), Sql::bytes( hash( 'sha256', $id, true ) ) ) )[0] ?? null;
		if ( ! $row || null !== $row['post_id'] || 1 !== (int) $row['gone'] ) {
			throw new BadValue( "its post names the record \"$id\" of the CRM, which has another post here: one of the two is a copy" );
		}
	}

	/** Two new leads of one person: the older one is pushed. @param array<string, string|null> $change */
	private function refuse_double( Transaction $transaction, array $change, ?string $person ): void {
		if ( null === $person ) {
			return;
		}
		$table = Schema::table( 'changes' );
		$other = $transaction->rows( sprintf( "SELECT post_id FROM `$table` WHERE tenant = %d AND object = %s AND unique_hash = %s AND record IS NULL AND post_id < %d LIMIT 1", $change['tenant'], Sql::bytes( (string) $change['object'] ), Sql::bytes( $person ), $change['post_id'] ) );
		if ( $other ) {
			throw new BadValue( "post {$other[0]['post_id']} is the same person; delete one of the two, or give it another {$this->session->rules->unique}" );
		}
	}

	/**
	 * Settles with what was seen, and notes what is to be sent.
	 *
	 * @param array<string, string|null>      $change
	 * @param array<string, string|null>|null $before The ledger row as it was before the look.
	 * @return array{0: string, 1: string, 2: array<string, mixed>}|null Verb, id and fields.
	 */
	private function settle( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress, array $change, ?array $before, ?Lead $lead ): ?array {
		$subject = $this->subject( $transaction, $posts, $change );
		if ( ! $subject || ( $before['version'] ?? null ) !== ( $subject->row['version'] ?? null ) || ! $subject->is_of( $this->session->tenant->id ) ) {
			// Somebody else has settled it since the look: again.
			return null;
		}
		$id = (int) $change['id'];
		if ( ! $subject->row || 1 === (int) $subject->row['gone'] ) {
			$this->take_over( $transaction, $settlement, $subject, $lead );
		}
		$this->seen = $subject;
		$settled    = $settlement->settle( $subject, $lead );
		$set        = 'available_at = UTC_TIMESTAMP(3)';
		if ( $settled->to_crm ) {
			$verb = $lead ? 'update' : 'create';
			Changes::intend( $transaction, $id, $verb, $settled->to_crm, $lead ? $lead->id : '' );
			return array( $verb, $lead ? $lead->id : '', $settled->to_crm );
		}
		if ( $settled->delete ) {
			if ( ! ( new Brake( $this->session ) )->lets_erase( $subject->change ) ) {
				$this->session->trial?->note( $change, 'Many leads were deleted at once: a person has to say whether the CRM is to delete them, too.' );
				$transaction->query( Changes::update_sql( $id, 'refused = ' . Changes::BRAKE . ", reason = 'Many leads were deleted at once: a person has to say whether the CRM is to delete them, too.'" ) );
				return null;
			}
			Changes::intend( $transaction, $id, 'delete', array(), (string) $subject->row['crm_id'] );
			return array( 'delete', (string) $subject->row['crm_id'], array() );
		}
		if ( $settled->anew && $this->session->trial ) {
			return array( 'create', '', array() );
		}
		$progress->fetched = 1;
		++$progress->unchanged;
		$settlement->then( $settled->anew ? Changes::update_sql( $id, $set ) : Changes::delete_sql( $id ) );
		return null;
	}

	/** Settles a write with what the CRM has behind it. @param array<string, string|null> $change */
	private function settle_sent( array $change, string $verb, array $data, ?Lead $lead, string $outcome ): void {
		$this->session->transact(
			function ( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress ) use ( $change, $verb, $data, $lead, $outcome ): void {
				$subject = $this->subject( $transaction, $posts, $change, true );
				if ( ! $subject || null === $subject->change['sent_at'] ) {
					return;
				}
				$id                = (int) $change['id'];
				$progress->fetched = 1;
				++$progress->updated_ledger;
				if ( 'create' === $verb ) {
					$this->take_over( $transaction, $settlement, $subject, $lead );
				}
				if ( 'create' === $verb && $lead && ! $subject->post ) {
					// The lead was deleted for good while nobody knew whether the CRM has it: it comes back, for somebody to delete it again.
					$transaction->query( Changes::delete_sql( $id ) );
					$settlement->arrive( $lead, $subject->row );
					return;
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
				$record  = $subject->post ? 'record = (SELECT id FROM `' . Schema::table( 'records' ) . "` WHERE post_id = {$subject->post->id}), " : '';
				$settlement->then( $settled->is_dirty() ? Changes::update_sql( $id, $record . Changes::SETTLED . ', attempts = ' . ( 'unknown' === $outcome ? 'attempts' : '0' ) . ', available_at = UTC_TIMESTAMP(3)' ) : Changes::delete_sql( $id ) );
			}
		);
	}

	/**
	 * A write of which nobody knows whether it was done: look, once it cannot come late any more.
	 *
	 * @param array<string, string|null> $change
	 */
	private function recover( array $change ): void {
		$session = $this->session;
		$left    = self::settle_seconds() - (float) Sql::rows( 'SELECT TIMESTAMPDIFF(MICROSECOND, sent_at, UTC_TIMESTAMP(3)) / 1000000 AS age FROM `' . Schema::table( 'changes' ) . "` WHERE id = {$change['id']}" )[0]['age'];
		if ( $left > 0 ) {
			$this->wait( $change, 'Whether the CRM got the last write is not known; it is looked for.', $left, false );
			return;
		}
		$data = (array) json_decode( (string) $change['sent'], true );
		if ( 'create' === $change['verb'] ) {
			$person = $session->rules->unique_hash( $data[ $session->rules->unique ] ?? null );
			$found  = null === $person ? $session->remote->find_same( $data, microtime( true ) - 1 ) : $session->remote->find( $person, microtime( true ) - 1 );
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
		$this->settle_sent( $change, (string) $change['verb'], $data, $lead, 'unknown' );
	}

	/**
	 * Gives a lead that has no living record the ledger row of this one.
	 *
	 * @throws BadValue Where it has a post.
	 */
	private function take_over( Transaction $transaction, Settlement $settlement, Subject $subject, ?Lead $lead ): void {
		$row = $lead ? $transaction->rows( sprintf( 'SELECT * FROM `%s` WHERE tenant = %d AND object = %s AND id_hash = %s FOR UPDATE', Schema::table( 'records' ), $this->session->tenant->key, Sql::bytes( $this->session->job->object ), Sql::bytes( $lead->hash ) ) )[0] ?? null : null;
		if ( $row && null !== $row['post_id'] && (int) $row['post_id'] !== ( $subject->post->id ?? 0 ) ) {
			throw new BadValue( "post {$row['post_id']} is the same person, known to the CRM as \"{$row['crm_id']}\"; delete one of the two, or give it another {$this->session->rules->unique}" );
		}
		if ( $subject->row && ( $row['id'] ?? null ) !== $subject->row['id'] ) {
			$settlement->release( $subject->row );
		}
		// A tombstone's record that is there again begins anew.
		$subject->row = $row;
	}

	/**
	 * @param array<string, string|null> $change
	 * @return Subject|null Null: it was settled meanwhile, or is on its way.
	 * @throws BadValue
	 */
	private function subject( Transaction $transaction, PostWriter $posts, array $change, bool $is_sent = false ): ?Subject {
		$subject = Subject::lock( $transaction, $posts, null === $change['record'] ? array() : array( (int) $change['record'] ), array( (int) $change['post_id'] ) )[0] ?? null;
		if ( $subject && $subject->row && (int) $subject->row['tenant'] !== $this->session->tenant->key ) {
			throw new BadValue( 'its ledger row is another tenant\'s; nothing of it is exchanged' );
		}
		return $subject && $subject->change && $change['id'] === $subject->change['id'] && $subject->is_sent() === $is_sent ? $subject : null;
	}

	/** @param array<string, string|null> $change */
	private function failed( array $change, \TenantCRMSync\Exception $e ): void {
		$outcome = Remote::outcome( $e );
		$is_sent = null !== ( Sql::rows( 'SELECT sent_at FROM `' . Schema::table( 'changes' ) . "` WHERE id = {$change['id']}" )[0]['sent_at'] ?? null );
		if ( null !== $change['sent_at'] || ( $is_sent && 'unknown' === $outcome ) ) {
			$this->wait( $change, $e->getMessage(), self::settle_seconds(), null !== $change['sent_at'] );
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
	private function wait( array $change, string $reason, float $seconds, bool $counts ): void {
		$this->set( $change, sprintf( 'attempts = attempts + %d, reason = %s, available_at = UTC_TIMESTAMP(3) + INTERVAL %d MICROSECOND', (int) $counts, Sql::text( $reason ), (int) ceil( 1000000 * $seconds ) ), $reason );
	}

	/** It waits for a person, or for its next change. @param array<string, string|null> $change */
	private function refuse( array $change, string $reason ): void {
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
		Sql::change( Changes::update_sql( (int) $change['id'], $set ) );
	}

	private static function settle_seconds(): float {
		/** @param float $seconds After which a write that got no answer is looked for. Not below the timeout of a call. */
		return (float) apply_filters( 'tenant_crm_sync_settle_seconds', self::SETTLE );
	}
}
