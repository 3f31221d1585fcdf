<?php
/**
 * The network's screen: how CRM Sync stands on each site, and the way to the site's own Overview. It shows figures only; tenants and leads are
 * the sites' business.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Admin;

use TenantCRM\Network;

final class NetworkPage {

	public const SLUG = 'tenant-crm-sync-network';

	private const PAGE = 50;

	public static function menu(): void {
		add_menu_page( __( 'CRM Sync', 'tenant-crm-sync' ), __( 'CRM Sync', 'tenant-crm-sync' ), 'manage_network', self::SLUG, array( self::class, 'render' ), 'dashicons-update', 58 );
	}

	public static function render(): void {
		if ( ! current_user_can( 'manage_network' ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		$page  = isset( $_GET['paged'] ) ? max( 1, absint( $_GET['paged'] ) ) : 1; // phpcs:ignore WordPress.Security.NonceVerification -- only chooses what is shown.
		$all   = (int) get_sites( array( 'count' => true ) );
		$sites = Network::sites( self::PAGE, self::PAGE * ( $page - 1 ) );
		printf( '<div class="wrap tcs-wrap tcs-network"><h1>%s</h1>', esc_html__( 'CRM Sync: sites', 'tenant-crm-sync' ) );
		printf( '<p>%s</p>', esc_html( self::sum( $sites ) ) );
		// Nine columns are more than a telephone has room for.
		echo '<div style="overflow-x:auto" tabindex="0" role="region" aria-label="', esc_attr__( 'Sites', 'tenant-crm-sync' ), '"><table class="widefat striped"><thead><tr>';
		foreach ( array( __( 'Site', 'tenant-crm-sync' ), __( 'Health', 'tenant-crm-sync' ), __( 'Tenants', 'tenant-crm-sync' ), __( 'Leads', 'tenant-crm-sync' ), __( 'Due', 'tenant-crm-sync' ), __( 'Failed for good', 'tenant-crm-sync' ), __( 'Refused', 'tenant-crm-sync' ), __( 'Conflicts', 'tenant-crm-sync' ), __( 'Last worker', 'tenant-crm-sync' ) ) as $title ) {
			printf( '<th scope="col">%s</th>', esc_html( $title ) );
		}
		echo '</tr></thead><tbody>';
		foreach ( $sites as $site ) {
			self::row( $site );
		}
		echo '</tbody></table></div>';
		if ( $all > self::PAGE ) {
			$links = paginate_links(
				array(
					'base'    => add_query_arg( 'paged', '%#%' ),
					'format'  => '',
					'current' => $page,
					'total'   => (int) ceil( $all / self::PAGE ),
				)
			);
			printf( '<div class="tablenav"><div class="tablenav-pages">%s</div></div>', wp_kses_post( (string) $links ) );
		}
		echo '</div>';
	}

	/** @param array<string, mixed> $site As Network gives it. */
	private static function row( array $site ): void {
		printf( '<tr><th scope="row"><a href="%s">%s</a><br><span class="tcs-muted">%s</span></th><td>%s</td>', esc_url( get_admin_url( $site['site'], 'admin.php?page=' . Screens::OVERVIEW ) ), esc_html( '' === $site['name'] ? $site['url'] : $site['name'] ), esc_html( $site['url'] ), esc_html( self::health( $site ) ) );
		foreach ( array( 'tenants', 'records', 'due', 'dead', 'refused', 'conflicts' ) as $name ) {
			printf( '<td>%s</td>', esc_html( number_format_i18n( $site[ $name ] ) ) );
		}
		/* translators: %s: for example "2 minutes" */
		printf( '<td>%s</td></tr>', esc_html( null === $site['worker'] ? __( 'none yet', 'tenant-crm-sync' ) : sprintf( __( '%s ago', 'tenant-crm-sync' ), human_time_diff( time() - $site['worker'], time() ) ) ) );
	}

	/** In words, not in colours alone. @param array<string, mixed> $site */
	public static function health( array $site ): string {
		if ( 0 === $site['tenants'] ) {
			return __( 'no tenants', 'tenant-crm-sync' );
		}
		if ( $site['failing'] > 0 ) {
			/* translators: %s: number of tenants */
			return sprintf( _n( '%s tenant fails', '%s tenants fail', $site['failing'], 'tenant-crm-sync' ), number_format_i18n( $site['failing'] ) );
		}
		if ( $site['overdue'] > 15 * MINUTE_IN_SECONDS ) {
			/* translators: %s: for example "2 hours" */
			return sprintf( __( 'nobody works: a sync has been due for %s', 'tenant-crm-sync' ), human_time_diff( time() - $site['overdue'], time() ) );
		}
		return $site['dead'] + $site['refused'] + $site['conflicts'] > 0 ? __( 'something waits for a person', 'tenant-crm-sync' ) : __( 'good', 'tenant-crm-sync' );
	}

	/** @param list<array<string, mixed>> $sites */
	private static function sum( array $sites ): string {
		/* translators: 1: number of tenants, 2: number of sites, 3: number of leads, 4: number of tenants */
		return sprintf( __( '%1$s tenants on %2$s sites, with %3$s leads. %4$s tenants have been failing.', 'tenant-crm-sync' ), number_format_i18n( array_sum( array_column( $sites, 'tenants' ) ) ), number_format_i18n( count( array_filter( array_column( $sites, 'tenants' ) ) ) ), number_format_i18n( array_sum( array_column( $sites, 'records' ) ) ), number_format_i18n( array_sum( array_column( $sites, 'failing' ) ) ) );
	}
}
