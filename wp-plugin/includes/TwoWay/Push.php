<?php
/**
 * The job that brings changes of the portal to the CRM, one lead after the other: look at the record, settle, note what is sent, send it
 * once. What there is to be pushed is Claims' business, what comes of it that of Outcomes. A lead that fails holds up no other.
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
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\TenantChanged;
use TenantCRM\Tenants;
use TenantCRM\Transaction;

final class Push {

	/** Seconds of one slice: the pulls of the same worker wait for it. */
	private const SECONDS = 5.0;

	/** Seconds for which a list that was read answers who is in the CRM. */
	private const FRESH = 2.0;

	private readonly Claims $claims;
	private readonly Outcomes $outcomes;

	/** The lead that was settled last. */
	private ?Subject $seen = null;

	private function __construct( private readonly Session $session ) {
		$this->claims   = new Claims( $session );
		$this->outcomes = new Outcomes( $session, $this->claims );
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
			null === $change['sent_at'] ? $this->push( $change ) : $this->outcomes->recover( $change );
			$this->outcomes->is_well();
		} catch ( BadValue $e ) {
			$this->outcomes->refuse( $change, $e->getMessage() );
		} catch ( \TenantCRMSync\Exception $e ) {
			$this->outcomes->failed( $change, $e );
		}
	}

	/** @param array<string, string|null> $change */
	private function push( array $change ): void {
		$session = $this->session;
		$before  = $session->transact( fn( Transaction $transaction, Settlement $settlement, PostWriter $posts ) => $this->claims->claim( $transaction, $posts, $change ) );
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
			$found = $session->remote->find( $person, microtime( true ) - self::FRESH );
			if ( null === $found ) {
				$this->outcomes->wait( $change, 'The CRM has not been read yet: whether it knows this person is looked up first.', 60, false );
				$session->trial || Jobs::enqueue( $session->tenant->key, 'pull', $session->job->object );
				return;
			}
			if ( count( $found ) > 1 ) {
				$this->outcomes->refuse( $change, sprintf( 'the CRM has several records of this person (%s): %s; merge them there, or give the lead another', $session->rules->unique, implode( ', ', array_keys( $found ) ) ) );
				return;
			}
			$lead = $found ? reset( $found ) : null;
		}
		$session->step( 'settle' );
		$session->trial?->saw( $lead );
		$noted = self::clocks();
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
		if ( max( array_map( static fn( float $now, float $then ): float => $now - $then, self::clocks(), $noted ) ) > Outcomes::claim_seconds() ) {
			// This process was asleep: somebody may look already for what it did not send.
			$this->outcomes->unsent( $change );
			return;
		}
		list( $now, $outcome ) = $session->remote->write( $verb, $id, $data );
		$session->step( 'sent' );
		if ( 'delete' !== $verb && ! $now ) {
			// The answer names no record: as if there had been none.
			$this->outcomes->wait( $change, 'The CRM did not say which record it made; it is looked for.', $this->outcomes->settle_seconds(), false );
			return;
		}
		// A lead that becomes a new record was taken from the row of the old one before it was sent.
		$this->outcomes->settle( 'create' === $verb ? array( 'record' => null ) + $change : $change, $verb, $data, $now, $outcome );
		$session->step( 'done' );
	}

	/**
	 * Settles with what was seen, and notes what is to be sent.
	 *
	 * @param array<string, string|null>      $change
	 * @param array<string, string|null>|null $before The ledger row as it was before the look.
	 * @return array{0: string, 1: string, 2: array<string, mixed>}|null Verb, id and fields.
	 */
	private function settle( Transaction $transaction, Settlement $settlement, PostWriter $posts, Progress $progress, array $change, ?array $before, ?Lead $lead ): ?array {
		$subject = $this->claims->subject( $transaction, $posts, $change );
		if ( ! $subject || ( $before['version'] ?? null ) !== ( $subject->row['version'] ?? null ) || ! $subject->is_of( $this->session->tenant->id ) ) {
			// Somebody else has settled it since the look: again.
			return null;
		}
		$id = (int) $change['id'];
		if ( ! $subject->row || 1 === (int) $subject->row['gone'] ) {
			$this->claims->take_over( $transaction, $settlement, $subject, $lead );
		}
		$this->seen = $subject;
		$settled    = $settlement->settle( $subject, $lead );
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
		$settlement->then( $settled->is_dirty() ? Changes::update_sql( $id, 'available_at = UTC_TIMESTAMP(3)' ) : Changes::delete_sql( $id ) );
		return null;
	}

	/** @return array{0: float, 1: float} One that people set, and one that stands still while the machine sleeps. */
	private static function clocks(): array {
		return array( microtime( true ), hrtime( true ) / 1e9 );
	}
}
