<?php
/**
 * The part of the tenant form that is about the CRM: connector, way of authorisation, address, fields, mapping. Reads and checks what was
 * typed. The rest of the form is in TenantForm, the markup in ConnectionRows.
 *
 * Which fields there are depends on connector and way of authorisation. Where they were changed, the form is shown once more with the
 * fields of the new choice, and nothing is saved. Secrets are kept apart from the other values: no form is ever filled with one.
 */

namespace TenantCRM\Admin;

use TenantCRM\ConnectionFields;
use TenantCRM\Connectors;
use TenantCRM\Tenant;

final class ConnectionForm {

	/** @var string */
	public $connector;

	/** @var string */
	public $auth;

	/** @var string */
	public $endpoint;

	/** @var string JSON. */
	public $mapping;

	/** @var array<string, string> Values of the fields that are no secrets. */
	public $values = array();

	/** @var array<string, string> Name of the input => what is wrong. */
	public $errors = array();

	/** @var bool Whether another connector or way of authorisation was chosen, whose fields are to be filled in now. */
	public $is_choice = false;

	/** @var array<string, string> Secrets as they were typed. */
	private $secrets = array();

	/** @var Tenant|null */
	private $tenant;

	/** @throws \TenantCRMSync\Exception Where a connector of the site's own cannot be used. */
	public function __construct( ?Tenant $tenant ) {
		$this->tenant    = $tenant;
		$this->connector = $tenant ? $tenant->connector : 'rest';
		$this->auth      = $tenant ? (string) ( $tenant->connection()['auth'] ?? '' ) : '';
		$this->endpoint  = $tenant ? $tenant->endpoint : '';
		$this->mapping   = $tenant ? $tenant->mapping() : '';
		$this->settle();
		$this->values = $this->stored();
	}

	/** Name of the input of a connector's field. */
	public static function input( string $field ): string {
		return 'api_key' === $field ? $field : "field_$field";
	}

	/** What the inputs that are shown belong to. */
	public function choice(): string {
		return $this->connector . '/' . $this->auth;
	}

	/** @return array<string, mixed> What the extension says of the connector. */
	public function about(): array {
		return Connectors::all()[ $this->connector ];
	}

	/** @return array<string, array<string, mixed>> The fields to show, without the endpoint: see Connectors::asked(). */
	public function fields(): array {
		return Connectors::asked( $this->about(), $this->auth );
	}

	/** Whether a person has to agree at the CRM: there is such a way, and nobody entered the token that comes of it. */
	public function needs_consent(): bool {
		return $this->about()['auth'][ $this->auth ]['consent'] && ! isset( $this->secrets['refresh_token'] ) && ! $this->has_stored( 'refresh_token' );
	}

	/** @return array<string, string> */
	public static function connectors(): array {
		return array_map( static fn( array $connector ): string => $connector['title'], Connectors::all() );
	}

	/** Whether a secret is stored that can stay. */
	public function has_stored( string $field ): bool {
		if ( ! $this->tenant || $this->tenant->connector !== $this->connector ) {
			return false;
		}
		return 'api_key' === $field ? $this->tenant->has_key() : isset( $this->tenant->connection()[ $field ] );
	}

	/** What is stored of a secret, where that is a reference to a secrets manager. */
	public function reference( string $field ): string {
		return $this->has_stored( $field ) ? $this->tenant->reference( $field ) : '';
	}

