<?php
/**
 * What is used of the limits of each tenant's CRM: told in plain words, and kept over a reboot of the host. Counted they are by the
 * extension, in shared memory or in Redis.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Limits {

	/** Option: the counts of daily and other long windows, as the extension wrote them down, and when. Never autoloaded. */
	private const OPTION = 'tenant_crm_sync_limits';

	/** Seconds between two writes. What a crash of the host loses is less than is kept in reserve. */
	private const EVERY = 60;

	private static int $restored = 0;

	/** Brings back what the host forgot; what it still knows is never made less. */
	public static function restore(): void {
		if ( time() - self::$restored < self::EVERY ) {
			return;
		}
		self::$restored = time();
		$stored         = get_option( self::OPTION );
		$checkpoint     = is_array( $stored ) ? $stored['data'] ?? '' : '';
		if ( is_string( $checkpoint ) && '' !== $checkpoint ) {
			try {
				\TenantCRMSync::restore_limits( $checkpoint );
			} catch ( \TenantCRMSync\ConfigException $e ) {
				// Somebody changed the option: the counts begin anew, and the CRM's own words correct them.
				self::forget();
			}
		}
	}

	public static function checkpoint(): void {
		if ( Sql::is_lost() ) {
			return;
		}
		$stored = get_option( self::OPTION );
		if ( is_array( $stored ) && abs( time() - (int) ( $stored['at'] ?? 0 ) ) < self::EVERY ) {
			return;
		}
		$checkpoint = \TenantCRMSync::checkpoint_limits();
		if ( '' !== $checkpoint ) {
			update_option(
				self::OPTION,
				array(
					'at'   => time(),
					'data' => $checkpoint,
				),
				false
			);
		}
	}

	public static function forget(): void {
		delete_option( self::OPTION );
	}

	/**
	 * The limits of a tenant's CRM, in words.
	 *
	 * @return list<string> Empty where none is known, or the connection cannot be used.
	 */
	public static function of( Tenant $tenant ): array {
		if ( ! $tenant->is_configured() ) {
			return array();
		}
		try {
			return array_map( array( self::class, 'words' ), $tenant->client()->limits() );
		} catch ( \Exception $e ) {
			// What is wrong with the connection is said where it is tested and synced.
			return array();
		}
	}

	/** @param array<string, mixed> $limit One of \TenantCRMSync::limits(). */
	public static function words( array $limit ): string {
		/* translators: 1: number, 2: number, 3: for example "requests", 4: for example "a day" */
		$words = sprintf( __( '%1$s of %2$s %3$s %4$s used', 'tenant-crm-sync' ), number_format_i18n( (int) $limit['used'] ), number_format_i18n( (int) $limit['amount'] ), self::unit( (string) $limit['unit'] ), self::period( (float) $limit['seconds'], ! empty( $limit['daily'] ) ) );
		$times = array(
			/* translators: %s: time */
			'free_at'    => __( 'free again at %s', 'tenant-crm-sync' ),
			/* translators: %s: time */
			'held_until' => __( 'the CRM asked to wait until %s', 'tenant-crm-sync' ),
		);
		foreach ( $times as $name => $text ) {
			if ( isset( $limit[ $name ] ) && $limit[ $name ] > microtime( true ) ) {
				$words .= '; ' . sprintf( $text, self::time( (float) $limit[ $name ] ) );
			}
		}
		return $words;
	}

	/** A time today as a time of the day, another with its date; in the site's zone. */
	public static function time( float $time ): string {
		$at = (int) ceil( $time );
		return (string) wp_date( wp_date( 'Ymd', $at ) === wp_date( 'Ymd' ) ? 'H:i:s' : 'Y-m-d H:i:s', $at );
	}

	private static function unit( string $unit ): string {
		return 'requests' === $unit ? __( 'requests', 'tenant-crm-sync' ) : $unit;
	}

	private static function period( float $seconds, bool $is_daily ): string {
		if ( $is_daily || DAY_IN_SECONDS === (int) $seconds ) {
			return __( 'a day', 'tenant-crm-sync' );
		}
		if ( HOUR_IN_SECONDS === (int) $seconds ) {
			return __( 'an hour', 'tenant-crm-sync' );
		}
		if ( MINUTE_IN_SECONDS === (int) $seconds ) {
			return __( 'a minute', 'tenant-crm-sync' );
		}
		if ( 1 === (int) $seconds ) {
			return __( 'a second', 'tenant-crm-sync' );
		}
		/* translators: %s: number of seconds */
		return sprintf( __( 'in %s seconds', 'tenant-crm-sync' ), number_format_i18n( $seconds ) );
	}
}
