<?php
/**
 * The one way in which anything of the CRM gets into the portal of a tenant that goes two ways: under locks, a record of the CRM, what the
 * post has and what both agreed on are merged; post, ledger and inbox are written in the same transaction. What the CRM must get is told to
 * the caller. The merge itself is the extension's.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\BadValue;
use TenantCRM\Fields;
use TenantCRM\Lead;
use TenantCRM\PostWriter;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Settlement {

	/** @var list<int> Posts. */
	public array $created = array();
	public array $updated = array();

	/** Ledger rows that were settled, whether or not their post was written, too. */
	public int $kept = 0;

	/** @var list<array{0: int, 1: string, 2: string, 3: array<string, mixed>}> Log entries. */
	public array $log = array();

	private readonly Records $records;
	private readonly Bin $bin;

	/** @var list<array{0: Lead, 1: array<string, string|null>|null}> Records that become posts. */
	private array $arrivals = array();

	/** @var list<array<string, string|null>>|null Changes of new leads that the records of a batch may be; null: there is no batch. */
	private ?array $expected = null;

	/** @var array<string, true> People of the batch who have a lead already. */
	private array $known = array();

	/** @var array<string, true> Ids of changes whose lead was given to a record in this transaction. */
	private array $given = array();

	/** @var list<string> Statements behind the ledger's. */
	private array $later = array();

	/** @param int $scan The run that reads everything, if this is one. */
	public function __construct( private readonly Transaction $transaction, private readonly Tenant $tenant, private readonly Fields $fields, private readonly Rules $rules, private readonly PostWriter $posts, int $scan = 0 ) {
		$this->records = new Records( $transaction, $tenant, $rules, $fields->hash(), $scan );
		$this->bin     = new Bin( $transaction );
	}

	/**
	 * @param Lead|null                 $lead    What the CRM has; null: it has no such record.
	 * @param array<string, mixed>|null $sent    A write that is settled by this.
	 * @param string|null               $outcome answered, done or unknown.
	 * @throws BadValue
	 */
	public function settle( Subject $subject, ?Lead $lead, ?array $sent = null, ?string $outcome = null ): Settled {
		$row    = $subject->row;
		$base   = null === $row || null === $row['base'] ? null : (array) json_decode( $row['base'], true );
		$crm    = null === $lead ? null : (array) json_decode( $lead->base, true );
		if ( 'answered' === $outcome && $crm ) {
			// Of what the portal does not map an answer may leave things out: they are what they were.
			foreach ( array_diff_key( (array) $base, $this->fields->map() ) as $field => $value ) {
				$crm[ $field ] ??= $value;
			}
		}
		$portal = null;
		if ( $subject->is_present() ) {
			if ( $lead && $row && null !== $row['mapping'] && $this->fields->hash() !== $row['mapping'] ) {
				// What the post has was agreed on under another mapping: it says nothing of this one.
				$base = null;
			}
			$portal = Projection::portal( $this->fields, $subject->post, $base, $crm );
		}
		if ( $row && ( ( 3 === (int) $row['gone'] && $portal && ! $crm ) || ( 2 === (int) $row['gone'] && ! $portal ) ) ) {
			// As somebody wanted it.
			$this->records->put( $row, $lead, array( 'hint' => '0' ) );
			return new Settled();
		}
		$merge = $this->merge( $subject, $lead, $base, $crm, $portal, $sent, $outcome );
		if ( null === $crm && null === $portal ) {
			$this->end( $subject, 1 );
			return new Settled();
		}
		if ( 'portal' === $merge['delete'] ) {
			return $this->gone_in_crm( $subject );
		}
		$decision = $subject->change['decision'] ?? null;
		if ( 'crm' === $merge['delete'] && 'crm' === $decision ) {
			// Somebody wants it back: as if the portal had never had it.
			$merge = $this->merge( $subject, $lead, null, $crm, null, null, null );
		} elseif ( 'crm' === $merge['delete'] && 'portal' !== $decision ) {
			$policy = 'keep' === $decision ? $decision : $this->rules->get( 'portal_deletes' );
			if ( 'keep' === $policy ) {
				$this->end( $subject, 2, $lead );
				return new Settled();
			}
			if ( 'ask' === $policy ) {
				$merge['delete']    = null;
				$merge['base']      = $base ?? $merge['base'];
				$merge['conflicts'] = array( array( 'field' => null, 'base' => $merge['base'], 'crm' => $crm, 'portal' => null, 'reason' => 'deleted in the portal' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			}
		}
		if ( null === $crm ) {
			return $this->only_portal( $subject, $merge );
		}
		if ( null === $portal ) {
			return $this->only_crm( $subject, $lead, $merge, $base, $crm );
		}
		$this->write( $subject, $lead, $merge, $crm );
		$this->keep( $subject, $lead, $merge, $crm, $sent );
		return new Settled( $merge['to_crm'] );
	}

	/**
	 * Looks for the leads that records of a list may be, for all of them at once; arrive() does it for one that was read by its id. A list
	 * shows records that are gone, so one of a person who has a lead already is read again first.
	 *
	 * @param list<Lead> $leads
	 */
	public function expect( array $leads ): void {
		$hashes         = array_values( array_unique( array_filter( array_map( array( $this, 'person' ), $leads ) ) ) );
		$this->expected = $leads ? $this->records->candidates( $hashes ) : array();
		$this->known    = $this->records->known( $hashes );
	}

	private function person( Lead $lead ): ?string {
		return $this->rules->unique_hash( json_decode( $lead->base, true )[ $this->rules->unique ] ?? null );
	}

	/**
	 * A record that the ledger does not know, or knows without a post: it is given to the new lead of the portal that is the same person, or
	 * becomes a post.
	 *
	 * @param array<string, string|null>|null $row Its ledger row, locked.
	 */
	public function arrive( Lead $lead, ?array $row ): void {
		$person = $this->person( $lead );
		foreach ( $this->expected ?? $this->records->candidates( array_filter( array( $person ) ) ) as $change ) {
			if ( null !== $change['unique_hash'] && $person !== $change['unique_hash'] ) {
				continue;
			}
			if ( null !== $change['sent_at'] && ( null !== $change['unique_hash'] || Remote::is_same( (array) json_decode( (string) $change['sent'], true ), (array) json_decode( $lead->base, true ) ) ) ) {
				// It may be the record that is being made of this lead just now: whoever sent it finds out.
				$this->records->put( $row, $lead, array( 'hint' => '1' ) );
				return;
			}
			if ( null === $change['unique_hash'] || isset( $this->given[ $change['id'] ] ) ) {
				continue;
			}
			$subject = Subject::lock( $this->transaction, $this->posts, array(), array( (int) $change['post_id'] ) )[0] ?? null;
			if ( ! $subject || $subject->row || ! $subject->is_present() || ! $subject->is_of( $this->tenant->id ) ) {
				continue;
			}
			$this->given[ $change['id'] ] = true;
			$subject->row                 = $row;
			$settled                      = $this->settle( $subject, $lead );
			$this->later[]                = $settled->is_dirty()
				? Changes::update_sql( (int) $change['id'], 'record = (SELECT id FROM `' . Schema::table( 'records' ) . "` WHERE post_id = {$change['post_id']}), available_at = UTC_TIMESTAMP(3)" )
				: Changes::delete_sql( (int) $change['id'] );
			return;
		}
		if ( null !== $person && isset( $this->known[ $person ] ) ) {
			$this->records->put( $row, $lead, array( 'hint' => '1' ) );
			return;
		}
		if ( $this->rules->is_mirror() ) {
			$this->records->put( $row, $lead, array( 'gone' => '2', 'hint' => '0' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			++$this->kept;
			return;
		}
		$this->arrivals[] = array( $lead, $row );
	}

	/** Writes everything that was settled. */
	public function flush(): void {
		$this->posts->flush();
		$this->bin->flush();
		if ( $this->arrivals ) {
			$ids = $this->posts->insert( array_column( $this->arrivals, 0 ) );
			foreach ( $this->arrivals as $number => list( $lead, $row ) ) {
				$this->records->put( $row, $lead, array( 'post_id' => (string) $ids[ $number ], 'base' => $lead->base, 'origins' => Origins::arrived( $lead ), 'gone' => '0', 'hint' => '0' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				$this->created[] = $ids[ $number ];
			}
			$this->arrivals = array();
		}
		$this->records->flush();
		foreach ( $this->later as $sql ) {
			$this->transaction->query( $sql );
		}
		$this->later = array();
	}

	/** A statement for when everything else is written. */
	public function then( string $sql ): void {
		$this->later[] = $sql;
	}

	/**
	 * Takes the post from the row of a record that is gone: it gets another.
	 *
	 * @param array<string, string|null> $row
	 */
	public function release( array $row ): void {
		$this->transaction->query( 'UPDATE `' . Schema::table( 'records' ) . '` SET post_id = NULL, version = version + 1 WHERE id = ' . (int) $row['id'] );
		$this->transaction->query( 'UPDATE `' . Schema::table( 'changes' ) . '` SET record = NULL WHERE record = ' . (int) $row['id'] );
	}

	/** @return array<string, mixed> As \TenantCRMSync::merge() gives it. */
	private function merge( Subject $subject, ?Lead $lead, ?array $base, ?array $crm, ?array $portal, ?array $sent, ?string $outcome ): array {
		$options = $this->rules->options( array_filter( $subject->asked, 'strlen' ), (array) $crm + (array) $portal + (array) $base );
		if ( $lead && '' !== $lead->revision ) {
			$options['crm_updated_at'] = $lead->revision;
		}
		$times = FieldTimes::read( $subject->change['times'] ?? null, $this->fields );
		if ( $times ) {
			$options['portal_updated_at'] = $times;
		}
		$decision = $subject->change['decision'] ?? null;
		if ( ( 'crm' === $decision && $crm ) || ( 'portal' === $decision && $portal ) ) {
			$options['delete'] = $decision;
		}
		if ( null !== $sent ) {
			$options['sent']    = $sent;
			$options['outcome'] = $outcome;
		}
		try {
			$merge = \TenantCRMSync::merge( $base, $this->rules->is_mirror() ? self::mirrored( $base, $crm, $portal ) : $crm, $portal, $options );
		} catch ( \TenantCRMSync\Exception $e ) {
			throw new BadValue( $e->getMessage(), 0, $e );
		}
		if ( $this->rules->is_mirror() && $portal ) {
			// What does not come in is not agreed on either: else the portal would seem to have emptied it.
			$merge['base']      = array_intersect_key( $portal, $merge['to_portal'] ) + array_diff_key( (array) $merge['base'], $merge['to_portal'] );
			$merge['to_portal'] = array();
		}
		return $merge;
	}

	/** What the CRM has of the fields that the portal changed; of the others it is not asked. */
	private static function mirrored( ?array $base, ?array $crm, ?array $portal ): ?array {
		foreach ( null === $base || null === $portal ? array() : (array) $crm as $field => $value ) {
			if ( array_key_exists( $field, $base ) && ( ! array_key_exists( $field, $portal ) || Projection::canonical( $portal[ $field ] ) === Projection::canonical( $base[ $field ] ) ) ) {
				$crm[ $field ] = $base[ $field ];
			}
		}
		return $crm;
	}

	/** The record was deleted in the CRM, and nobody has changed the lead. */
	private function gone_in_crm( Subject $subject ): Settled {
		$is_kept = ! $this->rules->is_mirror() && 'keep' === $this->rules->get( 'crm_deletes' );
		if ( ! $is_kept && ! $this->rules->is_mirror() && $subject->post ) {
			$this->bin->put( $subject->post );
			$this->updated[] = $subject->post->id;
		}
		$this->end( $subject, $is_kept ? 3 : 1 );
		return new Settled();
	}

	/** @param array<string, mixed> $merge */
	private function only_portal( Subject $subject, array $merge ): Settled {
		if ( ! $subject->row ) {
			return new Settled( $merge['to_crm'] );
		}
		if ( $merge['conflicts'] ) {
			$this->records->put( $subject->row, null, array( 'hint' => '0' ) );
			$this->ask( $subject, $subject->row['id_hash'], '', $merge['conflicts'] );
			return new Settled();
		}
		$this->end( $subject, 1 );
		return new Settled( array(), false, (bool) $merge['to_crm'] );
	}

	/**
	 * @param array<string, mixed>      $merge
	 * @param array<string, mixed>|null $base
	 * @param array<string, mixed>      $crm
	 */
	private function only_crm( Subject $subject, Lead $lead, array $merge, ?array $base, array $crm ): Settled {
		$row = $subject->row;
		if ( 'crm' === $merge['delete'] ) {
			$this->records->put( $row, $lead, array( 'base' => Records::json( $merge['base'] ), 'hint' => '0' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			return new Settled( array(), true );
		}
		if ( $merge['conflicts'] ) {
			$this->records->put( $row, $lead, array( 'base' => Records::json( $merge['base'] ), 'hint' => '0' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$this->ask( $subject, $lead->hash, $lead->revision, $merge['conflicts'] );
			return new Settled();
		}
		if ( $subject->post && 'trash' === $subject->post->status && $row ) {
			// Out of the bin, where it may have kept what nobody sent.
			$merge = $this->merge( $subject, $lead, $base, $crm, Projection::portal( $this->fields, $subject->post, $base, $crm ), null, null );
			$this->bin->restore( $subject->post );
			$this->write( $subject, $lead, $merge, $crm );
			$this->keep( $subject, $lead, $merge, $crm );
			$this->updated[] = $subject->post->id;
			return new Settled( $merge['to_crm'] );
		}
		$this->close( $subject, array() );
		$this->arrive( $lead, $row );
		return new Settled();
	}

	/**
	 * @param array<string, mixed> $merge
	 * @param array<string, mixed> $crm
	 */
	private function write( Subject $subject, Lead $lead, array $merge, array $crm ): void {
		$post  = $subject->post;
		$has   = $post->first_meta();
		$form  = $this->fields->portal( $merge['record'] + $crm );
		$title = null;
		$meta  = ( $has['crm_lead_id'] ?? null ) === $lead->id ? array() : array( 'crm_lead_id' => $lead->id );
		foreach ( array_intersect_key( $this->fields->map(), $merge['to_portal'] ) as $target ) {
			if ( 'title' === $target ) {
				$title = $form['title'] === $post->title ? null : $form['title'];
			} elseif ( ( $has[ $target ] ?? null ) !== $form['meta'][ $target ] ) {
				$meta[ $target ] = $form['meta'][ $target ];
			}
		}
		if ( null !== $title || $meta ) {
			$this->posts->write( $post, $title, $meta );
			$this->updated[] = $post->id;
		}
	}

	/**
	 * @param array<string, mixed> $merge
	 * @param array<string, mixed> $crm
	 */
	private function keep( Subject $subject, Lead $lead, array $merge, array $crm, ?array $sent = null ): void {
		$this->records->put(
			$subject->row,
			$lead,
			array(
				'post_id' => (string) $subject->post->id,
				'base'    => Records::json( $merge['base'] ),
				'origins' => Origins::merged( $subject->row['origins'] ?? null, $merge, $subject, $lead, $sent ),
				'gone'    => '0',
				'hint'    => '0',
			) + Records::projection( $merge['record'] + $crm )
		);
		$this->ask( $subject, $lead->hash, $lead->revision, $merge['conflicts'] );
		++$this->kept;
	}

	/**
	 * Nobody expects this record on both sides any more. Where one side keeps it, what was agreed on stays known, for the day on which it is
	 * on both again; not where the lead is gone for good.
	 *
	 * @param Lead|null $lead What it is, where the ledger does not know it yet.
	 */
	private function end( Subject $subject, int $gone, ?Lead $lead = null ): void {
		if ( $subject->row || $lead ) {
			$this->records->put( $subject->row, $subject->row ? null : $lead, ( 1 === $gone || ! $subject->post ? array( 'base' => null ) : array() ) + array( 'seen' => null, 'gone' => (string) $gone, 'hint' => '0' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			++$this->kept;
		}
		$this->close( $subject, array() );
	}

	/** @param list<array<string, mixed>> $conflicts */
	private function ask( Subject $subject, string $id_hash, string $revision, array $conflicts ): void {
		foreach ( $conflicts as $conflict ) {
			$this->later[] = Conflicts::ask_sql( $this->tenant->key, $this->rules->object, $id_hash, $subject, $conflict, $revision );
		}
		$this->close( $subject, array_map( static fn( array $conflict ): string => (string) $conflict['field'], $conflicts ) );
	}

	/** @param list<string> $but Fields that are asked still. */
	private function close( Subject $subject, array $but ): void {
		if ( $subject->row && array_diff( $subject->asked, $but ) ) {
			$this->later[] = Conflicts::close_sql( (int) $subject->row['id'], array_values( array_diff( $subject->asked, $but ) ) );
		}
	}
}
