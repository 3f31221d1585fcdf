<?php
/**
 * Adds the demo's tenants through the plugin, as its screen does: reads lines "id key" from standard input. Runs in the docroot.
 * Usage: tenants.php ENDPOINT
 */

require getcwd() . '/wp-load.php';

while ( false !== ( $line = fgets( STDIN ) ) ) {
	[ $id, $key ] = explode( ' ', trim( $line ), 2 );
	\TenantCRM\Tenants::save(
		[
			'id'       => $id,
			'label'    => [ 'north' => 'North Estates', 'Acme' => 'Acme Housing', 'acme' => 'acme Lettings' ][ $id ] ?? $id,
			'endpoint' => $argv[1],
			'api_key'  => $key,
		]
	);
}
