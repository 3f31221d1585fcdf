<?php
/**
 * Which field of a record goes where in a post: a record as the connector's mapping made it, the same for every CRM. The filter `tenant_crm_sync_fields` changes it:
 * array( 'name' => 'title', 'email' => 'email', 'phone' => 'phone' ) and what the tenant's own mapping adds, field of the record to `title` or to a meta key.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Fields {

	private const DEFAULTS = array(
		'name'  => 'title',
		'email' => 'email',
		'phone' => 'phone',
	);

	/** Meta keys that say whose lead it is: nothing of a CRM may be written there. */
	private const IDENTITY = array( '_tenant_id', 'crm_lead_id' );

	/** Fields that the projection shows: a change of theirs is a change, too. And the date of the post. */
	private const PROJECTED = array( 'name', 'email', 'status', 'state', 'owner', 'created_at' );

	/**
	 * @param array<string, string> $map
	 * @param list<string>          $source Connector and mapping: where the neutral fields come from.
	 */
	private function __construct( private readonly array $map, private readonly array $source, private readonly string $unique = '' ) {
	}

	/** @throws NotSupported For an object that this version does not store. */
	public static function of( Tenant $tenant, string $object ): self {
		if ( 'leads' !== $object ) {
			throw new NotSupported( "This version stores leads only, not \"$object\"." );
		}
		/**
		 * @param array<string, string> $map    Field of the CRM to `title` or a meta key.
		 * @param Tenant                $tenant
		 * @param string                $object
		 */
		$map   = apply_filters( 'tenant_crm_sync_fields', self::DEFAULTS + self::own( $tenant, $object ), $tenant, $object );
		$clean = array();
		foreach ( is_array( $map ) ? $map : array() as $field => $target ) {
			if ( is_string( $target ) && '' !== $target && strlen( $target ) <= 255 && ! in_array( strtolower( $target ), self::IDENTITY, true ) ) {
				$clean[ (string) $field ] = $target;
			}
		}
		$rules  = TwoWay\Rules::of( $tenant, $object );
		$source = array( $tenant->connector, $tenant->mapping() );
		// What goes two ways needs more in the ledger: when that begins, everything is read once.
		return $rules->is_two_way() ? new self( $clean, array_merge( $source, array( $rules->direction, $rules->unique ) ), $rules->unique ) : new self( $clean, $source );
	}

	/**
	 * Fields that only this tenant's mapping has: each becomes meta of its name.
	 *
	 * @return array<string, string>
	 */
	private static function own( Tenant $tenant, string $object ): array {
		$mapping = json_decode( $tenant->mapping(), true );
		$own     = array();
		foreach ( is_array( $mapping[ $object ] ?? null ) ? $mapping[ $object ] : array() as $name => $from ) {
			// `false_is_null` at this place is no field but a switch. Keys that begin with _ are WordPress's own.
			if ( ( is_string( $from ) || is_array( $from ) ) && preg_match( '/^[A-Za-z][A-Za-z0-9_]{0,63}$/D', (string) $name ) && ! in_array( $name, array_merge( self::PROJECTED, array( 'id', 'updated_at' ) ), true ) ) {
				$own[ $name ] = (string) $name;
			}
		}
		return $own;
	}

	/** @return list<string> What fingerprints and base snapshots cover. */
	public function crm_fields(): array {
		return array_values( array_unique( array_filter( array_merge( array_map( 'strval', array_keys( $this->map ) ), self::PROJECTED, array( $this->unique ) ) ) ) );
	}

	/** @return string 16 bytes that change with the mapping. */
	public function hash(): string {
		return substr( hash( 'sha256', (string) wp_json_encode( array( $this->map, $this->crm_fields(), $this->source ) ), true ), 0, 16 );
	}

	/** @return array<string, string> Field of the record to `title` or a meta key. */
	public function map(): array {
		return $this->map;
	}

	/** @return list<string> Meta keys that posts get beside those of their identity. */
	public function meta_keys(): array {
		return array_values( array_unique( array_diff( $this->map, array( 'title' ) ) ) );
	}

	/**
	 * What a post of this record holds.
	 *
	 * @param array<mixed> $row The record in the neutral shape, or its base.
	 * @return array{title: string, meta: array<string, string>} Meta as it stands in the database: what get_post_meta() turns back into
	 *                                                           the value that the CRM sent, also where it looks like serialized PHP.
	 */
	public function portal( array $row ): array {
		$title = Title::UNKNOWN;
		$meta  = array();
		foreach ( $this->map as $field => $target ) {
			$value = $row[ $field ] ?? '';
			if ( 'title' === $target ) {
				$title = Title::from( $value );
			} elseif ( is_string( $value ) && isset( $value[1] ) && ':' !== $value[1] && ';' !== $value[1] && $value[0] > ' ' ) {
				// Cannot be taken for serialized PHP: the usual case, and a third of the time.
				$meta[ $target ] = $value;
			} else {
				$meta[ $target ] = (string) maybe_serialize( $value );
			}
		}
		return array(
			'title' => $title,
			'meta'  => $meta,
		);
	}

	/**
	 * What lists show and search, cut to the columns' widths.
	 *
	 * @param array<mixed> $row
	 * @return array{name: string, email: string, state: string, owner: string}
	 */
	public static function projection( array $row ): array {
		$owner = $row['owner'] ?? '';
		if ( is_array( $owner ) ) {
			$owner = $owner['name'] ?? $owner['id'] ?? '';
		}
		return array(
			'name'  => self::cut( $row['name'] ?? '', 190 ),
			'email' => self::cut( $row['email'] ?? '', 190 ),
			'state' => self::cut( $row['status'] ?? $row['state'] ?? '', 64 ),
			'owner' => self::cut( $owner, 190 ),
		);
	}

	/** @param mixed $value */
	private static function cut( $value, int $max ): string {
		$text = is_scalar( $value ) ? (string) $value : '';
		return strlen( $text ) <= $max ? $text : mb_substr( $text, 0, $max, 'UTF-8' );
	}
}
