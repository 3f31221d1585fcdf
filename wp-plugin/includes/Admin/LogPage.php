<?php
/**
 * The screen "Log": what syncs met, with a search and filters by tenant and level. Whoever does not manage tenants sees only entries of
 * tenants of their own.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;

final class LogPage {

	/** @var LogTable|null */
	private static $table = null;

	public static function load(): void {
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		$tenants = Choice::tenants( Capabilities::SYNC );
		$chosen  = Choice::tenant( $tenants );
		$all     = current_user_can( Capabilities::MANAGE ) ? null : array_keys( $tenants );
		Screens::per_page_option( __( 'Entries per page', 'tenant-crm-sync' ) );
		self::$table = new LogTable( $tenants );
		self::$table->find( new LogSearch( null === $chosen ? $all : array( $chosen->key ), self::level(), Choice::words() ) );
		Screens::help(
			'log',
			__( 'Log', 'tenant-crm-sync' ),
			array(
				__( 'Refused records, failed syncs and portal edits that a newer value of the CRM replaced are named here.', 'tenant-crm-sync' ),
				__( 'Only the newest entries are kept. No entry holds a key or another secret.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		if ( null === self::$table ) {
			return;
		}
		printf( '<div class="wrap tcs-wrap tcs-log"><h1>%s</h1>', esc_html__( 'CRM Sync: log', 'tenant-crm-sync' ) );
		Choice::open( Screens::LOG );
		Choice::tenant_select( Choice::tenants( Capabilities::SYNC ), __( 'All tenants', 'tenant-crm-sync' ) );
		printf( '<div><label for="tcs-level">%s</label><select name="level" id="tcs-level"><option value="">%s</option>', esc_html__( 'Level', 'tenant-crm-sync' ), esc_html__( 'All levels', 'tenant-crm-sync' ) );
		foreach ( Words::levels() as $level => $name ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( $level ), selected( $level, self::level(), false ), esc_html( $name ) );
		}
		echo '</select></div>';
		Choice::close( __( 'Search the log', 'tenant-crm-sync' ) );
		self::$table->display();
		echo '</div>';
	}

	private static function level(): string {
		$level = isset( $_GET['level'] ) && is_string( $_GET['level'] ) ? sanitize_key( $_GET['level'] ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- a filter.
		return isset( Words::levels()[ $level ] ) ? $level : '';
	}
}
