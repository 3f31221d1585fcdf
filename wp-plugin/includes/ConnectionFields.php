<?php
/**
 * What a connector asks for beyond address and key: way of authorisation, client id and secret, a time zone. Secret ones are stored
 * sealed, each for the address that it is sent to, or are references to a secrets manager. Which fields there are, which are secret, and
 * which references a tenant may use, the extension says.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class ConnectionFields {

	/** How every sealed credential begins. */
	public const ENVELOPE = 'tcs1.';

	/** How a secret field begins that names a secret of the host's secrets manager. It is stored as it is, and only the extension looks it up. */
	public const REFERENCE = '#^(vault|aws-sm)://#';

	/** Bytes of one field in plain text. */
	public const MAX = 8192;

	/**
	 * The fields as they are stored.
	 *
	 * @param array<string, mixed> $fields Plain, or as they were stored.
	 * @param Tenant|null          $old    The tenant as it is stored; null for a new one.
	 * @return array<string, string>
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRMSync\Exception Where a secret cannot be sealed.
	 */
	public static function sealed( string $id, string $connector, string $endpoint, array $fields, ?Tenant $old ): array {
		$known  = Connectors::get( $connector );
		$stored = array();
		foreach ( $fields as $name => $value ) {
			$value = self::checked( $id, $known, (string) $name, $value );
			if ( '' !== $value ) {
				$stored[ $name ] = $value;
			}
		}
		$asked  = Connectors::asked( $known, Connectors::method( $known, $stored['auth'] ?? '' ) );
		$before = $old ? $old->connection() : array();
		foreach ( $stored as $name => $value ) {
			if ( empty( $known['fields'][ $name ]['secret'] ) ) {
				continue;
			}
			$address = self::address( $known['fields'], $name, $stored, $endpoint );
			if ( ! str_starts_with( $value, self::ENVELOPE ) ) {
				// A reference comes back as it is, if it is this tenant's.
				$stored[ $name ] = \TenantCRMSync::encrypt_credential( $id, $value, $name, $address );
			} elseif ( ( $before[ $name ] ?? null ) !== $value ) {
				$stored[ $name ] = self::own( $id, $name, $value );
			} elseif ( self::is_moved( $old, $name, $address ) ) {
				if ( ! isset( $asked[ $name ] ) ) {
					// Another way of authorisation wanted it: it is of no use any more, and nobody is asked for it.
					unset( $stored[ $name ] );
					continue;
				}
				throw new \InvalidArgumentException( "The address that the field \"$name\" of tenant \"$id\" is sent to changed. Give that field again: what is stored is bound to the old address and is not sent to another." );
			}
		}
		return $stored;
	}

	/**
	 * Whether a stored secret is bound to another origin than the one that it would be sent to.
	 *
	 * @param string $address Where it would be sent to.
	 */
	public static function is_moved( Tenant $old, string $name, string $address ): bool {
		$known = Connectors::find( $old->connector )['fields'] ?? array();
		try {
			$bound = 'api_key' === $name ? $old->endpoint : self::address( $known, $name, $old->connection(), $old->endpoint );
		} catch ( \InvalidArgumentException $e ) {
			// Nobody can say any more what it was bound to.
			return true;
		}
		return self::origin( $bound ) !== self::origin( $address );
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

	/**
	 * Where a secret is sent: to the endpoint, unless the connector says that another field holds the address.
	 *
	 * @param array<string, array<string, mixed>> $known  The connector's fields.
	 * @param array<string, mixed>                $fields The connection's.
	 * @throws \InvalidArgumentException Where there is no address yet.
	 */
	public static function address( array $known, string $name, array $fields, string $endpoint ): string {
		$bound_to = $known[ $name ]['bound_to'] ?? null;
		$address  = null === $bound_to || 'api_endpoint' === $bound_to ? $endpoint : ( $fields[ $bound_to ] ?? $known[ $bound_to ]['default'] ?? '' );
		if ( ! is_string( $address ) || '' === $address ) {
			throw new \InvalidArgumentException( "Give the address together with the field \"$name\": a secret is sealed for one address." );
		}
		return $address;
	}

	/** Scheme, host and port: what a secret is bound to. */
	public static function origin( string $url ): string {
		$parts   = (array) wp_parse_url( $url );
		$scheme  = strtolower( (string) ( $parts['scheme'] ?? '' ) );
		$default = 'https' === $scheme ? 443 : 80;
		return $scheme . '://' . strtolower( (string) ( $parts['host'] ?? '' ) ) . ':' . ( $parts['port'] ?? $default );
	}

	/**
	 * An envelope that the site's own code made: it must be this tenant's and this field's. Which address it is for, only the extension sees.
	 *
	 * @throws \InvalidArgumentException Where it is another's.
	 */
	private static function own( string $id, string $name, string $envelope ): string {
		try {
			return \TenantCRMSync::rotate_credential( $id, $envelope, $name );
		} catch ( \TenantCRMSync\CredentialException $e ) {
			throw new \InvalidArgumentException( "The field \"$name\" of tenant \"$id\" is sealed already, and not for this tenant and field. Give it in plain text." );
		}
	}

	/**
	 * @param array<string, mixed> $known The connector.
	 * @param mixed                $value
	 */
	private static function checked( string $id, array $known, string $name, $value ): string {
		if ( 'auth' !== $name && ( ! isset( $known['fields'][ $name ] ) || in_array( $name, Connectors::OWN, true ) ) ) {
			throw new \InvalidArgumentException( "A connection to {$known['title']} has no field \"$name\" of this kind." );
		}
		if ( ! is_scalar( $value ) || is_bool( $value ) ) {
			throw new \InvalidArgumentException( "The field \"$name\" of tenant \"$id\" must be text." );
		}
		$value  = (string) $value;
		$secret = ! empty( $known['fields'][ $name ]['secret'] );
		// Keys in PEM have lines, and an envelope is longer than what it holds.
		if ( preg_match( $secret ? '/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/' : '/[\x00-\x1f\x7f]/', $value ) || ! mb_check_encoding( $value, 'UTF-8' ) ) {
			throw new \InvalidArgumentException( "The field \"$name\" of tenant \"$id\" has control characters or is not UTF-8. Copy it from the CRM again." );
		}
		if ( strlen( $value ) > self::MAX && ! ( $secret && str_starts_with( $value, self::ENVELOPE ) ) ) {
			throw new \InvalidArgumentException( "The field \"$name\" of tenant \"$id\" is longer than " . self::MAX . ' bytes.' );
		}
		return $value;
	}
}
