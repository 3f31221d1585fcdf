<?php
/**
 * Reads the times that CRMs write. Only for the projection and for post dates: watermarks are never read, only handed back.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Times {

	/**
	 * @param mixed $value RFC 3339, a time without a zone (taken as UTC), or seconds or milliseconds since 1970.
	 * @return string|null UTC, Y-m-d H:i:s; null where it is none.
	 */
	public static function utc( $value ): ?string {
		if ( is_int( $value ) || is_float( $value ) || ( is_string( $value ) && preg_match( '/^\d{9,13}(\.\d+)?$/D', $value ) ) ) {
			$seconds = (float) $value;
			$seconds = $seconds > 1e11 ? $seconds / 1000 : $seconds;
			return $seconds > 0 && $seconds < 253402300800 ? gmdate( 'Y-m-d H:i:s', (int) $seconds ) : null;
		}
		if ( ! is_string( $value ) || strlen( $value ) > 64 || ! preg_match( '/^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(\.\d+)?)?(Z|UTC)?/', $value, $part ) ) {
			return null;
		}
		if ( ! checkdate( (int) $part[2], (int) $part[3], (int) $part[1] ) || (int) $part[1] < 1000 ) {
			return null;
		}
		if ( strlen( $part[0] ) === strlen( $value ) && (int) ( $part[4] ?? 0 ) < 24 && (int) ( $part[5] ?? 0 ) < 60 && (int) ( $part[6] ?? 0 ) < 60 ) {
			return isset( $part[4] ) && '' !== $part[4] ? "$part[1]-$part[2]-$part[3] $part[4]:$part[5]:$part[6]" : "$part[1]-$part[2]-$part[3] 00:00:00";
		}
		try {
			return ( new \DateTimeImmutable( $value, new \DateTimeZone( 'UTC' ) ) )->setTimezone( new \DateTimeZone( 'UTC' ) )->format( 'Y-m-d H:i:s' );
		} catch ( \Exception $e ) {
			return null;
		}
	}

	/** The same moment on the site's clock (wp_timezone()), as post_date wants it. */
	public static function local( string $utc, \DateTimeZone $zone ): string {
		if ( '+00:00' === $zone->getName() || 'UTC' === $zone->getName() ) {
			return $utc;
		}
		return ( new \DateTimeImmutable( $utc, new \DateTimeZone( 'UTC' ) ) )->setTimezone( $zone )->format( 'Y-m-d H:i:s' );
	}
}
