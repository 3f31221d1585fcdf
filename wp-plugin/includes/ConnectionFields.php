<?php
/**
 * What a connector asks for beyond address and key: client id and secret, a refresh token, a time zone. Secret ones are stored sealed,
 * each for the address that it is sent to. Which fields there are, and which are secret, the extension says.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class ConnectionFields {

	/** How every sealed credential begins. */
	private const ENVELOPE = 'tcs1.';

	/**
	 * The fields as they are stored.
	 *
	 * @param array<string, mixed> $fields Plain, or as they were stored.
	 * @return array<string, string>
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRMSync\CredentialException Where a secret cannot be sealed.
	 */
	public static function sealed( string $id, string $connector, string $endpoint, array $fields ): array {
		$known  = self::known( $connector );
		$stored = array();
		foreach ( $fields as $name => $value ) {
			if ( ! is_string( $name ) || ( 'auth' !== $name && ! isset( $known[ $name ] ) ) ) {
				throw new \InvalidArgumentException( "A connection to $connector has no field \"$name\"." );
			}
			if ( ! is_scalar( $value ) || is_bool( $value ) ) {
				throw new \InvalidArgumentException( "The field \"$name\" of tenant \"$id\" must be text." );
			}
			$value = (string) $value;
			if ( '' === $value ) {
				continue;
			}
			if ( ! empty( $known[ $name ]['secret'] ) && ! str_starts_with( $value, self::ENVELOPE ) ) {
				$value = \TenantCRMSync::encrypt_credential( $id, $value, $name, self::address( $known, $name, $fields, $endpoint ) );
			}
			$stored[ $name ] = $value;
		}
		return $stored;
	}

	/**
	 * The same with every secret sealed anew with the newest host key.
	 *
	 * @param array<string, mixed> $fields As they are stored.
	 * @return array<string, mixed>
	 * @throws \TenantCRMSync\CredentialException
	 */
	public static function rotated( string $id, array $fields ): array {
		foreach ( $fields as $name => $value ) {
			if ( is_string( $value ) && str_starts_with( $value, self::ENVELOPE ) ) {
				$fields[ $name ] = \TenantCRMSync::rotate_credential( $id, $value, $name );
			}
		}
		return $fields;
	}

	/** @return array<string, array<string, mixed>> */
	private static function known( string $connector ): array {
		$all = \TenantCRMSync::connectors();
		if ( ! isset( $all[ $connector ] ) ) {
			throw new \InvalidArgumentException( "There is no connector \"$connector\". There are: " . implode( ', ', array_keys( $all ) ) . '.' );
		}
		return $all[ $connector ]['fields'];
	}

	/**
	 * Where a secret is sent: to the endpoint, unless the connector says that another field holds the address.
	 *
	 * @param array<string, array<string, mixed>> $known
	 * @param array<string, mixed>                $fields
	 */
	private static function address( array $known, string $name, array $fields, string $endpoint ): string {
		$bound_to = $known[ $name ]['bound_to'] ?? null;
		$address  = null === $bound_to || 'api_endpoint' === $bound_to ? $endpoint : ( $fields[ $bound_to ] ?? $known[ $bound_to ]['default'] ?? '' );
		if ( ! is_string( $address ) || '' === $address ) {
			throw new \InvalidArgumentException( "Give the address together with the field \"$name\": a secret is sealed for one address." );
		}
		return $address;
	}
}
