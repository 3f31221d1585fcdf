<?php
/**
 * The table on the Log screen. Prints what LogSearch finds, escaped: messages may quote what a CRM sent.
 */

namespace TenantCRM\Admin;

use TenantCRM\Tenant;

final class LogTable extends \WP_List_Table {

	/** @var array<int, Tenant> By key. */
	private $tenants;

	/** @param array<int, Tenant> $tenants By key. */
	public function __construct( array $tenants ) {
		parent::__construct(
			array(
				'singular' => 'entry',
				'plural'   => 'entries',
				'ajax'     => false,
			)
		);
		$this->tenants = $tenants;
	}

	public function get_columns(): array {
		return array(
			'message' => __( 'What happened', 'tenant-crm-sync' ),
			'level'   => __( 'Level', 'tenant-crm-sync' ),
			'tenant'  => __( 'Tenant', 'tenant-crm-sync' ),
			'time'    => __( 'When', 'tenant-crm-sync' ),
		);
	}

	public function find( LogSearch $search ): void {
		$size = $this->get_items_per_page( 'tenant_crm_per_page', 20 );
		$this->set_pagination_args(
			array(
				'total_items' => $search->count(),
				'per_page'    => $size,
			)
		);
		$this->items           = $search->page( $size, $this->get_pagenum() );
		$this->_column_headers = array( $this->get_columns(), array(), array(), 'message' );
	}

	public function no_items(): void {
		esc_html_e( 'Nothing in the log that fits.', 'tenant-crm-sync' );
	}

	/** @param array{message: string, context: array<mixed>} $item */
	protected function column_message( $item ): string {
		$html = esc_html( $item['message'] );
		if ( $item['context'] ) {
			$html .= sprintf(
				'<details><summary>%s</summary><pre class="tcs-context">%s</pre></details>',
				esc_html__( 'Details', 'tenant-crm-sync' ),
				esc_html( (string) wp_json_encode( $item['context'], JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) )
			);
		}
		return $html;
	}

	/** @param array{level: string} $item */
	protected function column_level( $item ): string {
		return sprintf( '<span class="tcs-level" data-level="%s">%s</span>', esc_attr( $item['level'] ), esc_html( Words::levels()[ $item['level'] ] ?? $item['level'] ) );
	}

	/** @param array{tenant: int} $item */
	protected function column_tenant( $item ): string {
		$tenant = $this->tenants[ $item['tenant'] ] ?? null;
		if ( null === $tenant ) {
			return '—';
		}
		return sprintf( '<a href="%s">%s</a>', esc_url( Screens::url( Screens::LOG, array( 'tenant' => $tenant->key ) ) ), esc_html( '' === $tenant->label ? $tenant->id : $tenant->label ) );
	}

	/** @param array{created_at: string} $item */
	protected function column_time( $item ): string {
		return sprintf( '%s<span class="tcs-muted">%s</span>', esc_html( Words::time( $item['created_at'] ) ), esc_html( Words::ago( $item['created_at'] ) ) );
	}
}
