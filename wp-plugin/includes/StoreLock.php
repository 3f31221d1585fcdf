<?php
/**
 * Who stores posts of a tenant through WordPress's functions holds this lock from the look at the ledger to the ledger's rows: there is no
 * transaction that would hold others off. It belongs to WordPress's connection, and goes with it.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class StoreLock {

	/** Seconds to wait for another process that stores leads of the same tenant. */
	public const WAIT = 30;

	/** @param int $seconds To wait for it; 0: not at all. */
	public static function take( int $tenant, int $seconds = self::WAIT ): bool {
		global $wpdb;
		return '1' === (string) $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, %d)', self::name( $tenant ), $seconds ) );
	}

	public static function leave( int $tenant ): void {
		global $wpdb;
		$wpdb->query( $wpdb->prepare( 'DO RELEASE_LOCK(%s)', self::name( $tenant ) ) );
	}

	private static function name( int $tenant ): string {
		return 'tenant_crm_' . md5( DB_NAME . Schema::table( 'records' ) . $tenant );
	}
}
