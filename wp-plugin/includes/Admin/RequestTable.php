<?php
/**
 * The table of requests on the Log screen. Prints what AttemptSearch finds, escaped: excerpts are what a CRM sent.
 */

namespace TenantCRM\Admin;

final class RequestTable extends RowTable {

	public function get_columns(): array {
		return array(
			'operation' => __( 'Request', 'tenant-crm-sync' ),
			'outcome'   => __( 'Outcome', 'tenant-crm-sync' ),
			'took'      => __( 'Took', 'tenant-crm-sync' ),
			'bytes'     => __( 'Bytes', 'tenant-crm-sync' ),
			'tenant'    => __( 'Tenant', 'tenant-crm-sync' ),
			'time'      => __( 'When', 'tenant-crm-sync' ),
		);
	}

	public function no_items(): void {
		esc_html_e( 'No requests that fit.', 'tenant-crm-sync' );
	}

	/** @param array<string, mixed> $item */
	protected function column_operation( $item ): string {
		$html = sprintf( '<code>%s</code>', esc_html( $item['operation'] ) );
		if ( $item['attempt'] > 1 ) {
			/* translators: %s: number, from 2 */
			$html .= sprintf( '<span class="tcs-muted">%s</span>', esc_html( sprintf( __( 'Attempt %s', 'tenant-crm-sync' ), number_format_i18n( $item['attempt'] ) ) ) );
		}
		if ( null !== $item['excerpt'] ) {
			$html .= sprintf( '<pre class="tcs-context">%s</pre>', esc_html( $item['excerpt'] ) );
		}
		if ( $item['run'] || null !== $item['trace_id'] ) {
			$html .= sprintf( '<details><summary>%s</summary>%s%s</details>', esc_html__( 'Details', 'tenant-crm-sync' ), $this->run( $item['run'] ), $this->trace( $item ) );
		}
		return $html;
	}

	/** @param array<string, mixed> $item */
	protected function column_outcome( $item ): string {
		return sprintf( '<span class="tcs-level" data-level="%s">%s</span>%s', 'ok' === $item['outcome'] ? 'info' : 'error', esc_html( $item['outcome'] ), null === $item['status'] ? '' : sprintf( '<span class="tcs-muted">HTTP %d</span>', (int) $item['status'] ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_took( $item ): string {
		/* translators: %s: number of milliseconds */
		return esc_html( sprintf( __( '%s ms', 'tenant-crm-sync' ), number_format_i18n( $item['milliseconds'], $item['milliseconds'] < 10 ? 1 : 0 ) ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_bytes( $item ): string {
		/* translators: 1: number of bytes, 2: number of bytes */
		return esc_html( sprintf( __( '%1$s sent, %2$s received', 'tenant-crm-sync' ), number_format_i18n( $item['sent'] ), number_format_i18n( $item['received'] ) ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_time( $item ): string {
		return $this->when( $item['at'] );
	}

	private function run( int $run ): string {
		if ( 0 === $run ) {
			return '';
		}
		/* translators: %s: number of a sync */
		return sprintf( '<p><a href="%s">%s</a></p>', esc_url( Screens::url( Screens::LOG, array( LogPage::VIEW => LogPage::REQUESTS, 'run' => $run ) ) ), esc_html( sprintf( __( 'All requests of sync %s', 'tenant-crm-sync' ), $run ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @param array<string, mixed> $item */
	private function trace( array $item ): string {
		if ( null === $item['trace_id'] ) {
			return '';
		}
		return sprintf( '<p>%s<br><code>%s</code><br>%s<br><code>%s</code></p>', esc_html__( 'Trace', 'tenant-crm-sync' ), esc_html( $item['trace_id'] ), esc_html__( 'Span', 'tenant-crm-sync' ), esc_html( (string) $item['span_id'] ) );
	}
}
