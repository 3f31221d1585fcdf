<?php
/**
 * Compares a post with what the CRM says now and with what both last agreed on. Pure: it reads and writes nothing.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Comparison {

	/** Whether the title differs from the CRM's. */
	public bool $title;

	/** @var array<string, string> Meta that differs from the CRM's or is missing, by key. */
	public array $meta = array();

	/** @var array<string, array{portal: string, crm: string, base: string}> What somebody had edited in the portal and is overwritten now. */
	public array $edits = array();

	/** Whether the CRM's record is the one that both last agreed on. */
	public bool $same_base;

	/**
	 * @param Tenant                $tenant
	 * @param Lead                  $lead
	 * @param Fields                $fields
	 * @param string|null           $base   The ledger's; null where nothing was agreed on yet.
	 * @param string                $title  The post's.
	 * @param array<string, string> $meta   The post's, by key; the first one of each key.
	 */
	public function __construct( Tenant $tenant, Lead $lead, Fields $fields, ?string $base, string $title, array $meta ) {
		$agreed          = null === $base ? null : json_decode( $base, true );
		$agreed          = is_array( $agreed ) ? $agreed : null;
		$before          = null === $agreed ? null : $fields->portal( $agreed );
		$this->same_base = null !== $agreed && ( $base === $lead->base || self::canonical( $agreed ) === self::canonical( json_decode( $lead->base, true ) ) );
		$this->title     = $title !== $lead->title;
		if ( $this->title && $before && $title !== $before['title'] ) {
			$this->edits['title'] = array(
				'portal' => $title,
				'crm'    => $lead->title,
				'base'   => $before['title'],
			);
		}
		foreach ( $lead->post_meta( $tenant ) as $key => $value ) {
			$has = $meta[ $key ] ?? null;
			if ( $has === $value ) {
				continue;
			}
			$this->meta[ $key ] = $value;
			if ( $before && isset( $before['meta'][ $key ] ) && $has !== $before['meta'][ $key ] ) {
				$this->edits[ $key ] = array(
					'portal' => $has ?? '',
					'crm'    => $value,
					'base'   => $before['meta'][ $key ],
				);
			}
		}
	}

	public function post_differs(): bool {
		return $this->title || $this->meta;
	}

	/** The log's entry for what is overwritten. @return array{0: int, 1: string, 2: string, 3: array<string, mixed>} */
	public function log_entry( Tenant $tenant, Lead $lead, int $post_id ): array {
		return array(
			$tenant->key,
			'warning',
			sprintf( 'Lead "%s" of tenant "%s" had been edited in the portal (%s). The CRM changed the lead, too: its values were stored, the portal\'s are kept here.', $lead->id, $tenant->id, implode( ', ', array_keys( $this->edits ) ) ),
			array(
				'crm_id' => $lead->id,
				'post'   => $post_id,
				'fields' => $this->edits,
			),
		);
	}

	/** @param mixed $value */
	private static function canonical( $value ): string {
		if ( is_array( $value ) && ! array_is_list( $value ) ) {
			ksort( $value, SORT_STRING );
		}
		return is_array( $value ) ? '[' . implode( ',', array_map( static fn( $key, $item ): string => $key . '=' . self::canonical( $item ), array_keys( $value ), $value ) ) . ']' : serialize( $value ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	}
}
