<?php
/**
 * One batch as Store sees it: which records it has, by the hash of their ids, and which of them were refused and why.
 *
 * Arrays of records are built one at a time and only for those that are new or changed.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Incoming {

	/** @var array<string, array{position: int, id: string, hash: string, fingerprint: string}> By hash of the id. */
	public array $items = array();

	/** @var list<array{id: ?string, reason: string, by_id?: bool}> As of Progress. */
	public array $refused = array();

	/** Records of which nothing is stored: those that the batch has more than once, of which the last one counts, and those that were erased. */
	public int $repeated = 0;

	public readonly int $fetched;

	/** @var list<?string> */
	private array $updated_at;

	/** @param \TenantCRMSync\Batch|ArrayRows|Webhooks\Named $batch */
	public function __construct( private readonly object $batch, private readonly Fields $fields, ?Privacy\Suppressions $suppressions = null ) {
		$fingerprints     = $batch->fingerprints();
		$this->updated_at = $batch->updated_at();
		foreach ( $batch->refused() as $refusal ) {
			$this->refused[] = array(
				'id'     => $refusal['id'],
				'reason' => $refusal['reason'],
			);
		}
		foreach ( $batch->ids() as $position => $id ) {
			if ( is_serialized( $id ) ) {
				// An id stands in meta as it is, for queries by it: get_post_meta() would make an object of this one.
				$this->refused[] = array(
					'id'     => mb_strcut( $id, 0, 60, 'UTF-8' ),
					'reason' => 'its id looks like serialized PHP',
					'by_id'  => false,
				);
				continue;
			}
			if ( '' === $id || strlen( $id ) > Schema::MAX_ID ) {
				$this->refused[] = array(
					'id'     => '' === $id ? null : mb_strcut( $id, 0, 60, 'UTF-8' ) . '…',
					'reason' => '' === $id ? 'it has no id' : sprintf( 'its id is longer than %d bytes', Schema::MAX_ID ),
					'by_id'  => false,
				);
				continue;
			}
			$hash = hash( 'sha256', $id, true );
			if ( isset( $this->items[ $hash ] ) ) {
				++$this->repeated;
			}
			$this->items[ $hash ] = array(
				'position'    => $position,
				'id'          => $id,
				'hash'        => $hash,
				'fingerprint' => $fingerprints[ $position ],
			);
		}
		if ( $suppressions ) {
			$this->leave_out( $suppressions );
		}
		$this->fetched = count( $this->items ) + $this->repeated + count( $this->refused );
	}

	/** What was erased does not come back, and is not named among what was refused. */
	private function leave_out( Privacy\Suppressions $suppressions ): void {
		$gone  = $suppressions->among(
			array_column( $this->items, 'id', 'hash' ),
			fn( string $hash ): string => Fields::projection( $this->batch->record( $this->items[ $hash ]['position'] ) )['email']
		);
		$named = $suppressions->among( array_map( static fn( array $refusal ): string => (string) $refusal['id'], $this->refused ), static fn(): string => '' );

		$this->items     = array_diff_key( $this->items, $gone );
		$this->refused   = array_values( array_diff_key( $this->refused, $named ) );
		$this->repeated += count( $gone ) + count( $named );
	}

	/** Whether somebody has written this record since it was asked for, so that what is here may be older. Of a pull it does not matter. */
	public function is_overtaken( string $hash, ?string $base ): bool {
		return $this->batch instanceof Webhooks\Named && $this->batch->is_overtaken( $hash, $base );
	}

	/**
	 * The CRM's own time of the last change, as it wrote it.
	 *
	 * @param array{position: int, id: string, hash: string, fingerprint: string} $item
	 */
	public function revision( array $item ): string {
		return mb_strcut( (string) ( $this->updated_at[ $item['position'] ] ?? null ), 0, 190, 'UTF-8' );
	}

	/**
	 * One record with everything that is stored of it.
	 *
	 * @param array{position: int, id: string, hash: string, fingerprint: string} $item
	 */
	public function lead( array $item ): Lead {
		$row      = $this->batch->record( $item['position'] );
		$portal   = $this->fields->portal( $row );
		$revision = $this->revision( $item );
		return new Lead(
			$item['id'],
			$item['hash'],
			$item['fingerprint'],
			$this->batch->snapshot( $item['position'] ),
			$portal['title'],
			$portal['meta'],
			Fields::projection( $row ),
			$revision,
			Times::utc( $row['created_at'] ?? null ),
			Times::utc( $revision )
		);
	}
}
