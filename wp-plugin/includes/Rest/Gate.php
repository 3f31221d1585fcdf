<?php
/**
 * What all our REST routes and form actions have in common before anything else is asked: how often one user may call one of them, and that no
 * cache keeps the answer. The limit is counted where all processes and hosts see it, by the extension's limiter.
 *
 * Who may do what is asked by each route and action itself.
 */

namespace TenantCRM\Rest;

use TenantCRM\Plugin;
use TenantCRM\Site;
use TenantCRM\Tenancy\Privacy;

final class Gate {

	/** So many calls a minute of one user, by what is called: an open Overview asks for slices of several syncs all the time. */
	const LIMITS = array(
		'read'  => 600,
		'slice' => 600,
		'write' => 240,
		'form'  => 120,
	);

	const SECONDS = 60;

	/** Names of our actions of admin-post.php and admin-ajax.php begin so. */
	const ACTION = '/^tenant[_-]crm/';

	public static function register(): void {
		add_filter( 'rest_request_before_callbacks', array( __CLASS__, 'before' ), 1, 3 );
		add_filter( 'rest_post_dispatch', array( __CLASS__, 'headers' ), 10, 3 );
		// Before admin_post_… and wp_ajax_….
		add_action( 'admin_init', array( __CLASS__, 'action' ), 1 );
	}

	/**
	 * An error here keeps WordPress from asking for permission and from calling the route.
	 *
	 * @param mixed            $response
	 * @param array            $handler
	 * @param \WP_REST_Request $request
	 * @return mixed
	 */
	public static function before( $response, $handler, $request ) {
		if ( ! self::is_ours( $request ) ) {
			return $response;
		}
		$route = (string) preg_replace( '~/\d+~', '/#', substr( $request->get_route(), strlen( Routes::NAMESPACE_V1 ) + 1 ) );
		$kind  = in_array( $request->get_method(), array( 'GET', 'HEAD', 'OPTIONS' ), true ) ? 'read' : ( str_ends_with( $route, '/slice' ) ? 'slice' : 'write' );
		$wait  = self::wait( $kind, $route );
		return $wait > 0 ? Errors::too_many( $wait ) : $response;
	}

	/**
	 * @param \WP_HTTP_Response $response
	 * @param \WP_REST_Server   $server
	 * @param \WP_REST_Request  $request
	 * @return \WP_HTTP_Response
	 */
	public static function headers( $response, $server, $request ) {
		if ( self::is_ours( $request ) ) {
			Privacy::insist();
			$response->header( 'Cache-Control', Privacy::HEADER );
			$response->header( 'Vary', 'Cookie, Authorization', false );
			$data = $response->get_data();
			if ( 429 === $response->get_status() && isset( $data['data']['retry_after'] ) ) {
				$response->header( 'Retry-After', (string) $data['data']['retry_after'] );
			}
		}
		return $response;
	}

	/** The same for the forms of our screens. */
	public static function action(): void {
		global $pagenow;
		$action = isset( $_REQUEST['action'] ) && is_string( $_REQUEST['action'] ) ? sanitize_key( wp_unslash( $_REQUEST['action'] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- chooses a counter; the action itself asks for its nonce.
		if ( ! in_array( $pagenow, array( 'admin-post.php', 'admin-ajax.php' ), true ) || ! preg_match( self::ACTION, $action ) ) {
			return;
		}
		$wait = self::wait( 'form', $action );
		if ( $wait > 0 ) {
			nocache_headers();
			header( 'Retry-After: ' . $wait );
			wp_die( esc_html( Errors::too_many( $wait )->get_error_message() ), '', array( 'response' => 429 ) );
		}
	}

	/** @return int Seconds until the user may do this again; 0: now. */
	private static function wait( string $kind, string $what ): int {
		if ( ! Plugin::is_ready() ) {
			return 0;
		}
		$user = get_current_user_id();
		/**
		 * How many calls of one route or form action a user has a minute.
		 *
		 * @param int    $amount 2 or more; less: no limit.
		 * @param string $kind   read, write, slice or form.
		 * @param string $what   Route with # for numbers, or action.
		 * @param int    $user   0 for all visitors together, who get nothing but refusals.
		 */
		$amount = (int) apply_filters( 'tenant_crm_sync_rate_limit', self::LIMITS[ $kind ], $kind, $what, $user );
		if ( $amount < 2 ) {
			return 0;
		}
		try {
			return (int) ceil( \TenantCRMSync::limiter( 'http:' . Site::id() . ":$user:$kind:$what", $amount, self::SECONDS, max( 1, intdiv( $amount, 2 ) ) )->admit() );
		} catch ( \TenantCRMSync\Exception $e ) {
			// Nothing can be counted just now, which Site Health shows. This is against haste, not against strangers.
			return 0;
		}
	}

	/** @param \WP_REST_Request $request */
	private static function is_ours( $request ): bool {
		return str_starts_with( $request->get_route(), '/' . Routes::NAMESPACE_V1 . '/' ) || '/' . Routes::NAMESPACE_V1 === $request->get_route();
	}
}
