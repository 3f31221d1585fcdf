<?php
/**
 * The part of a tenant's screen that tells whether a person has to connect, and lets them. What the button does is in Connect.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tokens;

use TenantCRM\Tenant;

final class ConnectPanel {

	/** Prints nothing for connections that need no consent. */
	public static function render( Tenant $tenant ): void {
		if ( ! self::is_offered( $tenant ) ) {
			return;
		}
		printf( '<h2 class="title">%s</h2><p>%s</p>', esc_html__( 'Consent', 'tenant-crm-sync' ), esc_html( self::state( $tenant ) ) );
		printf(
			'<form method="post" action="%1$s"><input type="hidden" name="action" value="%2$s"><input type="hidden" name="tenant" value="%3$d">%4$s%5$s</form>',
			esc_url( admin_url( 'admin-post.php' ) ),
			esc_attr( Connect::GO ),
			(int) $tenant->key,
			wp_nonce_field( Connect::nonce( $tenant->key ), '_wpnonce', true, false ),
			get_submit_button( __( 'Connect', 'tenant-crm-sync' ), 'secondary', 'connect', false )
		);
		printf(
			'<p class="description">%s <code>%s</code></p>',
			esc_html__( 'Enter this redirect address in the app’s settings at the CRM:', 'tenant-crm-sync' ),
			esc_html( Connect::redirect_uri() )
		);
	}

	private static function is_offered( Tenant $tenant ): bool {
		if ( ! method_exists( 'TenantCRMSync', 'authorize_url' ) ) {
			return false;
		}
		try {
			$tenant->client()->authorize_url( Connect::redirect_uri(), 'x', 'x' );
		} catch ( \Exception $e ) {
			return false;
		}
		return true;
	}

	private static function state( Tenant $tenant ): string {
		$store = new TokenStore();
		try {
			$reason = $store->reason( $tenant->id );
			$known  = $store->load( $tenant->id );
		} catch ( \RuntimeException $e ) {
			return $e->getMessage();
		}
		if ( null !== $reason ) {
			/* translators: %s: the CRM's own words */
			return sprintf( __( 'The CRM does not accept the connection any more (%s). Connect again.', 'tenant-crm-sync' ), $reason );
		}
		return $known
			? __( 'Connected. Connect again to renew the consent or to change the CRM’s user.', 'tenant-crm-sync' )
			: __( 'Not connected yet: the CRM asks a person to agree, once.', 'tenant-crm-sync' );
	}
}
