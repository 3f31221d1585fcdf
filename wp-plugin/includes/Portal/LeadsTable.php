<?php
/**
 * REST tenant-crm-sync/v1/portal/leads: the viewer's own leads as a piece of a page, for the shell that Block prints. Rows come from LeadSearch,
 * by the viewer's tenants alone; everything in them is what some CRM sent, so everything is escaped.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Portal;

use TenantCRM\Admin\LeadSearch;
use TenantCRM\Admin\Words;
use TenantCRM\Capabilities;
use TenantCRM\Rest\Access;
use TenantCRM\Rest\LeadRoutes;
use TenantCRM\Rest\Routes;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class LeadsTable {

	public const ROUTE = '/portal/leads';

	public const DEFAULT_COLUMNS = array( 'name', 'email', 'state', 'updated' );

	/** A choice of more tenants than this would help nobody. */
	private const MOST_TENANTS = 200;

	public static function register(): void {
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
	}

	public static function routes(): void {
		register_rest_route(
			Routes::NAMESPACE_V1,
			self::ROUTE,
			array(
				array(
					'methods'             => \WP_REST_Server::READABLE,
					'callback'            => Access::guarded( array( self::class, 'read' ) ),
					'permission_callback' => array( LeadRoutes::class, 'may_read' ),
					'args'                => array_diff_key( LeadRoutes::list_arguments(), array( 'stands' => 1 ) ) + array(
						'columns' => array(
							'description' => __( 'What to show, with commas.', 'tenant-crm-sync' ),
							'type'        => 'array',
							'items'       => array(
								'type' => 'string',
								'enum' => array_keys( self::columns() ),
							),
							'default'     => self::DEFAULT_COLUMNS,
						),
					),
				),
				'schema' => array( self::class, 'schema' ),
			)
		);
	}

	/** @return array<string, string> Titles by name. */
	public static function columns(): array {
		return array(
			'name'    => __( 'Name', 'tenant-crm-sync' ),
			'email'   => __( 'E-mail', 'tenant-crm-sync' ),
			'state'   => __( 'State', 'tenant-crm-sync' ),
			'owner'   => __( 'Owner', 'tenant-crm-sync' ),
			'updated' => __( 'Changed', 'tenant-crm-sync' ),
		);
	}

	public static function read( \WP_REST_Request $request ): \WP_REST_Response {
		$request['stands'] = LeadSearch::HERE;
		$tenants           = Access::keys( Capabilities::VIEW, null );
		if ( ! $tenants ) {
			return self::answer( 0, __( 'You do not belong to a tenant yet. Ask whoever runs this site.', 'tenant-crm-sync' ), '', 0 );
		}
		$search = LeadRoutes::search( $request );
		$total  = $search->count();
		$pages  = max( 1, (int) ceil( $total / $request['per_page'] ) );
		$page   = min( $pages, (int) $request['page'] );
		$rows   = $search->page( $request['orderby'], 'asc' === $request['order'], $request['per_page'], $page );
		$html   = self::choice( $tenants, (int) $request['tenant'] ) . ( $rows ? self::table( $rows, $request ) : '' ) . self::pages( $page, $pages );
		if ( $total > 0 ) {
			/* translators: %s: number of leads */
			$summary = sprintf( _n( '%s lead', '%s leads', $total, 'tenant-crm-sync' ), number_format_i18n( $total ) );
		} else {
			$summary = '' === trim( $request['search'] ) ? __( 'There are no leads yet.', 'tenant-crm-sync' ) : __( 'No lead fits. Search for something else.', 'tenant-crm-sync' );
		}
		return self::answer( count( $tenants ), $summary, $html, $total );
	}

	private static function answer( int $tenants, string $summary, string $html, int $total ): \WP_REST_Response {
		return new \WP_REST_Response(
			array(
				'tenants' => $tenants,
				'total'   => $total,
				'summary' => $summary,
				'html'    => $html,
			)
		);
	}

	/** @param list<array<string, string|null>> $rows */
	private static function table( array $rows, \WP_REST_Request $request ): string {
		$columns = array_intersect_key( self::columns(), array_flip( $request['columns'] ) );
		$columns = $columns ? $columns : array_intersect_key( self::columns(), array_flip( self::DEFAULT_COLUMNS ) );
		// The roles are said, because a phone shows the rows as cards and browsers then forget that it is a table.
		$html = sprintf( '<table class="tcs-portal-table" role="table"><caption>%s</caption><thead role="rowgroup"><tr role="row">', esc_html__( 'Leads', 'tenant-crm-sync' ) );
		foreach ( $columns as $name => $title ) {
			$html .= self::head( $name, $title, $request['orderby'], $request['order'] );
		}
		$html .= '</tr></thead><tbody role="rowgroup">';
		foreach ( $rows as $row ) {
			$html .= '<tr role="row">';
			foreach ( $columns as $name => $title ) {
				$html .= sprintf( 'name' === $name ? '<th scope="row" role="rowheader" data-label="%s"><span>%s</span></th>' : '<td role="cell" data-label="%s"><span>%s</span></td>', esc_attr( $title ), self::cell( $name, $row ) );
			}
			$html .= '</tr>';
		}
		return $html . '</tbody></table>';
	}

	private static function head( string $name, string $title, string $orderby, string $order ): string {
		if ( ! isset( LeadSearch::ORDERS[ $name ] ) ) {
			return sprintf( '<th scope="col" role="columnheader">%s</th>', esc_html( $title ) );
		}
		$is_sorted = $name === $orderby;
		$is_up     = 'asc' === $order;
		return sprintf(
			'<th scope="col" role="columnheader"%1$s><button type="button" data-orderby="%2$s" data-order="%3$s">%4$s</button></th>',
			$is_sorted ? ( $is_up ? ' aria-sort="ascending"' : ' aria-sort="descending"' ) : '',
			esc_attr( $name ),
			// The other way round; times begin with the newest, names with A.
			( $is_sorted ? ! $is_up : 'updated' !== $name ) ? 'asc' : 'desc',
			esc_html( $title )
		);
	}

	/** @param array<string, string|null> $row */
	private static function cell( string $name, array $row ): string {
		$value = (string) ( $row[ 'updated' === $name ? 'crm_updated_at' : $name ] ?? '' );
		if ( 'updated' === $name ) {
			$iso = Words::iso( $value );
			return null === $iso ? '' : sprintf( '<time datetime="%s">%s</time>', esc_attr( $iso ), esc_html( (string) wp_date( (string) get_option( 'date_format' ), (int) strtotime( $iso ) ) ) );
		}
		if ( 'email' === $name && is_email( $value ) ) {
			return sprintf( '<a href="%s">%s</a>', esc_url( 'mailto:' . rawurlencode( $value ) ), esc_html( $value ) );
		}
		return esc_html( 'name' === $name && '' === $value ? __( '(no name)', 'tenant-crm-sync' ) : $value );
	}

	/**
	 * Whose leads, for users of several tenants.
	 *
	 * @param list<int> $keys
	 */
	private static function choice( array $keys, int $present ): string {
		if ( count( $keys ) < 2 || count( $keys ) > self::MOST_TENANTS ) {
			return '';
		}
		$html = sprintf( '<p><label>%s <select name="tenant"><option value="">%s</option>', esc_html__( 'Tenant', 'tenant-crm-sync' ), esc_html__( 'All', 'tenant-crm-sync' ) );
		foreach ( array_filter( array_map( array( Tenants::class, 'get' ), $keys ) ) as $tenant ) {
			$html .= sprintf( '<option value="%d"%s>%s</option>', $tenant->key, selected( $tenant->key, $present, false ), esc_html( self::name( $tenant ) ) );
		}
		return $html . '</select></label></p>';
	}

	private static function name( Tenant $tenant ): string {
		return '' === $tenant->label ? $tenant->id : $tenant->label;
	}

	private static function pages( int $page, int $pages ): string {
		if ( $pages < 2 ) {
			return '';
		}
		// Not `disabled`: the focus would be lost at the ends.
		$button = static fn( string $way, int $to, string $label ): string => sprintf( '<button type="button" data-way="%s" data-page="%d"%s>%s</button>', esc_attr( $way ), $to, $to < 1 || $to > $pages ? ' aria-disabled="true"' : '', esc_html( $label ) );
		return sprintf(
			'<nav aria-label="%s">%s<span>%s</span>%s</nav>',
			esc_attr__( 'Pages of leads', 'tenant-crm-sync' ),
			$button( 'back', $page - 1, __( 'Previous', 'tenant-crm-sync' ) ),
			/* translators: 1: number of a page, 2: number of pages */
			esc_html( sprintf( __( 'Page %1$s of %2$s', 'tenant-crm-sync' ), number_format_i18n( $page ), number_format_i18n( $pages ) ) ),
			$button( 'on', $page + 1, __( 'Next', 'tenant-crm-sync' ) )
		);
	}

	/** @return array<string, mixed> JSON schema. */
	public static function schema(): array {
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'tenant-crm-portal-leads',
			'type'       => 'object',
			'properties' => array(
				'tenants' => Access::property( __( 'How many tenants the viewer belongs to.', 'tenant-crm-sync' ), 'integer' ),
				'total'   => Access::property( __( 'How many leads there are on all pages.', 'tenant-crm-sync' ), 'integer' ),
				'summary' => Access::property( __( 'The same in words.', 'tenant-crm-sync' ) ),
				'html'    => Access::property( __( 'The table of this page.', 'tenant-crm-sync' ) ),
			),
		);
	}
}
