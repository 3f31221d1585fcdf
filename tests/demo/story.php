<?php
/**
 * What makes the demo's Overview worth a look, in two steps, each in a process of its own. Runs in the docroot.
 *
 *   story.php both TENANT          lets a tenant go both ways, where a person decides what both sides changed
 *   story.php edit TENANT ID NAME  renames the lead with this CRM id in the portal, as the admin would
 *   story.php past                 makes up the syncs of the days before, so that the chart has some: nobody has two weeks to watch
 */

use TenantCRM\Schema;
use TenantCRM\Tenants;

require getcwd() . '/wp-load.php';

global $wpdb;
$tenant = Tenants::find( $argv[2] ?? '' );
switch ( $argv[1] ) {
	case 'both':
		Tenants::save( [ 'id' => $tenant->id, 'settings' => [ 'direction' => 'both', 'policy' => 'ask' ] + $tenant->settings ] );
		break;
	case 'edit':
		wp_set_current_user( 1 );
		$post = (int) $wpdb->get_var( $wpdb->prepare( 'SELECT post_id FROM ' . Schema::table( 'records' ) . ' WHERE tenant = %d AND crm_id = %s', $tenant->key, $argv[3] ) );
		wp_update_post( [ 'ID' => $post, 'post_title' => $argv[4] ] );
		break;
	case 'past':
		mt_srand( 7 );
		foreach ( Tenants::all() as $tenant ) {
			for ( $day = 13; $day > 0; $day-- ) {
				for ( $nth = mt_rand( 3, 7 ); $nth > 0; $nth-- ) {
					$at = gmdate( 'Y-m-d H:i:s', time() - $day * DAY_IN_SECONDS - mt_rand( 0, 20000 ) );
					$wpdb->insert( Schema::table( 'runs' ), [ 'tenant' => $tenant->key, 'kind' => 'pull', 'object' => 'leads', 'state' => 0 === mt_rand( 0, 14 ) ? 'failed' : 'done', 'fetched' => mt_rand( 0, 40 ), 'updated' => mt_rand( 0, 40 ), 'pages' => 1, 'queued_at' => $at, 'started_at' => $at, 'finished_at' => $at ] );
				}
			}
		}
		// What is newest has the highest number.
		$table = Schema::table( 'runs' );
		$top   = 1000 + (int) $wpdb->get_var( "SELECT MAX(id) FROM `$table`" );
		$ids   = $wpdb->get_col( "SELECT id FROM `$table` ORDER BY finished_at, id" );
		foreach ( $ids as $position => $id ) {
			$wpdb->query( "UPDATE `$table` SET id = " . ( $top + $position ) . " WHERE id = $id" );
		}
		break;
}
