<?php
/**
 * Records that came as a PHP array, in the shape of \TenantCRMSync\Batch: for code that fetched them itself, as the article's does.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class ArrayRows implements \Countable {

	/** @var list<array<mixed>> */
	private array $rows = array();

	/** @var list<string> */
	private array $ids = array();

	/** @var list<string> */
	private array $snapshots = array();

	/** @var list<array{position: int, id: ?string, reason: string}> */
	private array $refused = array();

	/**
	 * @param iterable<mixed> $leads
	 * @param Fields          $fields
	 */
	public function __construct( iterable $leads, Fields $fields ) {
		$covered  = array_flip( $fields->crm_fields() );
		$position = 0;
		foreach ( $leads as $lead ) {
			$id = is_array( $lead ) && isset( $lead['id'] ) && is_scalar( $lead['id'] ) && ! is_bool( $lead['id'] ) ? (string) $lead['id'] : null;
			if ( null === $id || '' === $id ) {
				$this->refuse( $position++, null, is_array( $lead ) ? 'it has no id' : 'it is not a record' );
				continue;
			}
			$part = array_intersect_key( $lead, $covered );
			ksort( $part, SORT_STRING );
			$json = json_encode( $part, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_FORCE_OBJECT ); // phpcs:ignore WordPress.WP.AlternativeFunctions, Generic.PHP.ForbiddenFunctions -- wp_json_encode() would change invalid UTF-8 in silence.
			if ( false === $json || ! mb_check_encoding( $id, 'UTF-8' ) ) {
				$this->refuse( $position++, $id, 'its fields cannot be written as JSON: ' . ( false === $json ? json_last_error_msg() : 'invalid UTF-8 in its id' ) );
				continue;
			}
			$this->rows[]      = $lead;
			$this->ids[]       = $id;
			$this->snapshots[] = $json;
			++$position;
		}
	}

	public function count(): int {
		return count( $this->rows );
	}

	/** @return list<string> */
	public function ids(): array {
		return $this->ids;
	}

	/** @return list<string> Not those of the extension: a record that comes both ways is compared field by field once. */
	public function fingerprints(): array {
		return array_map( static fn( string $json ): string => substr( hash( 'sha256', $json, true ), 0, 16 ), $this->snapshots );
	}

	/** @return list<?string> */
	public function updated_at(): array {
		return array_map( static fn( array $row ): ?string => is_scalar( $row['updated_at'] ?? null ) ? (string) $row['updated_at'] : null, $this->rows );
	}

	/** @return array<mixed> As it was given: fetch_leads() gives the neutral shape, too. */
	public function record( int $position ): array {
		return $this->rows[ $position ];
	}

	public function snapshot( int $position ): string {
		return $this->snapshots[ $position ];
	}

	/** @return list<array{position: int, id: ?string, reason: string}> */
	public function refused(): array {
		return $this->refused;
	}

	/** Whoever fetched the records keeps their watermark. */
	public function watermark(): string {
		return '';
	}

	public function is_last(): bool {
		return true;
	}

	private function refuse( int $position, ?string $id, string $reason ): void {
		$this->refused[] = array(
			'position' => $position,
			'id'       => $id,
			'reason'   => $reason,
		);
	}
}
