<?php
/**
 * The id under which the extension keeps this site's keys. Random, and not made of the address: that may change.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Site {

	private const OPTION = 'tenant_crm_sync_site';

	public static function id(): string {
		$id = get_option( self::OPTION );
		if ( ! is_string( $id ) || ! preg_match( '/^[0-9a-f]{32}$/D', $id ) ) {
			// Of two requests that come here at once only one adds the option; both then read the same.
			add_option( self::OPTION, bin2hex( random_bytes( 16 ) ), '', true );
			wp_cache_delete( 'notoptions', 'options' );
			wp_cache_delete( 'alloptions', 'options' );
			$id = (string) get_option( self::OPTION );
		}
		return $id;
	}
}
