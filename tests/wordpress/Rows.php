<?php
/**
 * A batch that a test makes itself, in the shape of \TenantCRMSync\Batch: it counts how often records were built from it.
 */

final class Rows implements Countable {

	public int $built = 0;

	/**
	 * @param list<array<string, mixed>>                                    $rows
	 * @param list<array{position: int, id: ?string, reason: string}>      $refused
	 */
	public function __construct( private array $rows, private string $watermark = '', private array $refused = array(), private bool $last = true ) {
	}

	public function count(): int {
		return count( $this->rows );
	}

	public function ids(): array {
		return array_map( static fn( array $row ): string => (string) $row['id'], $this->rows );
	}

	public function fingerprints(): array {
		return array_map( static fn( array $row ): string => md5( serialize( array_diff_key( $row, array( 'updated_at' => 1 ) ) ), true ), $this->rows );
	}

	public function updated_at(): array {
		return array_map( static fn( array $row ): ?string => $row['updated_at'] ?? null, $this->rows );
	}

	public function record( int $position ): array {
		++$this->built;
		return $this->rows[ $position ];
	}

	public function snapshot( int $position ): string {
		return json_encode( array_intersect_key( $this->rows[ $position ], array_flip( array( 'name', 'email', 'phone', 'status', 'owner', 'created_at' ) ) ), JSON_THROW_ON_ERROR );
	}

	public function refused(): array {
		return $this->refused;
	}

	public function watermark(): string {
		return $this->watermark;
	}

	/** @return array<string, int> */
	public function stats(): array {
		return array( 'unasked' => 0 );
	}

	public function is_last(): bool {
		return $this->last;
	}
}
