<?php
/**
 * What is done to a site from inside, in a process of its own: `php inside.php VERB [ARGUMENT…]`. Loads WordPress as a screen of the
 * administration would, does one thing, and prints what Site wants to know of it.
 */

$_SERVER['HTTP_HOST']       = '127.0.0.1:' . getenv( 'TCS_HTTP_PORT' );
$_SERVER['PHP_SELF']        = '/wp-admin/' . ( str_ends_with( $argv[1], 'activate' ) ? 'plugins.php' : 'admin-post.php' );
$_SERVER['REQUEST_URI']     = $_SERVER['PHP_SELF'];
$_SERVER['REQUEST_METHOD']  = 'POST';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_GET['action']             = $argv[1];
$_REQUEST['action']         = $argv[1];
define( 'WP_ADMIN', true );
require getenv( 'TCS_WWW' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

list( , $verb, $first, $second, $third ) = $argv + array_fill( 0, 5, '' );
switch ( $verb ) {
	case 'activate':
		$error = activate_plugin( $first );
		if ( is_wp_error( $error ) ) {
			throw new RuntimeException( $error->get_error_message() );
		}
		break;

	case 'deactivate':
		deactivate_plugins( $first );
		break;

	// A tenant's settings by the site's function, and a user of its portal, logged in: no administrator, so WordPress filters what is stored.
	case 'tenant':
		if ( '' !== $second ) {
			save_tenant_crm_settings( $first, $second, $third );
			update_option( 'my_plugin_tenant_ids', ltrim( get_option( 'my_plugin_tenant_ids', '' ) . ",$first", ',' ) );
		}
		$user = wp_insert_user( array( 'user_login' => 'u' . md5( $first ), 'user_pass' => 'x', 'role' => 'subscriber' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		update_user_meta( $user, 'tenant_id', $first );
		$until = time() + DAY_IN_SECONDS;
		$token = WP_Session_Tokens::get_instance( $user )->create( $until );
		echo AUTH_COOKIE, '=', rawurlencode( wp_generate_auth_cookie( $user, $until, 'auth', $token ) ), '; ', LOGGED_IN_COOKIE, '=', rawurlencode( wp_generate_auth_cookie( $user, $until, 'logged_in', $token ) ); // phpcs:ignore WordPress.Security.EscapeOutput
		break;

	case 'key':
		save_tenant_crm_settings( $first, $second, $third );
		break;

	case 'event':
		$event = wp_get_scheduled_event( $first );
		echo wp_json_encode( $event ? array( 'at' => $event->timestamp, 'next_two_o_clock' => '02:00:00' === gmdate( 'H:i:s', $event->timestamp ) && $event->timestamp > time() && $event->timestamp <= time() + 26 * HOUR_IN_SECONDS, 'schedule' => $event->schedule ) : null ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		break;

	// Each named event becomes due. Our own is put off unless it is named: it would sync beside the job that is looked at.
	case 'due':
		$names = array_slice( $argv, 2 );
		foreach ( array_unique( array( ...$names, 'tenant_crm_sync_tick' ) ) as $name ) {
			$event = wp_get_scheduled_event( $name );
			if ( $event ) {
				wp_clear_scheduled_hook( $name );
				wp_schedule_event( in_array( $name, $names, true ) ? time() - 60 : time() + DAY_IN_SECONDS, $event->schedule, $name );
			}
		}
		break;

	// As if nothing had ever been synced.
	case 'empty':
		global $wpdb;
		foreach ( $wpdb->get_col( "SELECT ID FROM $wpdb->posts WHERE post_type = 'crm_lead'" ) as $id ) {
			wp_delete_post( (int) $id, true );
		}
		foreach ( $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE 'tenant\\_%\\_crm\\_last\\_sync'" ) as $name ) {
			delete_option( $name );
		}
		break;

	// How our plugin sees the site.
	case 'plugin':
		$sources = array();
		foreach ( TenantCRM\Tenants::all() as $tenant ) {
			$sources[ $tenant->id ] = $tenant->source;
		}
		$own = array_filter( array( 'get_tenant_crm_settings', 'save_tenant_crm_settings', 'get_all_configured_tenants', 'process_crm_leads_for_tenant' ), array( 'TenantCRM\Article', 'site_has' ) );
		echo wp_json_encode( array( 'sources' => $sources, 'functions_of_the_site' => count( $own ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		break;

	default:
		throw new RuntimeException( "what is \"$verb\"?" );
}
