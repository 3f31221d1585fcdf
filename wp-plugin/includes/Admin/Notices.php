<?php
/**
 * Notices: an extension that is missing or of another version (on our screens and on the Plugins page), and what the last action did.
 *
 * The address only carries a code; the words are here, so no link can make the screen say something else.
 */

namespace TenantCRM\Admin;

use TenantCRM\Extension;
use TenantCRM\Schema;

final class Notices {

	const QUERY = 'tenant-crm-did';

	public static function register(): void {
		add_action( 'admin_notices', array( __CLASS__, 'versions' ) );
		add_action( 'admin_notices', array( __CLASS__, 'last_action' ) );
		add_filter( 'removable_query_args', array( __CLASS__, 'removable' ) );
	}

	/** Who cannot change it is not told. */
	public static function versions(): void {
		if ( ! current_user_can( 'activate_plugins' ) || ! ( Screens::is_ours() || 'plugins' === get_current_screen()->id ) ) {
			return;
		}
		foreach ( array_filter( array( Extension::obstacle() ) ) as $words ) {
			self::show( 'error', __( 'Tenant CRM Sync does nothing just now.', 'tenant-crm-sync' ) . ' ' . $words, false );
		}
		foreach ( array_filter( array( Extension::difference(), Schema::newer() ) ) as $words ) {
			self::show( 'warning', __( 'Tenant CRM Sync:', 'tenant-crm-sync' ) . ' ' . $words, false );
		}
	}

	public static function last_action(): void {
		$code = isset( $_GET[ self::QUERY ] ) ? sanitize_key( wp_unslash( $_GET[ self::QUERY ] ) ) : ''; // phpcs:ignore WordPress.Security.NonceVerification -- only chooses words.
		$all  = self::words();
		if ( isset( $all[ $code ] ) && Screens::is_ours() ) {
			self::show( $all[ $code ][0], $all[ $code ][1], true );
		}
	}

	/**
	 * @param list<string> $args
	 * @return list<string>
	 */
	public static function removable( $args ) {
		$args[] = self::QUERY;
		return $args;
	}

	/** Prints a notice as WordPress's own look. */
	public static function show( string $type, string $text, bool $dismissible ): void {
		printf(
			'<div class="notice notice-%1$s%2$s"><p>%3$s</p></div>',
			esc_attr( $type ),
			$dismissible ? ' is-dismissible' : '',
			esc_html( $text )
		);
	}

	/** @return array<string, array{0: string, 1: string}> */
	private static function words(): array {
		return array(
			'queued'        => array( 'success', __( 'Queued. WP-Cron or “bin/tenant-crm work” will do it; with JavaScript on, this screen does it itself.', 'tenant-crm-sync' ) ),
			'cancelled'     => array( 'success', __( 'The sync was cancelled. What was stored stays; the next sync goes on from there.', 'tenant-crm-sync' ) ),
			'dropped'       => array( 'success', __( 'Forgotten. What it had stored stays, and so does its entry in the log.', 'tenant-crm-sync' ) ),
			'no-letter'     => array( 'error', __( 'There is no such failed sync any more: it was tried again, or a newer one took its place.', 'tenant-crm-sync' ) ),
			'paused'        => array( 'success', __( 'Tenant paused. A sync that is running ends with its next slice; then nothing is asked of its CRM until you resume it.', 'tenant-crm-sync' ) ),
			'resumed'       => array( 'success', __( 'Tenant resumed.', 'tenant-crm-sync' ) ),
			'added'         => array( 'success', __( 'Tenant added. Nothing is synced by itself before you start its first sync, the last step below.', 'tenant-crm-sync' ) ),
			'to-connect'    => array( 'success', __( 'Saved. The CRM asks a person to agree, once: press “Connect” below.', 'tenant-crm-sync' ) ),
			'saved'         => array( 'success', __( 'Tenant saved.', 'tenant-crm-sync' ) ),
			'members'       => array( 'success', __( 'Saved who sees the leads.', 'tenant-crm-sync' ) ),
			'disconnected'  => array( 'success', __( 'Disconnected: its stored credentials are gone, its leads and settings stay. Revoke its API key or app at the CRM too.', 'tenant-crm-sync' ) ),
			'deleted'       => array( 'success', __( 'Tenant deleted and its data key destroyed. Revoke its API key or app at the CRM too: only that makes it useless elsewhere.', 'tenant-crm-sync' ) ),
			'connected'     => array( 'success', __( 'Connected. The next sync uses the new consent.', 'tenant-crm-sync' ) ),
			'not-connected' => array( 'error', __( 'Not connected: the log says why. What was there before stays as it was.', 'tenant-crm-sync' ) ),
			'not-agreed'    => array( 'error', __( 'Not connected: the CRM says that nobody agreed. Start again with “Connect”.', 'tenant-crm-sync' ) ),
			'stale-consent' => array( 'error', __( 'Not connected: this consent was not started here, was used already, or took longer than 15 minutes. Start again with “Connect”.', 'tenant-crm-sync' ) ),
			'unknown'       => array( 'error', __( 'There is no such tenant.', 'tenant-crm-sync' ) ),
			'is-paused'     => array( 'error', __( 'This tenant is paused. Resume it first.', 'tenant-crm-sync' ) ),
			'is-unset'      => array( 'error', __( 'This tenant has no CRM address, API key or other field of its connection yet. Edit it first.', 'tenant-crm-sync' ) ),
			'no-extension'  => array( 'error', __( 'Nothing was queued: the PHP extension tenant_crm_sync is not loaded.', 'tenant-crm-sync' ) ),
			'not-deleted'   => array( 'error', __( 'The tenant could not be deleted. The log and PHP’s error log say why.', 'tenant-crm-sync' ) ),
		);
	}
}
