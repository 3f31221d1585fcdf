<?php
/**
 * The screen "Overview": every tenant the user may sync, how it stands, "Sync now" and "Sync all".
 *
 * The page carries what the browser script needs to follow runs that are open already; the table itself is TenantTable.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Plugin;
use TenantCRM\Rest\RunResource;

final class OverviewPage {

	/** @var TenantTable|null */
	private static $table = null;

	/** Before any output: the table's rows, screen options, help, script. */
	public static function load(): void {
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		self::$table = new TenantTable();
		self::$table->prepare_items();
		Screens::per_page_option( __( 'Tenants per page', 'tenant-crm-sync' ) );
		Screens::help(
			'overview',
			__( 'Syncing', 'tenant-crm-sync' ),
			array(
				__( '“Sync now” reads what changed at the tenant’s CRM since the last sync. As long as this screen is open it does the work itself, in short slices, also where WP-Cron is off.', 'tenant-crm-sync' ),
				__( 'If you close the screen nothing is lost: WP-Cron, or “bin/tenant-crm work” on the command line, goes on where it stopped.', 'tenant-crm-sync' ),
				__( 'Refused records are named in the log with the reason. The other records of the same page are stored.', 'tenant-crm-sync' ),
			)
		);
		Screens::script(
			array(
				'locale'  => str_replace( '_', '-', get_user_locale() ),
				'tenants' => self::$table->syncable(),
				'runs'    => self::open_runs( self::$table ),
			)
		);
	}

	public static function render(): void {
		if ( null === self::$table ) {
			return;
		}
		echo '<div class="wrap tcs-wrap tcs-overview">';
		printf( '<h1 class="wp-heading-inline">%s</h1>', esc_html__( 'CRM Sync', 'tenant-crm-sync' ) );
		if ( current_user_can( Capabilities::MANAGE ) ) {
			printf( ' <a class="page-title-action" href="%s">%s</a>', esc_url( Screens::url( Screens::TENANT ) ), esc_html__( 'Add tenant', 'tenant-crm-sync' ) );
		}
		echo '<hr class="wp-header-end">';
		if ( self::$table->has_items() ) {
			self::actions();
			self::$table->display();
			DeadLetterList::render();
		} else {
			self::welcome();
		}
		echo '</div>';
	}

	private static function actions(): void {
		echo '<div class="tcs-actions">';
		printf( '<form method="post" class="tcs-all" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		echo Actions::fields( 'sync_all', 0 ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		printf(
			'<button class="button button-primary"%s>%s</button></form>',
			disabled( array() === self::$table->syncable(), true, false ),
			esc_html__( 'Sync all', 'tenant-crm-sync' )
		);
		echo '<p class="tcs-summary"></p></div>';
	}

	/** What a site without tenants sees: what to do first. */
	private static function welcome(): void {
		echo '<div class="card"><h2>' . esc_html__( 'No tenants yet', 'tenant-crm-sync' ) . '</h2><p>';
		esc_html_e( 'A tenant is a customer or business unit with a CRM of its own. Add one with the address of its CRM and an API key, then press “Sync now”: its leads appear on this site and stay up to date.', 'tenant-crm-sync' );
		echo '</p>';
		if ( current_user_can( Capabilities::MANAGE ) ) {
			printf( '<p><a class="button button-primary" href="%s">%s</a></p>', esc_url( Screens::url( Screens::TENANT ) ), esc_html__( 'Add the first tenant', 'tenant-crm-sync' ) );
		}
		echo '</div>';
	}

	/** @return list<array<string, mixed>> */
	private static function open_runs( TenantTable $table ): array {
		$runs = array();
		if ( ! Plugin::is_ready() ) {
			return $runs;
		}
		foreach ( $table->items as $row ) {
			if ( null !== $row['run'] && ! Words::is_final( $row['run']['state'] ) ) {
				$runs[] = RunResource::from( $row['run'], $row['tenant'] );
			}
		}
		return $runs;
	}
}
