<?php
/**
 * The table on the screen "Refused rows". Prints what Refused finds, escaped: names, ids and reasons hold what a CRM or a visitor sent.
 */

namespace TenantCRM\Admin;

final class RefusedTable extends RowTable {

	public function get_columns(): array {
		return array( 'cb' => '<input type="checkbox">' ) + array(
			'row'    => __( 'Row', 'tenant-crm-sync' ),
			'reason' => __( 'Reason', 'tenant-crm-sync' ),
			'when'   => __( 'When', 'tenant-crm-sync' ),
			'tenant' => __( 'Tenant', 'tenant-crm-sync' ),
			'do'     => __( 'Actions', 'tenant-crm-sync' ),
		);
	}

	public function no_items(): void {
		isset( $this->address['s'] ) || '' !== $this->view
			? esc_html_e( 'No refused rows that fit.', 'tenant-crm-sync' )
			: esc_html_e( 'Nothing is refused: everything that was read is stored, and everything that was changed is sent or on its way.', 'tenant-crm-sync' );
	}

	protected function get_bulk_actions(): array {
		return array(
			'retry' => __( 'Try again', 'tenant-crm-sync' ),
			'drop'  => __( 'Drop', 'tenant-crm-sync' ),
		);
	}

	protected function get_views(): array {
		$address = array_diff_key( $this->address, array( 'side' => 1, 'paged' => 1 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$views   = array( 'all' => array( Screens::url( Screens::REFUSED, $address ), __( 'All', 'tenant-crm-sync' ), array_sum( $this->counts ), '' === $this->view ) );
		foreach ( self::sides() as $side => $name ) {
			$views[ $side ] = array( Screens::url( Screens::REFUSED, array( 'side' => $side ) + $address ), $name, $this->counts[ $side ], $side === $this->view );
		}
		return self::links( $views );
	}

	/** @param array<string, mixed> $item */
	protected function column_cb( $item ): string {
		return $this->tick( $item['key'], self::about( $item ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_row( $item ): string {
		$link = $item['post_id'] && current_user_can( 'edit_post', $item['post_id'] ) ? get_edit_post_link( $item['post_id'], 'raw' ) : null;
		$name = '<strong>' . esc_html( self::about( $item ) ) . '</strong>';
		$name = null === $link ? $name : sprintf( '<a class="row-title" href="%s">%s</a>', esc_url( $link ), $name );
		$more = array( self::sides()[ $item['side'] ] );
		if ( '' !== $item['record'] && '' !== $item['name'] ) {
			/* translators: %s: id of a record */
			$more[] = sprintf( __( 'CRM id %s', 'tenant-crm-sync' ), $item['record'] );
		}
		$user = $item['who'] ? get_userdata( $item['who'] ) : false;
		if ( $user ) {
			/* translators: %s: name of a user */
			$more[] = sprintf( __( 'changed by %s', 'tenant-crm-sync' ), $user->display_name );
		}
		return $name . sprintf( '<span class="tcs-muted">%s</span>', esc_html( implode( ' · ', $more ) ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_reason( $item ): string {
		$reason = rtrim( $item['reason'], '. ' );
		$html   = sprintf( '<span class="tcs-value">%s</span>', esc_html( '' === $reason ? __( 'No reason was given.', 'tenant-crm-sync' ) : mb_strtoupper( mb_substr( $reason, 0, 1 ) ) . mb_substr( $reason, 1 ) . '.' ) );
		return $item['detail'] === $item['reason'] ? $html : $html . sprintf( '<details><summary>%s</summary><span class="tcs-value">%s</span></details>', esc_html__( 'The CRM’s answer', 'tenant-crm-sync' ), esc_html( $item['detail'] ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_when( $item ): string {
		$html = $this->when( $item['at'] );
		if ( null !== $item['retry_at'] ) {
			return $html . sprintf( '<span class="tcs-muted">%s</span>', esc_html__( 'Being tried again', 'tenant-crm-sync' ) );
		}
		if ( $item['times'] > 1 ) {
			/* translators: %s: number of times */
			$html .= sprintf( '<span class="tcs-muted">%s</span>', esc_html( sprintf( _n( 'Refused %s time', 'Refused %s times', $item['times'], 'tenant-crm-sync' ), number_format_i18n( $item['times'] ) ) ) );
		}
		return $html;
	}

	/** @param array<string, mixed> $item */
	protected function column_do( $item ): string {
		return $this->button( 'retry', $item['key'], __( 'Try again', 'tenant-crm-sync' ), self::about( $item ) ) . $this->button( 'drop', $item['key'], __( 'Drop', 'tenant-crm-sync' ), self::about( $item ) );
	}

	/** @return array<string, string> */
	private static function sides(): array {
		return array(
			'crm'    => __( 'From the CRM', 'tenant-crm-sync' ),
			'portal' => __( 'From the portal', 'tenant-crm-sync' ),
		);
	}

	/** What a row is called. @param array<string, mixed> $item */
	private static function about( array $item ): string {
		if ( '' !== $item['name'] ) {
			return $item['name'];
		}
		if ( '' === $item['record'] ) {
			return 'crm' === $item['side'] ? __( 'A record without an id', 'tenant-crm-sync' ) : __( 'A lead without a name', 'tenant-crm-sync' );
		}
		/* translators: %s: id of a record */
		return sprintf( __( 'Record %s', 'tenant-crm-sync' ), $item['record'] );
	}
}
