<?php
/**
 * REST tenant-crm-sync/v1/sync: POST starts a sync, GET tells how it stands, POST …/slice works on it for some seconds, DELETE cancels it.
 *
 * Every route needs the capability sync_tenant_crm, and the tenant must be the user's. Two screens that ask for slices of one sync do not
 * double its work: the job's lease lets one of them work, the other gets the state. What work means is the worker's business.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\Words;
use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Plugin;
use TenantCRM\Runs;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Traces;
use TenantCRM\Worker;

final class Routes {

	const NAMESPACE_V1  = 'tenant-crm-sync/v1';
	const SLICE_SECONDS = 5;

	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
	}

	public static function routes(): void {
		$run = array(
			'run' => array(
				'description' => __( 'Number of the sync.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
				'required'    => true,
			),
		);
		register_rest_route(
			self::NAMESPACE_V1,
			'/sync',
			array(
				array(
					'methods'             => \WP_REST_Server::CREATABLE,
					'callback'            => array( __CLASS__, 'create' ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => array(
						'tenant' => array(
							'description'       => __( 'Id of the tenant.', 'tenant-crm-sync' ),
							'type'              => array( 'string', 'integer' ),
							'required'          => true,
							'validate_callback' => array( __CLASS__, 'valid_tenant' ),
						),
					),
				),
				'schema' => array( RunResource::class, 'schema' ),
			)
		);
		register_rest_route(
			self::NAMESPACE_V1,
			'/sync/(?P<run>\d{1,18})',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => array( __CLASS__, 'read' ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $run,
				),
				array(
					'methods'             => \WP_REST_Server::DELETABLE,
					'callback'            => array( __CLASS__, 'cancel' ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $run,
				),
				'schema' => array( RunResource::class, 'schema' ),
			)
		);
		register_rest_route(
			self::NAMESPACE_V1,
			'/sync/(?P<run>\d{1,18})/slice',
			array(
				array(
					'methods'             => \WP_REST_Server::CREATABLE,
					'callback'            => array( __CLASS__, 'slice' ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $run + array(
						'seconds' => array(
							'description' => __( 'How long to work at most.', 'tenant-crm-sync' ),
							'type'        => 'number',
							'minimum'     => 1,
							'maximum'     => self::SLICE_SECONDS,
							'default'     => self::SLICE_SECONDS,
						),
					),
				),
				'schema' => array( RunResource::class, 'schema' ),
			)
		);
	}

	/** @return true|\WP_Error */
	public static function allowed() {
		return current_user_can( 'sync_tenant_crm' ) ? true : Errors::forbidden();
	}

	/**
	 * Ids are compared bytewise, so they are not trimmed or cleaned here, only bounded.
	 *
	 * @param mixed $value
	 * @return true|\WP_Error
	 */
	public static function valid_tenant( $value ) {
		if ( is_int( $value ) || ( is_string( $value ) && '' !== $value && strlen( $value ) <= 190 ) ) {
			return true;
		}
		return new \WP_Error( 'rest_invalid_param', __( 'The tenant’s id is a text of 1 to 190 bytes.', 'tenant-crm-sync' ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function create( \WP_REST_Request $request ) {
		$tenant = Tenants::find( (string) $request['tenant'] );
		if ( null === $tenant || ! self::may( $tenant ) ) {
			return Errors::unknown_tenant();
		}
		$obstacle = Words::obstacle( $tenant );
		if ( null !== $obstacle ) {
			return 'unset' === $obstacle ? Errors::not_set_up() : Errors::paused();
		}
		if ( ! Plugin::is_ready() ) {
			return Errors::no_extension();
		}
		$run = Runs::get( Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK ) );
		if ( null === $run ) {
			return Errors::unknown_run();
		}
		Traces::keep( (int) $run['id'], $request->get_header( 'traceparent' ) );
		$response = self::answer( $run, $tenant );
		$response->set_status( 201 );
		$response->header( 'Location', rest_url( self::NAMESPACE_V1 . '/sync/' . $run['id'] ) );
		return $response;
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function read( \WP_REST_Request $request ) {
		return self::with_run( $request, array( __CLASS__, 'answer' ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function slice( \WP_REST_Request $request ) {
		return self::with_run(
			$request,
			static function ( array $run, Tenant $tenant ) use ( $request ) {
				if ( ! Plugin::is_ready() ) {
					return Errors::no_extension();
				}
				if ( ! Words::is_final( $run['state'] ) ) {
					try {
						Worker::run( (float) $request['seconds'], (int) $run['id'], $request->get_header( 'traceparent' ) );
					} catch ( \Throwable $error ) {
						return Errors::unexpected( $error );
					}
				}
				return self::again( $run, $tenant );
			}
		);
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function cancel( \WP_REST_Request $request ) {
		return self::with_run(
			$request,
			static function ( array $run, Tenant $tenant ) {
				if ( ! Words::is_final( $run['state'] ) ) {
					Runs::cancel( (int) $run['id'] );
				}
				return self::again( $run, $tenant );
			}
		);
	}

	/** @return \WP_REST_Response|\WP_Error */
	private static function with_run( \WP_REST_Request $request, callable $then ) {
		$run    = Runs::get( (int) $request['run'] );
		$tenant = null === $run ? null : Tenants::get( (int) $run['tenant'] );
		if ( null === $run || null === $tenant || ! self::may( $tenant ) ) {
			return Errors::unknown_run();
		}
		return $then( $run, $tenant );
	}

	/** @return \WP_REST_Response|\WP_Error */
	private static function again( array $run, Tenant $tenant ) {
		$now = Runs::get( (int) $run['id'] );
		return null === $now ? Errors::unknown_run() : self::answer( $now, $tenant );
	}

	private static function may( Tenant $tenant ): bool {
		return Capabilities::user_may( get_current_user_id(), 'sync_tenant_crm', $tenant->id );
	}

	private static function answer( array $run, Tenant $tenant ): \WP_REST_Response {
		return new \WP_REST_Response( RunResource::from( $run, $tenant ) );
	}
}
