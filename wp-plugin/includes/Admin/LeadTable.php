<?php
/**
 * The table on the Leads screen. Prints what LeadSearch finds; every field is what some CRM sent, so every field is escaped.
 */

namespace TenantCRM\Admin;

use TenantCRM\Reason;
use TenantCRM\Tenant;

final class LeadTable extends \WP_List_Table {

	/** @var array<int, Tenant> By key. */
	private $tenants;

	/** @param array<int, Tenant> $tenants Whose leads there may be, by key. */
	public function __construct( array $tenants ) {
		$this->tenants = $tenants;
		parent::__construct(
			array(
				'singular' => 'lead',
				'plural'   => 'leads',
				'ajax'     => false,
			)
		);
	}

	/** @return array<string, string> How a lead can stand with the CRM. */
	public static function standings(): array {
		return array(
			LeadSearch::LINKED   => __( 'linked', 'tenant-crm-sync' ),
			LeadSearch::CHANGED  => __( 'changed here', 'tenant-crm-sync' ),
			LeadSearch::UNSENT   => __( 'new here', 'tenant-crm-sync' ),
			LeadSearch::SENDING  => __( 'on its way', 'tenant-crm-sync' ),
			LeadSearch::REFUSED  => __( 'refused', 'tenant-crm-sync' ),
			LeadSearch::CONFLICT => __( 'conflict', 'tenant-crm-sync' ),
			LeadSearch::GONE     => __( 'gone there', 'tenant-crm-sync' ),
		);
	}

	public function get_columns(): array {
		$columns = array(
			'name'    => __( 'Name', 'tenant-crm-sync' ),
			'email'   => __( 'E-mail', 'tenant-crm-sync' ),
			'tenant'  => __( 'Tenant', 'tenant-crm-sync' ),
			'stands'  => __( 'Sync', 'tenant-crm-sync' ),
			'state'   => __( 'Status at the CRM', 'tenant-crm-sync' ),
			'owner'   => __( 'Owner', 'tenant-crm-sync' ),
			'crm_id'  => __( 'CRM id', 'tenant-crm-sync' ),
			'updated' => __( 'Changed at the CRM', 'tenant-crm-sync' ),
			'synced'  => __( 'Synced', 'tenant-crm-sync' ),
		);
		return count( $this->tenants ) > 1 ? $columns : array_diff_key( $columns, array( 'tenant' => '' ) );
	}

	/** @param bool $is_new Whether only leads are shown that the CRM has never had. */
	public function find( LeadSearch $search, bool $is_new ): void {
		$size = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$this->set_pagination_args(
			array(
				'total_items' => $is_new ? $search->count_new() : $search->count(),
				'per_page'    => $size,
			)
		);
		$orders = LeadSearch::ORDERS;
		$order  = Choice::one_of( 'orderby', array_combine( array_keys( $orders ), array_keys( $orders ) ) );
		$order  = '' === $order ? 'updated' : $order;
		$up     = 'asc' === Choice::text( 'order' );

		$this->items           = $is_new ? $search->page_new( $size, $this->get_pagenum() ) : $search->page( $order, $up, $size, $this->get_pagenum() );
		$this->_column_headers = array( $this->get_columns(), get_hidden_columns( $this->screen ), $is_new ? array() : $this->get_sortable_columns(), 'name' );
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
			'synced'  => array( 'synced', true ),
		);
	}

	/** @param array<string, string|null> $item */
	protected function column_name( $item ): string {
		$name = '' === (string) $item['name'] ? __( '(no name)', 'tenant-crm-sync' ) : (string) $item['name'];
		$post = (int) $item['post_id'];
		// All of them are of the user's tenants; WordPress asks about the one that is opened.
		$link = $post && current_user_can( 'edit_crm_leads' ) ? admin_url( "post.php?post=$post&action=edit" ) : null;
		if ( ! $link ) {
			return '<strong>' . esc_html( $name ) . '</strong>';
		}
		return sprintf( '<strong><a class="row-title" href="%1$s">%2$s</a></strong>', esc_url( $link ), esc_html( $name ) )
			. $this->row_actions( array( 'edit' => sprintf( '<a href="%s">%s</a>', esc_url( $link ), esc_html__( 'Edit', 'tenant-crm-sync' ) ) ) );
	}

	/** @param array<string, string|null> $item */
	protected function column_tenant( $item ): string {
		$tenant = $this->tenants[ (int) $item['tenant'] ] ?? null;
		return $tenant ? esc_html( '' === $tenant->label ? $tenant->id : $tenant->label ) : '';
	}

	/** @param array<string, string|null> $item */
	protected function column_stands( $item ): string {
		$text = sprintf( '<span class="tcs-stands" data-stands="%s">%s</span>', esc_attr( (string) $item['stands'] ), esc_html( self::standings()[ $item['stands'] ] ) );
		if ( LeadSearch::CONFLICT === $item['stands'] ) {
			$text = sprintf( '<a href="%s">%s</a>', esc_url( Screens::url( Screens::CONFLICTS, array( 'tenant' => (int) $item['tenant'] ) ) ), $text );
		} elseif ( LeadSearch::REFUSED === $item['stands'] ) {
			$text = sprintf( '<a href="%s">%s</a>', esc_url( Screens::refused_url( (int) $item['tenant'] ) ), $text );
		}
		return $text . ( empty( $item['reason'] ) ? '' : '<span class="tcs-muted">' . esc_html( mb_strimwidth( Reason::plain( (string) $item['reason'] ), 0, 160, '…' ) ) . '</span>' );
	}

	/** @param array<string, string|null> $item */
	protected function column_crm_id( $item ): string {
		return '' === (string) $item['crm_id'] ? '' : '<code>' . esc_html( (string) $item['crm_id'] ) . '</code>';
	}

	/** @param array<string, string|null> $item */
	protected function column_updated( $item ): string {
		return esc_html( Words::time( $item['crm_updated_at'] ) );
	}

	/** @param array<string, string|null> $item */
	protected function column_synced( $item ): string {
		return null === $item['synced_at'] ? esc_html__( 'never', 'tenant-crm-sync' ) : sprintf( '<time datetime="%s" title="%s">%s</time>', esc_attr( (string) Words::iso( $item['synced_at'] ) ), esc_attr( Words::time( $item['synced_at'] ) ), esc_html( Words::ago( $item['synced_at'] ) ) );
	}

	/**
	 * @param array<string, string|null> $item
	 * @param string                     $column_name
	 */
	protected function column_default( $item, $column_name ): string {
		return esc_html( (string) ( $item[ $column_name ] ?? '' ) );
	}
}
