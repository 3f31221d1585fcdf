<?php
/**
 * What the article leaves to its reader, as a site might have it: the post type, who belongs to which tenant, and a button. Copied into
 * the plugin that is made of the article's text.
 */

add_action(
	'init',
	static function (): void {
		// Where our plugin is active, it is the one that has the type.
		if ( ! class_exists( 'TenantCRM\Plugin', false ) ) {
			register_post_type( 'crm_lead', array( 'label' => 'Leads', 'public' => true ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
	}
);

/** The article calls it a placeholder. */
function get_current_tenant_id() {
	return get_user_meta( get_current_user_id(), 'tenant_id', true );
}

add_action(
	'admin_post_crm_sync_now',
	static function (): void {
		require __DIR__ . '/on-demand.php';
	}
);
