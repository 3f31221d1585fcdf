<?php
/**
 * The question before a tenant is deleted: what goes, what stays, and what only the CRM can do. The answer goes to Actions.
 */

namespace TenantCRM\Admin;

use TenantCRM\Ledger;
use TenantCRM\Tenant;

final class DeletePage {

	public static function render( Tenant $tenant ): void {
		$name = '' === $tenant->label ? $tenant->id : $tenant->label;
		echo '<div class="wrap tcs-wrap">';
		/* translators: %s: tenant */
		printf( '<h1>%s</h1>', esc_html( sprintf( __( 'Delete tenant %s?', 'tenant-crm-sync' ), $name ) ) );
		if ( 'function' === $tenant->source ) {
			printf( '<p>%s</p></div>', esc_html__( 'This tenant comes from the site’s own function get_tenant_crm_settings() and is removed there. Pause it here if it should not be synced.', 'tenant-crm-sync' ) );
			return;
		}
		$records = Ledger::count( $tenant->key );
		echo '<ul class="ul-disc">';
		foreach (
			array(
				__( 'The tenant’s data key is destroyed. Its stored API key cannot be opened again, not from backups of the database either.', 'tenant-crm-sync' ),
				/* translators: %s: number of records */
				sprintf( _n( 'The ledger of %s record, its syncs and its settings are removed.', 'The ledger of %s records, its syncs and its settings are removed.', $records, 'tenant-crm-sync' ), number_format_i18n( $records ) ),
				__( 'The lead posts stay, since they are the portal’s. Delete them by hand if you do not want them.', 'tenant-crm-sync' ),
				__( 'The CRM does not hear of this. Revoke the API key there: only that makes it useless to anyone who has a copy.', 'tenant-crm-sync' ),
			) as $line
		) {
			printf( '<li>%s</li>', esc_html( $line ) );
		}
		echo '</ul>';
		printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		echo Actions::fields( 'delete', $tenant->key ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		/* translators: %s: tenant */
		printf( '<p class="submit"><button class="button button-primary" id="tcs-delete">%s</button> ', esc_html( sprintf( __( 'Delete %s', 'tenant-crm-sync' ), $name ) ) );
		printf( '<a class="button" href="%s">%s</a></p></form></div>', esc_url( Screens::url( Screens::OVERVIEW ) ), esc_html__( 'Keep it', 'tenant-crm-sync' ) );
	}
}
