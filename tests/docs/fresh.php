<?php
/**
 * Before each document: empty tables, a CRM with the tenant "acme" and five leads, a folder that stands for /etc. Usage: fresh.php FOLDER
 */

require dirname( __DIR__ ) . '/wordpress/site.php';
require dirname( __DIR__ ) . '/wordpress/Sandbox.php';

foreach ( TenantCRM\Schema::tables() as $table ) {
	$wpdb->query( "DELETE FROM `$table`" );
}
$wpdb->query( "DELETE m FROM `$wpdb->postmeta` m JOIN `$wpdb->posts` p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
$wpdb->query( "DELETE FROM `$wpdb->posts` WHERE post_type = 'crm_lead'" );
wp_cache_flush();
Sandbox::reset();
Sandbox::tenant( 'acme', 5 );
foreach ( array( "$argv[1]/etc/systemd/system", "$argv[1]/etc/tenant-crm-sync" ) as $folder ) {
	is_dir( $folder ) || mkdir( $folder, 0700, true );
}
file_put_contents( "$argv[1]/etc/tenant-crm-sync/acme.api-key", "key-of-acme\n" );
