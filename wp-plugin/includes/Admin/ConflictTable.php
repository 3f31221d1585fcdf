<?php
/**
 * The table on the Conflicts screen: both values side by side with a button under each, what both agreed on before, and why it is asked.
 * Everything is printed escaped: values are whatever strangers typed into forms.
 */

namespace TenantCRM\Admin;

use TenantCRM\Times;

final class ConflictTable extends RowTable {

	/** The longest value that is shown whole; of others the beginning, and the rest on demand. */
	const SHOWN = 300;

	public function get_columns(): array {
		return array( 'cb' => '<input type="checkbox">' ) + array(
			'lead'   => __( 'Lead and field', 'tenant-crm-sync' ),
			'crm'    => __( 'In the CRM', 'tenant-crm-sync' ),
			'portal' => __( 'In the portal', 'tenant-crm-sync' ),
			'base'   => __( 'Agreed before', 'tenant-crm-sync' ),
			'why'    => __( 'Why and who', 'tenant-crm-sync' ),
			'tenant' => __( 'Tenant', 'tenant-crm-sync' ),
		);
	}

	public function no_items(): void {
		if ( isset( $this->address['s'] ) ) {
			esc_html_e( 'No conflicts that fit.', 'tenant-crm-sync' );
		} elseif ( '' === $this->view ) {
			esc_html_e( 'Nothing waits for a decision. Conflicts appear here when both sides change the same field and the tenant’s settings leave the choice to a person.', 'tenant-crm-sync' );
		} else {
			esc_html_e( 'Nothing was decided lately.', 'tenant-crm-sync' );
		}
	}

	protected function get_bulk_actions(): array {
		if ( '' !== $this->view ) {
			return array( 'undo' => __( 'Undo', 'tenant-crm-sync' ) );
		}
		return array(
			'crm'    => __( 'Take the CRM’s', 'tenant-crm-sync' ),
			'portal' => __( 'Take the portal’s', 'tenant-crm-sync' ),
		);
	}

