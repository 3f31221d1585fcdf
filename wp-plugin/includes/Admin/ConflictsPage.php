<?php
/**
 * The screen "Conflicts": what both sides changed, with both values side by side, and a button for each; many at once by ticking them. What
 * was decided can be undone. Everything is printed escaped: values are whatever strangers typed into forms.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class ConflictsPage {

	const ACTION = 'tenant_crm_conflicts';

	const PER_PAGE = 50;

	/** The longest value that is shown whole. */
	const SHOWN = 300;

	public static function register(): void {
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'handle' ) );
	}

	public static function load(): void {
		Screens::help(
			'conflicts',
			__( 'Conflicts', 'tenant-crm-sync' ),
			array(
				__( 'A conflict holds up nothing but its own field: everything else of the lead goes on being synced.', 'tenant-crm-sync' ),
				__( 'Which fields ask, and which are decided by themselves, are settings of the tenant: policy and policies.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		$tenants = Choice::tenants( Capabilities::SYNC );
		$chosen  = Choice::tenant( $tenants );
		$state   = 'taken' === ( $_GET['state'] ?? '' ) ? 'taken' : 'open'; // phpcs:ignore WordPress.Security.NonceVerification -- a filter.
		$args    = array(
			'tenants' => $chosen ? array( $chosen->key ) : array_keys( $tenants ),
			'state'   => $state,
			'limit'   => self::PER_PAGE,
		);
		$count   = Conflicts::count( $args );
		printf( '<div class="wrap tcs-wrap"><h1>%s</h1>', esc_html__( 'CRM Sync: conflicts', 'tenant-crm-sync' ) );
		self::said();
		self::tabs( $state );
		$rows = Conflicts::list( $args );
		if ( ! $rows ) {
			printf( '<p>%s</p></div>', 'open' === $state ? esc_html__( 'Nothing waits for a decision.', 'tenant-crm-sync' ) : esc_html__( 'Nothing was decided lately.', 'tenant-crm-sync' ) );
			return;
		}
		if ( $count > count( $rows ) ) {
			/* translators: 1: number of rows shown, 2: number of all */
			printf( '<p>%s</p>', esc_html( sprintf( __( 'The newest %1$s of %2$s.', 'tenant-crm-sync' ), number_format_i18n( count( $rows ) ), number_format_i18n( $count ) ) ) );
		}
		printf( '<form method="post" action="%s"><input type="hidden" name="action" value="%s">', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( self::ACTION ) );
		wp_nonce_field( self::ACTION );
		if ( 'open' === $state ) {
			printf( '<p>%s <button class="button" name="all" value="crm">%s</button> <button class="button" name="all" value="portal">%s</button></p>', esc_html__( 'For those that are ticked:', 'tenant-crm-sync' ), esc_html__( 'Take the CRM’s', 'tenant-crm-sync' ), esc_html__( 'Take the portal’s', 'tenant-crm-sync' ) );
		}
		printf(
			'<table class="widefat striped"><thead><tr><td class="check-column"></td><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th></tr></thead><tbody>',
			esc_html__( 'Lead and field', 'tenant-crm-sync' ),
			esc_html__( 'In the CRM', 'tenant-crm-sync' ),
			esc_html__( 'In the portal', 'tenant-crm-sync' ),
			esc_html__( 'Agreed on before', 'tenant-crm-sync' ),
			esc_html__( 'Why, and who', 'tenant-crm-sync' )
		);
		foreach ( $rows as $row ) {
			self::row( $row, $tenants[ $row['tenant'] ] ?? null );
		}
		echo '</tbody></table></form></div>';
	}

	/** Posted: one button of a row, or one for all that are ticked. */
	public static function handle(): void {
		check_admin_referer( self::ACTION );
		if ( ! current_user_can( Capabilities::SYNC ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		$text    = static fn( string $name ): string => isset( $_POST[ $name ] ) && is_string( $_POST[ $name ] ) ? sanitize_key( wp_unslash( $_POST[ $name ] ) ) : '';
		$tenants = Choice::tenants( Capabilities::SYNC );
		$done    = 0;
		$again   = 0;
		list( $what, $ids ) = self::asked( $text( 'one' ), $text( 'all' ) );
		foreach ( $ids as $id ) {
			$row = Conflicts::get( $id );
			if ( ! $row || ! isset( $tenants[ $row['tenant'] ] ) ) {
				continue;
			}
			$result = 'undo' === $what ? Decisions::undo( $id ) : Decisions::take( $id, $what );
			in_array( $result, array( 'taken', 'undone' ), true ) ? ++$done : ++$again;
		}
		wp_safe_redirect( Screens::url( Screens::CONFLICTS, array( 'done' => $done, 'again' => $again ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		exit;
	}

	/** @return array{0: string, 1: list<int>} crm, portal or undo; and which. */
	private static function asked( string $one, string $all ): array {
		if ( preg_match( '/^(crm|portal|undo)-(\d+)$/D', $one, $match ) ) {
			return array( $match[1], array( (int) $match[2] ) );
		}
		$ids = isset( $_POST['ids'] ) && is_array( $_POST['ids'] ) ? array_map( 'absint', $_POST['ids'] ) : array(); // phpcs:ignore WordPress.Security.NonceVerification -- checked in handle().
		return in_array( $all, array( 'crm', 'portal' ), true ) ? array( $all, array_values( $ids ) ) : array( '', array() );
	}

	/** @param array<string, mixed> $row */
	private static function row( array $row, ?Tenant $tenant ): void {
		$is_open = 'open' === $row['state'];
		$name    = '' === (string) $row['name'] ? (string) $row['crm_id'] : (string) $row['name'];
		$link    = $row['post_id'] ? get_edit_post_link( $row['post_id'] ) : null;
		echo '<tr><th scope="row" class="check-column">';
		if ( $is_open ) {
			/* translators: %s: number of a conflict */
			printf( '<label class="screen-reader-text" for="tcs-c-%1$d">%2$s</label><input type="checkbox" id="tcs-c-%1$d" name="ids[]" value="%1$d">', (int) $row['id'], esc_html( sprintf( __( 'Tick %s', 'tenant-crm-sync' ), $name ) ) );
		}
		echo '</th><td>';
		printf( $link ? '<a href="%2$s">%1$s</a>' : '%1$s', esc_html( $name ), esc_url( (string) $link ) );
		printf( '<span class="tcs-muted">%s</span><br>%s', esc_html( $tenant ? ( '' === $tenant->label ? $tenant->id : $tenant->label ) : '' ), esc_html( self::what( $row ) ) );
		foreach ( array( 'crm' => __( 'Take the CRM’s', 'tenant-crm-sync' ), 'portal' => __( 'Take the portal’s', 'tenant-crm-sync' ) ) as $side => $label ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			echo '</td><td>', esc_html( self::value( $row, $side ) );
			if ( $is_open ) {
				printf( '<br><button class="button button-small" name="one" value="%s-%d">%s</button>', esc_attr( $side ), (int) $row['id'], esc_html( $label ) );
			} elseif ( $side === $row['choice'] ) {
				printf( '<br><strong>%s</strong>', esc_html__( 'taken', 'tenant-crm-sync' ) );
			}
		}
		echo '</td><td>', esc_html( self::value( $row, 'base' ) ), '</td><td>', esc_html( $row['reason'] );
		$user = get_userdata( $is_open ? $row['who'] : $row['decided_by'] );
		printf( '<span class="tcs-muted">%s %s</span>', esc_html( $user ? $user->display_name : '' ), esc_html( Words::ago( $is_open ? $row['portal_at'] ?? $row['created_at'] : $row['decided_at'] ) ) );
		if ( ! $is_open && 'field' === $row['kind'] ) {
			printf( '<br><button class="button button-small" name="one" value="undo-%d">%s</button>', (int) $row['id'], esc_html__( 'Undo', 'tenant-crm-sync' ) );
		}
		echo '</td></tr>';
	}

	/** @param array<string, mixed> $row */
	private static function what( array $row ): string {
		if ( 'field' === $row['kind'] ) {
			return $row['field'];
		}
		return 'delete' === $row['kind'] ? __( 'the whole record', 'tenant-crm-sync' ) : __( 'the tenant as a whole', 'tenant-crm-sync' );
	}

	/** @param array<string, mixed> $row */
	private static function value( array $row, string $side ): string {
		if ( 'field' !== $row['kind'] ) {
			if ( 'delete' !== $row['kind'] || 'base' === $side ) {
				return '';
			}
			return null === $row[ $side ] ? __( 'deleted', 'tenant-crm-sync' ) : __( 'there', 'tenant-crm-sync' );
		}
		$value = $row[ $side ];
		$text  = is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
		return mb_strimwidth( $text, 0, self::SHOWN, '…' );
	}

	private static function tabs( string $state ): void {
		echo '<ul class="subsubsub">';
		foreach ( array( 'open' => __( 'Waiting', 'tenant-crm-sync' ), 'taken' => __( 'Decided', 'tenant-crm-sync' ) ) as $name => $label ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			printf( '<li><a href="%s"%s>%s</a>%s</li>', esc_url( Screens::url( Screens::CONFLICTS, array( 'state' => $name ) ) ), $name === $state ? ' class="current" aria-current="page"' : '', esc_html( $label ), 'open' === $name ? ' | ' : '' );
		}
		echo '</ul><br class="clear">';
	}

	private static function said(): void {
		$done  = isset( $_GET['done'] ) ? absint( $_GET['done'] ) : 0; // phpcs:ignore WordPress.Security.NonceVerification -- only chooses words.
		$again = isset( $_GET['again'] ) ? absint( $_GET['again'] ) : 0; // phpcs:ignore WordPress.Security.NonceVerification -- only chooses words.
		if ( $done ) {
			/* translators: %s: number of conflicts */
			Notices::show( 'success', sprintf( _n( '%s conflict was decided. The next sync brings it to both sides.', '%s conflicts were decided. The next sync brings them to both sides.', $done, 'tenant-crm-sync' ), number_format_i18n( $done ) ), true );
		}
		if ( $again ) {
			Notices::show( 'warning', __( 'Some were not: a side has another value by now, or somebody was faster. They are asked again where that is needed.', 'tenant-crm-sync' ), true );
		}
	}
}
