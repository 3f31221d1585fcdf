<?php
/**
 * The translations that come with the plugin, in languages/: for PHP, and one file for all scripts. bin/languages makes them. A translation that
 * the site has installed itself, in WP_LANG_DIR, goes before ours.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Languages {

	private const DOMAIN = 'tenant-crm-sync';

	public static function register(): void {
		add_action( 'init', array( self::class, 'load' ) );
		add_filter( 'load_script_translation_file', array( self::class, 'of_script' ), 10, 3 );
	}

	public static function load(): void {
		load_plugin_textdomain( self::DOMAIN, false, dirname( plugin_basename( Plugin::file() ) ) . '/languages' );
		$ours = self::file( 'mo' );
		if ( ! is_textdomain_loaded( self::DOMAIN ) && null !== $ours ) {
			load_textdomain( self::DOMAIN, $ours );
		}
	}

	/**
	 * @param mixed $file   Where WordPress looks.
	 * @param mixed $handle
	 * @param mixed $domain
	 * @return mixed
	 */
	public static function of_script( $file, $handle, $domain ) {
		if ( self::DOMAIN !== $domain || ( is_string( $file ) && is_readable( $file ) ) ) {
			return $file;
		}
		return self::file( 'json' ) ?? $file;
	}

	/** The translation for the user's locale; where there is none, another one of the same language: de_DE for de_AT and de_DE_formal. */
	private static function file( string $extension ): ?string {
		$locale = determine_locale();
		$base   = dirname( Plugin::file() ) . '/languages/' . self::DOMAIN;
		$exact  = "$base-$locale.$extension";
		$others = preg_match( '/^([a-z]{2,3})(_|$)/', $locale, $match ) ? (array) glob( "$base-$match[1]_*.$extension" ) : array();
		return is_readable( $exact ) ? $exact : ( $others[0] ?? null );
	}
}
