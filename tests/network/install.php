<?php
/**
 * Makes a network of one site of the tables that begin with net_, in two processes: WordPress as a single site, then the network.
 * Usage: install.php single|network, with TCS_STAGE of the same name.
 */

$_SERVER['HTTP_HOST']       = 'network.test';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';

/** Pluggable in WordPress: a test site sends no mail. */
function wp_new_blog_notification() {}

define( 'WP_INSTALLING', true );
require getenv( 'TCS_NETWORK' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
global $wpdb;
if ( 'single' === $argv[1] ) {
	foreach ( $wpdb->get_col( "SHOW TABLES LIKE 'net\\_%'" ) as $table ) {
		$wpdb->query( "DROP TABLE `$table`" );
	}
	wp_install( 'Network', 'admin', 'admin@example.test', true, '', 'x' );
	exit( 0 );
}
foreach ( $wpdb->tables( 'ms_global' ) as $name => $table ) {
	$wpdb->$name = $table;
}
require_once ABSPATH . 'wp-admin/includes/network.php';
install_network();
$result = populate_network( 1, 'network.test', 'admin@example.test', 'Network', '/', false );
if ( is_wp_error( $result ) && 'no_wildcard_dns' !== $result->get_error_code() ) {
	fwrite( STDERR, $result->get_error_message() . "\n" );
	exit( 1 );
}
