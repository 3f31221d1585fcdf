<?php
/**
 * REST tenant-crm-sync/v1/metrics: the site's figures as text, for whoever manages tenants; a scraper logs in with an application password.
 * What is counted is the business of Metrics.
 */

namespace TenantCRM\Rest;

use TenantCRM\Capabilities;
use TenantCRM\Exposition;
use TenantCRM\Metrics;

final class MetricsRoute {

	const ROUTE = '/metrics';

	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
		add_filter( 'rest_pre_serve_request', array( __CLASS__, 'serve' ), 10, 3 );
	}

	public static function routes(): void {
		register_rest_route(
			Routes::NAMESPACE_V1,
			self::ROUTE,
			array(
				'methods'             => \WP_REST_Server::READABLE,
				'callback'            => array( __CLASS__, 'read' ),
				'permission_callback' => array( __CLASS__, 'allowed' ),
			)
		);
	}

	/** @return true|\WP_Error Figures of all tenants: no list of one's own tenants opens them. */
	public static function allowed() {
		return current_user_can( Capabilities::MANAGE ) ? true : Errors::no_metrics();
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function read() {
		try {
			$response = new \WP_REST_Response( Metrics::text() );
		} catch ( \Throwable $error ) {
			return Errors::unexpected( $error );
		}
		$response->header( 'Content-Type', Exposition::CONTENT_TYPE );
		$response->header( 'Cache-Control', 'no-store' );
		return $response;
	}

	/**
	 * Text, where WordPress would send it as a string of JSON.
	 *
	 * @param bool              $served
	 * @param \WP_HTTP_Response $result
	 * @param \WP_REST_Request  $request
	 */
	public static function serve( $served, $result, $request ): bool {
		if ( $served || '/' . Routes::NAMESPACE_V1 . self::ROUTE !== $request->get_route() || ! is_string( $result->get_data() ) ) {
			return (bool) $served;
		}
		if ( 'HEAD' !== $request->get_method() ) {
			echo $result->get_data(); // phpcs:ignore WordPress.Security.EscapeOutput -- text/plain, for machines.
		}
		return true;
	}
}
