<?php
/**
 * Plays a schedule: does what its actions say to whoever is there, and writes down what that means for the judge.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Player {

	public readonly History $history;

	/** @var list<Tenant> */
	public array $tenants = array();

	/** @var list<Webhooks|null> */
	private array $webhooks = array();

	/** @var list<string> What was really done, for people. */
	public array $notes = array();

	/** @var list<string> What is wrong in the end. */
	public array $faults = array();

	private int $people = 0;

	public function __construct( public readonly Schedule $schedule ) {
		$this->history = new History();
		foreach ( $schedule->tenants as $number => $tenant ) {
			Crm::tenant( $tenant['id'], $tenant['crm'] );
			$this->tenants[]  = Tenants::save( array( 'id' => $tenant['id'], 'connector' => $tenant['dialect'], 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => "key-of-{$tenant['id']}", 'settings' => $tenant['settings'] + ( 'rest' === $tenant['dialect'] ? Webhooks::settings() : array() ) ) );
			$this->webhooks[] = 'rest' === $tenant['dialect'] ? Webhooks::of( $this->tenants[ $number ] ) : null;
			for ( $person = 0; $person < $tenant['people']; $person++ ) {
				$this->crm_create( $number, $this->person( $number ) );
			}
		}
	}

	public function play( array $action ): void {
		$this->notes[] = json_encode( $action );
		match ( $action['what'] ) {
			'portal edit'    => $this->portal_edit( $action ),
			'portal swap'    => $this->portal_swap( $action ),
			'portal create'  => $this->portal_create( $action, $this->person( $action['tenant'] ) ),
			'portal touch'   => $this->on_lead( $action, static fn( array $lead ) => Portal::touch( $lead['id'] ) ),
			'portal trash'   => $this->on_lead( $action, fn( array $lead ) => $this->portal_delete( $action['tenant'], $lead, static fn() => wp_trash_post( $lead['id'] ) ) ),
			'portal delete'  => $this->on_lead( $action, fn( array $lead ) => $this->portal_delete( $action['tenant'], $lead, static fn() => wp_delete_post( $lead['id'], true ) ) ),
			'portal untrash' => $this->portal_untrash( $action ),
			'crm edit'       => $this->crm_edit( $action ),
			'crm touch'      => $this->on_row( $action, fn( array $row ) => Crm::put( $this->tenants[ $action['tenant'] ]->id, $row ) ),
			'crm create'     => $this->crm_create( $action['tenant'], $this->person( $action['tenant'] ) ),
			'crm delete'     => $this->crm_delete( $action ),
			'both create'    => $this->both_create( $action ),
			'both edit'      => $this->both_edit( $action ),
			'portal tag'     => $this->on_lead( $action, fn( array $lead ) => $this->tag_lead( $action, $lead ) ),
			'crm tag'        => $this->on_row( $action, fn( array $row ) => $this->tag_row( $action, $row ) ),
			'webhook'        => $this->webhook( $action ),
			'fault'          => Crm::faults( $this->tenants[ $action['tenant'] ]->id, array( Crm::fault( $action ) ) ),
			'decide'         => $this->decide( $action['tenant'], 1 ),
		};
	}

	/** Has a tenant's jobs queued, or worked by one that is killed. @param array<string, mixed> $work */
	public function work( int $number, array $work ): void {
		$key        = $this->tenants[ $number ]->key;
		$is_two_way = 'from_crm' !== $this->schedule->tenants[ $number ]['direction'];
		if ( isset( $work['kill'] ) && ( $is_two_way || 'pull' === $work['kill'][0] ) ) {
			Workers::killed( $key, ...$work['kill'] );
		}
		Workers::enqueue( $key, $is_two_way, $work );
	}

	/** What there is now, for people. */
	public function look( string $when ): void {
		global $wpdb;
		foreach ( $this->tenants as $tenant ) {
			$this->notes[] = "$when: {$tenant->id}:";
			foreach ( Portal::leads( $tenant->id ) as $lead ) {
				$this->notes[] = '  post   ' . json_encode( $lead, JSON_UNESCAPED_UNICODE );
			}
			foreach ( Crm::rows( $tenant->id ) as $row ) {
				$this->notes[] = '  row    ' . json_encode( array_intersect_key( $row, array_flip( array( 'id', 'name', 'email', 'phone', 'updated_at' ) ) ), JSON_UNESCAPED_UNICODE );
			}
			foreach ( $wpdb->get_results( 'SELECT * FROM `' . Schema::table( 'records' ) . "` WHERE tenant = {$tenant->key}", ARRAY_A ) as $row ) {
				$this->notes[] = '  ledger ' . json_encode( array_intersect_key( $row, array_flip( array( 'id', 'crm_id', 'post_id', 'base', 'crm_revision', 'version', 'hint', 'gone' ) ) ), JSON_UNESCAPED_UNICODE );
			}
			foreach ( Workers::left( array( $tenant->key ) ) as $left ) {
				$this->notes[] = "  $left";
			}
			foreach ( Crm::seen( $tenant->id ) as $request ) {
				$this->notes[] = "  asked  $request";
			}
		}
	}

	/** A round begins: late webhooks come, in whatever order. */
	public function deliver( bool $all = false ): void {
		foreach ( $this->webhooks as $webhooks ) {
			$webhooks?->deliver( $all );
		}
	}

	/** What CRMs do to values by themselves, a moment after they were written: telephone numbers as E.164, addresses in small letters. @return list<int> Tenants. */
	public function rewrite(): array {
		$tenants = array();
		foreach ( $this->schedule->tenants as $number => $tenant ) {
			foreach ( $tenant['rewrites'] ? Crm::rows( $tenant['id'] ) : array() as $row ) {
				$own = array( 'phone' => str_replace( ' ', '', (string) $row['phone'] ), 'email' => strtolower( (string) $row['email'] ) );
				if ( array_diff_assoc( $own, $row ) ) {
					$this->notes[] = "row {$row['id']}: in the CRM's own form";
					Crm::put( $tenant['id'], $own + $row );
					$tenants[] = $this->tenants[ $number ]->key;
				}
			}
		}
		return $tenants;
	}

	/** Somebody looks into the inbox. */
	public function decide( int $number, int $most = 100 ): int {
		$tenant = $this->tenants[ $number ];
		$taken  = 0;
		foreach ( array_slice( TenantCRM\TwoWay\Conflicts::list( array( 'tenants' => array( $tenant->key ), 'state' => 'open' ) ), 0, $most ) as $conflict ) {
			$decide = $this->schedule->tenants[ $number ]['decide'];
			$side   = 'either' === $decide ? ( ( strlen( json_encode( $conflict['crm'] ) ) + strlen( json_encode( $conflict['portal'] ) ) ) % 2 ? 'crm' : 'portal' ) : $decide;
			$result = TenantCRM\TwoWay\Decisions::take( $conflict['id'], $side );
			$this->notes[] = "conflict {$conflict['kind']} {$conflict['field']} crm " . json_encode( $conflict['crm'] ) . ' portal ' . json_encode( $conflict['portal'] ) . ": $side: $result";
			if ( 'taken' !== $result ) {
				continue;
			}
			++$taken;
			if ( 'field' === $conflict['kind'] ) {
				$this->history->decisions[] = array( $conflict['field'], Value::edit( $conflict[ $side ] ), Value::edit( $conflict[ 'crm' === $side ? 'portal' : 'crm' ] ) );
			} else {
				foreach ( array( 'base', 'crm', 'portal' ) as $part ) {
					$person = Value::person( (array) $conflict[ $part ] );
					if ( null !== $person ) {
						$this->history->asked[ $person ] = true;
					}
				}
			}
		}
		wp_cache_flush();
		return $taken;
	}

	private function person( int $number ): string {
		return $this->schedule->tenants[ $number ]['id'] . 'p' . ++$this->people;
	}

	/** @param array<string, mixed> $record What its editor sees. @param list<string> $fields @return array<string, string> */
	private function values( string $side, string $person, array $record, array $fields ): array {
		$values = array();
		foreach ( $fields as $field ) {
			$values[ $field ] = Value::of( $person, $field, $this->history->edit( $side, $person, $field, Value::edit( $record[ $field ] ?? null ) ) );
		}
		return $values;
	}

	/**
	 * Fields that may be edited: whoever the other side made, too, is known by the e-mail address alone until the two have met.
	 *
	 * @param list<string> $fields
	 * @return list<string>
	 */
	private function fields( array $fields, string $person, string $other_side, bool $is_linked ): array {
		return $is_linked || ! $this->history->is_created( $person, $other_side ) ? $fields : array_values( array_diff( $fields, array( 'email' ) ) );
	}

	/** @param callable(array<string, mixed>): void $do */
	private function on_lead( array $action, callable $do ): void {
		$leads = array_filter( Portal::leads( $this->tenants[ $action['tenant'] ]->id ), static fn( array $lead ): bool => 'trash' !== $lead['status'] && null !== Value::person( $lead ) );
		if ( $leads ) {
			$do( array_values( $leads )[ $action['person'] % count( $leads ) ] );
		}
	}

	/** @param callable(array<string, mixed>): void $do */
	private function on_row( array $action, callable $do ): void {
		$rows = Crm::rows( $this->tenants[ $action['tenant'] ]->id );
		uasort( $rows, static fn( array $a, array $b ): int => strnatcmp( (string) $a['email'], (string) $b['email'] ) );
		if ( $rows ) {
			$do( array_values( $rows )[ $action['person'] % count( $rows ) ] );
		}
	}

	private function portal_edit( array $action ): void {
		$this->on_lead( $action, fn( array $lead ) => $this->edit_lead( $action, $lead ) );
	}

	/** While workers are at it. */
	private function portal_swap( array $action ): void {
		$this->on_lead(
			$action,
			function ( array $lead ) use ( $action ): void {
				$person = (string) Value::person( $lead );
				foreach ( $this->fields( array_slice( $action['fields'], 0, 1 ), $person, 'crm', '' !== (string) $lead['crm_lead_id'] ) as $field ) {
					$values        = $this->values( 'portal', $person, $lead, array( $field ) );
					$is_done       = isset( $lead[ $field ] ) && Portal::swap( $lead, $field, $values[ $field ] );
					$this->notes[] = "post {$lead['id']}: " . json_encode( $values, JSON_UNESCAPED_UNICODE ) . ( $is_done ? '' : ': too late' );
					if ( ! $is_done ) {
						$this->history->forget( Value::edit( $values[ $field ] ) );
					}
				}
			}
		);
	}

	private function edit_lead( array $action, array $lead ): void {
		$tenant = $this->tenants[ $action['tenant'] ];
		$person = (string) Value::person( $lead );
		$values = $this->values( 'portal', $person, $lead, $this->fields( $action['fields'], $person, 'crm', '' !== (string) $lead['crm_lead_id'] ) );
		$known = json_decode( $this->record( $lead['id'] )['base'] ?? '', true )['email'] ?? null;
		if ( 'push' === $action['way'] && ( isset( $values['email'] ) || null === $known || $known !== $lead['email'] || 'from_crm' === $this->schedule->tenants[ $action['tenant'] ]['direction'] ) ) {
			// Forms know people by the e-mail address that both sides agree on, and are for those whose leads go to the CRM.
			$action['way'] = 'api';
		}
		$this->notes[] = "post {$lead['id']}: " . json_encode( $values, JSON_UNESCAPED_UNICODE );
		if ( 'killed' !== $action['way'] ) {
			Portal::edit( $tenant, $lead, $values, $action['way'] );
			return;
		}
		Child::start( static fn() => Portal::edit( $tenant, $lead, $values, 'api' ), $action['kill'] )->wait();
		wp_cache_flush();
		$this->forget_undone( $values, Portal::leads( $tenant->id )[ $lead['id'] ] ?? array() );
	}

	/** @param array<string, string> $values @param array<string, mixed> $lead What the portal has now. */
	private function forget_undone( array $values, array $lead ): void {
		foreach ( $values as $field => $value ) {
			if ( Value::edit( $lead[ $field ] ?? null ) !== Value::edit( $value ) ) {
				$this->history->forget( Value::edit( $value ) );
				$this->notes[] = "killed before $value";
			}
		}
	}

	/** @param array<string, string>|null $values */
	private function portal_create( array $action, string $person, ?array $values = null ): void {
		$tenant = $this->tenants[ $action['tenant'] ];
		$way    = $action['way'];
		$values ??= $this->values( 'portal', $person, array(), Schedule::FIELDS );
		if ( 'killed' !== $way ) {
			Portal::create( $tenant, $values, $way );
			return;
		}
		$before = Portal::leads( $tenant->id );
		Child::start( static fn() => Portal::create( $tenant, $values, 'at once' ), $action['kill'] )->wait();
		wp_cache_flush();
		$new = array_diff_key( Portal::leads( $tenant->id ), $before );
		$this->forget_undone( $values, $new ? reset( $new ) : array() );
	}

	private function portal_delete( int $number, array $lead, callable $delete ): void {
		$record = $this->record( $lead['id'] );
		$this->history->delete( 'portal', (string) Value::person( $lead ), Value::edits( $lead ), null !== $record, false );
		$delete();
	}

	/** Not where the CRM has brought the same person meanwhile: that would be two. */
	private function portal_untrash( array $action ): void {
		$leads  = array_filter( Portal::leads( $this->tenants[ $action['tenant'] ]->id ), static fn( array $lead ): bool => null !== Value::person( $lead ) );
		$alive  = array_map( array( Value::class, 'person' ), array_filter( $leads, static fn( array $lead ): bool => 'trash' !== $lead['status'] ) );
		$binned = array_filter( $leads, static fn( array $lead ): bool => 'trash' === $lead['status'] && ! in_array( Value::person( $lead ), $alive, true ) );
		if ( $binned ) {
			$lead = array_values( $binned )[ $action['person'] % count( $binned ) ];
			$this->history->undelete( (string) Value::person( $lead ) );
			wp_untrash_post( $lead['id'] );
		}
	}

	private function crm_edit( array $action ): void {
		$this->on_row( $action, fn( array $row ) => $this->edit_row( $action, $row ) );
	}

	private function edit_row( array $action, array $row ): void {
		$tenant = $this->tenants[ $action['tenant'] ];
		$person = (string) Value::person( $row );
		$is_met = null !== ( $this->record( null, (string) $row['id'], $tenant->key )['post_id'] ?? null );
		$fields = $this->fields( $action['fields'], $person, 'portal', $is_met );
		if ( ! $is_met && $this->is_on_its_way( null, (string) $row['id'], $tenant->key ) ) {
			// It may be what is being made just now, of which nobody knows more than the address that was sent; or where none was, all that was sent.
			$fields = isset( $row['email'] ) ? array_values( array_diff( $fields, array( 'email' ) ) ) : array();
		}
		$values = $this->values( 'crm', $person, $row, $fields );
		foreach ( $values as $value ) {
			if ( $this->is_on_its_way( null, (string) $row['id'], $tenant->key ) ) {
				$this->history->blind[ Value::edit( $value ) ] = true;
			}
		}
		$this->notes[] = "row {$row['id']}: " . json_encode( $values, JSON_UNESCAPED_UNICODE );
		Crm::put( $tenant->id, $values + $row );
	}

	private function crm_create( int $number, string $person, ?array $values = null ): void {
		Crm::put( $this->tenants[ $number ]->id, ( $values ?? $this->values( 'crm', $person, array(), Schedule::FIELDS ) ) + array( 'status' => 'new', 'company' => null, 'owner' => null, 'notes' => null, 'tags' => array(), 'score' => 1.5, 'created_at' => gmdate( 'Y-m-d\TH:i:s\Z' ) ) );
	}

	private function tag_lead( array $action, array $lead ): void {
		$tags = $this->tags( 'portal', $action, (string) Value::person( $lead ), Portal::tags( $lead['id'] ) );
		null === $tags || update_post_meta( $lead['id'], 'tags', $tags );
	}

	private function tag_row( array $action, array $row ): void {
		$tenant = $this->tenants[ $action['tenant'] ];
		// What is taken away of a write of which nobody knows whether it was done cannot be told from one that was not.
		if ( $action['is_new'] || ! $this->is_on_its_way( null, (string) $row['id'], $tenant->key ) ) {
			$tags = $this->tags( 'crm', $action, (string) Value::person( $row ), $row['tags'] ?? array() );
			null === $tags || Crm::put( $tenant->id, array( 'tags' => $tags ) + $row );
		}
	}

	/** One more, or one less. @param list<string> $tags @return list<string>|null Null: there is none. */
	private function tags( string $side, array $action, string $person, array $tags ): ?array {
		if ( 'rest' !== $this->schedule->tenants[ $action['tenant'] ]['dialect'] || ( ! $action['is_new'] && ! $tags ) ) {
			return null;
		}
		if ( $action['is_new'] ) {
			$tags[] = $tag = $this->history->tag( $side, $person );
		} else {
			$tag  = $tags[ $action['which'] % count( $tags ) ];
			$tags = array_values( array_diff( $tags, array( $tag ) ) );
			$this->history->untag( $side, $tag );
		}
		$this->notes[] = "$side: $person: " . ( $action['is_new'] ? '+' : '-' ) . $tag;
		return $tags;
	}

	private function crm_delete( array $action ): void {
		$this->on_row(
			$action,
			function ( array $row ) use ( $action ): void {
				$tenant = $this->tenants[ $action['tenant'] ];
				$record = $this->record( null, (string) $row['id'], $tenant->key );
				$this->history->delete( 'crm', (string) Value::person( $row ), Value::edits( $row ), null !== ( $record['post_id'] ?? null ), $this->is_on_its_way( null, (string) $row['id'], $tenant->key ) );
				Crm::delete( $tenant->id, $row['id'] );
				$this->webhooks[ $action['tenant'] ]?->later( (string) $row['id'], 'lead.deleted', 1, 1, 'call' );
			}
		);
	}

	/** The same new person on both sides, known by the same e-mail address. */
	private function both_create( array $action ): void {
		$person = $this->person( $action['tenant'] );
		$crm    = $this->values( 'crm', $person, array(), Schedule::FIELDS );
		$portal = array( 'email' => $crm['email'] ) + $this->values( 'portal', $person, array(), array( 'name', 'phone' ) );
		$this->crm_create( $action['tenant'], $person, $crm );
		$this->portal_create( array( 'way' => 'killed' === $action['way'] ? 'at once' : $action['way'] ) + $action, $person, $portal );
	}

	/** The same lead on both sides, before either knows of the other. */
	private function both_edit( array $action ): void {
		$this->on_lead(
			$action,
			function ( array $lead ) use ( $action ): void {
				$row = Crm::rows( $this->tenants[ $action['tenant'] ]->id )[ (string) $lead['crm_lead_id'] ] ?? null;
				if ( $row ) {
					$this->edit_row( $action, $row );
				}
				$this->edit_lead( $action, $lead );
			}
		);
	}

	private function webhook( array $action ): void {
		$this->on_row( $action, fn( array $row ) => $this->webhooks[ $action['tenant'] ]?->later( (string) $row['id'], 'lead.updated', $action['copies'], $action['late'], $action['over'] ) );
	}

	/** The ledger's row of a post, or of a record. @return array<string, string|null>|null */
	private function record( ?int $post, string $crm_id = '', int $tenant = 0 ): ?array {
		global $wpdb;
		$where = null !== $post ? "post_id = $post" : $wpdb->prepare( 'tenant = %d AND id_hash = UNHEX(%s)', $tenant, hash( 'sha256', $crm_id ) );
		return $wpdb->get_row( 'SELECT * FROM `' . Schema::table( 'records' ) . "` WHERE $where", ARRAY_A );
	}

	/** Whether the outcome of a write to the CRM is unknown just now: what it has then cannot be told from what was sent. */
	private function is_on_its_way( ?int $post, string $crm_id = '', int $tenant = 0 ): bool {
		global $wpdb;
		$where = null !== $post ? "post_id = $post" : $wpdb->prepare( "tenant = %d AND (verb = 'create' OR sent_id = %s)", $tenant, $crm_id );
		return null !== $wpdb->get_var( 'SELECT id FROM `' . Schema::table( 'changes' ) . "` WHERE sent_at IS NOT NULL AND $where LIMIT 1" );
	}
}