	/** @param array<string, mixed> $post Unslashed. */
	public function fill( array $post ): void {
		$text      = static fn( string $name ): string => isset( $post[ $name ] ) && is_string( $post[ $name ] ) ? trim( str_replace( "\r\n", "\n", $post[ $name ] ) ) : '';
		$shown     = explode( '/', $text( 'shown' ), 2 );
		$connector = $text( 'connector' );
		if ( ! isset( Connectors::all()[ $connector ] ) ) {
			$this->errors['connector'] = __( 'Choose a connector of the list.', 'tenant-crm-sync' );
			return;
		}
		$is_other        = '' !== $shown[0] && $shown[0] !== $connector;
		$this->connector = $connector;
		$this->auth      = $is_other ? '' : $text( 'auth' );
		$this->endpoint  = $text( 'endpoint' );
		$this->mapping   = $is_other ? '' : Mapping::posted( $post );
		if ( $is_other && $this->endpoint === ( Connectors::find( $shown[0] )['fields']['api_endpoint']['default'] ?? '' ) ) {
			$this->endpoint = '';
		}
		$this->settle();
		$this->is_choice = isset( $post['choose'] ) || $is_other || ( isset( $shown[1] ) && $shown[1] !== $this->auth );
		// Another way of authorisation shows what is stored of it.
		$this->values    = $this->is_choice ? $this->stored() : array();
		foreach ( $this->fields() as $name => $field ) {
			$value = $text( self::input( $name ) );
			if ( ! $field['secret'] ) {
				$this->values[ $name ] = $this->is_choice && '' === $value ? $this->values[ $name ] ?? '' : $value;
			} elseif ( '' !== $value && ! $this->is_choice ) {
				$this->secrets[ $name ] = $value;
			}
		}
		if ( ! $this->is_choice ) {
			$this->check_endpoint();
			$this->check_fields();
			$this->check_mapping();
		}
	}

	/**
	 * For Tenants::save(). Only call it where there are no errors.
	 *
	 * @return array{connector: string, endpoint: string, api_key?: string, connection: array<string, string>, mapping: string}
	 */
	public function data(): array {
		// What belongs to another way of authorisation stays stored.
		$connection         = $this->tenant && $this->tenant->connector === $this->connector ? $this->tenant->connection() : array();
		$connection         = array_intersect_key( array_merge( $connection, $this->values, $this->secrets ), $this->about()['fields'] );
		$connection['auth'] = $this->auth;
		unset( $connection['api_key'] );
		$data = array(
			'connector'  => $this->connector,
			'endpoint'   => $this->endpoint,
			'connection' => array_filter( $connection, static fn( string $value ): bool => '' !== $value ),
			'mapping'    => $this->mapping,
		);
		if ( array( 'auth' => $this->auth ) === $data['connection'] && 1 === count( $this->about()['auth'] ) ) {
			$data['connection'] = array();
		}
		return isset( $this->secrets['api_key'] ) ? $data + array( 'api_key' => $this->secrets['api_key'] ) : $data;
	}

	/** @return array<string, string> Values of the shown fields as they are stored, without secrets. */
	private function stored(): array {
		if ( ! $this->tenant || $this->tenant->connector !== $this->connector ) {
			return array();
		}
		return array_intersect_key( $this->tenant->connection(), array_filter( $this->fields(), static fn( array $field ): bool => ! $field['secret'] ) );
	}

	/** A connector that is gone is shown as the first one, an unknown way of authorisation as the connector's first. */
	private function settle(): void {
		$all = Connectors::all();
		if ( ! isset( $all[ $this->connector ] ) ) {
			$this->connector = isset( $all['rest'] ) ? 'rest' : (string) array_key_first( $all );
		}
		if ( ! isset( $all[ $this->connector ]['auth'][ $this->auth ] ) ) {
			$this->auth = (string) array_key_first( $all[ $this->connector ]['auth'] );
		}
	}

