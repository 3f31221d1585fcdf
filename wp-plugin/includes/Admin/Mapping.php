<?php
/**
 * A tenant's own mapping of leads as rows (field here, field of the CRM) instead of JSON, and back. What a field of the CRM may be is the
 * extension's grammar: a name, a list of steps, or an object with rules; the last two are written as JSON in a row, too. Entries for other
 * objects than leads are kept as they are.
 */

namespace TenantCRM\Admin;

final class Mapping {

	/** Rows that are empty and wait to be filled in. */
	const EMPTY_ROWS = 2;

	const MOST_ROWS = 200;

	/**
	 * @param string $json As it is stored; what cannot be read has no rows.
	 * @return array<string, string> Field of the CRM, or JSON, by the field here.
	 */
	public static function rows( string $json ): array {
		$mapping = json_decode( $json, true );
		$rows    = array();
		foreach ( is_array( $mapping['leads'] ?? null ) ? $mapping['leads'] : array() as $name => $from ) {
			$rows[ (string) $name ] = is_string( $from ) && ! self::is_json( $from ) ? $from : self::json( $from );
		}
		return $rows;
	}

	/**
	 * What was posted as JSON. The text counts where it was changed, else the rows do.
	 *
	 * @param array<string, mixed> $post Unslashed: `mapping` and `mapping_was`, `map_to[]` and `map_from[]`, `map_add[]` (fields to be added under a name
	 *                                   of their own).
	 */
	public static function posted( array $post ): string {
		$text = static fn( $value ): string => is_string( $value ) ? trim( $value ) : '';
		$json = $text( $post['mapping'] ?? '' );
		if ( ! isset( $post['map_to'], $post['map_from'] ) || ! is_array( $post['map_to'] ) || ! is_array( $post['map_from'] ) || $text( $post['mapping_was'] ?? '' ) !== $json ) {
			return $json;
		}
		$mapping = json_decode( $json, true );
		$mapping = is_array( $mapping ) ? $mapping : array();
		$rows    = array();
		foreach ( array_slice( array_values( $post['map_to'] ), 0, self::MOST_ROWS ) as $nth => $to ) {
			$from = $text( array_values( $post['map_from'] )[ $nth ] ?? '' );
			$to   = $text( $to );
			if ( '' !== $to || '' !== $from ) {
				$rows[ '' === $to ? self::name_for( $from ) : $to ] = self::is_json( $from ) ? json_decode( $from, true ) : $from;
			}
		}
		foreach ( array_slice( is_array( $post['map_add'] ?? null ) ? $post['map_add'] : array(), 0, self::MOST_ROWS ) as $from ) {
			$from = $text( $from );
			if ( '' !== $from ) {
				$rows += array( self::name_for( $from ) => self::is_json( $from ) ? json_decode( $from, true ) : $from );
			}
		}
		unset( $mapping['leads'] );
		if ( $rows ) {
			$mapping = array( 'leads' => $rows ) + $mapping;
		}
		return $mapping ? self::json( $mapping ) : '';
	}

	/** A name here for a field of the CRM: `Budget__c` becomes `budget`, `["Owner", "Name"]` becomes `owner_name`. */
	public static function name_for( string $from ): string {
		$steps = self::is_json( $from ) ? json_decode( $from, true ) : array( $from );
		$name  = implode( '_', array_filter( (array) $steps, 'is_scalar' ) );
		$name  = preg_replace( '/__c$/', '', $name );
		$name  = trim( (string) preg_replace( '/[^a-z0-9]+/', '_', strtolower( (string) preg_replace( '/(?<=[a-z0-9])(?=[A-Z])/', '_', (string) $name ) ) ), '_' );
		return substr( preg_match( '/^[a-z]/', $name ) ? $name : "field_$name", 0, 64 );
	}

	/** Whether a field of the CRM is written as JSON: as a list or an object, or as nothing. */
	private static function is_json( string $from ): bool {
		return preg_match( '/^[\[{]|^null$/', $from ) && ( 'null' === $from || null !== json_decode( $from ) );
	}

	/** @param mixed $value */
	private static function json( $value ): string {
		return (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION );
	}
}
