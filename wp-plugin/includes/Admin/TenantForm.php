<?php
/**
 * Reads and checks what was typed into the tenant form: values, errors in plain words by field, and the array for Tenants::save().
 *
 * It does not print and does not store. The API key is kept apart from the other values, so that no form is ever filled with it.
 */

namespace TenantCRM\Admin;

use TenantCRM\Plugin;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class TenantForm {

	const MAX_ID       = 190;
	const MAX_KEY      = 4096;
	const MAX_PARALLEL = 32;

	/** @var array{id: string, label: string, endpoint: string, connector: string, interval: int, hooks: bool, stable_order: bool, parallel: int} */
	public $values;

	/** @var array<string, string> Field => what is wrong. */
	public $errors = array();

	/** @var Tenant|null The tenant that is edited; null for a new one. */
	public $tenant;

	/** @var string */
	private $api_key = '';

	public function __construct( ?Tenant $tenant ) {
		$settings     = $tenant ? $tenant->settings : array();
		$this->tenant = $tenant;
		$this->values = array(
			'id'           => $tenant ? $tenant->id : '',
			'label'        => $tenant ? $tenant->label : '',
			'endpoint'     => $tenant ? $tenant->endpoint : '',
			'connector'    => $tenant ? $tenant->connector : 'rest',
			'interval'     => $tenant ? $tenant->interval() : HOUR_IN_SECONDS,
			'hooks'        => $tenant ? $tenant->uses_hooks() : false,
			'stable_order' => ! empty( $settings['stable_order'] ),
			'parallel'     => max( 1, min( self::MAX_PARALLEL, (int) ( $settings['parallel'] ?? 1 ) ) ),
		);
	}

	/** Whether endpoint and key come from the site's own function and cannot be changed here. */
	public function is_foreign(): bool {
		return null !== $this->tenant && 'function' === $this->tenant->source;
	}

	/**
	 * Takes the posted fields and checks them.
	 *
	 * @param array<string, mixed> $post Unslashed.
	 */
	public function fill( array $post ): void {
		$text = static fn( string $name ): string => isset( $post[ $name ] ) && is_string( $post[ $name ] ) ? trim( $post[ $name ] ) : '';
		if ( null === $this->tenant ) {
			$this->values['id'] = $text( 'tenant_id' );
			$this->check_id();
		}
		$this->values['label']        = mb_substr( sanitize_text_field( $text( 'label' ) ), 0, 190 );
		$this->values['interval']     = (int) $text( 'interval' );
		$this->values['hooks']        = 'hooks' === $text( 'storage' );
		$this->values['stable_order'] = '1' === $text( 'stable_order' );
		$this->values['parallel']     = (int) $text( 'parallel' );
		if ( ! isset( self::intervals( $this->values['interval'] )[ $this->values['interval'] ] ) || $this->values['interval'] < MINUTE_IN_SECONDS ) {
			$this->errors['interval'] = __( 'Choose how often to sync.', 'tenant-crm-sync' );
		}
		if ( $this->is_foreign() ) {
			return;
		}
		$this->values['endpoint']  = $text( 'endpoint' );
		$this->values['connector'] = $text( 'connector' );
		$this->api_key             = $text( 'api_key' );
		$this->check_paging();
		$this->check_endpoint();
		$this->check_key();
		if ( ! isset( self::connectors()[ $this->values['connector'] ] ) ) {
			$this->errors['connector'] = __( 'Choose a connector of the list.', 'tenant-crm-sync' );
		}
	}

	/**
	 * For Tenants::save(). Only call it where there are no errors.
	 *
	 * @return array<string, mixed>
	 */
	public function data(): array {
		$settings = array(
			'interval' => $this->values['interval'],
			'hooks'    => $this->values['hooks'],
		);
		$data     = array(
			'id'    => $this->values['id'],
			'label' => '' === $this->values['label'] ? $this->values['id'] : $this->values['label'],
		);
		if ( ! $this->is_foreign() ) {
			$settings['stable_order'] = $this->values['stable_order'];
			$settings['parallel']     = $this->values['stable_order'] ? $this->values['parallel'] : 1;
			$data                    += array(
				'endpoint'  => $this->values['endpoint'],
				'connector' => $this->values['connector'],
			);
			if ( '' !== $this->api_key ) {
				$data['api_key'] = $this->api_key;
			}
		}
		// Settings that this form does not show stay as they are.
		$data['settings'] = array_merge( $this->tenant ? $this->tenant->settings : array(), $settings );
		return $data;
	}

	/** Whether saving needs the extension: a key is sealed before it is stored. */
	public function has_key(): bool {
		return '' !== $this->api_key;
	}

	/** @return array<string, string> */
	public static function connectors(): array {
		return array( 'rest' => __( 'REST (Bearer key, /api/v1/leads)', 'tenant-crm-sync' ) );
	}

	/**
	 * @param int $present The tenant's own interval, which the command line may have set to something else.
	 * @return array<int, string>
	 */
	public static function intervals( int $present ): array {
		$all = array(
			5 * MINUTE_IN_SECONDS  => __( 'every 5 minutes', 'tenant-crm-sync' ),
			15 * MINUTE_IN_SECONDS => __( 'every 15 minutes', 'tenant-crm-sync' ),
			30 * MINUTE_IN_SECONDS => __( 'every 30 minutes', 'tenant-crm-sync' ),
			HOUR_IN_SECONDS        => __( 'every hour', 'tenant-crm-sync' ),
			6 * HOUR_IN_SECONDS    => __( 'every 6 hours', 'tenant-crm-sync' ),
			DAY_IN_SECONDS         => __( 'once a day', 'tenant-crm-sync' ),
		);
		if ( ! isset( $all[ $present ] ) && $present >= MINUTE_IN_SECONDS ) {
			/* translators: %s: number of seconds */
			$all[ $present ] = sprintf( __( 'every %s seconds', 'tenant-crm-sync' ), number_format_i18n( $present ) );
			ksort( $all );
		}
		return $all;
	}

	private function check_id(): void {
		$id = $this->values['id'];
		if ( '' === $id ) {
			$this->errors['tenant_id'] = __( 'Give the tenant an id, for example “acme”.', 'tenant-crm-sync' );
		} elseif ( strlen( $id ) > self::MAX_ID || 1 !== preg_match( '/^[^\x00-\x1f\x7f]+$/u', $id ) ) {
			$this->errors['tenant_id'] = __( 'The id may have up to 190 bytes and no control characters.', 'tenant-crm-sync' );
		} elseif ( null !== Tenants::find( $id ) ) {
			$this->errors['tenant_id'] = __( 'There is a tenant with this id already. Edit that one, or choose another id.', 'tenant-crm-sync' );
		}
	}

	private function check_endpoint(): void {
		$endpoint = $this->values['endpoint'];
		$parts    = wp_parse_url( $endpoint );
		$scheme   = is_array( $parts ) ? strtolower( $parts['scheme'] ?? '' ) : '';
		if ( '' === $endpoint ) {
			$this->errors['endpoint'] = __( 'Give the address of the tenant’s CRM, for example https://crm.example.com.', 'tenant-crm-sync' );
		} elseif ( ! is_array( $parts ) || empty( $parts['host'] ) || ! in_array( $scheme, array( 'https', 'http' ), true ) || strlen( $endpoint ) > 2048 || preg_match( '/[\x00-\x20\x7f]/', $endpoint ) ) {
			$this->errors['endpoint'] = __( 'This is not an address. It should look like https://crm.example.com.', 'tenant-crm-sync' );
		} elseif ( 'http' === $scheme && ! self::http_allowed() ) {
			$this->errors['endpoint'] = __( 'The address must begin with https://: over http:// anyone on the way could read the key.', 'tenant-crm-sync' );
		} elseif ( isset( $parts['user'] ) || isset( $parts['pass'] ) ) {
			$this->errors['endpoint'] = __( 'Leave user and password out of the address; the API key has its own field.', 'tenant-crm-sync' );
		} elseif ( ! in_array( $parts['path'] ?? '', array( '', '/' ), true ) || isset( $parts['query'] ) || isset( $parts['fragment'] ) ) {
			$this->errors['endpoint'] = __( 'Give only the address of the server, without a path: /api/v1/leads is added to it.', 'tenant-crm-sync' );
		}
	}

	private function check_key(): void {
		if ( strlen( $this->api_key ) > self::MAX_KEY || preg_match( '/[\x00-\x20\x7f]/', $this->api_key ) ) {
			$this->errors['api_key'] = __( 'An API key has no blanks or line breaks. Copy it from the CRM again.', 'tenant-crm-sync' );
		} elseif ( '' === $this->api_key && ( null === $this->tenant || ! $this->tenant->has_credential() ) ) {
			$this->errors['api_key'] = __( 'Give the API key that the CRM made for this site.', 'tenant-crm-sync' );
		} elseif ( '' === $this->api_key && self::origin( $this->values['endpoint'] ) !== self::origin( $this->tenant->endpoint ) ) {
			$this->errors['api_key'] = __( 'The address changed, so give the API key again: the stored one is bound to the old address and is not sent to another.', 'tenant-crm-sync' );
		}
	}

	private function check_paging(): void {
		if ( $this->values['parallel'] < 1 || $this->values['parallel'] > self::MAX_PARALLEL ) {
			$this->errors['parallel']   = __( 'Choose between 1 and 32 pages side by side.', 'tenant-crm-sync' );
			$this->values['parallel'] = max( 1, min( self::MAX_PARALLEL, $this->values['parallel'] ) );
		} elseif ( $this->values['parallel'] > 1 && ! $this->values['stable_order'] ) {
			$this->errors['parallel'] = __( 'Pages are only read side by side where the order is stable: tick that box too, or choose 1.', 'tenant-crm-sync' );
		}
	}

	private static function http_allowed(): bool {
		return Plugin::is_ready() && ! empty( \TenantCRMSync::status()['allow_http'] );
	}

	/** Scheme, host and port: what a key is bound to. */
	private static function origin( string $url ): string {
		$parts   = (array) wp_parse_url( $url );
		$scheme  = strtolower( (string) ( $parts['scheme'] ?? '' ) );
		$default = 'https' === $scheme ? 443 : 80;
		return $scheme . '://' . strtolower( (string) ( $parts['host'] ?? '' ) ) . ':' . ( $parts['port'] ?? $default );
	}
}