	private function check_endpoint(): void {
		$endpoint = $this->endpoint;
		$parts    = wp_parse_url( $endpoint );
		$scheme   = is_array( $parts ) ? strtolower( $parts['scheme'] ?? '' ) : '';
		if ( '' === $endpoint ) {
			if ( null === ( $this->about()['fields']['api_endpoint']['default'] ?? null ) ) {
				$this->errors['endpoint'] = __( 'Give the address of the tenant’s CRM, for example https://crm.example.com.', 'tenant-crm-sync' );
			}
		} elseif ( ! is_array( $parts ) || empty( $parts['host'] ) || ! in_array( $scheme, array( 'https', 'http' ), true ) || strlen( $endpoint ) > 2048 || preg_match( '/[\x00-\x20\x7f]/', $endpoint ) ) {
			$this->errors['endpoint'] = __( 'This is not an address. It should look like https://crm.example.com.', 'tenant-crm-sync' );
		} elseif ( 'http' === $scheme && empty( \TenantCRMSync::status()['allow_http'] ) ) {
			$this->errors['endpoint'] = __( 'The address must begin with https://: over http:// anyone on the way could read the key.', 'tenant-crm-sync' );
		} elseif ( isset( $parts['user'] ) || isset( $parts['pass'] ) ) {
			$this->errors['endpoint'] = __( 'Leave user and password out of the address; what the CRM asks for has fields of its own.', 'tenant-crm-sync' );
		} elseif ( isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			$this->errors['endpoint'] = __( 'Give only the address, without what comes behind ? or #.', 'tenant-crm-sync' );
		} elseif ( 'rest' === $this->connector && ! in_array( $parts['path'] ?? '', array( '', '/' ), true ) ) {
			$this->errors['endpoint'] = __( 'Give only the address of the server, without a path: /api/v1/leads is added to it.', 'tenant-crm-sync' );
		}
	}

	private function check_fields(): void {
		foreach ( $this->fields() as $name => $field ) {
			$value = $field['secret'] ? $this->secrets[ $name ] ?? '' : $this->values[ $name ];
			$error = null;
			if ( strlen( $value ) > ConnectionFields::MAX ) {
				$error = __( 'This is too long. Copy it from the CRM again.', 'tenant-crm-sync' );
			} elseif ( 'api_key' === $name && preg_match( '/[\x00-\x20\x7f]/', $value ) ) {
				$error = __( 'An API key has no blanks or line breaks. Copy it from the CRM again.', 'tenant-crm-sync' );
			} elseif ( str_starts_with( $value, ConnectionFields::ENVELOPE ) ) {
				$error = __( 'This is a stored secret, not one of the CRM. Copy it from the CRM again.', 'tenant-crm-sync' );
			} elseif ( '' === $value && ( ! $field['secret'] || ! $this->has_stored( $name ) ) ) {
				if ( $field['required'] ) {
					/* translators: %s: name of a field, for example "Client ID" */
					$error = 'api_key' === $name ? __( 'Give the API key that the CRM made for this site.', 'tenant-crm-sync' ) : sprintf( __( 'The CRM asks for this: %s.', 'tenant-crm-sync' ), $field['title'] );
				}
			} elseif ( '' === $value && $field['secret'] && $this->is_moved( $name ) ) {
				$error = 'api_key' === $name
					? __( 'The address changed, so give the API key again: the stored one is bound to the old address and is not sent to another.', 'tenant-crm-sync' )
					: __( 'The address changed, so give this again: what is stored is bound to the old address and is not sent to another.', 'tenant-crm-sync' );
			}
			if ( null !== $error ) {
				$this->errors[ self::input( $name ) ] = $error;
			}
		}
	}

	private function is_moved( string $name ): bool {
		$fields   = $this->about()['fields'];
		$endpoint = '' === $this->endpoint ? (string) ( $fields['api_endpoint']['default'] ?? '' ) : $this->endpoint;
		$given    = array_filter( $this->values, static fn( string $value ): bool => '' !== $value );
		try {
			return ConnectionFields::is_moved( $this->tenant, $name, ConnectionFields::address( $fields, $name, $given, $endpoint ) );
		} catch ( \InvalidArgumentException $e ) {
			// The address is missing, which is another field's error.
			return false;
		}
	}

	private function check_mapping(): void {
		$lacks = array_search( '', Mapping::rows( $this->mapping ), true );
		if ( false !== $lacks ) {
			/* translators: %s: name of a field, for example "budget" */
			$this->errors['mapping'] = sprintf( __( 'Say which field of the CRM becomes “%s”, or empty both.', 'tenant-crm-sync' ), $lacks );
			return;
		}
		try {
			$this->mapping = Connectors::checked_mapping( $this->connector, $this->mapping );
		} catch ( \InvalidArgumentException $e ) {
			$this->errors['mapping'] = $e->getMessage();
		}
	}
}
