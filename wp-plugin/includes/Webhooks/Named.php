<?php
/**
 * A batch of records that webhooks named, as Store wants it: those that the tenant's filter holds for, or that the portal has already, without a
 * watermark; and it knows which of them another process has written since they were asked for.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

final class Named implements \Countable {

	/** @var list<int> Positions in the batch. */
	private readonly array $kept;

	/** @var array<string, true> Hashes of ids. */
	private array $overtaken = array();

	/**
	 * @param array<string, string> $agreed Marks of the ledger's bases, by hash of the id; of records that it has not, none.
	 * @param list<string>          $asked  Hashes of ids of records that are wanted whatever the filter says.
	 */
	public function __construct( private readonly \TenantCRMSync\Batch $batch, Selection $selection, private readonly array $agreed, array $asked = array() ) {
		$asked = array_flip( $asked );
		$kept = array();
		foreach ( $batch->ids() as $position => $id ) {
			// One that leaves what the filter is for must not stay as it was.
			if ( ! $selection->has_filter() || isset( $agreed[ hash( 'sha256', $id, true ) ] ) || isset( $asked[ hash( 'sha256', $id, true ) ] ) || $selection->holds( $batch->record( $position ) ) ) {
				$kept[] = $position;
			}
		}
		$this->kept = $kept;
	}

	/** What tells one state of a ledger's row from another. */
	public static function mark( ?string $base ): string {
		return null === $base ? '-' : hash( 'sha256', $base );
	}

	/** Whether the record is another in the ledger, locked, than when it was asked for: then what is here may be the older one. */
	public function is_overtaken( string $hash, ?string $base ): bool {
		if ( ( $this->agreed[ $hash ] ?? null ) === self::mark( $base ) ) {
			return false;
		}
		$this->overtaken[ $hash ] = true;
		return true;
	}

	/** @return array<string, true> Hashes of ids. */
	public function overtaken(): array {
		return $this->overtaken;
	}

	/** @return list<string> Ids of what need not be asked for again: stored, refused, or not wanted. */
	public function dealt_with(): array {
		$ids = array_merge( $this->batch->ids(), array_filter( array_column( $this->batch->refused(), 'id' ), 'is_string' ) );
		return array_values( array_filter( $ids, fn( string $id ): bool => ! isset( $this->overtaken[ hash( 'sha256', $id, true ) ] ) ) );
	}

	public function count(): int {
		return count( $this->kept );
	}

	/** @return list<string> */
	public function ids(): array {
		return $this->some( $this->batch->ids() );
	}

	/** @return list<string> */
	public function fingerprints(): array {
		return $this->some( $this->batch->fingerprints() );
	}

	/** @return list<?string> */
	public function updated_at(): array {
		return $this->some( $this->batch->updated_at() );
	}

	/** @return array<mixed> */
	public function record( int $position ): array {
		return $this->batch->record( $this->kept[ $position ] );
	}

	public function snapshot( int $position ): string {
		return $this->batch->snapshot( $this->kept[ $position ] );
	}

	/** @return list<array{position: int, id: ?string, reason: string}> */
	public function refused(): array {
		return $this->batch->refused();
	}

	/** How far the CRM was read is for a pull to say. */
	public function watermark(): string {
		return '';
	}

	public function is_last(): bool {
		return $this->batch->is_last();
	}

	/**
	 * @template T
	 * @param list<T> $all
	 * @return list<T>
	 */
	private function some( array $all ): array {
		return array_map( static fn( int $position ) => $all[ $position ], $this->kept );
	}
}
