<?php
/**
 * What failed for good, below the tenants on the Overview: why, since when, and two buttons a row, to try it again or to forget it. Shows
 * nothing where nothing has failed. What the buttons do is in Actions.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\DeadLetters;
use TenantCRM\Tenants;

final class DeadLetterList {

	const MOST = 50;

	public static function render(): void {
		$letters = self::visible();
		if ( ! $letters ) {
			return;
		}
		printf( '<h2>%s</h2><p>%s</p>', esc_html__( 'Failed for good', 'tenant-crm-sync' ), esc_html__( 'These are not tried again by themselves. The next sync of the same kind takes their place.', 'tenant-crm-sync' ) );
		echo '<table class="widefat striped tcs-letters"><thead><tr>';
		foreach ( array( __( 'Tenant', 'tenant-crm-sync' ), __( 'What', 'tenant-crm-sync' ), __( 'Why', 'tenant-crm-sync' ), __( 'When', 'tenant-crm-sync' ), __( 'Actions', 'tenant-crm-sync' ) ) as $title ) {
			printf( '<th scope="col">%s</th>', esc_html( $title ) );
		}
		echo '</tr></thead><tbody>';
		foreach ( $letters as $letter ) {
			self::row( $letter );
		}
		echo '</tbody></table>';
	}

	/** Whether a user may see a dead letter and decide about it; those of deleted tenants are for who manages tenants. */
	public static function may( array $letter ): bool {
		$tenant = Tenants::get( (int) $letter['tenant'] );
		return $tenant ? Capabilities::user_may( get_current_user_id(), Capabilities::SYNC, $tenant->id ) : current_user_can( Capabilities::MANAGE );
	}

	/** @return list<array<string, mixed>> */
	private static function visible(): array {
		$keys = array_map( static fn( $tenant ): int => $tenant->key, Capabilities::visible( get_current_user_id(), Capabilities::SYNC ) );
		return DeadLetters::list( current_user_can( Capabilities::MANAGE ) ? null : $keys, self::MOST );
	}

	/** @param array<string, mixed> $letter */
	private static function row( array $letter ): void {
		$tenant = Tenants::get( (int) $letter['tenant'] );
		$name   = $tenant ? ( '' === $tenant->label ? $tenant->id : $tenant->label ) : __( 'deleted', 'tenant-crm-sync' );
		printf(
			'<tr><td>%1$s</td><td>%2$s</td><td>%3$s</td><td title="%4$s">%5$s<span class="tcs-muted">%6$s</span></td><td>',
			esc_html( $name ),
			esc_html( 'pull' === $letter['kind'] ? $letter['object'] : "{$letter['kind']}: {$letter['object']}" ),
			esc_html( (string) $letter['reason'] ),
			esc_attr( Words::time( $letter['died_at'] ) ),
			esc_html( Words::ago( $letter['died_at'] ) ),
			/* translators: %s: number of attempts */
			esc_html( sprintf( _n( '%s attempt', '%s attempts', (int) $letter['attempts'], 'tenant-crm-sync' ), number_format_i18n( (int) $letter['attempts'] ) ) )
		);
		foreach ( array( 'retry' => __( 'Try again', 'tenant-crm-sync' ), 'drop' => __( 'Forget', 'tenant-crm-sync' ) ) as $action => $text ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			printf( // phpcs:ignore WordPress.Security.EscapeOutput -- each part is.
				'<form method="post" class="tcs-inline" action="%1$s">%2$s<button class="button button-small" aria-label="%3$s">%4$s</button></form> ',
				esc_url( admin_url( 'admin-post.php' ) ),
				Actions::fields( $action, (int) $letter['id'], 'letter' ),
				esc_attr( "$text: $name" ),
				esc_html( $text )
			);
		}
		echo '</td></tr>';
	}
}
