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
		if ( ! headers_sent() ) {
			header( 'Cache-Control: ' . self::HEADER );
			header( 'Vary: Cookie, Authorization', false );
			header_remove( 'Last-Modified' );
			header_remove( 'ETag' );
		}
	}
}
