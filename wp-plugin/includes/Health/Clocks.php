<?php
/**
 * By how much the clocks of the CRMs differed from this host's when their connections were tested last. Written by Tenant::test_connection().
 *
 * @package TenantCRM
 */

namespace TenantCRM\Health;

final class Clocks {

	/** Option: integer key of a tenant => seconds that its CRM's clock is ahead. Small differences are not kept. */
	private const OPTION = 'tenant_crm_sync_clocks';

	private const SMALL = 5.0;

	public static function note( int $tenant, ?float $skew ): void {
		$skews = self::skews();
		if ( null !== $skew && abs( $skew ) > self::SMALL ) {
			$skews[ $tenant ] = round( $skew, 1 );
		} elseif ( null === $skew || ! isset( $skews[ $tenant ] ) ) {
			return;
		} else {
			unset( $skews[ $tenant ] );
		}
		update_option( self::OPTION, $skews, false );
	}

	public static function forget( int $tenant ): void {
		$skews = self::skews();
		if ( isset( $skews[ $tenant ] ) ) {
			unset( $skews[ $tenant ] );
			update_option( self::OPTION, $skews, false );
		}
	}

	/** @return array<int, float> By tenant; only those that differ. */
	public static function skews(): array {
		$skews = get_option( self::OPTION );
		return is_array( $skews ) ? array_map( 'floatval', $skews ) : array();
	}
}
