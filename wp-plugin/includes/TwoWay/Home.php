<?php
/**
 * A copy of the site (for staging, for a test) must not write to its tenants' CRMs: where the site's address is not the one that it had,
 * nothing is pushed until a person says that it moved. Kept as a hash, since those who copy sites replace addresses in the database.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

final class Home {

	public const OPTION = 'tenant_crm_sync_home';

	/** Whether this is where the site was when it pushed first. */
	public static function is_here(): bool {
		$known = get_option( self::OPTION );
		if ( ! is_string( $known ) || '' === $known ) {
			self::confirm();
			return true;
		}
		return hash_equals( $known, self::now() );
	}

	public static function confirm(): void {
		update_option( self::OPTION, self::now(), false );
	}

	private static function now(): string {
		return hash( 'sha256', untrailingslashit( (string) preg_replace( '~^https?://~', '', (string) get_option( 'home' ) ) ) );
	}
}
