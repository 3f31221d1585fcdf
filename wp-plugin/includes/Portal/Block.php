<?php
/**
 * The block `tenant-crm-sync/leads` and the shortcode `[tenant_crm_leads]`: the shell of a table, the same for everybody who looks at the page.
 *
 * No lead is ever part of a page. The shell is filled by the viewer's own browser from the REST route of LeadsTable, which knows the viewer; so no
 * page cache, proxy, cached widget or exported page can hand one viewer's leads to another, whoever decided about the page's headers and when.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Portal;

use TenantCRM\Plugin;
use TenantCRM\Rest\Routes;

final class Block {

	public const NAME      = 'tenant-crm-sync/leads';
	public const SHORTCODE = 'tenant_crm_leads';

	/** Shells of this page so far: WordPress's own counter counts other things, too, which differ from viewer to viewer. */
	private static int $shells = 0;

	public static function register(): void {
		add_action( 'init', array( self::class, 'add' ) );
	}

	public static function add(): void {
		register_block_type( dirname( Plugin::file() ) . '/blocks/leads', array( 'render_callback' => array( self::class, 'render' ) ) );
		add_shortcode( self::SHORTCODE, array( self::class, 'shortcode' ) );
	}

	/**
	 * @param array<string, mixed> $attributes perPage and columns. Whose leads are shown, no attribute says.
	 */
	public static function render( $attributes ): string {
		$attributes = (array) $attributes;
		$columns    = array_values( array_intersect( array_keys( LeadsTable::columns() ), (array) ( $attributes['columns'] ?? array() ) ) );
		$number     = 'tcs-portal-' . ++self::$shells;
		$data       = array(
			'rest'      => rest_url( Routes::NAMESPACE_V1 . LeadsTable::ROUTE ),
			'nonce'     => admin_url( 'admin-ajax.php?action=rest-nonce', 'relative' ),
			'login-url' => wp_login_url(),
			'per-page'  => (string) max( 5, min( 100, (int) ( $attributes['perPage'] ?? 20 ) ) ),
			'columns'   => implode( ',', $columns ? $columns : LeadsTable::DEFAULT_COLUMNS ),
			'visitor'   => __( 'Log in to see your leads.', 'tenant-crm-sync' ),
			'login'     => __( 'Log in', 'tenant-crm-sync' ),
			'failed'    => __( 'The leads could not be loaded. Check your connection and reload the page.', 'tenant-crm-sync' ),
		);
		$html       = '';
		foreach ( $data as $name => $value ) {
			$html .= sprintf( ' data-%s="%s"', $name, esc_attr( $value ) );
		}
		$class = 'class="tcs-portal"';
		if ( \WP_Block_Supports::$block_to_render ) {
			$class = get_block_wrapper_attributes( array( 'class' => 'tcs-portal' ) );
		}
		return sprintf(
			'<div %1$s%2$s aria-busy="true"><form role="search" aria-label="%3$s"><div><label for="%4$s">%5$s</label><input type="search" id="%4$s" name="search" maxlength="200"></div><button type="submit">%6$s</button></form><p class="tcs-portal-status" role="status">%7$s</p><div class="tcs-portal-place"></div><noscript>%8$s</noscript></div>',
			$class,
			$html,
			esc_attr__( 'Leads', 'tenant-crm-sync' ),
			esc_attr( $number ),
			esc_html__( 'Name or e-mail address', 'tenant-crm-sync' ),
			esc_html__( 'Search', 'tenant-crm-sync' ),
			esc_html__( 'Loading your leads…', 'tenant-crm-sync' ),
			esc_html__( 'Your leads are fetched by a script, so that no cache ever keeps them. Allow JavaScript for this page.', 'tenant-crm-sync' )
		);
	}

	/**
	 * @param mixed $attributes per_page and columns, with commas.
	 */
	public static function shortcode( $attributes ): string {
		$given = shortcode_atts(
			array(
				'per_page' => '20',
				'columns'  => implode( ',', LeadsTable::DEFAULT_COLUMNS ),
			),
			$attributes,
			self::SHORTCODE
		);
		wp_enqueue_script( 'tenant-crm-sync-leads-view-script' );
		wp_enqueue_style( 'tenant-crm-sync-leads-style' );
		return self::render(
			array(
				'perPage' => (int) $given['per_page'],
				'columns' => array_map( 'trim', explode( ',', (string) $given['columns'] ) ),
			)
		);
	}
}