	protected function get_views(): array {
		$address = array_diff_key( $this->address, array( 'state' => 1, 'paged' => 1 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		return self::links(
			array(
				'open'  => array( Screens::url( Screens::CONFLICTS, $address ), __( 'Waiting', 'tenant-crm-sync' ), $this->counts['open'], '' === $this->view ),
				'taken' => array( Screens::url( Screens::CONFLICTS, array( 'state' => ConflictsPage::TAKEN ) + $address ), __( 'Decided', 'tenant-crm-sync' ), $this->counts['taken'], '' !== $this->view ),
			)
		);
	}

	/** @param array<string, mixed> $item */
	protected function column_cb( $item ): string {
		return '' === $this->view || 'field' === $item['kind'] ? $this->tick( (string) $item['id'], self::about( $item ) ) : '';
	}

	/** @param array<string, mixed> $item */
	protected function column_lead( $item ): string {
		$link = $item['post_id'] && current_user_can( 'edit_post', $item['post_id'] ) ? get_edit_post_link( $item['post_id'], 'raw' ) : null;
		$name = '<strong>' . esc_html( self::lead( $item ) ) . '</strong>';
		$name = null === $link ? $name : sprintf( '<a class="row-title" href="%s">%s</a>', esc_url( $link ), $name );
		return $name . sprintf( '<span class="tcs-muted">%s</span>', 'field' === $item['kind'] ? '<code>' . esc_html( $item['field'] ) . '</code>' : esc_html( self::what( $item ) ) );
	}

	/** @param array<string, mixed> $item */
	protected function column_crm( $item ): string {
		return $this->side( $item, 'crm' );
	}

	/** @param array<string, mixed> $item */
	protected function column_portal( $item ): string {
		return $this->side( $item, 'portal' );
	}

	/** @param array<string, mixed> $item */
	protected function column_base( $item ): string {
		return 'field' === $item['kind'] ? self::shown( $item['base'] ) : '';
	}

	/** @param array<string, mixed> $item */
	protected function column_why( $item ): string {
		$html = esc_html( ucfirst( $item['reason'] ) );
		$who  = $item['who'] ? get_userdata( $item['who'] ) : false;
		if ( null !== $item['portal_at'] ) {
			/* translators: 1: name of a user, 2: for example "5 minutes ago" */
			$html .= self::line( $who ? sprintf( __( 'Portal: %1$s, %2$s', 'tenant-crm-sync' ), $who->display_name, Words::ago( $item['portal_at'] ) ) : sprintf( __( 'Portal: %s', 'tenant-crm-sync' ), Words::ago( $item['portal_at'] ) ), Words::time( $item['portal_at'] ) );
		}
		if ( '' !== $item['crm_at'] ) {
			$utc = Times::utc( $item['crm_at'] );
			/* translators: %s: for example "5 minutes ago" */
			$html .= self::line( sprintf( __( 'CRM: %s', 'tenant-crm-sync' ), null === $utc ? $item['crm_at'] : Words::ago( $utc ) ), $item['crm_at'] );
		}
		if ( '' === $this->view ) {
			/* translators: %s: for example "5 minutes ago" */
			return $html . self::line( sprintf( __( 'Asked %s', 'tenant-crm-sync' ), Words::ago( $item['created_at'] ) ), Words::time( $item['created_at'] ) );
		}
		$by = $item['decided_by'] ? get_userdata( $item['decided_by'] ) : false;
		/* translators: 1: name of a user, 2: for example "5 minutes ago" */
		$html .= self::line( sprintf( __( 'Decided by %1$s, %2$s', 'tenant-crm-sync' ), $by ? $by->display_name : __( 'the command line', 'tenant-crm-sync' ), Words::ago( $item['decided_at'] ) ), Words::time( $item['decided_at'] ) );
		return 'field' === $item['kind'] ? $html . $this->button( 'undo', (string) $item['id'], __( 'Undo', 'tenant-crm-sync' ), self::about( $item ) ) : $html;
	}

	/** @param array<string, mixed> $item */
	private function side( array $item, string $side ): string {
		$html = 'field' === $item['kind'] ? self::shown( $item[ $side ] ) : esc_html( self::there( $item, $side ) );
		if ( '' === $this->view ) {
			return $html . '<div>' . $this->button( $side, (string) $item['id'], self::choice( $item, $side ), self::about( $item ) ) . '</div>';
		}
		return $side === $item['choice'] ? $html . sprintf( '<div><span class="tcs-taken">%s</span></div>', esc_html__( 'Taken', 'tenant-crm-sync' ) ) : $html;
	}

	/** What a button does. @param array<string, mixed> $item */
	private static function choice( array $item, string $side ): string {
		$is_crm = 'crm' === $side;
		switch ( $item['kind'] ) {
			case 'delete':
				if ( null === $item['crm'] ) {
					return $is_crm ? __( 'Delete here, too', 'tenant-crm-sync' ) : __( 'Make it anew in the CRM', 'tenant-crm-sync' );
				}
				return $is_crm ? __( 'Bring it back here', 'tenant-crm-sync' ) : __( 'Delete in the CRM, too', 'tenant-crm-sync' );
			case 'home':
				return $is_crm ? __( 'It is a copy: write nothing', 'tenant-crm-sync' ) : __( 'The site has moved: go on', 'tenant-crm-sync' );
			case 'absent':
				return $is_crm ? __( 'Look for each of them', 'tenant-crm-sync' ) : __( 'Do nothing', 'tenant-crm-sync' );
			case 'bin':
				return $is_crm ? __( 'Delete here, too', 'tenant-crm-sync' ) : __( 'Keep them here', 'tenant-crm-sync' );
			case 'erase':
				return $is_crm ? __( 'Keep them in the CRM', 'tenant-crm-sync' ) : __( 'Delete in the CRM, too', 'tenant-crm-sync' );
		}
		return $is_crm ? __( 'Take the CRM’s', 'tenant-crm-sync' ) : __( 'Take the portal’s', 'tenant-crm-sync' );
	}

	/** @param array<string, mixed> $item */
	private static function there( array $item, string $side ): string {
		if ( 'delete' !== $item['kind'] ) {
			return '';
		}
		return null === $item[ $side ] ? __( 'deleted', 'tenant-crm-sync' ) : __( 'there', 'tenant-crm-sync' );
	}

	/** @param array<string, mixed> $item */
	private static function lead( array $item ): string {
		if ( ! in_array( $item['kind'], array( 'field', 'delete' ), true ) ) {
			return __( 'The tenant as a whole', 'tenant-crm-sync' );
		}
		$name = (string) $item['name'];
		/* translators: %s: id of a record */
		return '' === $name ? sprintf( __( 'Record %s', 'tenant-crm-sync' ), (string) $item['crm_id'] ) : $name;
	}

	/** @param array<string, mixed> $item */
	private static function what( array $item ): string {
		$words = array(
			'field'  => $item['field'],
			'delete' => __( 'the whole record', 'tenant-crm-sync' ),
			'home'   => __( 'where this site is', 'tenant-crm-sync' ),
			'absent' => __( 'many records that a full list does not show', 'tenant-crm-sync' ),
			'bin'    => __( 'many deletions in the CRM', 'tenant-crm-sync' ),
			'erase'  => __( 'many deletions in the portal', 'tenant-crm-sync' ),
		);
		return $words[ $item['kind'] ] ?? $item['kind'];
	}

	/** A row's name, for who cannot see it. @param array<string, mixed> $item */
	private static function about( array $item ): string {
		return self::lead( $item ) . ', ' . self::what( $item );
	}

	/** @param mixed $value */
	private static function shown( $value ): string {
		if ( null === $value || '' === $value ) {
			return sprintf( '<em class="tcs-muted">%s</em>', esc_html__( 'empty', 'tenant-crm-sync' ) );
		}
		$text  = is_scalar( $value ) ? ( is_bool( $value ) ? ( $value ? 'true' : 'false' ) : (string) $value ) : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
		$short = mb_strimwidth( $text, 0, self::SHOWN, '…' );
		return $short === $text
			? sprintf( '<span class="tcs-value">%s</span>', esc_html( $text ) )
			: sprintf( '<span class="tcs-value">%s</span><details><summary>%s</summary><span class="tcs-value">%s</span></details>', esc_html( $short ), esc_html__( 'All of it', 'tenant-crm-sync' ), esc_html( $text ) );
	}

	private static function line( string $text, string $title ): string {
		return sprintf( '<span class="tcs-muted"%s>%s</span>', '' === $title ? '' : ' title="' . esc_attr( $title ) . '"', esc_html( $text ) );
	}
}
