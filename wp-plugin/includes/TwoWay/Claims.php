<?php
/**
 * What of a noted change is to be pushed, read under locks: the lead, what the ledger knows of it, and who it is. Two leads of one person
 * are refused here.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\BadValue;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Transaction;

final class Claims {

	public function __construct( private readonly Session $session ) {
	}

	public static function other_tenant( StoredPost $post ): string {
		return sprintf( 'its post %d says that it belongs to another tenant (_tenant_id); nothing of it is exchanged until that is put right', $post->id );
	}

	/**
	 * What is there to be pushed.
	 *
	 * @param array<string, string|null> $change
	 * @return array{0: array<string, string|null>|null, 1: string|null}|null Its ledger row, and by what a new lead is known; null: nothing.
	 */
	public function claim( Transaction $transaction, PostWriter $posts, array $change ): ?array {
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
	 * Gives a lead that has no living record the ledger row of this one.
	 *
	 * @throws BadValue Where it has a post.
	 */
	public function take_over( Transaction $transaction, Settlement $settlement, Subject $subject, ?Lead $lead ): void {
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
	public function subject( Transaction $transaction, PostWriter $posts, array $change, bool $is_sent = false ): ?Subject {
		$subject = Subject::lock( $transaction, $posts, null === $change['record'] ? array() : array( (int) $change['record'] ), array( (int) $change['post_id'] ) )[0] ?? null;
		if ( $subject && $subject->row && (int) $subject->row['tenant'] !== $this->session->tenant->key ) {
			throw new BadValue( 'its ledger row is another tenant\'s; nothing of it is exchanged' );
		}
		return $subject && $subject->change && $change['id'] === $subject->change['id'] && $subject->is_sent() === $is_sent ? $subject : null;
	}
}
