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
			self::add( bin2hex( random_bytes( 16 ) ) );
			$random = self::stored();
		}
		return $random;
	}

	/** Of two requests that come here at once one number stays: add_option() would let the later one overwrite the earlier. */
	private static function add( string $random ): void {
		global $wpdb;
		if ( is_multisite() ) {
			$wpdb->query( $wpdb->prepare( "INSERT INTO `$wpdb->sitemeta` (site_id, meta_key, meta_value) VALUES (%d, %s, %s)", get_current_network_id(), self::OPTION, $random ) );
			wp_cache_delete( get_current_network_id() . ':notoptions', 'site-options' );
		} else {
			$wpdb->query( $wpdb->prepare( "INSERT IGNORE INTO `$wpdb->options` (option_name, option_value, autoload) VALUES (%s, %s, 'yes')", self::OPTION, $random ) );
			wp_cache_delete( 'notoptions', 'options' );
			wp_cache_delete( 'alloptions', 'options' );
		}
	}

	/** From the table, past all caches. A network's table may hold two: everybody takes the older one. */
	private static function stored(): string {
		global $wpdb;
		return (string) ( is_multisite()
			? $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM `$wpdb->sitemeta` WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", get_current_network_id(), self::OPTION ) )
			: $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM `$wpdb->options` WHERE option_name = %s", self::OPTION ) ) );
	}
}
