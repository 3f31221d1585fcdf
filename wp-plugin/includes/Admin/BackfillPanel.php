<?php
/**
 * The button "Read everything again" on a tenant's screen, and how far that is. The open screen works on it in slices (backfill.js), as the
 * Overview does on a sync; without it WP-Cron and the command line do.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Ledger;
use TenantCRM\Runs;
use TenantCRM\Tenant;

final class BackfillPanel {

	/** Name of the form's buttons, and its nonce. */
	const NAME = 'tenant-crm-backfill';

	/** Does what was posted, for whoever may manage the tenant, and goes back to the screen. */
	public static function act( Tenant $tenant ): void {
		check_admin_referer( self::nonce( $tenant ) );
		if ( ! Capabilities::user_may( get_current_user_id(), Capabilities::MANAGE, $tenant->id ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		$run = self::latest( $tenant );
		if ( isset( $_POST[ self::NAME ] ) && 'cancel' === $_POST[ self::NAME ] ) {
			null === $run || Words::is_final( $run['state'] ) || Runs::cancel( (int) $run['id'] );
		} elseif ( null === Words::obstacle( $tenant ) ) {
			Jobs::backfill( $tenant->key );
		}
		wp_safe_redirect( self::url( $tenant ) );
		exit;
	}

	public static function render( Tenant $tenant ): void {
		$run     = self::latest( $tenant );
		$is_open = null !== $run && ! Words::is_final( $run['state'] );
		printf( '<h2 class="title" id="backfill">%s</h2><p>%s</p>', esc_html__( 'Everything again', 'tenant-crm-sync' ), esc_html__( 'A sync reads what changed. This reads every record of the CRM once more, beside the syncs, which go on: after another mapping, or when something seems to be missing. Cut off, it goes on from where it was.', 'tenant-crm-sync' ) );
		printf( '<form method="post" class="tcs-backfill" action="%s" data-run="%d" data-records="%d">', esc_url( self::url( $tenant ) ), $is_open ? (int) $run['id'] : 0, (int) Ledger::count( $tenant->key ) );
		wp_nonce_field( self::nonce( $tenant ) );
		printf( '<p role="status" class="tcs-backfill-state">%s</p><progress max="1" aria-label="%s"%s></progress><p>', esc_html( null === $run ? '' : self::words( $run ) ), esc_attr__( 'How far it is', 'tenant-crm-sync' ), $is_open ? '' : ' hidden' );
		$obstacle = null !== Words::obstacle( $tenant );
		printf( '<button class="button" name="%1$s" value="start" id="tcs-backfill"%2$s%3$s>%4$s</button> ', esc_attr( self::NAME ), $is_open ? ' hidden' : '', disabled( $obstacle, true, false ), esc_html__( 'Read everything again', 'tenant-crm-sync' ) );
		printf( '<button class="button" name="%1$s" value="cancel" id="tcs-backfill-cancel"%2$s>%3$s</button></p></form>', esc_attr( self::NAME ), $is_open ? '' : ' hidden', esc_html__( 'Cancel', 'tenant-crm-sync' ) );
		if ( $is_open ) {
			wp_enqueue_script( 'tenant-crm-sync-backfill', Screens::asset( 'backfill.js' ), array( 'wp-api-fetch', 'wp-i18n' ), Screens::version( 'backfill.js' ), true );
			wp_set_script_translations( 'tenant-crm-sync-backfill', 'tenant-crm-sync' );
		}
	}

	/** @param array<string, mixed> $run */
	private static function words( array $run ): string {
		return implode( ' ', array_filter( array( rtrim( Words::state( $run ), '.' ) . '.', rtrim( Words::counts( $run ), '.' ), (string) ( $run['error'] ?? '' ) ) ) );
	}

	/** @return array<string, mixed>|null */
	private static function latest( Tenant $tenant ): ?array {
		return Runs::list( array( 'tenant' => $tenant->key, 'kind' => Jobs::BACKFILL, 'limit' => 1 ) )[0] ?? null; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	private static function url( Tenant $tenant ): string {
		return Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) . '#backfill';
	}

	private static function nonce( Tenant $tenant ): string {
		return self::NAME . '-' . $tenant->key;
	}
}
