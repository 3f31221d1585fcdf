<?php
/**
 * The question before a tenant is disconnected or deleted: what goes, what stays, and what only the CRM can do. The answer goes to Actions.
 */

namespace TenantCRM\Admin;

use TenantCRM\Connectors;
use TenantCRM\Ledger;
use TenantCRM\Tenant;

final class LeavePage {

	/** Actions that are asked for here; also the parameters of the address. */
	const WAYS = array( 'delete', 'disconnect' );

	/** @param string $way One of WAYS. */
	public static function render( Tenant $tenant, string $way ): void {
		$name = '' === $tenant->label ? $tenant->id : $tenant->label;
		echo '<div class="wrap tcs-wrap">';
		/* translators: %s: tenant */
		printf( '<h1>%s</h1>', esc_html( sprintf( 'delete' === $way ? __( 'Delete tenant %s?', 'tenant-crm-sync' ) : __( 'Disconnect tenant %s?', 'tenant-crm-sync' ), $name ) ) );
		if ( 'function' === $tenant->source ) {
			printf( '<p>%s</p></div>', esc_html__( 'This tenant comes from the site’s own function get_tenant_crm_settings() and is removed there. Pause it here if it should not be synced.', 'tenant-crm-sync' ) );
			return;
		}
		echo '<ul class="ul-disc">';
		foreach ( 'delete' === $way ? self::of_deletion( $tenant ) : self::of_disconnection() as $line ) {
			printf( '<li>%s</li>', esc_html( $line ) );
		}
		printf( '</ul><h2>%s</h2><p>%s</p>', esc_html__( 'What only the CRM can do', 'tenant-crm-sync' ), esc_html( self::revocation( $tenant ) ) );
		printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
		echo Actions::fields( $way, $tenant->key ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped there.
		/* translators: %s: tenant */
		printf( '<p class="submit"><button class="button button-primary" id="tcs-%s">%s</button> ', esc_attr( $way ), esc_html( sprintf( 'delete' === $way ? __( 'Delete %s', 'tenant-crm-sync' ) : __( 'Disconnect %s', 'tenant-crm-sync' ), $name ) ) );
		printf( '<a class="button" href="%s">%s</a></p></form></div>', esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) ), esc_html__( 'Keep it', 'tenant-crm-sync' ) );
	}

	/** @return list<string> */
	private static function of_deletion( Tenant $tenant ): array {
		$records = Ledger::count( $tenant->key );
		return array(
			__( 'The tenant’s data key is destroyed. Its stored API key cannot be opened again, not from backups of the database either.', 'tenant-crm-sync' ),
			/* translators: %s: number of records */
			sprintf( _n( 'The ledger of %s record, its syncs and its settings are removed.', 'The ledger of %s records, its syncs and its settings are removed.', $records, 'tenant-crm-sync' ), number_format_i18n( $records ) ),
			__( 'The lead posts stay, since they are the portal’s. Delete them by hand if you do not want them.', 'tenant-crm-sync' ),
		);
	}

	/** @return list<string> */
	private static function of_disconnection(): array {
		return array(
			__( 'Its API key, secrets and tokens are removed from this site. Syncs that are open end.', 'tenant-crm-sync' ),
			__( 'Address, fields, rules, ledger and leads stay. With new credentials it goes on where it was.', 'tenant-crm-sync' ),
			__( 'Its data key stays as well: old backups of the database can still be opened with it. Only deleting the tenant destroys it.', 'tenant-crm-sync' ),
		);
	}

	private static function revocation( Tenant $tenant ): string {
		$about = Connectors::find( $tenant->connector );
		$title = (string) ( $about['title'] ?? $tenant->connector );
		$auth  = (string) ( $tenant->connection()['auth'] ?? array_key_first( $about['auth'] ?? array( '' => 1 ) ) );
		return empty( $about['auth'][ $auth ]['oauth2'] )
			/* translators: %s: name of a CRM */
			? sprintf( __( 'The CRM does not hear of this. Revoke the API key at the CRM (%s): only that makes it useless to anyone who has a copy.', 'tenant-crm-sync' ), $title )
			/* translators: %s: name of a CRM */
			: sprintf( __( 'The CRM does not hear of this. Revoke the API key, or the app and the consent, at the CRM (%s): only that makes the credentials useless to anyone who has a copy.', 'tenant-crm-sync' ), $title );
	}
}
