<?php
/**
 * REST tenant-crm-sync/v1/leads: lists the leads of the user's tenants with search, order and pages, tells one with its fields, and changes
 * it where its tenant's direction and the user's rights allow that. A change is one of the post: two-way sync brings it to the CRM.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\LeadSearch;
use TenantCRM\Capabilities;
use TenantCRM\Fields;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Rules;

final class LeadRoutes {

	/** Bytes of one value. */
	const LONGEST = 65536;

	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
	}

	public static function routes(): void {
		$id = array(
			'id' => array(
				'description' => __( 'Number of the lead on this site.', 'tenant-crm-sync' ),
				'type'        => 'integer',
				'minimum'     => 1,
			),
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/leads',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'list' ) ),
					'permission_callback' => array( __CLASS__, 'may_read' ),
					'args'                => self::list_arguments(),
				),
				'schema' => array( LeadResource::class, 'schema' ),
			)
		);
		register_rest_route(
			Routes::NAMESPACE_V1,
			'/leads/(?P<id>\d{1,18})',
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'read' ) ),
					'permission_callback' => array( __CLASS__, 'may_read' ),
					'args'                => $id,
				),
				array(
					'methods'             => \WP_REST_Server::EDITABLE,
					'callback'            => Access::guarded( array( __CLASS__, 'update' ) ),
					'permission_callback' => array( __CLASS__, 'may_read' ),
					'args'                => $id + array( 'fields' => array( 'required' => true ) + array_diff_key( LeadResource::schema()['properties']['fields'], array( 'context' => 1 ) ) ),
				),
				'schema' => array( LeadResource::class, 'schema' ),
			)
		);
	}

	/** @return array<string, array<string, mixed>> Arguments of a list, which the portal's table takes as well. */
	public static function list_arguments(): array {
		return Access::paging() + array(
			'tenant'  => Access::tenant_argument(),
			'search'  => array(
				'description' => __( 'A part of the name or e-mail address, or a CRM id.', 'tenant-crm-sync' ),
				'type'        => 'string',
				'maxLength'   => 200,
				'default'     => '',
			),
			'orderby' => array(
				'description' => __( 'What to sort by.', 'tenant-crm-sync' ),
				'type'        => 'string',
				'enum'        => array_keys( LeadSearch::ORDERS ),
				'default'     => 'updated',
			),
			'order'   => array(
				'description' => __( 'Which way.', 'tenant-crm-sync' ),
				'type'        => 'string',
				'enum'        => array( 'asc', 'desc' ),
				'default'     => 'desc',
			),
			'stands'  => array(
				'description' => __( 'How it stands with the CRM; here: those whose post is published; any: all.', 'tenant-crm-sync' ),
				'type'        => 'string',
				'enum'        => array( LeadSearch::HERE, 'any', LeadSearch::CONFLICT, LeadSearch::REFUSED, LeadSearch::SENDING, LeadSearch::CHANGED, LeadSearch::GONE, LeadSearch::LINKED ),
				'default'     => LeadSearch::HERE,
			),
		);
	}

	/** @return true|\WP_Error */
	public static function may_read() {
		return Access::may( Capabilities::VIEW, Capabilities::MANAGE );
	}

	public static function list( \WP_REST_Request $request ): \WP_REST_Response {
		$search = self::search( $request );
		return Access::page( $request, array_map( array( LeadResource::class, 'from' ), $search->page( $request['orderby'], 'asc' === $request['order'], $request['per_page'], $request['page'] ) ), $search->count() );
	}

	/** What a list's arguments ask for, of the user's own tenants. */
	public static function search( \WP_REST_Request $request ): LeadSearch {
		return new LeadSearch( Access::keys( Capabilities::VIEW, isset( $request['tenant'] ) ? (int) $request['tenant'] : null ), trim( wp_check_invalid_utf8( $request['search'] ) ), $request['stands'] );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function read( \WP_REST_Request $request ) {
		list( $row, $tenant ) = self::find( Access::number( $request, 'id' ) );
		return null === $row ? Errors::unknown_lead() : new \WP_REST_Response( LeadResource::whole( $row, $tenant ) );
	}

	/** @return \WP_REST_Response|\WP_Error */
	public static function update( \WP_REST_Request $request ) {
		list( $row, $tenant ) = self::find( Access::number( $request, 'id' ) );
		$post                 = null === $row || null === $row['post_id'] ? null : get_post( (int) $row['post_id'] );
		if ( ! $post instanceof \WP_Post ) {
			return Errors::unknown_lead();
		}
		if ( ! current_user_can( 'edit_post', $post->ID ) ) {
			return Errors::may_not();
		}
		if ( ! Rules::of( $tenant, 'leads' )->is_two_way() ) {
			return Errors::not_editable();
		}
		$fields = Fields::of( $tenant, 'leads' );
		$given  = (array) $request['fields'];
		foreach ( $given as $name => $value ) {
			if ( ! isset( $fields->map()[ $name ] ) ) {
				/* translators: 1: name of a field, 2: list of names */
				return Errors::refused( sprintf( __( 'There is no field “%1$s” in the mapping. There are: %2$s.', 'tenant-crm-sync' ), $name, implode( ', ', array_keys( $fields->map() ) ) ) );
			}
			$json = wp_json_encode( $value );
			if ( false === $json || strlen( $json ) > self::LONGEST ) {
				/* translators: %s: name of a field */
				return Errors::refused( sprintf( __( 'The field “%s” is too long, or is not valid UTF-8.', 'tenant-crm-sync' ), $name ) );
			}
		}
		self::write( $post, $fields, $given );
		list( $row, $tenant ) = self::find( Access::number( $request, 'id' ) );
		return null === $row ? Errors::unknown_lead() : new \WP_REST_Response( LeadResource::whole( $row, $tenant ) );
	}

	/**
	 * By WordPress's own functions, as an editor would: their hooks note the change before it is written.
	 *
	 * @param array<string, mixed> $given By field of the mapping.
	 */
	private static function write( \WP_Post $post, Fields $fields, array $given ): void {
		foreach ( array_intersect_key( $fields->map(), $given ) as $field => $target ) {
			if ( 'title' === $target ) {
				wp_update_post(
					wp_slash(
						array(
							'ID'         => $post->ID,
							'post_title' => $fields->portal( $given )['title'],
						)
					)
				);
			} else {
				update_post_meta( $post->ID, $target, wp_slash( $given[ $field ] ?? '' ) );
			}
		}
	}

	/** @return array{0: array<string, string|null>|null, 1: Tenant|null} The lead's row and its tenant, if it is one of the user's. */
	private static function find( int $id ): array {
		$row    = LeadSearch::one( $id, Access::keys( Capabilities::VIEW, null ) );
		$tenant = null === $row ? null : Tenants::get( (int) $row['tenant'] );
		return null === $tenant ? array( null, null ) : array( $row, $tenant );
	}
}
