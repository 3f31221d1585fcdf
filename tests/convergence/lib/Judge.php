<?php
/**
 * What must hold once all is quiet, judged by what people did and by nothing that the plugin believes of it.
 */

final class Judge {

	/** @var list<string> */
	private array $faults = array();

	/** @param array<string, mixed> $rules Of the tenant, as the schedule has it. */
	private function __construct( private readonly History $history, private readonly Sides $sides, private readonly array $rules ) {
	}

	/** @return list<string> What is wrong. */
	public static function faults( History $history, Sides $sides, array $rules ): array {
		$judge = new self( $history, $sides, $rules );
		$judge->quiet();
		$judge->belongs();
		foreach ( $history->people() as $person ) {
			if ( str_starts_with( $person, "{$rules['id']}p" ) ) {
				$judge->person( $person );
			}
		}
		return $judge->faults;
	}

	private function fault( string $fault ): void {
		$this->faults[] = "{$this->rules['id']} ({$this->rules['direction']}): $fault";
	}

	private function quiet(): void {
		foreach ( $this->sides->left as $left ) {
			$this->fault( "left to do: $left" );
		}
		foreach ( $this->sides->writes as $write ) {
			$this->fault( "not silent: $write" );
		}
		if ( $this->sides->before !== $this->sides->after ) {
			$this->fault( 'not silent: ' . self::difference( $this->sides->before, $this->sides->after ) );
		}
	}

	/** Where two texts begin to differ. */
	private static function difference( string $before, string $after ): string {
		$at = strspn( $before ^ $after, "\0" );
		return sprintf( '…%s… became …%s…', substr( $before, max( 0, $at - 80 ), 160 ), substr( $after, max( 0, $at - 80 ), 160 ) );
	}

	/** Nobody's values are anywhere else. */
	private function belongs(): void {
		foreach ( array( 'post' => $this->sides->leads, 'row' => $this->sides->rows ) as $what => $records ) {
			foreach ( $records as $id => $record ) {
				foreach ( Schedule::FIELDS as $field ) {
					$read = Value::read( $record[ $field ] ?? null );
					if ( $read && ! str_starts_with( $read[0], "{$this->rules['id']}p" ) ) {
						$this->fault( "$what $id has another tenant's $field: {$record[ $field ]}" );
					}
				}
				if ( '?' === Value::person( $record ) ) {
					$this->fault( "$what $id is of two people: " . json_encode( $record, JSON_UNESCAPED_UNICODE ) );
				}
			}
		}
	}

	private function person( string $person ): void {
		$is    = static fn( array $record ): bool => Value::person( $record ) === $person;
		$leads = array_filter( $this->sides->leads, static fn( array $lead ): bool => 'trash' !== $lead['status'] && $is( $lead ) );
		$rows  = array_filter( $this->sides->rows, $is );
		if ( count( $leads ) > 1 ) {
			$this->fault( "$person has posts " . implode( ', ', array_keys( $leads ) ) );
			return;
		}
		if ( count( $rows ) > 1 ) {
			$this->fault( "$person has records " . implode( ', ', array_keys( $rows ) ) . ' in the CRM' );
			return;
		}
		$lead = $leads ? reset( $leads ) : null;
		$row  = $rows ? reset( $rows ) : null;
		match ( $this->rules['direction'] ) {
			'both'     => $this->both( $person, $lead, $row ),
			'to_crm'   => $this->to_crm( $person, $lead, $row ),
			'from_crm' => $this->from_crm( $person, $lead, $row ),
		};
	}

	private function both( string $person, ?array $lead, ?array $row ): void {
		$settings = $this->rules['settings'];
		if ( $lead && $row ) {
			$this->pair( $person, $lead, $row, Schedule::FIELDS );
			$this->edits( $person, $row );
			$this->tags( $person, $lead, $row );
			$this->alive( $person );
		} elseif ( $lead ) {
			// Into the bin and out of it again is no reason to give the CRM what it had deleted before.
			if ( 'keep' !== $settings['crm_deletes'] || ! $this->history->was_ever_deleted( $person, 'crm' ) ) {
				$this->fault( "$person has post {$lead['id']} and no record in the CRM" );
			}
		} elseif ( $row ) {
			if ( 'keep' !== $settings['portal_deletes'] || ! $this->was_deleted( $person, 'portal' ) ) {
				$this->fault( "$person has record {$row['id']} in the CRM and no post" );
			}
		} else {
			$this->dead( $person );
		}
	}

