<?php
/**
 * Stand-in until pull_many is there: pulls one page of each in turn.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class PullsInTurn implements \Iterator {
	private array $all = array();
	private $key = null;
	private $item = null;
	public function add( $key, $client, $object, $watermark, $options, $weight ): void {
		$this->all[ $key ] = array( $client->pull( $object, $watermark, $options ), false );
	}
	public function drop( string $key ): void {
		unset( $this->all[ $key ] );
	}
	public function current(): mixed {
		return $this->item;
	}
	public function key(): mixed {
		return $this->key;
	}
	public function rewind(): void {
		$this->next();
	}
	public function next(): void {
		$this->key = array_key_first( $this->all );
		if ( null === $this->key ) {
			return;
		}
		list( $pull, $begun ) = $this->all[ $this->key ];
		unset( $this->all[ $this->key ] );
		try {
			$begun ? $pull->next() : $pull->rewind();
			$this->item = $pull->valid() ? $pull->current() : null;
			if ( $this->item && ! $this->item->is_last() ) {
				$this->all[ $this->key ] = array( $pull, true );
			}
		} catch ( \Throwable $e ) {
			$this->item = $e;
		}
	}
	public function valid(): bool {
		return null !== $this->key;
	}
}
