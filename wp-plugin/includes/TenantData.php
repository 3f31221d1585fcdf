<?php
/**
 * What may be stored of a tenant: checks each part as it was given and says in plain words what is wrong with it. Storing it is the business of
 * Tenants; secrets are sealed by ConnectionFields.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class TenantData {

	private const MAX_ID = 190;

	/** @param mixed $id */
	public static function id( $id ): string {
		$id = is_int( $id ) ? (string) $id : $id;
		if ( ! is_string( $id ) || '' === $id || strlen( $id ) > self::MAX_ID || ! preg_match( '/^[^\x00-\x1f\x7f]+$/u', $id ) || trim( $id ) !== $id || is_serialized( $id ) ) {
			throw new \InvalidArgumentException( 'The id of a tenant is a text of 1 to 190 bytes without control characters and without blanks at its ends, and does not look like serialized PHP.' );
		}
		return $id;
	}

	/** @param mixed $endpoint The extension's own rules (INI) are applied where the address is called. */
	public static function endpoint( $endpoint ): string {
		$parts = is_string( $endpoint ) ? wp_parse_url( $endpoint ) : false;
		if ( ! $parts || empty( $parts['host'] ) || ! in_array( strtolower( $parts['scheme'] ?? '' ), array( 'https', 'http' ), true ) || strlen( $endpoint ) > 2048 || preg_match( '/[\x00-\x20\x7f]/', $endpoint ) ) {
			throw new \InvalidArgumentException( 'The endpoint must be a URL such as https://crm.example.com.' );
		}
		if ( isset( $parts['user'] ) || isset( $parts['pass'] ) ) {
			throw new \InvalidArgumentException( 'The endpoint must not hold a user or a password: give the API key on its own.' );
		}
		return $endpoint;
	}

	/** @param mixed $connector */
	public static function connector( $connector ): string {
		if ( ! is_string( $connector ) || ! preg_match( '/^[a-z0-9][a-z0-9_-]{0,63}$/D', $connector ) ) {
			throw new \InvalidArgumentException( 'The name of a connector has only small letters, digits, - and _.' );
		}
		Connectors::get( $connector );
		return $connector;
	}

	/**
	 * Settings as they are stored: secrets sealed, the mapping as JSON.
	 *
	 * @param mixed $settings
	 * @return mixed
	 */
	public static function settings( string $id, string $connector, string $endpoint, $settings, ?Tenant $old ) {
		if ( ! is_array( $settings ) ) {
			return $settings;
		}
		if ( isset( $settings['connection'] ) ) {
			$settings['connection'] = ConnectionFields::sealed( $id, $connector, $endpoint, (array) $settings['connection'], $old );
		}
		$settings['mapping'] = Connectors::checked_mapping( $connector, $settings['mapping'] ?? '' );
		if ( isset( $settings['webhook'] ) ) {
			$settings['webhook'] = Webhooks\Selection::checked( $connector, $settings['webhook'] );
		}
		if ( ! in_array( $settings['erase'] ?? 'portal', array( 'portal', 'crm' ), true ) ) {
			throw new \InvalidArgumentException( 'The setting "erase" is portal or crm: where a person is erased on request.' );
		}
		TwoWay\Rules::check( $settings );
		return array_filter( $settings, static fn( $value, $name ): bool => ! in_array( $name, array( 'connection', 'mapping', 'webhook' ), true ) || ! empty( $value ), ARRAY_FILTER_USE_BOTH );
	}

	/** @param mixed $value */
	public static function text( $value, int $max ): string {
		return mb_substr( sanitize_text_field( is_scalar( $value ) ? (string) $value : '' ), 0, $max );
	}

	/** @param mixed $value */
	public static function json( $value ): string {
		$json = is_array( $value ) ? wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION ) : false;
		if ( false === $json ) {
			throw new \InvalidArgumentException( 'The settings of a tenant must be a list of names and values that can be written as JSON.' );
		}
		return $json;
	}
}
