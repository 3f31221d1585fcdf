<?php
/**
 * REST tenant-crm-sync/v1/conflicts: lists what waits for a person, of the user's tenants; POST …/decision decides one, DELETE …/decision
 * undoes that. What deciding does is in TwoWay\Decisions.
 */

namespace TenantCRM\Rest;

use TenantCRM\Capabilities;
use TenantCRM\StoreException;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class ConflictRoutes {

	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
	}

	public static function routes(): void {
		$id = array(
			'id' => array(
				'description' => __( 'Number of the conflict.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
			),
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/conflicts',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'list' ) ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => Access::paging() + array(
						'tenant' => Access::tenant_argument(),
						'state'  => array(
							'description' => __( 'open: waits; taken: decided; closed: over.', 'tenant-crm-sync' ),
							'type'        => 'string',
							'enum'        => Conflicts::STATES,
							'default'     => 'open',
						),
					),
				),
				'schema' => array( ConflictResource::class, 'schema' ),
			)
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/conflicts/(?P<id>\d{1,18})',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'read' ) ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $id,
				),
				'schema' => array( ConflictResource::class, 'schema' ),
			)
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/conflicts/(?P<id>\d{1,18})/decision',
			array(
				array(
					'methods'             => \WP_REST_Server::CREATABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'decide' ) ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $id + array(
						'choice' => array(
							'description' => __( 'Whose value counts.', 'tenant-crm-sync' ),
							'type'        => 'string',
							'enum'        => array( 'crm', 'portal' ),
							'required'    => true,
						),
					),
				),
				array(
					'methods'             => \WP_REST_Server::DELETABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'undo' ) ),
					'permission_callback' => array( __CLASS__, 'allowed' ),
					'args'                => $id,
				),
				'schema' => array( ConflictResource::class, 'schema' ),
			)
		);
	}

	/** @return true|\WP_Error */
	public static function allowed() {
		return Access::may( Capabilities::SYNC, Capabilities::MANAGE );
	}

	public static function list( \WP_REST_Request $request ): \WP_REST_Response {
		$args = array(
			'tenants' => Access::keys( Capabilities::SYNC, isset( $request['tenant'] ) ? (int) $request['tenant'] : null ),
			'state'   => $request['state'],
		);
		$rows = Conflicts::list(
			$args + array(
				'limit'  => $request['per_page'],
				'offset' => $request['per_page'] * ( $request['page'] - 1 ),
			)
		);
		return Access::page( $request, array_map( array( ConflictResource::class, 'from' ), $rows ), Conflicts::count( $args ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function read( \WP_REST_Request $request ) {
		$row = self::find( Access::number( $request, 'id' ) );
		return null === $row ? Errors::unknown_conflict() : new \WP_REST_Response( ConflictResource::from( $row ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function decide( \WP_REST_Request $request ) {
		return self::act(
			Access::number( $request, 'id' ),
			static fn( int $id ): string => Decisions::take( $id, $request['choice'] ),
			array(
				'asked' => __( 'A side has another value by now: it is asked again. Read the conflict once more.', 'tenant-crm-sync' ),
				'gone'  => __( 'It is not in question any more: somebody was faster, or both sides agree.', 'tenant-crm-sync' ),
			)
		);
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function undo( \WP_REST_Request $request ) {
		return self::act(
			Access::number( $request, 'id' ),
			static fn( int $id ): string => Decisions::undo( $id ),
			array(
				'changed' => __( 'The lead has another value than the one that was taken by now: change it there.', 'tenant-crm-sync' ),
				'not'     => __( 'Only a decision about a field can be undone, and only once.', 'tenant-crm-sync' ),
			)
		);
	}

	/**
	 * @param callable(int): string $what
	 * @param array<string, string> $words By result, of those that did nothing.
	 * @return \WP_REST_Response|\WP_Error
	 */
	private static function act( int $id, callable $what, array $words ) {
		$row = self::find( $id );
		if ( null === $row ) {
			return Errors::unknown_conflict();
		}
		if ( ! Conflicts::may( get_current_user_id(), $row ) ) {
			return Errors::may_not();
		}
		try {
			$result = $what( $id );
		} catch ( StoreException $error ) {
			return Errors::unexpected( $error );
		}
		if ( isset( $words[ $result ] ) ) {
			return Errors::not_decided( $words[ $result ] );
		}
		return new \WP_REST_Response( ConflictResource::from( Conflicts::get( $id ) ?? $row ) );
	}

	/** @return array<string, mixed>|null A conflict of one of the user's tenants. */
	private static function find( int $id ): ?array {
		$row = Conflicts::get( $id );
		return null !== $row && null !== Access::tenant( $row['tenant'], Capabilities::SYNC, Capabilities::MANAGE ) ? $row : null;
	}
}
