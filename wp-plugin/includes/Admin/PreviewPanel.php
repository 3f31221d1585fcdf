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
		printf( '<p>%s</p>', esc_html__( 'What the next sync would change on either side, with the connection and the rules as they are saved. Nothing is written.', 'tenant-crm-sync' ) );
		printf( '<form method="post" action="%s">', esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) . '#preview' ) );
		wp_nonce_field( self::nonce( $tenant ) );
		printf( '<p><button class="button" name="%1$s" value="1" id="tcs-preview">%2$s</button></p></form>', esc_attr( self::NAME ), esc_html__( 'Preview', 'tenant-crm-sync' ) );
		if ( null !== self::$preview ) {
			echo '<div id="tcs-preview-result" role="status">';
			self::sums( self::$preview );
			self::told( self::$preview );
			echo '</div>';
			self::table( self::$preview['changes'] );
		}
	}

	/** What each side would get, and what that costs. @param array<string, mixed> $preview */
	private static function sums( array $preview ): void {
		$sums = array( 'portal' => array(), 'crm' => array(), 'both' => array() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		foreach ( $preview['changes'] as $change ) {
			// A record counts once, however many of its fields change.
			$sums[ $change['side'] ][ $change['action'] ][ $change['record'] ] = true;
		}
		$requests = $preview['requests'];
		echo '<ul class="tcs-sums">';
		foreach ( self::sides() as $side => $name ) {
			$parts = array();
			foreach ( $sums[ $side ] ?? array() as $action => $records ) {
				/* translators: 1: number of records, 2: for example "new" */
				$parts[] = sprintf( __( '%1$s %2$s', 'tenant-crm-sync' ), number_format_i18n( count( $records ) ), self::actions()[ $action ] ?? $action );
			}
			if ( $parts || 'both' !== $side ) {
				printf( '<li data-side="%s"><strong>%s</strong><span>%s</span></li>', esc_attr( $side ), esc_html( $name ), esc_html( $parts ? implode( ', ', $parts ) : __( 'nothing', 'tenant-crm-sync' ) ) );
			}
		}
		/* translators: 1: number of requests, 2: pages, 3: records read one by one, 4: writes */
		$cost = sprintf( __( 'about %1$s: %2$s for pages, %3$s for single records, %4$s to write', 'tenant-crm-sync' ), number_format_i18n( array_sum( $requests ) ), number_format_i18n( $requests['pages'] ), number_format_i18n( $requests['reads'] ), number_format_i18n( $requests['writes'] ) );
		printf( '<li data-side="cost"><strong>%s</strong><span>%s</span></li></ul>', esc_html__( 'Requests to the CRM', 'tenant-crm-sync' ), esc_html( $cost ) );
	}

	/** What was not looked at, and what else there is to know. @param array<string, mixed> $preview */
	private static function told( array $preview ): void {
		$told = array_merge( array( __( 'Nothing was written.', 'tenant-crm-sync' ) ), $preview['limits'], PreviewCommands::notes( $preview ) );
		$more = count( $preview['changes'] ) - self::ROWS;
		if ( $more > 0 ) {
			/* translators: %s: number of changes */
			$told[] = sprintf( __( '%s more changes are not shown.', 'tenant-crm-sync' ), number_format_i18n( $more ) );
		}
		foreach ( $told as $line ) {
			printf( '<p>%s</p>', esc_html( $line ) );
		}
	}

	/**
	 * Record by record, field by field.
	 *
	 * @param list<array<string, mixed>> $changes
	 */
	private static function table( array $changes ): void {
		if ( ! $changes ) {
			return;
		}
		$records = array();
		foreach ( array_slice( $changes, 0, self::ROWS ) as $change ) {
			$records[ "{$change['side']} {$change['action']} {$change['record']}" ][] = $change;
		}
		echo '<table class="widefat tcs-preview" id="tcs-preview-table"><thead><tr>';
		foreach ( self::heads() as $head ) {
			printf( '<th scope="col">%s</th>', esc_html( $head ) );
		}
		echo '</tr></thead>';
		foreach ( $records as $fields ) {
			self::record( $fields );
		}
		echo '</table>';
	}

	/** @param list<array<string, mixed>> $fields Changes of one record on one side. */
	private static function record( array $fields ): void {
		$first = $fields[0];
		printf( '<tbody><tr class="tcs-preview-record"><th scope="rowgroup" colspan="%d"><span class="tcs-side" data-side="%s">%s</span> %s <strong>%s</strong></th></tr>', count( self::heads() ), esc_attr( $first['side'] ), esc_html( self::sides()[ $first['side'] ] ?? $first['side'] ), esc_html( self::actions()[ $first['action'] ] ?? $first['action'] ), esc_html( $first['record'] ) );
		foreach ( $fields as $change ) {
			$cells = array( '' === $change['field'] ? __( 'the whole record', 'tenant-crm-sync' ) : $change['field'], PreviewCommands::short( $change['from'] ), PreviewCommands::short( $change['to'] ), $change['rule'] );
			echo '<tr>';
			foreach ( array_combine( self::heads(), $cells ) as $head => $cell ) {
				// One element: WordPress makes pictures of emoji, and on a phone each would be a cell of its own.
				printf( '<td data-colname="%s">%s</td>', esc_attr( $head ), '' === $cell ? '' : '<span>' . esc_html( $cell ) . '</span>' );
			}
			echo '</tr>';
		}
		echo '</tbody>';
	}

	/** @return list<string> */
	private static function heads(): array {
		return array( __( 'Field', 'tenant-crm-sync' ), __( 'From', 'tenant-crm-sync' ), __( 'To', 'tenant-crm-sync' ), __( 'Rule', 'tenant-crm-sync' ) );
	}

	/** @return array<string, string> */
	private static function sides(): array {
		return array(
			'portal' => __( 'In the portal', 'tenant-crm-sync' ),
			'crm'    => __( 'In the CRM', 'tenant-crm-sync' ),
			'both'   => __( 'For a person', 'tenant-crm-sync' ),
		);
	}

	/** @return array<string, string> */
	private static function actions(): array {
		return array(
			'create'  => __( 'new', 'tenant-crm-sync' ),
			'update'  => __( 'changed', 'tenant-crm-sync' ),
			'delete'  => __( 'deleted', 'tenant-crm-sync' ),
			'bin'     => __( 'into the trash', 'tenant-crm-sync' ),
			'restore' => __( 'out of the trash', 'tenant-crm-sync' ),
			'ask'     => __( 'to be decided', 'tenant-crm-sync' ),
		);
	}

	private static function nonce( Tenant $tenant ): string {
		return self::NAME . '-' . $tenant->key;
	}
}
