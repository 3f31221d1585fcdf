<?php
/**
 * What a tenant wants of its CRM's webhooks, as its settings say under `webhook`: object types, fields, and a condition on the record.
 *
 * What is not wanted is not lost: the next pull reads everything that changed. So this only says what is worth fetching at once.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Connectors;
use TenantCRM\Tenant;

final class Selection {

	private const MOST = 100;

	/**
	 * @param list<string>                $objects
	 * @param list<string>                $fields  In the CRM's words; empty: all.
	 * @param array<string, list<string>> $filter  Field of the record => the values that it may have; all of them must hold.
	 */
	private function __construct( public readonly array $objects, private readonly array $fields, private readonly array $filter ) {
	}

	public static function of( Tenant $tenant ): self {
		$chosen = $tenant->settings['webhook'] ?? array();
		$chosen = is_array( $chosen ) ? $chosen : array();
		return new self( $chosen['objects'] ?? array( 'leads' ), $chosen['fields'] ?? array(), $chosen['filter'] ?? array() );
	}

	/** @param array<string, mixed> $event One of verify_webhook(). */
	public function wants( array $event ): bool {
		if ( null === $event['object'] || ! in_array( $event['object'], $this->objects, true ) ) {
			return false;
		}
		// New and deleted ones are of interest whatever they hold.
		return 'update' !== $event['action'] || ! $this->fields || ! $event['fields'] || array_intersect( $event['fields'], $this->fields );
	}

	public function has_filter(): bool {
		return array() !== $this->filter;
	}

	/** @param array<mixed> $record In the neutral shape. */
	public function holds( array $record ): bool {
		foreach ( $this->filter as $field => $values ) {
			$value = $record[ $field ] ?? '';
			if ( ! is_scalar( $value ) || ! in_array( is_bool( $value ) ? ( $value ? 'true' : 'false' ) : (string) $value, $values, true ) ) {
				return false;
			}
		}
		return true;
	}

	/**
	 * The setting as it is stored.
	 *
	 * @param mixed $given
	 * @return array<string, mixed> Empty: the default.
	 * @throws \InvalidArgumentException In plain words.
	 */
	public static function checked( string $connector, $given ): array {
		if ( ! is_array( $given ) || array_diff_key( $given, array_flip( array( 'objects', 'fields', 'filter' ) ) ) ) {
			throw new \InvalidArgumentException( 'The setting "webhook" has objects, fields and a filter, like {"objects": ["leads"], "fields": ["email"], "filter": {"status": ["open"]}}.' );
		}
		$known   = Connectors::get( $connector )['objects'];
		$checked = array(
			'objects' => self::texts( $given['objects'] ?? array(), 'objects' ),
			'fields'  => self::texts( $given['fields'] ?? array(), 'fields' ),
			'filter'  => array(),
		);
		foreach ( $checked['objects'] as $object ) {
			if ( ! isset( $known[ $object ] ) && ! isset( $known['*'] ) ) {
				throw new \InvalidArgumentException( "The CRM has no object type \"$object\". There are: " . implode( ', ', array_keys( $known ) ) . '.' );
			}
		}
		$filter = $given['filter'] ?? array();
		if ( ! is_array( $filter ) || ( $filter && array_is_list( $filter ) ) ) {
			throw new \InvalidArgumentException( 'The filter names fields of the record and the values that they may have, like {"status": ["open", "new"]}.' );
		}
		foreach ( $filter as $field => $values ) {
			$checked['filter'][ (string) $field ] = self::texts( is_array( $values ) ? $values : array( $values ), 'filter' );
		}
		return array_filter( $checked );
	}

	/**
	 * @param mixed $list
	 * @return list<string>
	 */
	private static function texts( $list, string $name ): array {
		$texts = is_array( $list ) ? array_filter( $list, static fn( $text ): bool => is_string( $text ) || is_int( $text ) ) : array();
		if ( ! is_array( $list ) || count( $texts ) !== count( $list ) || count( $texts ) > self::MOST || array_filter( $texts, static fn( $text ): bool => strlen( (string) $text ) > 190 ) ) {
			throw new \InvalidArgumentException( "What webhooks are chosen by ($name) must be a list of at most " . self::MOST . ' texts.' );
		}
		return array_values( array_unique( array_map( 'strval', $texts ) ) );
	}
}
