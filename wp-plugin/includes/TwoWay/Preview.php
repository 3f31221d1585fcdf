<?php
/**
 * A dry run of the next sync of a tenant, in both directions: the changes that it would make, field by field, by which rule, and what it would
 * cost in requests. The CRM is only read; batches and pushes run through the code of the real sync, in transactions that are rolled back
 * (Trial). Bounded: what it did not look at, it says.
 *
 * Changes by direct SQL, which the sweep of a real push looks for, and posts that are not adopted yet are not foreseen.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\BadValue;
use TenantCRM\Cursors;
use TenantCRM\Fields;
use TenantCRM\Incoming;
use TenantCRM\Job;
use TenantCRM\Progress;
use TenantCRM\Privacy\Suppressions;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Store;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Preview {

	/** Pages that are read, and leads that are looked at one by one. */
	public const PAGES = 20;
	public const LEADS = 100;

	private readonly Trial $trial;
	private readonly Session $session;
	private readonly Fields $fields;
	private readonly Store $store;

	/** @var list<string> What was not looked at. */
	private array $limits = array();

	/** @var array<string, \TenantCRM\Lead> What the pull read, by id. */
	private array $read = array();

	private int $pages = 0;

	private function __construct( private readonly Tenant $tenant, private readonly string $object ) {
		// No row of the queue: nothing of it could be stored under its lease.
		$job           = new Job( 0, 0, $tenant->key, 'pull', $object, '', 0, 0, 0, 0, array() );
		$this->fields  = Fields::of( $tenant, $object );
		$this->trial   = new Trial( $tenant, $object, $this->fields );
		$this->session = new Session( $job, $tenant, $this->trial );
		$this->store   = new Store( $tenant, $job, $this->fields );
	}

	/**
	 * @param bool $full Everything, not only what changed since the last pull.
	 * @return array{tenant: string, complete: bool, limits: list<string>, requests: array{pages: int, reads: int, writes: int}, changes: list<array<string, mixed>>, notes: array<string, string>}
	 *         changes: side (crm, portal, both), action (create, update, delete, bin, restore, ask), record, post, field, from, to, rule.
	 * @throws \Exception Where the CRM or the database cannot be asked.
	 */
	public static function run( Tenant $tenant, bool $full = false, string $object = 'leads', int $pages = self::PAGES, int $leads = self::LEADS ): array {
		if ( $tenant->missing() ) {
			throw new \Exception( sprintf( 'Tenant "%s" cannot be synced yet, its connection lacks: %s.', $tenant->id, implode( ', ', $tenant->missing() ) ) );
		}
		$self = new self( $tenant, $object );
		$self->pull( $full, $pages );
		if ( $self->session->rules->is_two_way() ) {
			$self->push( $leads );
		}
		return array(
			'tenant'   => $tenant->id,
			'complete' => ! $self->limits,
			'limits'   => $self->limits,
			'requests' => array(
				'pages'  => $self->pages,
				'reads'  => $self->session->remote->reads + $self->trial->looks + (int) $self->trial->searches,
				'writes' => $self->trial->writes,
			),
			'changes'  => array_values( $self->trial->changes ),
			'notes'    => $self->trial->notes,
		);
	}

	private function pull( bool $full, int $most ): void {
		$options = array( 'fields' => $this->fields->crm_fields() );
		if ( null !== $this->tenant->page_size() ) {
			$options['page_size'] = $this->tenant->page_size();
		}
		$cursor = $full ? null : Cursors::read( $this->tenant->key, $this->object, $this->fields->hash() );
		foreach ( $this->session->remote->client()->pull( $this->object, $cursor, $options ) as $batch ) {
			++$this->pages;
			$incoming = new Incoming( $batch, $this->fields, Suppressions::of( $this->tenant->key, $this->object ) );
			foreach ( $incoming->refused as $refusal ) {
				$this->trial->notes[ (string) $refusal['id'] ] = $refusal['reason'];
			}
			foreach ( $incoming->items as $item ) {
				$lead                       = $incoming->lead( $item );
				$this->read[ $item['id'] ] = $lead;
				$this->trial->saw( $lead );
			}
			$this->batch( $incoming, array_values( $incoming->items ) );
			if ( $this->pages >= $most && ! $batch->is_last() ) {
				$this->limits[] = sprintf( 'Only the first %d pages (%d records) of the CRM were read.', $most, count( $this->read ) );
				return;
			}
		}
		if ( $full && Rules::BOTH === $this->session->rules->direction ) {
			$this->hint( "base IS NOT NULL AND hint = 0 AND id_hash NOT IN ('', " . implode( ',', array_map( static fn( string $id ): string => Sql::bytes( hash( 'sha256', $id, true ) ), array_map( 'strval', array_keys( $this->read ) ) ) ) . ')' );
		}
	}

	/** @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items */
	private function batch( Incoming $incoming, array $items ): void {
		try {
			$this->trial->run(
				function ( Transaction $transaction ) use ( $incoming, $items ): array {
					$progress = new Progress();
					$this->store->apply( $transaction, $incoming, $items, $progress );
					return array( null, $progress );
				},
				array_column( $items, 'hash' ),
				array()
			);
		} catch ( BadValue $e ) {
			if ( count( $items ) < 2 ) {
				$this->trial->notes[ $items[0]['id'] ?? '' ] = $e->getMessage();
				return;
			}
			foreach ( array_chunk( $items, (int) ceil( count( $items ) / 2 ) ) as $half ) {
				$this->batch( $incoming, $half );
			}
		}
	}

	private function push( int $most ): void {
		if ( '' !== (string) get_option( Home::OPTION, '' ) && ! Home::is_here() ) {
			$this->trial->notes[''] = 'The address of this site has changed: nothing is written to the CRM until a person says under Conflicts that it moved.';
			return;
		}
		$remote = $this->session->remote;
		$remote->know( $this->read );
		if ( ! $this->session->rules->is_mirror() && $remote->can( 'deleted' ) ) {
			foreach ( $remote->client()->pull_deleted( $this->object, Cursors::read( $this->tenant->key, 'deleted', $this->fields->hash() ) ) as $batch ) {
				++$this->pages;
				$ids = array_map( static fn( string $id ): string => Sql::bytes( hash( 'sha256', $id, true ) ), $batch->ids() );
				$ids && $this->hint( 'hint = 0 AND id_hash IN (' . implode( ',', $ids ) . ')' );
				if ( $this->pages >= 2 * self::PAGES ) {
					$this->limits[] = 'Not all that the CRM says of deleted records was read.';
					break;
				}
			}
		}
		$this->hint( 'hint IN (1, 2, 3)' );
		$looks = new Looks( $this->session );
		foreach ( $this->limited( array_values( $this->trial->hints ), $most, 'records that the CRM may have changed or deleted' ) as $id ) {
			$row = Sql::rows( 'SELECT id, crm_id, version, hint FROM `' . Schema::table( 'records' ) . "` WHERE id = $id" )[0] ?? null; // phpcs:ignore WordPress.DB.PreparedSQL -- an integer, see hint().
			if ( $row ) {
				$looks->look( $row, true );
				// One that is gone is looked at twice: first all of them, then those that may go to the bin.
				$this->trial->looks += (int) ( (int) $row['hint'] < Looks::MISSING && isset( $this->trial->changes[ "portal {$row['crm_id']}  bin" ] ) );
			}
		}
		$this->brake();
		Push::foresee( $this->session, $this->limited( Changes::due( $this->tenant->key, $this->object, $most + 1 ), $most, 'leads that changed in the portal' ) );
	}

	/** Records that would be read one by one. */
	private function hint( string $where ): void {
		foreach ( Sql::rows( sprintf( 'SELECT id FROM `%s` WHERE tenant = %d AND object = %s AND gone = 0 AND %s ORDER BY id', Schema::table( 'records' ), $this->tenant->key, Sql::bytes( $this->object ), $where ) ) as $row ) {
			$this->trial->hints[ (int) $row['id'] ] = (int) $row['id'];
		}
	}

	/**
	 * @param list<int> $ids
	 * @return list<int>
	 */
	private function limited( array $ids, int $most, string $what ): array {
		if ( count( $ids ) > $most ) {
			$this->limits[] = "Only the first $most $what were looked at.";
		}
		return array_slice( $ids, 0, $most );
	}

	/** Many leads at once do not go to the bin before a person says so. */
	private function brake(): void {
		$bins = array_filter( $this->trial->changes, static fn( array $change ): bool => 'bin' === $change['action'] );
		$all  = (int) Sql::rows( sprintf( 'SELECT COUNT(*) AS n FROM `%s` WHERE tenant = %d AND object = %s AND gone = 0 AND base IS NOT NULL', Schema::table( 'records' ), $this->tenant->key, Sql::bytes( $this->object ) ) )[0]['n'];
		if ( Brake::is_many( count( $bins ), $all ) ) {
			$this->trial->changes   = array_diff_key( $this->trial->changes, $bins );
			$this->trial->notes[''] = sprintf( 'The CRM has deleted %d of %d records: that many wait for a person under Conflicts.', count( $bins ), $all );
		}
	}
}
