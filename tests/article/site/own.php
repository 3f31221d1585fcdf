<?php
/**
 * Plugin Name: CRM test
 *
 * A site's code that defines nothing of its own and leans on the class and the four functions, as the article's plugin does: a
 * button, and a job that WP-Cron runs. Active beside our plugin, which defines those functions.
 */

register_activation_hook(
	__FILE__,
	static function (): void {
		wp_schedule_event( time() + HOUR_IN_SECONDS, 'daily', 'crm_test_event' );
	}
);
register_deactivation_hook( __FILE__, static fn() => wp_clear_scheduled_hook( 'crm_test_event' ) );

/** One tenant: fetch what is new since the last time, store it, note the time. */
function crm_test_sync( string $tenant ): string {
	$option = "tenant_{$tenant}_crm_last_sync";
	try {
		$leads = ( new TenantCRMSync( $tenant ) )->fetch_leads( get_option( $option ) );
	} catch ( Exception $e ) {
		return $e->getMessage();
	}
	if ( false === $leads ) {
		return "nothing came for $tenant";
	}
	process_crm_leads_for_tenant( $tenant, $leads );
	update_option( $option, current_time( 'mysql' ) );
	return count( $leads ) . " leads of $tenant";
}

add_action(
	'admin_post_crm_sync_now',
	static function (): void {
		echo crm_test_sync( get_user_meta( get_current_user_id(), 'tenant_id', true ) ); // phpcs:ignore WordPress.Security.EscapeOutput
	}
);
add_action(
	'crm_test_event',
	static function (): void {
		foreach ( get_all_configured_tenants() as $tenant ) {
			error_log( crm_test_sync( $tenant ) ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
	}
);
