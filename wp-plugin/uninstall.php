<?php
/**
 * Runs when the plugin is deleted. It keeps everything unless the option tenant_crm_sync_delete_data is set: tables, leads and
 * credentials are not something to lose by a click on "Delete".
 *
 * @package TenantCRM
 */

namespace TenantCRM;

if ( ! defined( 'WP_UNINSTALL_PLUGIN' ) ) {
	exit;
}
if ( PHP_VERSION_ID >= 80100 ) {
	require_once __DIR__ . '/includes/load.php';
	Uninstall::run();
}
