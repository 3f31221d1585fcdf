<?php
/**
 * The table on the Log screen. Prints what LogSearch finds, escaped: messages may quote what a CRM sent.
 */

namespace TenantCRM\Admin;

final class LogTable extends RowTable {

	public function get_columns(): array {
		return array(
			'message' => __( 'What happened', 'tenant-crm-sync' ),
			'level'   => __( 'Level', 'tenant-crm-sync' ),
			'tenant'  => __( 'Tenant', 'tenant-crm-sync' ),
			'time'    => __( 'When', 'tenant-crm-sync' ),
		);
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

	/** @param array{created_at: string} $item */
	protected function column_time( $item ): string {
		return $this->when( $item['created_at'] );
	}
}
