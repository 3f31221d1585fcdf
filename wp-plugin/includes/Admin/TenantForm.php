<?php
/**
 * Reads and checks what was typed into the tenant form: values, errors in plain words by field, and the array for Tenants::save().
 *
 * It does not print and does not store. What is asked about the CRM is in ConnectionForm.
 */

namespace TenantCRM\Admin;

use TenantCRM\Settings;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Rules;

final class TenantForm {

	const MAX_ID       = 190;
	const MAX_PARALLEL = 128;

	/** @var array{id: string, label: string, interval: int, hooks: bool, direction: string, policy: string, portal_deletes: string, stable_order: bool, parallel: int} */
	public $values;

	/** @var array<string, string> Field => what is wrong. */
	public $errors = array();

	/** @var Tenant|null The tenant that is edited; null for a new one. */
	public $tenant;

	/** @var ConnectionForm */
	public $connection;

	/** @var LimitForm */
	public $limits;

	public function __construct( ?Tenant $tenant ) {
		$settings         = $tenant ? $tenant->settings : array();
		$this->tenant     = $tenant;
		$this->connection = new ConnectionForm( $tenant );
		$this->limits     = new LimitForm( $tenant );
		$this->values     = array(
			'id'             => $tenant ? $tenant->id : '',
			'label'          => $tenant ? $tenant->label : '',
			'interval'       => $tenant ? $tenant->interval() : Settings::get( Settings::INTERVAL ),
			'hooks'          => $tenant ? $tenant->uses_hooks() : false,
			'direction'      => Rules::direction( $settings, 'leads' ),
			'policy'         => ( new Rules( $settings, 'leads' ) )->get( 'policy' ),
			'portal_deletes' => ( new Rules( $settings, 'leads' ) )->get( 'portal_deletes' ),
			'stable_order'   => ! empty( $settings['stable_order'] ),
			'parallel'       => max( 1, min( self::MAX_PARALLEL, (int) ( $settings['parallel'] ?? 1 ) ) ),
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
		if ( ! isset( $post['interval'] ) ) {
			// The first step of a new tenant asks only for the connection; the rest has its defaults.
			$this->fill_connection( $post );
			return;
		}
		$this->values['interval']     = (int) $text( 'interval' );
		$this->values['hooks']        = 'hooks' === $text( 'storage' );
		foreach ( self::two_way() as $name => $choices ) {
			$this->values[ $name ] = isset( $choices[ $text( $name ) ] ) ? $text( $name ) : $this->values[ $name ];
		}
		if ( $this->values['hooks'] && Rules::FROM_CRM !== $this->values['direction'] ) {
			$this->errors['direction'] = __( 'Leads that are stored one by one only come from the CRM: choose that, or storing in sets.', 'tenant-crm-sync' );
		}
		$this->values['stable_order'] = '1' === $text( 'stable_order' );
		$this->values['parallel']     = (int) $text( 'parallel' );
		if ( ! isset( self::intervals( $this->values['interval'] )[ $this->values['interval'] ] ) || $this->values['interval'] < MINUTE_IN_SECONDS ) {
			$this->errors['interval'] = __( 'Choose how often to sync.', 'tenant-crm-sync' );
		}
		if ( $this->is_foreign() ) {
			return;
		}
		$this->check_paging();
		$this->limits->fill( $post );
		$this->errors += $this->limits->errors;
		$this->fill_connection( $post );
	}

	/** @param array<string, mixed> $post Unslashed. */
	private function fill_connection( array $post ): void {
		$this->connection->fill( $post );
		$this->errors += $this->connection->errors;
		if ( $this->connection->is_choice ) {
			// Nobody has finished this form yet.
			$this->errors = array();
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
			$connection               = $this->connection->data();
			$settings['connection']   = $connection['connection'];
			$settings['mapping']      = $connection['mapping'];
			$data                    += array_diff_key( $connection, $settings );
		}
		// Settings that this form does not show stay as they are.
		$old              = $this->tenant ? $this->tenant->settings : array();
		$limits           = $this->is_foreign() ? array() : $this->limits->data();
		$said             = array_filter( $limits, static fn( $value ): bool => null !== $value );
		$data['settings'] = array_merge( array_diff_key( $old, $limits ), $settings, $said, $this->two_way_data( $old ) );
		return $data;
	}

	/**
	 * What is not said stays unsaid, and so the default.
	 *
	 * @param array<string, mixed> $old
	 * @return array<string, mixed>
	 */
	private function two_way_data( array $old ): array {
		$now  = $this->values;
		$data = array();
		foreach ( array_keys( self::two_way() ) as $name ) {
			$was = 'direction' === $name ? Rules::direction( $old, 'leads' ) : ( new Rules( $old, 'leads' ) )->get( $name );
			if ( $was !== $now[ $name ] ) {
				$data[ $name ] = 'direction' === $name && is_array( $old['direction'] ?? null ) ? array( 'leads' => $now[ $name ] ) + $old['direction'] : $now[ $name ];
			}
		}
		return $data;
	}

	/** @return array<string, array<string, string>> Settings of two-way sync that the form shows, and their choices. */
	public static function two_way(): array {
		return array(
			'direction'      => array(
				Rules::FROM_CRM => __( 'from the CRM to the portal', 'tenant-crm-sync' ),
				Rules::BOTH     => __( 'both ways', 'tenant-crm-sync' ),
				Rules::TO_CRM   => __( 'from the portal to the CRM', 'tenant-crm-sync' ),
			),
			'policy'         => array(
				'crm'    => __( 'the CRM’s value counts', 'tenant-crm-sync' ),
				'portal' => __( 'the portal’s value counts', 'tenant-crm-sync' ),
				'newest' => __( 'the later change counts', 'tenant-crm-sync' ),
				'ask'    => __( 'a person decides', 'tenant-crm-sync' ),
			),
			'portal_deletes' => array(
				'ask'    => __( 'a person decides about the CRM’s record', 'tenant-crm-sync' ),
				'delete' => __( 'the CRM’s record is deleted', 'tenant-crm-sync' ),
				'keep'   => __( 'the CRM’s record stays', 'tenant-crm-sync' ),
			),
		);
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

	private function check_paging(): void {
		if ( $this->values['parallel'] < 1 || $this->values['parallel'] > self::MAX_PARALLEL ) {
			$this->errors['parallel']   = __( 'Choose between 1 and 128 pages side by side.', 'tenant-crm-sync' );
			$this->values['parallel'] = max( 1, min( self::MAX_PARALLEL, $this->values['parallel'] ) );
		} elseif ( $this->values['parallel'] > 1 && ! $this->values['stable_order'] ) {
			$this->errors['parallel'] = __( 'Pages are only read side by side where the order is stable: tick that box too, or choose 1.', 'tenant-crm-sync' );
		}
	}
}
