<?php
/**
 * PHPUnit's bootstrap: WordPress with the plugin, and the classes that the tests share.
 */

require __DIR__ . '/site.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

if ( ! class_exists( 'TenantCRM\Plugin' ) || ! TenantCRM\Plugin::is_ready() ) {
	fwrite( STDERR, "The plugin is not active, or the extension in TCS_EXTENSION does not have the class TenantCRMSync.\n" );
	exit( 1 );
}
foreach ( array( 'Rows', 'PluginCase', 'ScreenCase', 'WebhookCase', 'Sandbox', 'TwoWayCase', 'Commanding', 'ArticleText', 'Exposed' ) as $tcs_class ) {
	require __DIR__ . "/$tcs_class.php";
}
