<?php
/**
 * A post as a locking read found it.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class StoredPost {

	/** @var array<string, array<int, string>> By key, then by meta_id. A key may be there several times. */
	public array $meta = array();

	public function __construct( public readonly int $id, public readonly string $title, public readonly string $status = 'publish' ) {
	}

	/** @return array<string, string> What get_post_meta( …, true ) reads. */
	public function first_meta(): array {
		return array_map( static fn( array $values ): string => $values[ min( array_keys( $values ) ) ], $this->meta );
	}
}
