<?php
/**
 * Removes what the plugin stored, site by site, where the site asks for it with the option tenant_crm_sync_delete_data.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Uninstall {

	public const OPTION = 'tenant_crm_sync_delete_data';

	private const CHUNK = 200;

	public static function run(): void {
		$sites = is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( 0 ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$kept  = false;
		foreach ( $sites as $site ) {
			if ( $site ) {
				switch_to_blog( (int) $site );
			}
			if ( get_option( self::OPTION ) ) {
				self::site();
			} else {
				$kept = true;
			}
			if ( $site ) {
				restore_current_blog();
			}
		}
		if ( ! $kept ) {
			Site::forget();
		}
	}

	private static function site(): void {
		global $wpdb;
		self::forget_keys();
		$table = Schema::table( 'records' );
		do {
			// By the ledger, so that posts of this type that are not ours stay.
			$rows = $wpdb->get_results( $wpdb->prepare( "SELECT id, post_id FROM `$table` ORDER BY id LIMIT %d", self::CHUNK ), ARRAY_A );
			foreach ( (array) $rows as $row ) {
				if ( $row['post_id'] && PostType::NAME === get_post_type( (int) $row['post_id'] ) ) {
					wp_delete_post( (int) $row['post_id'], true );
				}
			}
			if ( $rows ) {
				$wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE id <= %d", end( $rows )['id'] ) );
			}
		} while ( $rows );
		Schema::drop();
		Cron::unschedule();
		ActionScheduler::unschedule();
		Wakers::forget();
		Limits::forget();
		Attempts::forget();
		Metrics::forget();
		Settings::forget();
		Capabilities::revoke();
		delete_metadata( 'user', 0, Capabilities::user_meta(), '', true );
		delete_metadata( 'user', 0, 'tenant_crm_per_page', '', true );
		foreach ( array( 'tenant_crm_sync_adoption', TwoWay\Home::OPTION, self::OPTION ) as $option ) {
			delete_option( $option );
		}
	}

	/** Without the extension the data keys stay in its key_dir; they open nothing once the envelopes are gone. */
	private static function forget_keys(): void {
		global $wpdb;
		if ( ! Plugin::is_ready() ) {
			return;
		}
		\TenantCRMSync::use_site( Site::id() );
		$table = Schema::table( 'tenants' );
		foreach ( $wpdb->get_col( "SELECT external_id FROM `$table`" ) as $id ) {
			\TenantCRMSync::forget_tenant( $id );
		}
	}
}
