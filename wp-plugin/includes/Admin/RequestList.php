<?php
/**
 * The list "Requests" of the screen "Log": every request to a CRM, with filters by tenant, outcome, status, method, time and words. Whose
 * may be seen says LogPage.
 */

namespace TenantCRM\Admin;

use TenantCRM\AttemptSearch;
use TenantCRM\Capabilities;
use TenantCRM\Counters;
use TenantCRM\Tenant;

final class RequestList {

	/** @var RequestTable|null */
	private static $table = null;

	/**
	 * @param array<int, Tenant> $tenants By key, for their names.
	 * @param list<int>|null     $seen    Keys of those whose requests are shown; null: all.
	 */
	public static function load( array $tenants, ?array $seen ): void {
		$filter = array(
			'words' => Choice::words(),
			'run'   => Choice::text( 'run' ),
		);
		foreach ( self::filters() as $name => list( , $options ) ) {
			$filter[ $name ] = Choice::one_of( $name, $options );
		}
		$filter['since'] = Choice::since();
		self::$table = new RequestTable( array( 'request', 'requests' ), $tenants, Screens::LOG, array( LogPage::VIEW => LogPage::REQUESTS ) );
		$search      = new AttemptSearch( $seen, $filter );
		self::$table->find( $search->count(), array( $search, 'page' ) );
	}

	public static function render(): void {
		if ( null === self::$table ) {
			return;
		}
		Choice::open( Screens::LOG );
		printf( '<input type="hidden" name="%s" value="%s">', esc_attr( LogPage::VIEW ), esc_attr( LogPage::REQUESTS ) );
		if ( ctype_digit( Choice::text( 'run' ) ) ) {
			printf( '<div><label for="tcs-run">%s</label><input type="number" min="1" class="small-text" name="run" id="tcs-run" value="%s"></div>', esc_html__( 'Sync', 'tenant-crm-sync' ), esc_attr( Choice::text( 'run' ) ) );
		}
		Choice::tenant_select( Choice::tenants( Capabilities::SYNC ), __( 'All tenants', 'tenant-crm-sync' ) );
		foreach ( self::filters() as $name => list( $label, $options ) ) {
			Choice::select( $name, $label, $options, Choice::one_of( $name, $options ) );
		}
		Choice::close( __( 'Search addresses and failures', 'tenant-crm-sync' ) );
		self::$table->display();
	}

	/** @return array<string, array{0: string, 1: array<string, string>}> Label and choices, by name. */
	private static function filters(): array {
		$methods = array( 'GET', 'POST', 'PATCH', 'PUT', 'DELETE' );
		return array(
			'outcome' => array(
				__( 'Outcome', 'tenant-crm-sync' ),
				array(
					''                    => __( 'All outcomes', 'tenant-crm-sync' ),
					AttemptSearch::FAILED => __( 'All failures', 'tenant-crm-sync' ),
				) + array_combine( Counters::OUTCOMES, Counters::OUTCOMES ),
			),
			'status'  => array(
				__( 'Status', 'tenant-crm-sync' ),
				array(
					''    => __( 'Any', 'tenant-crm-sync' ),
					'2xx' => '2xx',
					'3xx' => '3xx',
					'4xx' => '4xx',
					'5xx' => '5xx',
				),
			),
			'method'  => array( __( 'Method', 'tenant-crm-sync' ), array( '' => __( 'Any', 'tenant-crm-sync' ) ) + array_combine( $methods, $methods ) ),
			'since'   => array( __( 'When', 'tenant-crm-sync' ), Choice::times() ),
		);
	}
}
