<?php
/**
 * What the REST routes ask about the user: has a capability, and for which tenants. And the pieces of schemas that several resources share.
 */

namespace TenantCRM\Rest;

use TenantCRM\Capabilities;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenancy\Viewer;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Access {

	const PER_PAGE     = 20;
	const MAX_PER_PAGE = 100;

	/** @return true|\WP_Error For permission_callback. */
	public static function may( string ...$capabilities ) {
		foreach ( $capabilities as $capability ) {
			if ( current_user_can( $capability ) ) {
				return true;
			}
		}
		return Errors::may_not();
	}

	/**
	 * A route's callback whose failures, such as a database that is away, are an answer.
	 *
	 * @param callable(\WP_REST_Request): mixed $callback
	 * @return \Closure(\WP_REST_Request): mixed
	 */
	public static function guarded( callable $callback ): \Closure {
		return static function ( \WP_REST_Request $request ) use ( $callback ) {
			try {
				return $callback( $request );
			} catch ( \Throwable $error ) {
				return Errors::unexpected( $error );
			}
		};
	}

	/**
	 * @param int|null $tenant Key of the one that was asked for.
	 * @return list<int> Keys of the user's tenants, cut down to that one.
	 */
	public static function keys( string $capability, ?int $tenant ): array {
		$keys = Viewer::keys_of( get_current_user_id(), $capability );
		if ( null === $keys ) {
			$keys = array_map( 'intval', array_column( Sql::rows( 'SELECT id FROM `' . Schema::table( 'tenants' ) . '` ORDER BY id' ), 'id' ) );
		}
		return null === $tenant ? $keys : array_values( array_intersect( $keys, array( $tenant ) ) );
	}

	/** A number of the route itself: WordPress would take one of the same name from the body first. */
	public static function number( \WP_REST_Request $request, string $name ): int {
		return (int) ( $request->get_url_params()[ $name ] ?? 0 );
	}

	/** A tenant by its key, if it is the user's. */
	public static function tenant( int $key, string ...$capabilities ): ?Tenant {
		$tenant = Tenants::get( $key );
		foreach ( $tenant ? $capabilities : array() as $capability ) {
			if ( Capabilities::user_may( get_current_user_id(), $capability, $tenant->id ) ) {
				return $tenant;
			}
		}
		return null;
	}

	/** @return array<string, array<string, mixed>> Arguments of a list. */
	public static function paging(): array {
		return array(
			'page'     => array(
				'description' => __( 'Which page of the list.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
				'maximum'     => 1000000,
				'default'     => 1,
			),
			'per_page' => array(
				'description' => __( 'Rows of a page.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
				'maximum'     => self::MAX_PER_PAGE,
				'default'     => self::PER_PAGE,
			),
		);
	}

	/** @return array<string, mixed> Argument that cuts a list down to one tenant. */
	public static function tenant_argument(): array {
		return array(
			'description' => __( 'Key of a tenant; without it, all of yours.', 'tenant-crm-sync' ),
			'type'        => 'integer',
			'minimum'     => 1,
		);
	}

	/**
	 * A page of a list, with WordPress's headers about the rest of it.
	 *
	 * @param list<array<string, mixed>> $items
	 */
	public static function page( \WP_REST_Request $request, array $items, int $total ): \WP_REST_Response {
		$pages    = (int) ceil( $total / $request['per_page'] );
		$response = new \WP_REST_Response( $items );
		$response->header( 'X-WP-Total', (string) $total );
		$response->header( 'X-WP-TotalPages', (string) $pages );
		foreach ( array( 'prev' => $request['page'] - 1, 'next' => $request['page'] + 1 ) as $rel => $page ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			if ( $page >= 1 && $page <= $pages ) {
				$response->link_header( $rel, add_query_arg( array_map( 'rawurlencode', array( 'page' => (string) $page ) + array_map( 'strval', array_filter( $request->get_query_params(), 'is_scalar' ) ) ), rest_url( $request->get_route() ) ) );
			}
		}
		return $response;
	}

	/**
	 * @param string|array<string> $type
	 * @return array<string, mixed> A property that only the site writes.
	 */
	public static function property( string $description, $type = 'string', array $more = array() ): array {
		return array(
			'description' => $description,
			'type'        => $type,
			'context'     => array( 'view', 'edit' ),
			'readonly'    => true,
		) + $more;
	}

	/** @return array<string, mixed> */
	public static function time( string $description ): array {
		return self::property( $description, array( 'string', 'null' ), array( 'format' => 'date-time' ) );
	}
}
