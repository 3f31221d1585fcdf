<?php
/**
 * The screen "Leads": the records of one tenant that the user may see, with search, order and pages.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;

final class LeadsPage {

	/** @var LeadTable|null */
	private static $table = null;

	/** @var array<int, Tenant> */
	private static $tenants = array();

	/** @var Tenant|null */
	private static $tenant = null;

	public static function load(): void {
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		self::$tenants = Choice::tenants( Capabilities::VIEW );
		self::$tenant  = Choice::tenant( self::$tenants ) ?? ( array_values( self::$tenants )[0] ?? null );
		Screens::per_page_option( __( 'Leads per page', 'tenant-crm-sync' ) );
		if ( null !== self::$tenant ) {
			self::$table = new LeadTable();
			self::$table->find( new LeadSearch( self::$tenant->key, Choice::words() ) );
		}
		Screens::help(
			'leads',
			__( 'Leads', 'tenant-crm-sync' ),
			array(
				__( 'The search finds parts of names and e-mail addresses, and whole CRM ids.', 'tenant-crm-sync' ),
				__( 'Users see only leads of the tenants that are ticked on their profile.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		printf( '<div class="wrap tcs-wrap tcs-leads"><h1>%s</h1>', esc_html__( 'Leads', 'tenant-crm-sync' ) );
		if ( null === self::$table || null === self::$tenant ) {
			printf( '<p>%s</p></div>', esc_html__( 'There is no tenant whose leads you may see.', 'tenant-crm-sync' ) );
			return;
		}
		Choice::open( Screens::LEADS );
		Choice::tenant_select( self::$tenants, '', self::$tenant->key );
		Choice::close( __( 'Search leads', 'tenant-crm-sync' ) );
		self::$table->display();
		echo '</div>';
	}
}
