<?php
/**
 * Keeps what one viewer sees out of every cache that others read from: proxies and browsers by headers, page caches of other plugins by the
 * constants that they agree on.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tenancy;

final class Privacy {

	public const HEADER = 'private, no-store, max-age=0';

	/** The page that is being made has leads on it, or may have. Where headers are out already, page caches still listen to the constants. */
	public static function of_response(): void {
		if ( Viewer::is_system() ) {
			return;
		}
		foreach ( array( 'DONOTCACHEPAGE', 'DONOTCACHEOBJECT', 'DONOTCACHEDB' ) as $name ) {
			if ( ! defined( $name ) ) {
				define( $name, true );
			}
		}
		self::insist();
		if ( ! headers_sent() ) {
			header( 'Cache-Control: ' . self::HEADER );
			header( 'Vary: Cookie, Authorization', false );
			header_remove( 'Last-Modified' );
			header_remove( 'ETag' );
		}
	}

	/** WordPress may send words of its own after ours, which let browsers keep what they got. */
	public static function insist(): void {
		if ( ! has_filter( 'nocache_headers', array( self::class, 'no_store' ) ) ) {
			add_filter( 'nocache_headers', array( self::class, 'no_store' ) );
		}
	}

	/**
	 * @param mixed $headers
	 * @return array<string, string|false>
	 */
	public static function no_store( $headers ): array {
		return array( 'Cache-Control' => self::HEADER ) + (array) $headers;
	}
}