	/** Post, record and ledger say the same. @param list<string> $fields */
	private function pair( string $person, array $lead, array $row, array $fields ): void {
		$ledger = $this->sides->ledger[ $lead['id'] ] ?? null;
		if ( (string) $row['id'] !== ( $ledger['crm_id'] ?? null ) || (string) $row['id'] !== $lead['crm_lead_id'] ) {
			$this->fault( "$person: post {$lead['id']} says {$lead['crm_lead_id']}, its ledger row " . json_encode( $ledger['crm_id'] ?? null ) . ", the CRM {$row['id']}" );
		}
		foreach ( Schedule::FIELDS as $field ) {
			if ( in_array( $field, $fields, true ) && ! Value::is_same( $lead[ $field ], $row[ $field ] ) ) {
				$this->fault( "$person: $field is \"{$lead[ $field ]}\" in post {$lead['id']} and \"{$row[ $field ]}\" in the CRM's {$row['id']}" );
			}
			if ( $ledger && in_array( $field, $fields, true ) && ( $ledger['base'][ $field ] ?? null ) !== $row[ $field ] ) {
				$this->fault( "$person: $field is " . json_encode( $ledger['base'][ $field ] ?? null ) . " in the ledger and \"{$row[ $field ]}\" in the CRM's {$row['id']}" );
			}
		}
	}

	/** A set has what either side added and nobody took away. What a deletion, or a person new on both sides, took along is not counted. */
	private function tags( string $person, array $lead, array $row ): void {
		if ( 'rest' !== ( $this->rules['dialect'] ?? '' ) ) {
			return;
		}
		$sets = array_map(
			static function ( $tags ): string {
				$tags = is_array( $tags ) ? $tags : array();
				sort( $tags );
				return implode( ' ', $tags );
			},
			array( 'post' => $lead['tags'] ?? null, 'CRM' => $row['tags'] ?? null, 'history' => $this->history->tags( $person ) )
		);
		if ( $sets['post'] !== $sets['CRM'] || ( $sets['CRM'] !== $sets['history'] && ! $this->was_touched( $person ) ) ) {
			$this->fault( "$person: tags: " . json_encode( $sets ) );
		}
	}

	private function was_touched( string $person ): bool {
		return (bool) array_filter( $this->history->deletes, static fn( array $delete ): bool => $person === $delete['person'] ) || isset( $this->history->asked[ $person ] );
	}

	/** Every edit of a person is in the record, or somebody or a policy gave it up. */
	private function edits( string $person, array $record ): void {
		foreach ( $this->history->of( $person ) as $number => $edit ) {
			$field  = $edit['field'];
			$reason = $this->lost( $number, Value::edit( $record[ $field ] ), $field );
			$went   = array_filter( $this->history->deletes, fn( array $delete ): bool => $person === $delete['person'] && ( in_array( $number, $this->history->chain( $delete['fields'][ $field ] ), true ) || $this->counts( $delete, $number, $edit['side'] ) ) );
			if ( null !== $reason && ! $went ) {
				$this->fault( "$person: $field: $reason" );
			}
		}
	}

	/** Whether a deletion, also one that was taken back, counts more than an edit of the other side before it. */
	private function counts( array $delete, int $edit, string $side ): bool {
		return $side !== $delete['side'] && $edit <= $delete['behind'] && ( $delete['side'] === $this->rules['settings']['delete_policy'] || isset( $this->history->asked[ $delete['person'] ] ) );
	}

	/** Why an edit that is not in a value is lost; null: it is in it, or was given up. */
	private function lost( int $edit, int $value, string $field ): ?string {
		$kept = $this->history->chain( $value );
		if ( in_array( $edit, $kept, true ) || isset( $this->history->blind[ $edit ] ) ) {
			return null;
		}
		foreach ( $this->history->decisions as list( $of, $won, $lost ) ) {
			if ( $of === $field && in_array( $won, $kept, true ) && in_array( $edit, $this->history->chain( $lost ), true ) ) {
				return null;
			}
		}
		$lost   = $this->history->chain( $edit );
		$common = array_values( array_intersect( $lost, $kept ) )[0];
		$fork   = (int) array_search( $common, $kept, true );
		if ( 0 === $fork ) {
			return "edit $edit went back to $value, which it was made over";
		}
		$winner = $this->history->side( $kept[ $fork - 1 ] );
		$loser  = $this->history->side( $lost[ (int) array_search( $common, $lost, true ) - 1 ] );
		if ( $winner === $loser ) {
			return "edit $edit of the $loser lost against $value of the same side";
		}
		$policy = 'to_crm' === $this->rules['direction'] ? 'portal' : $this->rules['settings']['policies'][ $field ] ?? $this->rules['settings']['policy'];
		return $policy === $winner || 'newest' === $policy ? null : "edit $edit of the $loser lost against $value of the $winner, though the policy is $policy";
	}

	/** A person who is gone on both sides was deleted by somebody who may. */
	private function dead( string $person ): void {
		foreach ( $this->history->deletes( $person ) as $delete ) {
			if ( $this->rules['settings']['delete_policy'] === $delete['side'] || isset( $this->history->asked[ $person ] ) || ! $this->unseen( $delete, true ) ) {
				return;
			}
		}
		$this->fault( "$person is gone on both sides, and nobody deleted them who may" );
	}

