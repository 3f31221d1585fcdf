<?php
/**
 * "CRM tenants" on a user's profile: whose leads that user may see. Only those who manage tenants see and change it, and nobody else can
 * by posting the field: the capability is asked again when it is saved.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenants;

final class UserProfile {

	const FIELD = 'tenant_crm_tenants';
	const NONCE = 'tenant-crm-user';

	public static function register(): void {
		add_action( 'show_user_profile', array( __CLASS__, 'show' ) );
		add_action( 'edit_user_profile', array( __CLASS__, 'show' ) );
		add_action( 'personal_options_update', array( __CLASS__, 'save' ) );
		add_action( 'edit_user_profile_update', array( __CLASS__, 'save' ) );
	}

	public static function show( \WP_User $user ): void {
		if ( ! current_user_can( Capabilities::MANAGE ) ) {
			return;
		}
		echo '<h2>' . esc_html__( 'CRM Sync', 'tenant-crm-sync' ) . '</h2><table class="form-table" role="presentation"><tr><th scope="row">';
		echo esc_html__( 'CRM tenants', 'tenant-crm-sync' ) . '</th><td>';
		if ( user_can( $user, Capabilities::MANAGE ) ) {
			echo '<p>' . esc_html__( 'This user manages tenants and sees the leads of all of them.', 'tenant-crm-sync' ) . '</p></td></tr></table>';
			return;
		}
		wp_nonce_field( self::NONCE, self::NONCE );
		$mine = self::stored( $user->ID );
		printf( '<fieldset><legend class="screen-reader-text">%s</legend>', esc_html__( 'CRM tenants', 'tenant-crm-sync' ) );
		foreach ( Tenants::all() as $tenant ) {
			printf(
				'<p><label><input type="checkbox" name="%s[]" value="%d"%s> %s</label></p>',
				esc_attr( self::FIELD ),
				(int) $tenant->key,
				checked( in_array( $tenant->id, $mine, true ), true, false ),
				esc_html( '' === $tenant->label ? $tenant->id : $tenant->label )
			);
		}
		echo '</fieldset><p class="description">' . esc_html__( 'With the capability view_tenant_leads this user sees the leads of these tenants, and of no other.', 'tenant-crm-sync' ) . '</p></td></tr></table>';
	}

	public static function save( int $user_id ): void {
		if ( ! isset( $_POST[ self::NONCE ] ) || ! current_user_can( Capabilities::MANAGE ) || ! current_user_can( 'edit_user', $user_id ) ) {
			return;
		}
		check_admin_referer( self::NONCE, self::NONCE );
		$keys  = isset( $_POST[ self::FIELD ] ) && is_array( $_POST[ self::FIELD ] ) ? array_map( 'absint', $_POST[ self::FIELD ] ) : array();
		$ids   = array();
		$known = array();
		foreach ( Tenants::all() as $tenant ) {
			$known[] = $tenant->id;
			if ( in_array( $tenant->key, $keys, true ) ) {
				$ids[] = $tenant->id;
			}
		}
		// Ids whose tenant is not here now (a deleted one, or one of the site's own code) were not on the form: they stay.
		Capabilities::assign( $user_id, array_merge( $ids, array_diff( self::stored( $user_id ), $known ) ) );
	}

	/** @return list<string> What is in the meta, without what the filter adds. */
	private static function stored( int $user_id ): array {
		$ids = get_user_meta( $user_id, Capabilities::user_meta(), true );
		return is_array( $ids ) ? array_values( array_map( 'strval', $ids ) ) : array();
	}
}
