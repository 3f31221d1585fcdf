<?php
/**
 * PHPUnit's bootstrap: the network's main site in this process, the plugin active everywhere, and the sandbox CRM.
 */

$_SERVER['HTTP_HOST']       = 'network.test';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';

preg_match( '/array\( (\'wpdb\'.*?) \) as/', file_get_contents( dirname( __DIR__ ) . '/wordpress/site.php' ), $tcs_names );
foreach ( array_merge( str_getcsv( strtr( $tcs_names[1], array( ', ' => ',' ) ), ',', "'", '' ), array( 'domain', 'path', 'site_id', 'public', '_wp_switched_stack', 'switched' ) ) as $tcs_global ) {
	global $$tcs_global;
}
require getenv( 'TCS_NETWORK' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
require dirname( __DIR__ ) . '/wordpress/Sandbox.php';
