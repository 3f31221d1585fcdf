<?php
/**
 * The screen "Overview": all figures at a glance, every tenant the user may sync, how it stands, "Sync now" and "Sync all".
 *
 * The page carries what the browser script needs to follow runs that are open already; the table itself is TenantTable, the chart RunChart.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Plugin;
use TenantCRM\Rest\RunResource;
use TenantCRM\Standings;

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
				__( 'The time left is an estimate from the tenant’s last syncs. The first sync has none: no CRM is asked for a count.', 'tenant-crm-sync' ),
				__( 'Refused records are named in the log with the reason. The other records of the same page are stored.', 'tenant-crm-sync' ),
			)
		);
		Screens::help(
			'overview-columns',
			__( 'Columns', 'tenant-crm-sync' ),
			array(
				__( 'Waiting: syncs that are queued or run, and leads that are on their way to the CRM.', 'tenant-crm-sync' ),
				__( 'Refused: records that the portal or the CRM did not take, each with its reason. They hold up nothing else.', 'tenant-crm-sync' ),
				__( 'Conflicts: fields that both sides changed and a person has to decide.', 'tenant-crm-sync' ),
			)
		);
		wp_enqueue_style( 'tenant-crm-sync-overview', Screens::asset( 'overview.css' ), array( 'tenant-crm-sync' ), Screens::version( 'overview.css' ) );
		Screens::script(
			array(
				'locale'   => str_replace( '_', '-', get_user_locale() ),
				'tenants'  => self::$table->syncable(),
				'expected' => (object) self::$table->expected(),
				'runs'     => self::open_runs( self::$table ),
			)
		);
	}

	public static function render(): void {
		$table = self::$table;
		if ( null === $table ) {
			return;
		}
		echo '<div class="wrap tcs-wrap tcs-overview">';
		printf( '<h1 class="wp-heading-inline">%s</h1>', esc_html__( 'CRM Sync', 'tenant-crm-sync' ) );
		if ( current_user_can( Capabilities::MANAGE ) ) {
			printf( ' <a class="page-title-action" href="%s">%s</a>', esc_url( Screens::url( Screens::TENANT ) ), esc_html__( 'Add tenant', 'tenant-crm-sync' ) );
		}
		echo '<hr class="wp-header-end">';
		if ( ! $table->tenants() ) {
			self::welcome();
			echo '</div>';
			return;
		}
		echo '<div class="tcs-glance" data-fresh="glance">';
		self::tiles( $table );
		RunChart::render( Standings::days( $table->keys(), RunChart::DAYS ) );
		echo '</div>';
		self::actions( $table );
		$table->views();
		$table->display();
		DeadLetterList::render();
		echo '</div>';
	}

	/** Sums over all tenants, the ones that ask for a person linked to where they are settled. */
	private static function tiles( TenantTable $table ): void {
		$sum     = $table->sums();
		$healths = $table->healths();
		$trouble = ( $healths[ TenantHealth::FAILING ] ?? 0 ) + ( $healths[ TenantHealth::WAITING ] ?? 0 ) + ( $healths[ TenantHealth::UNSET ] ?? 0 );
		$all     = count( $table->tenants() );
		/* translators: %s: number of tenants */
		$note = $trouble ? sprintf( _n( '%s cannot be synced', '%s cannot be synced', $trouble, 'tenant-crm-sync' ), number_format_i18n( $trouble ) ) : __( 'all can be synced', 'tenant-crm-sync' );
		echo '<ul class="tcs-tiles">';
		self::tile( $all, _n( 'tenant', 'tenants', $all, 'tenant-crm-sync' ), $note, $trouble > 0, '' );
		self::tile( $sum['records'], _n( 'lead here', 'leads here', $sum['records'], 'tenant-crm-sync' ), '', false, current_user_can( Capabilities::VIEW ) ? Screens::url( Screens::LEADS ) : '' );
		self::tile( $sum['waiting'], _n( 'waiting', 'waiting', $sum['waiting'], 'tenant-crm-sync' ), __( 'syncs, and leads to send', 'tenant-crm-sync' ), false, '' );
		self::tile( $sum['refused'], _n( 'refused', 'refused', $sum['refused'], 'tenant-crm-sync' ), __( 'with the reason', 'tenant-crm-sync' ), $sum['refused'] > 0, Screens::refused_url() );
		self::tile( $sum['conflicts'], _n( 'conflict', 'conflicts', $sum['conflicts'], 'tenant-crm-sync' ), __( 'for a person to decide', 'tenant-crm-sync' ), $sum['conflicts'] > 0, Screens::url( Screens::CONFLICTS ) );
		echo '</ul>';
	}

	private static function tile( int $number, string $name, string $note, bool $is_warning, string $url ): void {
		$text = sprintf( '<strong>%s</strong> %s', esc_html( number_format_i18n( $number ) ), esc_html( $name ) );
		printf(
			'<li class="tcs-tile%1$s">%2$s%3$s</li>',
			$is_warning ? ' is-warning' : '',
			'' === $url ? '<span>' . $text . '</span>' : sprintf( '<a href="%s">%s</a>', esc_url( $url ), $text ), // phpcs:ignore WordPress.Security.EscapeOutput -- escaped above.
			'' === $note ? '' : '<span class="tcs-muted">' . esc_html( $note ) . '</span>'
		);
	}

	private static function actions( TenantTable $table ): void {
		echo '<div class="tcs-actions">';
		printf( '<form method="post" class="tcs-all" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		echo Actions::fields( 'sync_all', 0 ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		printf(
			'<button class="button button-primary"%s>%s</button></form>',
			disabled( array() === $table->syncable(), true, false ),
			esc_html__( 'Sync all', 'tenant-crm-sync' )
		);
		printf( '<button type="button" class="button tcs-stop-all" hidden>%s</button><p class="tcs-summary"></p>', esc_html__( 'Cancel all', 'tenant-crm-sync' ) );
		printf( '<form method="get" class="tcs-find" role="search" action="%s"><input type="hidden" name="page" value="%s">', esc_url( admin_url( 'admin.php' ) ), esc_attr( Screens::OVERVIEW ) );
		printf( '<label class="screen-reader-text" for="tcs-words">%1$s</label><input type="search" name="s" id="tcs-words" value="%2$s"> <button class="button">%1$s</button>', esc_html__( 'Search tenants', 'tenant-crm-sync' ), esc_attr( Choice::words() ) );
		echo '</form></div>';
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
