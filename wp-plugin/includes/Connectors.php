<?php
/**
 * What the extension says of the CRMs that it knows: their titles, ways of authorisation and fields. Asked once a request.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Connectors {

	/** Fields that every connection has and that are stored on their own. */
	public const OWN = array( 'api_endpoint', 'api_key' );

	/** @var array<string, array<string, mixed>>|null */
	private static ?array $all = null;

	/**
	 * @return array<string, array<string, mixed>> As \TenantCRMSync::connectors() gives them.
	 * @throws \TenantCRMSync\Exception Where a connector of the site's own cannot be used.
	 */
	public static function all(): array {
		return self::$all ??= \TenantCRMSync::connectors();
	}

	/**
	 * @return array<string, mixed>
	 * @throws \InvalidArgumentException Where there is no such connector.
	 * @throws \TenantCRMSync\Exception
	 */
	public static function get( string $name ): array {
		$all = self::all();
		if ( ! isset( $all[ $name ] ) ) {
			throw new \InvalidArgumentException( "There is no connector \"$name\". There are: " . implode( ', ', array_keys( $all ) ) . '.' );
		}
		return $all[ $name ];
	}

	/** One connector, or null: for screens and workers, which must not fail because a file of the site's own is gone or broken. */
	public static function find( string $name ): ?array {
		try {
			return self::all()[ $name ] ?? null;
		} catch ( \TenantCRMSync\Exception $e ) {
			return null;
		}
	}

	/**
	 * The name of a way of authorisation; the connector's first one where none is named.
	 *
	 * @param array<string, mixed> $connector
	 * @throws \InvalidArgumentException Where there is no such way.
	 */
	public static function method( array $connector, string $auth ): string {
		if ( '' === $auth ) {
			return (string) array_key_first( $connector['auth'] );
		}
		if ( ! isset( $connector['auth'][ $auth ] ) ) {
			throw new \InvalidArgumentException( "{$connector['title']} has no way of authorisation \"$auth\". There are: " . implode( ', ', array_keys( $connector['auth'] ) ) . '.' );
		}
		return $auth;
	}

	/**
	 * Fields without which a way of authorisation does not work.
	 *
	 * @param array<string, mixed> $connector
	 * @return list<string>
	 */
	public static function required( array $connector, string $auth ): array {
		return array_values( array_filter( $connector['auth'][ $auth ]['fields'] ?? array(), static fn( string $name ): bool => 'api_endpoint' !== $name && null === ( $connector['fields'][ $name ]['default'] ?? null ) ) );
	}

	/**
	 * Fields to ask for: those of the way of authorisation, then those that belong to none.
	 *
	 * @param array<string, mixed> $connector
	 * @return array<string, array<string, mixed>> Each with `required`; without the endpoint.
	 */
	public static function asked( array $connector, string $auth ): array {
		$own    = array_diff( $connector['auth'][ $auth ]['fields'] ?? array(), array( 'api_endpoint' ) );
		$others = array_merge( array( 'api_endpoint' ), ...array_column( array_values( $connector['auth'] ), 'fields' ) );
		$asked  = array();
		foreach ( array_merge( $own, array_diff( array_keys( $connector['fields'] ), $others ) ) as $name ) {
			$asked[ $name ] = array( 'required' => in_array( $name, self::required( $connector, $auth ), true ) )
				+ ( $connector['fields'][ $name ] ?? array( 'title' => $name, 'help' => null, 'secret' => 'api_key' === $name, 'default' => null, 'bound_to' => null ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $asked;
	}

	/**
	 * What a tenant's own mapping is stored as.
	 *
	 * @param mixed $mapping JSON, or the same as an array.
	 * @return string Empty: none.
	 * @throws \InvalidArgumentException In plain words.
	 */
	public static function checked_mapping( string $name, $mapping ): string {
		if ( null === $mapping || '' === $mapping || array() === $mapping ) {
			return '';
		}
		$json   = is_string( $mapping ) ? trim( $mapping ) : (string) wp_json_encode( $mapping, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION );
		$parsed = json_decode( $json );
		if ( JSON_ERROR_NONE !== json_last_error() ) {
			throw new \InvalidArgumentException( 'The mapping is not JSON (' . json_last_error_msg() . '). It should look like {"leads": {"budget": "Budget__c"}}.' );
		}
		if ( ! $parsed instanceof \stdClass ) {
			throw new \InvalidArgumentException( 'The mapping must name object types and their fields, like {"leads": {"budget": "Budget__c"}}.' );
		}
		$connector = self::get( $name );
		// The extension reads it; what else it wants is only there to be there.
		$settings = array_fill_keys( array_keys( $connector['fields'] ), 'x' );
		try {
			\TenantCRMSync::with_settings( 'mapping', array( 'connector' => $name, 'api_endpoint' => 'https://crm.example', 'mapping' => $json ) + $settings ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		} catch ( \TenantCRMSync\Exception $e ) {
			$words = (string) preg_replace( '/^.*?the setting mapping: /s', '', $e->getMessage() );
			throw new \InvalidArgumentException( "The mapping cannot be used: $words" );
		}
		return array() === get_object_vars( $parsed ) ? '' : $json;
	}
}
