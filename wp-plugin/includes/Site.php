<?php
/**
 * The id under which the extension keeps this site's keys. Random, and not made of the address: that may change.
 *
 * A network has one random number, of which each of its sites gets an id: WordPress also switches to sites that have no tables yet.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Site {

	private const OPTION = 'tenant_crm_sync_site';

	public static function id(): string {
		$random = self::random();
		return is_multisite() ? substr( hash( 'sha256', $random . ':' . get_current_blog_id() ), 0, 32 ) : $random;
	}

	/** Only uninstalling may do this: what was sealed under the id can never be opened again. */
	public static function forget(): void {
		delete_site_option( self::OPTION );
	}

	private static function random(): string {
		$random = get_site_option( self::OPTION );
		if ( ! is_string( $random ) || ! preg_match( '/^[0-9a-f]{32}$/D', $random ) ) {
			$new = bin2hex( random_bytes( 16 ) );
			// Of two requests that come here at once only one adds it; both then read the same.
			if ( is_multisite() ) {
				add_network_option( null, self::OPTION, $new );
			} else {
				add_option( self::OPTION, $new, '', true );
				wp_cache_delete( 'notoptions', 'options' );
				wp_cache_delete( 'alloptions', 'options' );
			}
			$random = (string) get_site_option( self::OPTION );
		}
		return $random;
	}
}
