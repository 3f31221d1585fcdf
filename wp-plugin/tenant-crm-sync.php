<?php
/**
 * Plugin Name:       Tenant CRM Sync
 * Description:       Keeps the CRMs of many tenants and this portal in step. Needs the PHP extension tenant_crm_sync.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      8.1
 * License:           MIT
 * Text Domain:       tenant-crm-sync
 * Domain Path:       /languages
 *
 * This file only gates versions, so that it can be read by PHP 5.6 and an old site gets a sentence instead of a fatal
 * error. Everything else is in includes/.
 *
 * @package TenantCRM
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

if ( PHP_VERSION_ID < 80100 || version_compare( get_bloginfo( 'version' ), '6.1', '<' ) ) {
	add_action( 'admin_notices', 'tenant_crm_sync_too_old' );
} else {
	require_once dirname( __FILE__ ) . '/includes/load.php';
	call_user_func( array( 'TenantCRM\\Plugin', 'boot' ), __FILE__ );
}

/**
 * Says what is missing. Defined here because nothing in includes/ can be read by such a PHP.
 */
function tenant_crm_sync_too_old() {
	echo '<div class="notice notice-error"><p>';
	echo esc_html( 'Tenant CRM Sync needs PHP 8.1 and WordPress 6.1 or newer. It does nothing until then.' );
	echo '</p></div>';
}
