<?php
/**
 * The screen "Log" and its two lists: what syncs met, with filters by tenant, level and words; and the requests to CRMs, which are in
 * RequestList. Whoever does not manage tenants sees only entries of tenants of their own.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;

final class LogPage {

	/** Parameter of the address that chooses the list. */
	const VIEW     = 'view';
	const REQUESTS = 'requests';

	/** @var LogTable|null */
	private static $table = null;

	public static function load(): void {
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		$tenants = Choice::tenants( Capabilities::SYNC );
		$chosen  = Choice::tenant( $tenants );
		$all     = current_user_can( Capabilities::MANAGE ) ? null : array_keys( $tenants );
		$seen    = null === $chosen ? $all : array( $chosen->key );
		Screens::per_page_option( __( 'Entries per page', 'tenant-crm-sync' ) );
		if ( self::is_requests() ) {
			RequestList::load( $tenants, $seen );
		} else {
			self::$table = new LogTable( array( 'entry', 'entries' ), $tenants, Screens::LOG );
			$search      = new LogSearch( $seen, self::level(), Choice::words(), Choice::since() );
			self::$table->find( $search->count(), array( $search, 'page' ) );
		}
		Screens::help(
			'log',
			__( 'Log', 'tenant-crm-sync' ),
			array(
				__( 'Refused rows, failed syncs and portal edits that a newer value of the CRM replaced are named under “Events”.', 'tenant-crm-sync' ),
				__( '“Requests” has each request that was sent to a CRM, every attempt of it. A search also takes a trace id.', 'tenant-crm-sync' ),
				__( 'Only the newest entries are kept. No entry holds a key or another secret.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		printf( '<div class="wrap tcs-wrap tcs-log"><h1>%s</h1>', esc_html__( 'Log', 'tenant-crm-sync' ) );
		self::tabs();
		if ( self::is_requests() ) {
			RequestList::render();
		} elseif ( null !== self::$table ) {
			self::entries( self::$table );
		}
		echo '</div>';
	}

	private static function entries( LogTable $table ): void {
		Choice::open( Screens::LOG );
		Choice::tenant_select( Choice::tenants( Capabilities::SYNC ), __( 'All tenants', 'tenant-crm-sync' ) );
		Choice::select( 'level', __( 'Level', 'tenant-crm-sync' ), array( '' => __( 'All levels', 'tenant-crm-sync' ) ) + Words::levels(), self::level() );
		Choice::select( 'since', __( 'When', 'tenant-crm-sync' ), Choice::times(), Choice::one_of( 'since', Choice::times() ) );
		Choice::close( __( 'Search the log', 'tenant-crm-sync' ) );
		$table->display();
	}

	/** The tenant stays chosen from one list to the other. */
	private static function tabs(): void {
		$chosen = Choice::tenant( Choice::tenants( Capabilities::SYNC ) );
		$args   = $chosen ? array( 'tenant' => $chosen->key ) : array();
		printf( '<nav class="nav-tab-wrapper" aria-label="%s">', esc_attr__( 'Lists', 'tenant-crm-sync' ) );
		foreach ( array(
			''             => __( 'Events', 'tenant-crm-sync' ),
			self::REQUESTS => __( 'Requests', 'tenant-crm-sync' ),
		) as $view => $name ) {
			$is_open = self::is_requests() === ( self::REQUESTS === $view );
			printf(
				'<a class="nav-tab%1$s" href="%2$s"%3$s>%4$s</a>',
				$is_open ? ' nav-tab-active' : '',
				esc_url( Screens::url( Screens::LOG, $args + array_filter( array( self::VIEW => $view ) ) ) ),
				$is_open ? ' aria-current="page"' : '',
				esc_html( $name )
			);
		}
		echo '</nav>';
	}

	private static function is_requests(): bool {
		return self::REQUESTS === Choice::text( self::VIEW );
	}

	private static function level(): string {
		return Choice::one_of( 'level', Words::levels() );
	}
}
