<?php
/**
 * The screen "Leads": the records of the tenants that the user may see, with how each stands with its CRM, search, order and pages.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;

final class LeadsPage {

	/** @var LeadTable|null */
	private static $table = null;

	/** @var array<int, Tenant> */
	private static $tenants = array();

	/** @var int How many leads the CRMs have never had. */
	private static $unsent = 0;

	public static function load(): void {
		require_once ABSPATH . 'wp-admin/includes/class-wp-list-table.php';
		self::$tenants = Choice::tenants( Capabilities::VIEW );
		$chosen        = Choice::tenant( self::$tenants );
		$search        = new LeadSearch( $chosen ? array( $chosen->key ) : array_keys( self::$tenants ), Choice::words(), self::stands() );
		self::$unsent  = $search->count_new();
		self::$table   = new LeadTable( $chosen ? array( $chosen->key => $chosen ) : self::$tenants );
		self::$table->find( $search, LeadSearch::UNSENT === self::stands() );
		Screens::per_page_option( __( 'Leads per page', 'tenant-crm-sync' ) );
		Screens::help(
			'leads',
			__( 'Leads', 'tenant-crm-sync' ),
			array(
				__( 'The search finds parts of names and e-mail addresses, and whole CRM ids.', 'tenant-crm-sync' ),
				__( 'Users see only leads of the tenants that are ticked on their profile.', 'tenant-crm-sync' ),
			)
		);
		Screens::help(
			'standings',
			__( 'The column “Sync”', 'tenant-crm-sync' ),
			array(
				__( 'Linked: portal and CRM agree. Changed here, new here: it goes to the CRM with the next sync. On its way: sent, and not confirmed yet.', 'tenant-crm-sync' ),
				__( 'Refused: one side did not take it, and says why. Conflict: both sides changed the same field, and a person decides. Gone there: the CRM has deleted it, or is being asked whether it has.', 'tenant-crm-sync' ),
				__( 'Where leads only come from the CRM, they are linked, whatever is changed on the portal: the CRM’s next change of them counts.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		printf( '<div class="wrap tcs-wrap tcs-leads"><h1>%s</h1>', esc_html__( 'Leads', 'tenant-crm-sync' ) );
		if ( null === self::$table || ! self::$tenants ) {
			printf( '<p>%s</p></div>', esc_html__( 'There is no tenant whose leads you may see.', 'tenant-crm-sync' ) );
			return;
		}
		Choice::open( Screens::LEADS );
		Choice::tenant_select( self::$tenants, __( 'All tenants', 'tenant-crm-sync' ) );
		Choice::select( 'sync', __( 'Sync', 'tenant-crm-sync' ), array( '' => __( 'All', 'tenant-crm-sync' ) ) + LeadTable::standings(), self::stands() );
		Choice::close( __( 'Search leads', 'tenant-crm-sync' ) );
		if ( self::$unsent && LeadSearch::UNSENT !== self::stands() ) {
			printf(
				'<p>%s <a href="%s">%s</a></p>',
				/* translators: %s: number of leads */
				esc_html( sprintf( _n( '%s lead of the portal is not in its CRM yet.', '%s leads of the portal are not in their CRMs yet.', self::$unsent, 'tenant-crm-sync' ), number_format_i18n( self::$unsent ) ) ),
				esc_url( Screens::url( Screens::LEADS, array_filter( array( 'sync' => LeadSearch::UNSENT, 'tenant' => Choice::tenant( self::$tenants )->key ?? 0 ) ) ) ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
				esc_html__( 'Show', 'tenant-crm-sync' )
			);
		}
		self::$table->display();
		echo '</div>';
	}

	private static function stands(): string {
		return Choice::one_of( 'sync', LeadTable::standings() );
	}
}
