<?php
/**
 * "Who sees the leads" on a tenant's screen: the roles whose users belong to the tenant, to tick, and the people who have it in their own list,
 * which is changed on their profile. Who belongs to what is decided in Capabilities.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class MembersPanel {

	const ACTION = 'tenant_crm_members';

	/** People who are named; more are counted. */
	const NAMED = 20;

	public static function register(): void {
		add_action( 'admin_post_' . self::ACTION, array( __CLASS__, 'handle' ) );
	}

	public static function render( Tenant $tenant ): void {
		TenantSections::heading( 'members', __( 'Who sees the leads', 'tenant-crm-sync' ), __( 'Whoever belongs to the tenant and has the capability view_tenant_leads, as the role CRM portal user has it. Who manages tenants sees all of them.', 'tenant-crm-sync' ) );
		printf( '<form method="post" action="%s"><input type="hidden" name="action" value="%s"><input type="hidden" name="tenant" value="%d">', esc_url( admin_url( 'admin-post.php' ) ), esc_attr( self::ACTION ), (int) $tenant->key );
		wp_nonce_field( self::nonce( $tenant->key ) );
		printf( '<table class="form-table" role="presentation"><tr><th scope="row">%s</th><td><fieldset><legend class="screen-reader-text">%s</legend>', esc_html__( 'All users of these roles', 'tenant-crm-sync' ), esc_html__( 'All users of these roles', 'tenant-crm-sync' ) );
		$mine = Capabilities::roles_of( $tenant->id );
		foreach ( wp_roles()->roles as $name => $role ) {
			if ( empty( $role['capabilities'][ Capabilities::MANAGE ] ) ) {
				printf( '<p><label><input type="checkbox" name="roles[]" value="%s"%s> %s</label></p>', esc_attr( (string) $name ), checked( in_array( (string) $name, $mine, true ), true, false ), esc_html( translate_user_role( $role['name'] ) ) );
			}
		}
		printf( '</fieldset></td></tr><tr><th scope="row">%s</th><td>', esc_html__( 'People', 'tenant-crm-sync' ) );
		self::people( $tenant );
		printf( '</td></tr></table><p><button class="button" id="tcs-members">%s</button></p></form>', esc_html__( 'Save roles', 'tenant-crm-sync' ) );
	}

	/** A posted form. */
	public static function handle(): void {
		$key = isset( $_POST['tenant'] ) ? absint( $_POST['tenant'] ) : 0;
		if ( 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			wp_die( esc_html__( 'This address only takes forms of the CRM Sync screens.', 'tenant-crm-sync' ), '', array( 'response' => 405 ) );
		}
		check_admin_referer( self::nonce( $key ) );
		if ( ! current_user_can( Capabilities::MANAGE ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		$tenant = Tenants::get( $key );
		$roles  = isset( $_POST['roles'] ) && is_array( $_POST['roles'] ) ? array_map( 'sanitize_text_field', array_filter( wp_unslash( $_POST['roles'] ), 'is_string' ) ) : array(); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- sanitized one by one.
		if ( ! $tenant ) {
			wp_safe_redirect( Screens::url( Screens::OVERVIEW, array( Notices::QUERY => 'unknown' ) ) );
			exit;
		}
		// A role that is gone since the form was opened is nobody's any more.
		Capabilities::assign_roles( $tenant->id, array_values( array_intersect( $roles, array_map( 'strval', array_keys( wp_roles()->roles ) ) ) ) );
		wp_safe_redirect( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key, Notices::QUERY => 'members' ) ) . '#members' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		exit;
	}

	private static function people( Tenant $tenant ): void {
		// The list is stored serialized: what looks alike is looked at whole, since ids are compared bytewise.
		$found = get_users(
			array(
				'meta_key'     => Capabilities::user_meta(), // phpcs:ignore WordPress.DB.SlowDBQuery -- on this screen alone.
				'meta_value'   => '"' . $tenant->id . '"', // phpcs:ignore WordPress.DB.SlowDBQuery -- the same.
				'meta_compare' => 'LIKE',
				'number'       => 1000,
				'orderby'      => 'display_name',
			)
		);
		$users = array_values( array_filter( $found, static fn( \WP_User $user ): bool => in_array( $tenant->id, (array) get_user_meta( $user->ID, Capabilities::user_meta(), true ), true ) ) );
		$named = array();
		foreach ( array_slice( $users, 0, self::NAMED ) as $user ) {
			$link    = get_edit_user_link( $user->ID );
			$named[] = '' === $link ? esc_html( $user->display_name ) : sprintf( '<a href="%s">%s</a>', esc_url( $link ), esc_html( $user->display_name ) );
		}
		echo $named ? implode( ', ', $named ) : esc_html__( 'Nobody has this tenant in their own list.', 'tenant-crm-sync' ); // phpcs:ignore WordPress.Security.EscapeOutput -- escaped one by one.
		if ( count( $users ) > self::NAMED ) {
			/* translators: %s: number of people */
			echo ' ', esc_html( sprintf( _n( 'and %s more', 'and %s more', count( $users ) - self::NAMED, 'tenant-crm-sync' ), number_format_i18n( count( $users ) - self::NAMED ) ) );
		}
		printf( '<p class="description">%s</p>', esc_html__( 'Set on each person’s profile, under CRM Sync.', 'tenant-crm-sync' ) );
	}

	private static function nonce( int $key ): string {
		return 'tenant-crm-members-' . $key;
	}
}