	/** A person who is there on both sides was not deleted, or for a reason. */
	private function alive( string $person ): void {
		foreach ( $this->history->deletes( $person ) as $delete ) {
			$other = 'crm' === $delete['side'] ? 'portal' : 'crm';
			if ( $delete['is_blind'] || isset( $this->history->asked[ $person ] ) || ( $delete['side'] !== $this->rules['settings']['delete_policy'] && $this->history->is_tagged( $person, $other ) ) || ( ! $delete['is_linked'] && $this->history->is_created( $person, $other ) ) ) {
				continue;
			}
			$unseen = $this->unseen( $delete, false );
			if ( $this->rules['settings']['delete_policy'] === $delete['side'] ) {
				// What the CRM's people did to a record whose create is not known to have worked is as good as one that they made.
				$unseen = array_filter( $unseen, fn( int $edit ): bool => 2 === count( $this->history->chain( $edit ) ) || isset( $this->history->blind[ $edit ] ) );
			}
			if ( ! $unseen ) {
				$this->fault( "$person was deleted in the {$delete['side']}, and is there again" );
			}
		}
	}

	/**
	 * Edits of the other side that whoever deleted the record had not seen.
	 *
	 * @param bool $given_up Nor were they given up before.
	 * @return list<int>
	 */
	private function unseen( array $delete, bool $given_up ): array {
		$unseen = array();
		foreach ( $this->history->of( $delete['person'] ) as $number => $edit ) {
			$field = $edit['field'];
			$value = $delete['fields'][ $field ];
			$seen  = $given_up ? null === $this->lost( $number, $value, $field ) : in_array( $number, $this->history->chain( $value ), true );
			$own   = array_filter( $this->history->deletes( $delete['person'] ), fn( array $own ): bool => $own['side'] === $edit['side'] && in_array( $number, $this->history->chain( $own['fields'][ $field ] ), true ) );
			if ( $edit['side'] !== $delete['side'] && ! $seen && ! $own ) {
				$unseen[] = $number;
			}
		}
		return $unseen;
	}

	/** @param bool $is_linked Only if the two sides' records were known to be one by then. */
	private function was_deleted( string $person, string $side, bool $is_linked = false ): bool {
		return (bool) array_filter( $this->history->deletes( $person ), static fn( array $delete ): bool => $side === $delete['side'] && ( $delete['is_linked'] || ! $is_linked ) );
	}

	/** The portal's leads are in the CRM, which may have changed them since; nothing comes back. */
	private function to_crm( string $person, ?array $lead, ?array $row ): void {
		if ( $lead && ! $this->history->is_created( $person, 'portal' ) ) {
			$this->fault( "$person came from the CRM, to post {$lead['id']}" );
		}
		if ( ! $lead && ! $row && ! $this->was_deleted( $person, 'portal' ) ) {
			$this->fault( "$person is gone, and nobody deleted them" );
		}
		if ( ! $lead && $row && $this->was_deleted( $person, 'portal', true ) ) {
			$this->fault( "$person was deleted in the portal, and is record {$row['id']} of the CRM" );
		}
		if ( $lead && ! $row ) {
			$this->fault( "$person has post {$lead['id']} and no record in the CRM" );
		}
		if ( $lead && $row ) {
			$this->edits( $person, $row );
			$this->pair( $person, $lead, $row, array() );
			foreach ( Schedule::FIELDS as $field ) {
				$own = $this->history->chain( Value::edit( $row[ $field ] ) );
				if ( ! in_array( Value::edit( $lead[ $field ] ), $own, true ) ) {
					$this->fault( "$person: $field is \"{$lead[ $field ]}\" in post {$lead['id']} and \"{$row[ $field ]}\" in the CRM" );
				}
			}
		}
	}

	/** The CRM's records are in the portal, which may have changed them since; nothing goes back. */
	private function from_crm( string $person, ?array $lead, ?array $row ): void {
		if ( ! $row ) {
			if ( ! $this->was_deleted( $person, 'crm' ) ) {
				$this->fault( "$person is not in the CRM, and nobody deleted them there" );
			}
			return;
		}
		if ( ! $lead ) {
			$this->fault( "$person has record {$row['id']} in the CRM and no post" );
			return;
		}
		$ledger = $this->sides->ledger[ $lead['id'] ] ?? null;
		foreach ( Schedule::FIELDS as $field ) {
			if ( ! in_array( Value::edit( $row[ $field ] ), $this->history->chain( Value::edit( $lead[ $field ] ) ), true ) ) {
				$this->fault( "$person: $field is \"{$lead[ $field ]}\" in post {$lead['id']} and \"{$row[ $field ]}\" in the CRM" );
			}
			if ( $row[ $field ] !== ( $ledger['base'][ $field ] ?? null ) ) {
				$this->fault( "$person: $field is " . json_encode( $ledger['base'][ $field ] ?? null ) . " in the ledger and \"{$row[ $field ]}\" in the CRM" );
			}
		}
		foreach ( $this->history->of( $person ) as $number => $edit ) {
			if ( 'crm' === $edit['side'] && ! in_array( $number, $this->history->chain( Value::edit( $row[ $edit['field'] ] ) ), true ) ) {
				$this->fault( "$person: {$edit['field']}: edit $number of the CRM is not in the CRM any more" );
			}
		}
	}
}
