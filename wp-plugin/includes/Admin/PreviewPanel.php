<?php
/**
 * The button "Preview" under a tenant's form, and the table of what the next sync would do. It reads a few pages of the CRM in this request
 * and writes nothing; `bin/tenant-crm preview` looks at more.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\PreviewCommands;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Preview;

final class PreviewPanel {

	/** Name and nonce of the form. */
	const NAME = 'tenant-crm-preview';

	/** Pages and leads that are looked at while a person waits, and changes that are shown. */
	const PAGES = 3;
	const LEADS = 20;
	const ROWS  = 500;

	/** @var array<string, mixed>|null */
	private static $preview = null;

	/** Previews for whoever may manage the tenant. */
	public static function run( Tenant $tenant ): void {
		check_admin_referer( self::nonce( $tenant ) );
		if ( ! Capabilities::user_may( get_current_user_id(), Capabilities::MANAGE, $tenant->id ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		try {
			self::$preview = Preview::run( $tenant, false, 'leads', self::PAGES, self::LEADS );
		} catch ( \Exception $error ) {
			$words = $error->getMessage();
			add_action( 'admin_notices', static fn() => Notices::show( 'error', $words, false ) );
		}
	}

	public static function render( Tenant $tenant ): void {
		printf( '<h2 class="title">%s</h2>', esc_html__( 'Preview', 'tenant-crm-sync' ) );
		printf( '<form method="post" action="%s">', esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) ) );
		wp_nonce_field( self::nonce( $tenant ) );
		printf( '<p><button class="button" name="%1$s" value="1" id="tcs-preview">%2$s</button></p></form>', esc_attr( self::NAME ), esc_html__( 'Preview', 'tenant-crm-sync' ) );
		printf( '<p class="description">%s</p>', esc_html__( 'What the next sync would change on either side, with the connection and the rules as they are saved. Nothing is written.', 'tenant-crm-sync' ) );
		if ( null !== self::$preview ) {
			self::table( self::$preview );
		}
	}

	/** @param array<string, mixed> $preview */
	private static function table( array $preview ): void {
		/* translators: %s: numbers of changes and requests */
		printf( '<p><strong>%s</strong></p>', esc_html( sprintf( __( 'Nothing was written. A sync would make %s.', 'tenant-crm-sync' ), PreviewCommands::cost( $preview ) ) ) );
		$more = count( $preview['changes'] ) - self::ROWS;
		$told = array_merge( $preview['limits'], PreviewCommands::notes( $preview ) );
		if ( $more > 0 ) {
			/* translators: %d: number of changes */
			$told[] = sprintf( __( '%d more changes are not shown.', 'tenant-crm-sync' ), $more );
		}
		foreach ( $told as $line ) {
			printf( '<p>%s</p>', esc_html( $line ) );
		}
		if ( ! $preview['changes'] ) {
			return;
		}
		$heads = array( __( 'Side', 'tenant-crm-sync' ), __( 'Action', 'tenant-crm-sync' ), __( 'Record', 'tenant-crm-sync' ), __( 'Field', 'tenant-crm-sync' ), __( 'From', 'tenant-crm-sync' ), __( 'To', 'tenant-crm-sync' ), __( 'Rule', 'tenant-crm-sync' ) );
		echo '<table class="widefat striped" id="tcs-preview-table"><thead><tr><th scope="col">' . implode( '</th><th scope="col">', array_map( 'esc_html', $heads ) ) . '</th></tr></thead><tbody>';
		foreach ( array_slice( $preview['changes'], 0, self::ROWS ) as $change ) {
			echo '<tr><td>' . implode( '</td><td>', array_map( static fn( $cell ): string => esc_html( (string) $cell ), PreviewCommands::line( $change ) ) ) . '</td></tr>';
		}
		echo '</tbody></table>';
	}

	private static function nonce( Tenant $tenant ): string {
		return self::NAME . '-' . $tenant->key;
	}
}
