<?php
/**
 * The table on the Leads screen. Prints what LeadSearch finds; every field is what some CRM sent, so every field is escaped.
 */

namespace TenantCRM\Admin;

final class LeadTable extends \WP_List_Table {

	public function __construct() {
		parent::__construct(
			array(
				'singular' => 'lead',
				'plural'   => 'leads',
				'ajax'     => false,
			)
		);
	}

	public function get_columns(): array {
		return array(
			'name'    => __( 'Name', 'tenant-crm-sync' ),
			'email'   => __( 'E-mail', 'tenant-crm-sync' ),
			'state'   => __( 'State at the CRM', 'tenant-crm-sync' ),
			'owner'   => __( 'Owner', 'tenant-crm-sync' ),
			'crm_id'  => __( 'CRM id', 'tenant-crm-sync' ),
			'updated' => __( 'Changed at the CRM', 'tenant-crm-sync' ),
		);
	}

	public function find( LeadSearch $search ): void {
		$size  = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$order = isset( $_GET['orderby'] ) && is_string( $_GET['orderby'] ) ? sanitize_key( $_GET['orderby'] ) : 'updated'; // phpcs:ignore WordPress.Security.NonceVerification -- an order.
		$up    = isset( $_GET['order'] ) && 'asc' === $_GET['order']; // phpcs:ignore WordPress.Security.NonceVerification -- a filter.
		$this->set_pagination_args(
			array(
				'total_items' => $search->count(),
				'per_page'    => $size,
			)
		);
		$this->items           = $search->page( $order, $up, $size, $this->get_pagenum() );
		$this->_column_headers = array( $this->get_columns(), array(), $this->get_sortable_columns(), 'name' );
	}

	public function no_items(): void {
		esc_html_e( 'No leads that fit. Sync the tenant, or search for something else.', 'tenant-crm-sync' );
	}

	protected function get_sortable_columns(): array {
		return array(
			'name'    => array( 'name', false ),
			'email'   => array( 'email', false ),
			'state'   => array( 'state', false ),
			'updated' => array( 'updated', true ),
		);
	}

	/** @param array<string, string|null> $item */
	protected function column_name( $item ): string {
		$name = '' === (string) $item['name'] ? __( '(no name)', 'tenant-crm-sync' ) : (string) $item['name'];
		$post = (int) $item['post_id'];
		$link = $post && current_user_can( 'edit_post', $post ) ? get_edit_post_link( $post, 'raw' ) : null;
		return $link
			? sprintf( '<strong><a class="row-title" href="%s">%s</a></strong>', esc_url( $link ), esc_html( $name ) )
			: '<strong>' . esc_html( $name ) . '</strong>';
	}

	/** @param array<string, string|null> $item */
	protected function column_updated( $item ): string {
		return sprintf(
			/* translators: %s: for example "5 minutes ago" */
			'%s<span class="tcs-muted">' . esc_html__( 'synced %s', 'tenant-crm-sync' ) . '</span>',
			esc_html( Words::time( $item['crm_updated_at'] ) ),
			esc_html( Words::ago( $item['synced_at'] ) )
		);
	}

	/**
	 * @param array<string, string|null> $item
	 * @param string                     $column_name
	 */
	protected function column_default( $item, $column_name ): string {
		return esc_html( (string) ( $item[ $column_name ] ?? '' ) );
	}
}
