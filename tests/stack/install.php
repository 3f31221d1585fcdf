<?php
/**
 * Installs WordPress into the stack's empty database, and activates the plugin. Idempotent; no HTTP, no mail.
 * Usage: install.php install|activate, with TCS_WWW, TCS_URL, TCS_ADMIN_PASSWORD and TCS_HAS_PLUGIN in the environment.
 */

$url = parse_url( getenv( 'TCS_URL' ) );

$_SERVER['HTTP_HOST']       = $url['host'] . ':' . $url['port'];
$_SERVER['SERVER_NAME']     = $url['host'];
$_SERVER['SERVER_PORT']     = (string) $url['port'];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';

/** Pluggable in WordPress: a test site sends no mail. */
function wp_new_blog_notification() {}

if ( 'install' === $argv[1] ) {
	define( 'WP_INSTALLING', true );
	require getenv( 'TCS_WWW' ) . '/wp-load.php';
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	if ( ! is_blog_installed() ) {
		wp_install( 'Portal', 'admin', 'admin@example.test', true, '', getenv( 'TCS_ADMIN_PASSWORD' ) );
		update_option( 'permalink_structure', '/%postname%/' );
		update_option( 'blog_public', 0 );
	}
	exit( 0 );
}

define( 'WP_ADMIN', true );
require getenv( 'TCS_WWW' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
wp_set_current_user( 1 );
flush_rewrite_rules( false );
if ( getenv( 'TCS_HAS_PLUGIN' ) ) {
	$error = activate_plugin( 'tenant-crm-sync/tenant-crm-sync.php' );
	if ( is_wp_error( $error ) ) {
		fwrite( STDERR, $error->get_error_message() . "\n" );
		exit( 1 );
	}
}
