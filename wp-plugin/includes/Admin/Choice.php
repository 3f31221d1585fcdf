<?php
/**
 * The filter bar above a table: tenant, words, button. It reads the address (a filter changes nothing, so it needs no nonce) and prints a
 * GET form, so that a filtered list has an address of its own.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;

final class Choice {

	/** @return array<int, Tenant> Tenants that the user may see with a capability, by key. */
	public static function tenants( string $capability ): array {
		$tenants = array();
		foreach ( Capabilities::visible( get_current_user_id(), $capability ) as $tenant ) {
			$tenants[ $tenant->key ] = $tenant;
		}
		return $tenants;
	}

	/**
	 * The tenant that the address names, if it is one of these.
	 *
	 * @param array<int, Tenant> $tenants
	 */
	public static function tenant( array $tenants ): ?Tenant {
		$key = isset( $_GET['tenant'] ) ? absint( $_GET['tenant'] ) : 0; // phpcs:ignore WordPress.Security.NonceVerification -- a filter.
		return $tenants[ $key ] ?? null;
	}

	/** What is searched for. */
	public static function words(): string {
		return self::text( 's' );
	}

	/** A text of the address; bounded, and valid UTF-8 or nothing. */
	public static function text( string $name ): string {
		$text = isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) ? wp_unslash( $_GET[ $name ] ) : ''; // phpcs:ignore WordPress.Security -- a filter; escaped where it is printed, prepared where it is searched.
		return mb_substr( trim( wp_check_invalid_utf8( $text ) ), 0, 100 );
	}

	/**
	 * A text of the address, if it is one of these.
	 *
	 * @param array<string, string> $options By value.
	 */
	public static function one_of( string $name, array $options ): string {
		$text = self::text( $name );
		return isset( $options[ $text ] ) ? $text : '';
	}

	/** @return array<string, string> How far back a list goes: seconds => name. */
	public static function times(): array {
		return array(
			''                       => __( 'At any time', 'tenant-crm-sync' ),
			(string) HOUR_IN_SECONDS => __( 'Last hour', 'tenant-crm-sync' ),
			(string) DAY_IN_SECONDS  => __( 'Last day', 'tenant-crm-sync' ),
			(string) WEEK_IN_SECONDS => __( 'Last week', 'tenant-crm-sync' ),
		);
	}

	/** The time since which rows are asked for (`since`), UTC as the database writes it; empty: all. */
	public static function since(): string {
		$seconds = self::one_of( 'since', self::times() );
		return '' === $seconds ? '' : gmdate( 'Y-m-d H:i:s', time() - (int) $seconds );
	}

	public static function open( string $slug ): void {
		printf( '<form method="get" class="tcs-filters" action="%s"><input type="hidden" name="page" value="%s">', esc_url( admin_url( 'admin.php' ) ), esc_attr( $slug ) );
	}

	/**
	 * @param array<int, Tenant> $tenants
	 * @param string             $all     Name of the choice of all of them; empty where one must be chosen.
	 * @param int                $present Key of the one that is shown.
	 */
	public static function tenant_select( array $tenants, string $all, int $present = 0 ): void {
		$present = $present ? $present : ( self::tenant( $tenants )->key ?? 0 );
		printf( '<div><label for="tcs-tenant">%s</label><select name="tenant" id="tcs-tenant">', esc_html__( 'Tenant', 'tenant-crm-sync' ) );
		if ( '' !== $all ) {
			printf( '<option value="0">%s</option>', esc_html( $all ) );
		}
		foreach ( $tenants as $tenant ) {
			printf( '<option value="%d"%s>%s</option>', (int) $tenant->key, selected( $tenant->key, $present, false ), esc_html( '' === $tenant->label ? $tenant->id : $tenant->label ) );
		}
		echo '</select></div>';
	}

	/** @param array<string, string> $options Names by value. */
	public static function select( string $name, string $label, array $options, string $present ): void {
		printf( '<div><label for="tcs-%1$s">%2$s</label><select name="%1$s" id="tcs-%1$s">', esc_attr( $name ), esc_html( $label ) );
		foreach ( $options as $value => $text ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( (string) $value ), selected( (string) $value, $present, false ), esc_html( $text ) );
		}
		echo '</select></div>';
	}

	/** The words, the button, and the end of the form. */
	public static function close( string $label ): void {
		printf(
			'<div><label for="tcs-words">%1$s</label><input type="search" name="s" id="tcs-words" value="%2$s"></div><div><button class="button">%3$s</button></div></form>',
			esc_html( $label ),
			esc_attr( self::words() ),
			esc_html__( 'Filter', 'tenant-crm-sync' )
		);
	}
}
