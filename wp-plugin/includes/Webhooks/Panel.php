<?php
/**
 * The part of a tenant's screen about webhooks: the address (once), what has come, whose account it is, and what is wanted. What a message must prove
 * is among the fields of the connection above it.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Admin\Field;
use TenantCRM\Admin\Notices;
use TenantCRM\Admin\Screens;
use TenantCRM\Capabilities;
use TenantCRM\Connectors;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Panel {

	/** Name of the form's buttons: `make`, `ask`, `remove` or `save`; and its nonce. */
	public const ACTION = 'tenant-crm-webhook';

	/** The address that this request made. */
	private static string $address = '';

	/** Before any output: does what was asked for, for whoever may manage this tenant. */
	public static function act( Tenant $tenant ): void {
		check_admin_referer( self::nonce( $tenant ) );
		if ( ! Capabilities::user_may( get_current_user_id(), Capabilities::MANAGE, $tenant->id ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		try {
			$notice = self::done( $tenant, wp_unslash( $_POST ) ); // phpcs:ignore WordPress.Security -- the nonce: above; done() checks each field.
			add_action( 'admin_notices', static fn() => Notices::show( 'success', $notice, false ) );
		} catch ( \InvalidArgumentException | \RuntimeException $e ) { // The extension's exceptions are among them.
			$words = $e->getMessage();
			add_action( 'admin_notices', static fn() => Notices::show( 'error', $words, false ) );
		}
	}

	/**
	 * @param array<string, mixed> $post Unslashed.
	 * @return string What was done.
	 * @throws \InvalidArgumentException|\RuntimeException In plain words.
	 */
	private static function done( Tenant $tenant, array $post ): string {
		$text = static fn( string $name ): string => isset( $post[ $name ] ) && is_string( $post[ $name ] ) ? trim( $post[ $name ] ) : '';
		switch ( $text( self::ACTION ) ) {
			case 'make':
				self::$address = Addresses::make( $tenant );
				return __( 'The address was made. Enter it at the CRM now: it is shown only this once.', 'tenant-crm-sync' );
			case 'ask':
				Subscriptions::begin( $tenant );
				return __( 'The CRM is being asked for webhooks. That is done in a moment, and renewed in time.', 'tenant-crm-sync' );
			case 'remove':
				Addresses::remove( $tenant );
				return __( 'The address was removed. What the CRM still sends there is refused.', 'tenant-crm-sync' );
			default:
				self::save( $tenant, $text );
				return __( 'Webhooks: saved.', 'tenant-crm-sync' );
		}
	}

	/** @param callable( string ): string $text */
	private static function save( Tenant $tenant, callable $text ): void {
		$filter = self::filter( $text( 'webhook_filter' ) );
		$names = static fn( string $name ): array => (array) preg_split( '/[\s,]+/', $text( $name ), -1, PREG_SPLIT_NO_EMPTY );
		$known = Addresses::of( $tenant->key );
		$via   = (int) $text( 'webhook_via' );
		if ( $via && $via !== ( $known['owner'] ?? $tenant->key ) ) {
			$owner = Tenants::get( $via );
			if ( $owner ) {
				Addresses::share( $tenant, $owner );
				$known = Addresses::of( $tenant->key );
			}
		}
		if ( $known && $text( 'webhook_account' ) !== (string) $known['account'] ) {
			Addresses::set_account( $tenant, $text( 'webhook_account' ) );
		}
		$chosen = array(
			'objects' => $names( 'webhook_objects' ),
			'fields'  => $names( 'webhook_fields' ),
			'filter'  => $filter,
		);
		Tenants::save(
			array(
				'id'       => $tenant->id,
				'settings' => array( 'webhook' => $chosen ) + $tenant->settings,
			)
		);
	}

	/**
	 * A line a field, as people write it; JSON, where values have commas.
	 *
	 * @return array<mixed>
	 * @throws \InvalidArgumentException In plain words.
	 */
	private static function filter( string $text ): array {
		$filter = json_decode( $text, true );
		if ( is_array( $filter ) ) {
			return $filter;
		}
		$filter = array();
		foreach ( (array) preg_split( '/\R+/', $text, -1, PREG_SPLIT_NO_EMPTY ) as $line ) {
			$parts = array_map( 'trim', explode( ':', $line, 2 ) );
			if ( 2 !== count( $parts ) || '' === $parts[0] || '' === $parts[1] ) {
				/* translators: %s: a line that somebody typed */
				throw new \InvalidArgumentException( sprintf( __( 'The filter’s line “%s” says no field and values. It should look like “status: open, new”.', 'tenant-crm-sync' ), mb_strimwidth( $line, 0, 60, '…' ) ) );
			}
			$filter[ $parts[0] ] = array_values( array_filter( array_map( 'trim', explode( ',', $parts[1] ) ), 'strlen' ) );
		}
		return $filter;
	}

	/** The same the other way. @param array<string, list<string>> $filter */
	private static function filter_text( array $filter ): string {
		$lines = array();
		foreach ( $filter as $field => $values ) {
			$lines[] = "$field: " . implode( ', ', $values );
		}
		$text = implode( "\n", $lines );
		return self::filter( $text ) === $filter ? $text : (string) wp_json_encode( $filter, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	}

	public static function render( Tenant $tenant ): void {
		$connector = Connectors::find( $tenant->connector );
		printf( '<h2 class="title" id="webhooks">%s</h2>', esc_html__( 'Webhooks', 'tenant-crm-sync' ) );
		if ( empty( $connector['webhooks'] ) ) {
			printf( '<p>%s</p>', esc_html( '' === (string) ( $connector['webhook_note'] ?? '' ) ? __( 'This CRM sends none that prove where they come from. Changes are found when the tenant is synced.', 'tenant-crm-sync' ) : $connector['webhook_note'] ) );
			return;
		}
		// What this request changed counts.
		$tenant = Tenants::get( $tenant->key ) ?? $tenant;
		$known  = Addresses::of( $tenant->key );
		if ( '' !== self::$address ) {
			printf( '<div class="tcs-once"><p><label for="tcs-webhook-address">%1$s</label></p><p><input type="text" class="large-text code" id="tcs-webhook-address" readonly value="%2$s"> <button type="button" class="button" id="tcs-webhook-copy" data-done="%4$s">%3$s</button></p></div>', esc_html__( 'Enter this address at the CRM. It is shown only this once; treat it like a password.', 'tenant-crm-sync' ), esc_attr( self::$address ), esc_html__( 'Copy', 'tenant-crm-sync' ), esc_attr__( 'Copied', 'tenant-crm-sync' ) );
		}
		echo '<ul class="tcs-facts">';
		foreach ( array_merge( Words::of( $tenant ), Words::subscriptions( $tenant ) ) as $sentence ) {
			printf( '<li>%s</li>', esc_html( $sentence ) );
		}
		echo '</ul>';
		if ( '' !== $connector['webhook_note'] ) {
			printf( '<p class="description">%s</p>', esc_html( $connector['webhook_note'] ) );
		}
		printf( '<form method="post" action="%s">', esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) . '#webhooks' ) );
		wp_nonce_field( self::nonce( $tenant ) );
		echo '<table class="form-table" role="presentation">';
		self::fields( $tenant, $connector, $known );
		echo '</table><p>';
		self::button( 'save', __( 'Save webhooks', 'tenant-crm-sync' ) );
		if ( Subscriptions::can( $tenant ) ) {
			self::button( 'ask', __( 'Ask the CRM for webhooks', 'tenant-crm-sync' ) );
		}
		self::button( 'make', $known ? __( 'Make a new address', 'tenant-crm-sync' ) : __( 'Make an address', 'tenant-crm-sync' ), $known ? __( 'The old address ends at once: what the CRM still sends there is refused. Make a new one?', 'tenant-crm-sync' ) : '' );
		if ( $known ) {
			self::button( 'remove', __( 'Remove the address', 'tenant-crm-sync' ), __( 'What the CRM still sends to this address will be refused. Remove it?', 'tenant-crm-sync' ) );
		}
		echo '</p></form>';
		wp_enqueue_script( 'tenant-crm-sync-webhook', Screens::asset( 'webhook.js' ), array( 'wp-a11y' ), Screens::version( 'webhook.js' ), true );
	}

	/**
	 * @param array<string, mixed>      $connector
	 * @param array<string, mixed>|null $known
	 */
	private static function fields( Tenant $tenant, array $connector, ?array $known ): void {
		$chosen = $tenant->settings['webhook'] ?? array();
		if ( $connector['webhook_accounts'] ) {
			$others = self::others( $tenant );
			if ( $others ) {
				Field::select( 'webhook_via', __( 'Messages come', 'tenant-crm-sync' ), array( 0 => __( 'by an address of its own', 'tenant-crm-sync' ) ) + $others, (string) ( $known && $known['owner'] !== $tenant->key ? $known['owner'] : 0 ), __( 'One app of the CRM may serve several accounts, each a tenant’s, and call one address for all of them.', 'tenant-crm-sync' ), '' );
			}
			if ( $known ) {
				Field::input( 'webhook_account', __( 'Account at the CRM', 'tenant-crm-sync' ), array( 'value' => (string) $known['account'], 'maxlength' => Addresses::MAX_ACCOUNT, 'autocomplete' => 'off', 'spellcheck' => 'false' ), __( 'As the CRM’s messages name it. Only what names this account reaches this tenant.', 'tenant-crm-sync' ), '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			}
		}
		$input = static fn( string $name, string $label, string $value, string $help ) => Field::input( $name, $label, array( 'value' => $value, 'autocomplete' => 'off', 'spellcheck' => 'false' ), $help, '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$input( 'webhook_objects', __( 'Object types', 'tenant-crm-sync' ), implode( ', ', $chosen['objects'] ?? array() ), __( 'Empty: leads.', 'tenant-crm-sync' ) );
		$input( 'webhook_fields', __( 'Fields', 'tenant-crm-sync' ), implode( ', ', $chosen['fields'] ?? array() ), __( 'As the CRM calls them. Messages that only name other fields are left to the next sync. Empty: all.', 'tenant-crm-sync' ) );
		Field::textarea( 'webhook_filter', __( 'Only records with', 'tenant-crm-sync' ), array( 'rows' => 3, 'spellcheck' => 'false', 'placeholder' => 'status: open, new' ), self::filter_text( $chosen['filter'] ?? array() ), __( 'A line for each field: its name, a colon, and the values that it may have. Other new records are left to the next sync. Empty: all.', 'tenant-crm-sync' ), '' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @return array<int, string> Tenants of the same CRM that have an address. */
	private static function others( Tenant $tenant ): array {
		$others = array();
		foreach ( Addresses::all() as $row ) {
			$other = $row['tenant'] > 0 && $row['tenant'] === $row['owner'] && $row['tenant'] !== $tenant->key ? Tenants::get( $row['tenant'] ) : null;
			if ( $other && $other->connector === $tenant->connector ) {
				/* translators: %s: tenant */
				$others[ $other->key ] = sprintf( __( 'by the address of “%s”', 'tenant-crm-sync' ), $other->id );
			}
		}
		return $others;
	}

	/** @param string $question Asked before, where there is no way back. */
	private static function button( string $value, string $text, string $question = '' ): void {
		printf( '<button class="button" name="%1$s" value="%2$s" id="tcs-webhook-%2$s"%4$s>%3$s</button> ', esc_attr( self::ACTION ), esc_attr( $value ), esc_html( $text ), '' === $question ? '' : ' data-question="' . esc_attr( $question ) . '"' );
	}

	private static function nonce( Tenant $tenant ): string {
		return self::ACTION . '-' . $tenant->key;
	}
}
