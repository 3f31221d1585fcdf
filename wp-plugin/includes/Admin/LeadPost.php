<?php
/**
 * Leads in WordPress's own list of posts and its edit screen, for those who manage tenants: the type gets these two screens (no menu entry,
 * no "Add new"), columns, and boxes with what is stored of a lead and where it comes from. Everything is printed escaped: a CRM's fields are
 * whatever a stranger typed into some form. Storing a changed title is WordPress's business, noticing it that of TwoWay\Hooks, or of the
 * store's next batch.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Explain;

final class LeadPost {

	public static function register(): void {
		$type = Capabilities::POST_TYPE;
		if ( is_admin() ) {
			add_filter( "register_{$type}_post_type_args", array( __CLASS__, 'screens' ) );
		}
		add_filter( 'parent_file', array( __CLASS__, 'open_menu' ) );
		add_filter( "manage_{$type}_posts_columns", array( __CLASS__, 'columns' ) );
		add_action( "manage_{$type}_posts_custom_column", array( __CLASS__, 'column' ), 10, 2 );
		add_action( "add_meta_boxes_{$type}", array( __CLASS__, 'boxes' ) );
	}

	/**
	 * @param array<string, mixed> $args
	 * @return array<string, mixed>
	 */
	public static function screens( $args ) {
		// A type that the site registered itself says what it wants.
		if ( isset( $args['capability_type'] ) && array( 'crm_lead', 'crm_leads' ) === $args['capability_type'] ) {
			$args['show_ui']       = true;
			$args['labels']       += array(
				'edit_item'    => __( 'Edit lead', 'tenant-crm-sync' ),
				'search_items' => __( 'Search leads', 'tenant-crm-sync' ),
				'not_found'    => __( 'No leads found.', 'tenant-crm-sync' ),
			);
			$args['capabilities'] = array( 'create_posts' => 'do_not_allow' );
		}
		return $args;
	}

	/** Shows the menu "CRM Sync" open on the two screens. */
	public static function open_menu( $file ) {
		global $submenu_file;
		if ( Capabilities::POST_TYPE === ( get_current_screen()->post_type ?? '' ) ) {
			$submenu_file = Screens::LEADS; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- what the filter is for.
			return Screens::OVERVIEW;
		}
		return $file;
	}

	/**
	 * @param array<string, string> $columns
	 * @return array<string, string>
	 */
	public static function columns( $columns ) {
		$ours = array(
			'tcs_tenant' => __( 'Tenant', 'tenant-crm-sync' ),
			'tcs_email'  => __( 'E-mail', 'tenant-crm-sync' ),
		);
		$end  = array_intersect_key( $columns, array( 'date' => 1 ) );
		return array_diff_key( $columns, $end ) + $ours + $end;
	}

	/**
	 * @param string $column
	 * @param int    $post_id
	 */
	public static function column( $column, $post_id ): void {
		if ( 'tcs_tenant' === $column ) {
			echo esc_html( self::tenant_name( (int) $post_id ) );
		} elseif ( 'tcs_email' === $column ) {
			echo esc_html( self::text( get_post_meta( (int) $post_id, 'email', true ) ) );
		}
	}

	public static function boxes(): void {
		wp_enqueue_style( 'tenant-crm-sync-panels', Screens::asset( 'panels.css' ), array(), Screens::version( 'panels.css' ) );
		add_meta_box( 'tcs-lead', __( 'What the portal has', 'tenant-crm-sync' ), array( __CLASS__, 'box' ), Capabilities::POST_TYPE, 'normal', 'high' );
		add_meta_box( 'tcs-explain', __( 'Where the values come from', 'tenant-crm-sync' ), array( __CLASS__, 'explain' ), Capabilities::POST_TYPE, 'normal' );
	}

	public static function box( \WP_Post $post ): void {
		echo '<table class="widefat striped tcs-fields"><tbody>';
		self::row( __( 'Tenant', 'tenant-crm-sync' ), self::tenant_name( $post->ID ) );
		foreach ( (array) get_post_meta( $post->ID ) as $name => $values ) {
			if ( ! is_protected_meta( $name, 'post' ) ) {
				foreach ( (array) $values as $value ) {
					self::row( (string) $name, self::text( maybe_unserialize( $value ) ) );
				}
			}
		}
		echo '</tbody></table>';
	}

	public static function explain( \WP_Post $post ): void {
		try {
			$fields = Explain::post( $post->ID );
		} catch ( \Exception $error ) {
			echo '<p>' . esc_html( $error->getMessage() ) . '</p>';
			return;
		}
		if ( null === $fields ) {
			echo '<p>' . esc_html__( 'This lead is not synced yet.', 'tenant-crm-sync' ) . '</p>';
			return;
		}
		printf( '<table class="widefat striped tcs-explain"><thead><tr><th scope="col">%s</th><th scope="col">%s</th><th scope="col">%s</th></tr></thead><tbody>', esc_html__( 'Field', 'tenant-crm-sync' ), esc_html__( 'Value', 'tenant-crm-sync' ), esc_html__( 'Source, rule and time', 'tenant-crm-sync' ) );
		foreach ( $fields as $field ) {
			$user = $field['who'] ? get_userdata( $field['who'] ) : false;
			$when = array_filter( array( Words::time( $field['time'] ), '' === Words::time( $field['time'] ) ? '' : Words::ago( $field['time'] ), $user ? $user->display_name : '' ) );
			printf( '<tr><th scope="row">%s</th><td>%s</td><td><span class="tcs-side" data-side="%s">%s</span> %s<span class="tcs-muted">%s</span></td></tr>', esc_html( $field['field'] ), esc_html( self::text( $field['value'] ?? '' ) ), esc_attr( $field['source'] ), esc_html( self::sources()[ $field['source'] ] ?? $field['source'] ), esc_html( $field['rule'] ), esc_html( implode( ' · ', $when ) ) );
		}
		echo '</tbody></table>';
	}

	/** @return array<string, string> */
	private static function sources(): array {
		return array(
			'crm'    => __( 'From the CRM', 'tenant-crm-sync' ),
			'portal' => __( 'From the portal', 'tenant-crm-sync' ),
			'both'   => __( 'From both', 'tenant-crm-sync' ),
		);
	}

	private static function row( string $name, string $value ): void {
		printf( '<tr><th scope="row">%s</th><td>%s</td></tr>', esc_html( $name ), esc_html( $value ) );
	}

	private static function tenant_name( int $post_id ): string {
		$key    = Capabilities::tenant_key_of( $post_id );
		$tenant = null === $key ? null : Tenants::get( $key );
		if ( null === $tenant ) {
			return __( 'none (not synced by this plugin)', 'tenant-crm-sync' );
		}
		return '' === $tenant->label ? $tenant->id : $tenant->label;
	}

	/**
	 * Lists and nested values as JSON, other values as they are.
	 *
	 * @param mixed $value
	 */
	private static function text( $value ): string {
		return is_scalar( $value ) ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	}
}
