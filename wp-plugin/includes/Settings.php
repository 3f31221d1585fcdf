<?php
/**
 * The plugin's own options: what they are called, what they are where nobody said anything, and what they may be. The screen for them is
 * Admin\SettingsPage; alerts are Alerts' business, removing data that of Uninstall.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Settings {

	/** Days for which requests to CRMs, and events, are kept. */
	public const KEEP_REQUESTS = 'tenant_crm_sync_keep_requests';
	public const KEEP_EVENTS   = 'tenant_crm_sync_keep_events';

	/** Seconds between two syncs of a tenant that is added on the screen. */
	public const INTERVAL = 'tenant_crm_sync_interval';

	private const DEFAULTS = array(
		self::KEEP_REQUESTS => 30,
		self::KEEP_EVENTS   => 90,
		self::INTERVAL      => HOUR_IN_SECONDS,
	);

	private const MOST_DAYS = 3650;

	public static function get( string $option ): int {
		$value = get_option( $option );
		return is_numeric( $value ) ? self::sanitize( $option, $value ) : self::DEFAULTS[ $option ];
	}

	/** @param mixed $value */
	public static function sanitize( string $option, $value ): int {
		$number = is_scalar( $value ) ? (int) $value : self::DEFAULTS[ $option ];
		return self::INTERVAL === $option ? max( MINUTE_IN_SECONDS, min( WEEK_IN_SECONDS, $number ) ) : max( 1, min( self::MOST_DAYS, $number ) );
	}

	public static function forget(): void {
		foreach ( array_keys( self::DEFAULTS ) as $option ) {
			delete_option( $option );
		}
		delete_option( Alerts::OPTION );
	}
}
