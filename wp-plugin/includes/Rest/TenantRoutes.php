<?php
/**
 * REST tenant-crm-sync/v1/tenants: users see their own tenants, in short; who manages tenants sees all of each but its secrets, and adds,
 * changes and deletes them. What a tenant is made of is in TenantResource.
 */

namespace TenantCRM\Rest;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class TenantRoutes {

	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
	}

	public static function routes(): void {
		$context = array(
			'context' => array(
				'description' => __( 'view, or edit for everything that can be changed.', 'tenant-crm-sync' ),
				'type'        => 'string',
				'enum'        => array( 'view', 'edit' ),
				'default'     => 'view',
			),
		);
		$key     = array(
			'key' => array(
				'description' => __( 'Number of the tenant on this site.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
			),
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/tenants',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'list' ) ),
					'permission_callback' => array( __CLASS__, 'may_read' ),
					'args'                => $context + Access::paging() + array(
						'id' => array(
							'description' => __( 'Only the tenant with this id.', 'tenant-crm-sync' ),
							'type'        => 'string',
							'maxLength'   => 190,
						),
					),
				),
				array(
					'methods'             => \WP_REST_Server::CREATABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'create' ) ),
					'permission_callback' => array( __CLASS__, 'may_write' ),
					'args'                => self::writable( array( 'id' => array( 'required' => true ) ) ),
				),
				'schema' => array( TenantResource::class, 'schema' ),
			)
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/tenants/(?P<key>\d{1,9})',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'read' ) ),
					'permission_callback' => array( __CLASS__, 'may_read' ),
					'args'                => $key + $context,
				),
				array(
					'methods'             => \WP_REST_Server::EDITABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'update' ) ),
					'permission_callback' => array( __CLASS__, 'may_write' ),
					'args'                => $key + array_diff_key( self::writable(), array( 'id' => 1 ) ),
				),
				array(
					'methods'             => \WP_REST_Server::DELETABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'delete' ) ),
					'permission_callback' => array( __CLASS__, 'may_write' ),
					'args'                => $key + array(
						'force' => array(
							'description' => __( 'Must be true: nothing brings a tenant back.', 'tenant-crm-sync' ),
							'type'        => 'boolean',
							'default'     => false,
						),
					),
				),
				'schema' => array( TenantResource::class, 'schema' ),
			)
		);
	}

	/** @return true|\WP_Error */
	public static function may_read( \WP_REST_Request $request ) {
		return 'edit' === $request['context'] ? Access::may( Capabilities::MANAGE ) : Access::may( Capabilities::VIEW, Capabilities::SYNC, Capabilities::MANAGE );
	}

	/** @return true|\WP_Error */
	public static function may_write() {
		return Access::may( Capabilities::MANAGE );
	}

	public static function list( \WP_REST_Request $request ): \WP_REST_Response {
		$user    = get_current_user_id();
		$tenants = array_filter(
			isset( $request['id'] ) ? array_filter( array( Tenants::find( $request['id'] ) ) ) : Tenants::all(),
			static fn( Tenant $tenant ): bool => Capabilities::user_may( $user, Capabilities::VIEW, $tenant->id ) || Capabilities::user_may( $user, Capabilities::SYNC, $tenant->id ) || user_can( $user, Capabilities::MANAGE )
		);
		$page    = array_slice( $tenants, $request['per_page'] * ( $request['page'] - 1 ), $request['per_page'] );
		return Access::page( $request, array_map( static fn( Tenant $tenant ): array => TenantResource::from( $tenant, $request['context'] ), $page ), count( $tenants ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function read( \WP_REST_Request $request ) {
		$tenant = Access::tenant( Access::number( $request, 'key' ), Capabilities::VIEW, Capabilities::SYNC, Capabilities::MANAGE );
		return null === $tenant ? Errors::unknown_tenant() : new \WP_REST_Response( TenantResource::from( $tenant, $request['context'] ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function create( \WP_REST_Request $request ) {
		if ( null !== Tenants::find( $request['id'] ) ) {
			return Errors::tenant_exists();
		}
		$answer = self::save( $request, null );
		if ( $answer instanceof \WP_REST_Response ) {
			$answer->set_status( 201 );
			$answer->header( 'Location', rest_url( Routes::NAMESPACE_V1 . '/tenants/' . $answer->get_data()['key'] ) );
		}
		return $answer;
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function update( \WP_REST_Request $request ) {
		$tenant = Tenants::get( Access::number( $request, 'key' ) );
		return null === $tenant ? Errors::unknown_tenant() : self::save( $request, $tenant );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function delete( \WP_REST_Request $request ) {
		$tenant = Tenants::get( Access::number( $request, 'key' ) );
		if ( null === $tenant ) {
			return Errors::unknown_tenant();
		}
		if ( ! $request['force'] ) {
			return Errors::no_bin();
		}
		$before = TenantResource::from( $tenant, 'edit' );
		try {
			Tenants::delete( $tenant->key );
		} catch ( \Exception $error ) {
			return Errors::unexpected( $error );
		}
		return new \WP_REST_Response(
			array(
				'deleted'  => true,
				'previous' => $before,
			)
		);
	}

	/** @return \WP_REST_Response|\WP_Error */
	private static function save( \WP_REST_Request $request, ?Tenant $old ) {
		try {
			$saved = Tenants::save( self::data( $request, $old ) );
			if ( isset( $request['roles'] ) ) {
				Capabilities::assign_roles( $saved->id, array_map( 'strval', $request['roles'] ) );
			}
			if ( isset( $request['paused'] ) ) {
				Tenants::pause( $saved->key, (bool) $request['paused'] );
			}
			$saved = Tenants::get( $saved->key );
		} catch ( \InvalidArgumentException $error ) {
			return Errors::refused( $error->getMessage() );
		} catch ( \TenantCRMSync\Exception $error ) {
			// The key cannot be sealed, or a connector cannot be used: its words are made for people.
			return Errors::refused( $error->getMessage(), 409 );
		}
		return null === $saved ? Errors::unknown_tenant() : new \WP_REST_Response( TenantResource::from( $saved, 'edit' ) );
	}

	/**
	 * What is not given stays.
	 *
	 * @return array<string, mixed> For Tenants::save().
	 * @throws \InvalidArgumentException
	 */
	private static function data( \WP_REST_Request $request, ?Tenant $old ): array {
		$data = array( 'id' => null === $old ? $request['id'] : $old->id );
		foreach ( array( 'label', 'connector', 'endpoint', 'api_key' ) as $name ) {
			if ( isset( $request[ $name ] ) ) {
				$data[ $name ] = $request[ $name ];
			}
		}
		if ( ! isset( $request['connection'] ) && ! isset( $request['mapping'] ) && ! isset( $request['settings'] ) ) {
			return $data;
		}
		// Another CRM's fields are of no use to this one.
		$keeps      = null !== $old && $old->connector === ( $data['connector'] ?? $old->connector );
		$settings   = null === $old ? array() : $old->settings;
		$connection = $keeps ? $old->connection() : array();
		$given      = (array) ( $request['settings'] ?? array() );
		if ( array_intersect_key( $given, array_flip( TenantResource::APART ) ) ) {
			throw new \InvalidArgumentException( 'Give "connection" and "mapping" on their own, not among the settings.' );
		}
		foreach ( (array) ( $request['connection'] ?? array() ) as $name => $value ) {
			$connection[ $name ] = (string) $value;
		}
		$mapping = isset( $request['mapping'] ) ? array( 'mapping' => $request['mapping'] ) : ( $keeps ? array() : array( 'mapping' => '' ) );
		$data['settings'] = array( 'connection' => $connection ) + $mapping + array_filter( array_merge( $settings, $given ), static fn( $value ): bool => null !== $value );
		return $data;
	}

	/**
	 * @param array<string, array<string, mixed>> $more By property.
	 * @return array<string, array<string, mixed>> The properties of the schema that can be written, as arguments.
	 */
	private static function writable( array $more = array() ): array {
		$arguments = array();
		foreach ( TenantResource::schema()['properties'] as $name => $property ) {
			if ( empty( $property['readonly'] ) ) {
				unset( $property['context'] );
				$arguments[ $name ] = ( $more[ $name ] ?? array() ) + $property;
			}
		}
		return $arguments;
	}
}
