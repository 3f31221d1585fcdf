<?php
/**
 * What people did in a schedule, edit by edit: by whom, over which other edit, what was deleted, what was decided. The judge knows nothing else.
 */

final class History {

	/** @var array<int, array{side: string, person: string, field: string, over: int}> By number, from 1. */
	private array $edits = array();

	/** @var list<array{side: string, person: string, fields: array<string, int>, is_linked: bool, is_blind: bool, is_undone: bool, behind: int}> behind: the last edit before it. */
	public array $deletes = array();

	/** @var list<array{0: string, 1: int, 2: int}> Field, the edit that was chosen, and the other. */
	public array $decisions = array();

	/** @var array<string, true> People of whom somebody decided whether they are deleted. */
	public array $asked = array();

	/** @var array<int, true> Edits that cannot be told apart from a write whose outcome is not known. */
	public array $blind = array();

	/** @var array<string, array<string, bool>> Tags of people, and whether they are still there. */
	private array $tags = array();

	/** @var array<string, array<string, true>> Sides on which somebody changed the tags of a person. */
	private array $tagged = array();

	/** @var array<string, array<string, true>> Sides on which a person was created. */
	private array $created = array();

	/** @return int Its number. */
	public function edit( string $side, string $person, string $field, int $over ): int {
		$number                 = count( $this->edits ) + 1;
		$this->edits[ $number ] = array( 'side' => $side, 'person' => $person, 'field' => $field, 'over' => $over );
		if ( 0 === $over ) {
			$this->created[ $person ][ $side ] = true;
		}
		return $number;
	}

	/** It never came to be: its process was killed before. */
	public function forget( int $edit ): void {
		$this->edits[ $edit ]['side'] = 'nobody';
	}

	/** @param array<string, int> $fields What whoever deletes it sees. */
	public function delete( string $side, string $person, array $fields, bool $is_linked, bool $is_blind ): void {
		$this->deletes[] = array( 'side' => $side, 'person' => $person, 'fields' => $fields, 'is_linked' => $is_linked, 'is_blind' => $is_blind, 'is_undone' => false, 'behind' => count( $this->edits ) );
	}

	/** Somebody takes the person out of the portal's bin, whoever put them there. */
	public function undelete( string $person ): void {
		foreach ( $this->deletes as &$delete ) {
			$delete['is_undone'] = $delete['is_undone'] || $person === $delete['person'];
		}
	}

	/** Somebody adds an element to a set. @return string It. */
	public function tag( string $side, string $person ): string {
		$this->tagged[ $person ][ $side ] = true;
		$tag                              = Value::of( $person, 'tags', count( $this->tags[ $person ] ?? array() ) + 1 );
		$this->tags[ $person ][ $tag ]    = true;
		return $tag;
	}

	public function untag( string $side, string $tag ): void {
		$person                           = Value::read( $tag )[0];
		$this->tagged[ $person ][ $side ] = true;
		$this->tags[ $person ][ $tag ]    = false;
	}

	public function is_tagged( string $person, string $side ): bool {
		return isset( $this->tagged[ $person ][ $side ] );
	}

	/** @return list<string> That a person must have in the end. */
	public function tags( string $person ): array {
		return array_keys( array_filter( $this->tags[ $person ] ?? array() ) );
	}

	/** @return list<string> */
	public function people(): array {
		return array_values( array_unique( array_column( array_filter( $this->edits, static fn( array $edit ): bool => 'nobody' !== $edit['side'] ), 'person' ) ) );
	}

	public function is_created( string $person, string $side ): bool {
		return isset( $this->created[ $person ][ $side ] );
	}

	/** @return array<int, array{side: string, person: string, field: string, over: int}> Those of a person that came to be. */
	public function of( string $person ): array {
		return array_filter( $this->edits, static fn( array $edit ): bool => $person === $edit['person'] && 'nobody' !== $edit['side'] );
	}

	public function side( int $edit ): ?string {
		return $this->edits[ $edit ]['side'] ?? null;
	}

	/** @return list<int> An edit and those that it was made over, the last first, and 0 at the end. */
	public function chain( int $edit ): array {
		$chain = array();
		for ( ; $edit > 0 && isset( $this->edits[ $edit ] ); $edit = $this->edits[ $edit ]['over'] ) {
			$chain[] = $edit;
		}
		$chain[] = 0;
		return $chain;
	}

	/** Whether somebody took it back or not. */
	public function was_ever_deleted( string $person, string $side ): bool {
		return (bool) array_filter( $this->deletes, static fn( array $delete ): bool => $person === $delete['person'] && $side === $delete['side'] );
	}

	/** @return list<array<string, mixed>> Deletes of a person that nobody took back. */
	public function deletes( string $person ): array {
		return array_values( array_filter( $this->deletes, static fn( array $delete ): bool => $person === $delete['person'] && ! $delete['is_undone'] ) );
	}
}
