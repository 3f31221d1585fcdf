<?php
/**
 * The menu "CRM Sync": which screens there are, who may open them, and their script and style. What a screen shows is its page class's
 * business.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Plugin;

final class Screens {

	const OVERVIEW  = 'tenant-crm-sync';
	const LEADS     = 'tenant-crm-sync-leads';
	const LOG       = 'tenant-crm-sync-log';
	const CONFLICTS = 'tenant-crm-sync-conflicts';
	const REFUSED   = 'tenant-crm-sync-refused';
	const TENANT    = 'tenant-crm-sync-tenant';
	const SETTINGS  = 'tenant-crm-sync-settings';

	/** Hooks of everything in this folder; none of them fires outside of the admin. */
	public static function register(): void {
		add_action( 'admin_menu', array( __CLASS__, Plugin::is_ready() ? 'menu' : 'menu_without_extension' ) );
		add_action( 'admin_enqueue_scripts', array( __CLASS__, 'style' ) );
		add_filter( 'set_screen_option_tenant_crm_per_page', array( __CLASS__, 'keep_per_page' ), 10, 3 );
		add_filter( 'plugin_action_links_tenant-crm-sync/tenant-crm-sync.php', array( __CLASS__, 'plugin_links' ) );
		Notices::register();
		// Without the extension there is the notice, and nothing else.
		if ( Plugin::is_ready() ) {
			Actions::register();
			LeadPost::register();
			UserProfile::register();
			MembersPanel::register();
			SettingsPage::register();
		}
	}

	public static function menu(): void {
		$pages = array(
			self::OVERVIEW  => array( __( 'Overview', 'tenant-crm-sync' ), Capabilities::SYNC, OverviewPage::class ),
			self::LEADS     => array( __( 'Leads', 'tenant-crm-sync' ), Capabilities::VIEW, LeadsPage::class ),
			self::CONFLICTS => array( __( 'Conflicts', 'tenant-crm-sync' ), Capabilities::SYNC, ConflictsPage::class ),
			self::REFUSED   => array( __( 'Refused rows', 'tenant-crm-sync' ), Capabilities::SYNC, RefusedPage::class ),
			self::LOG       => array( __( 'Log', 'tenant-crm-sync' ), Capabilities::SYNC, LogPage::class ),
			self::TENANT    => array( __( 'Add tenant', 'tenant-crm-sync' ), Capabilities::MANAGE, TenantPage::class ),
			self::SETTINGS  => array( __( 'Health and settings', 'tenant-crm-sync' ), Capabilities::MANAGE, SettingsPage::class ),
		);
		add_menu_page(
			__( 'CRM Sync', 'tenant-crm-sync' ),
			__( 'CRM Sync', 'tenant-crm-sync' ),
			Capabilities::SYNC,
			self::OVERVIEW,
			array( OverviewPage::class, 'render' ),
			'dashicons-update',
			58
		);
		foreach ( $pages as $slug => list( $title, $capability, $page ) ) {
			$hook = add_submenu_page( self::OVERVIEW, $title, $title, $capability, $slug, array( $page, 'render' ) );
			if ( false !== $hook ) {
				add_action( 'load-' . $hook, array( $page, 'load' ) );
			}
		}
	}

	/** One screen that says what is missing. The capability is WordPress's own: ours may never have been given out. */
	public static function menu_without_extension(): void {
		add_menu_page(
			__( 'CRM Sync', 'tenant-crm-sync' ),
			__( 'CRM Sync', 'tenant-crm-sync' ),
			'activate_plugins',
			self::OVERVIEW,
			static function (): void {
				printf(
					'<div class="wrap"><h1>%s</h1><p>%s</p></div>',
					esc_html__( 'CRM Sync', 'tenant-crm-sync' ),
					esc_html__( 'Tenants, leads and the log are shown again as soon as there is an extension that fits.', 'tenant-crm-sync' )
				);
			},
			'dashicons-update',
			58
		);
	}

	/** @param array<string, scalar> $args Values are encoded here. */
	public static function url( string $slug, array $args = array() ): string {
		return add_query_arg( array( 'page' => $slug ) + array_map( 'rawurlencode', array_map( 'strval', $args ) ), admin_url( 'admin.php' ) );
	}

	/** Where refused records are looked at and tried again; of one tenant, or of all. */
	public static function refused_url( int $tenant = 0 ): string {
		return self::url( self::REFUSED, $tenant ? array( 'tenant' => $tenant ) : array() );
	}

	/** Whether the open screen is one of ours; null-safe for early hooks. */
	public static function is_ours(): bool {
		$screen = function_exists( 'get_current_screen' ) ? get_current_screen() : null;
		return null !== $screen && ( false !== strpos( $screen->id, 'tenant-crm-sync' ) || Capabilities::POST_TYPE === $screen->post_type );
	}

	public static function style(): void {
		if ( self::is_ours() ) {
			wp_enqueue_style( 'tenant-crm-sync', self::asset( 'admin.css' ), array(), self::version( 'admin.css' ) );
		}
	}

	/** The browser scripts of the Overview, with what they need to know. */
	public static function script( array $settings ): void {
		wp_enqueue_script( 'tenant-crm-sync-progress', self::asset( 'progress.js' ), array( 'wp-i18n' ), self::version( 'progress.js' ), true );
		wp_set_script_translations( 'tenant-crm-sync-progress', 'tenant-crm-sync' );
		wp_add_inline_script(
			'tenant-crm-sync-progress',
			// Tags and quotes are hex-escaped: a tenant's name cannot end the script.
			'window.tenantCrmSync = ' . wp_json_encode( $settings, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT ) . ';',
			'before'
		);
		wp_enqueue_script( 'tenant-crm-sync', self::asset( 'sync.js' ), array( 'tenant-crm-sync-progress', 'wp-api-fetch', 'wp-i18n', 'wp-a11y' ), self::version( 'sync.js' ), true );
		wp_set_script_translations( 'tenant-crm-sync', 'tenant-crm-sync' );
	}

	/** Screen option "per page" of the list tables. */
	public static function per_page_option( string $label ): void {
		add_screen_option(
			'per_page',
			array(
				'label'   => $label,
				'default' => 20,
				'option'  => 'tenant_crm_per_page',
			)
		);
	}

	/**
	 * @param mixed $keep
	 * @param mixed $value
	 */
	public static function keep_per_page( $keep, string $option, $value ): int {
		return max( 1, min( 200, (int) $value ) );
	}

	/** A help tab of paragraphs. */
	public static function help( string $id, string $title, array $paragraphs ): void {
		get_current_screen()->add_help_tab(
			array(
				'id'      => 'tenant-crm-' . $id,
				'title'   => $title,
				'content' => implode( '', array_map( static fn( $text ) => '<p>' . esc_html( $text ) . '</p>', $paragraphs ) ),
			)
		);
	}

	/**
	 * @param array<string, string> $links
	 * @return array<string, string>
	 */
	public static function plugin_links( $links ) {
		if ( Plugin::is_ready() && current_user_can( Capabilities::SYNC ) ) {
			$links['overview'] = sprintf( '<a href="%s">%s</a>', esc_url( self::url( self::OVERVIEW ) ), esc_html__( 'Overview', 'tenant-crm-sync' ) );
		}
		if ( Plugin::is_ready() && current_user_can( Capabilities::MANAGE ) ) {
			$links['settings'] = sprintf( '<a href="%s">%s</a>', esc_url( self::url( self::SETTINGS ) ), esc_html__( 'Settings', 'tenant-crm-sync' ) );
		}
		return $links;
	}

	public static function asset( string $file ): string {
		return plugins_url( 'assets/' . $file, Plugin::file() );
	}

	/** The file's time, so that browsers fetch it anew after an update. */
	public static function version( string $file ): string {
		return (string) filemtime( dirname( Plugin::file() ) . '/assets/' . $file );
	}
}
