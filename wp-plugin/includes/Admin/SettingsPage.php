<?php
/**
 * The screen "Health and settings": what Site Health found about the plugin, with what to do; the plugin's options, by WordPress's settings
 * API; and PHP's settings of the extension as they are in use, without secrets. What is looked at is in Health, the options are in Settings.
 */

namespace TenantCRM\Admin;

use TenantCRM\Alerts;
use TenantCRM\Capabilities;
use TenantCRM\Health\DebugInfo;
use TenantCRM\Settings;
use TenantCRM\SiteHealth;
use TenantCRM\Uninstall;

final class SettingsPage {

	/** Option group, and the page of its sections. */
	const GROUP = 'tenant-crm-sync';

	public static function register(): void {
		add_action( 'admin_init', array( __CLASS__, 'settings' ) );
		add_filter( 'option_page_capability_' . self::GROUP, static fn(): string => Capabilities::MANAGE );
	}

	public static function settings(): void {
		foreach ( array( Settings::KEEP_REQUESTS, Settings::KEEP_EVENTS, Settings::INTERVAL ) as $option ) {
			register_setting(
				self::GROUP,
				$option,
				array(
					'type'              => 'integer',
					'default'           => Settings::get( $option ),
					'sanitize_callback' => static fn( $value ): int => Settings::sanitize( $option, $value ),
				)
			);
		}
		register_setting(
			self::GROUP,
			Alerts::OPTION,
			array(
				'type'              => 'string',
				'sanitize_callback' => array( __CLASS__, 'addresses' ),
			)
		);
		register_setting(
			self::GROUP,
			Uninstall::OPTION,
			array(
				'type'              => 'boolean',
				'sanitize_callback' => static fn( $value ): int => empty( $value ) ? 0 : 1,
			)
		);
		add_settings_section( 'tcs-general', '', '__return_null', self::GROUP );
		foreach ( array(
			Settings::INTERVAL      => array( __( 'New tenants are synced', 'tenant-crm-sync' ), 'interval' ),
			Alerts::OPTION          => array( __( 'Tell by e-mail', 'tenant-crm-sync' ), 'alerts' ),
			Settings::KEEP_REQUESTS => array( __( 'Keep requests to CRMs', 'tenant-crm-sync' ), 'keep' ),
			Settings::KEEP_EVENTS   => array( __( 'Keep events', 'tenant-crm-sync' ), 'keep' ),
			Uninstall::OPTION       => array( __( 'When the plugin is deleted', 'tenant-crm-sync' ), 'uninstall' ),
		) as $option => list( $label, $field ) ) {
			add_settings_field(
				$option,
				$label,
				array( __CLASS__, $field ),
				self::GROUP,
				'tcs-general',
				array(
					'label_for' => $option,
					'option'    => $option,
				)
			);
		}
	}

	public static function load(): void {
		Screens::help(
			'settings',
			__( 'Health and settings', 'tenant-crm-sync' ),
			array(
				__( 'The checks are those of Site Health. What is critical stops syncs; the rest makes them slower, or later.', 'tenant-crm-sync' ),
				__( 'PHP’s settings cannot be changed here: they are the host’s, in php.ini or in the pool of PHP-FPM.', 'tenant-crm-sync' ),
			)
		);
	}

	public static function render(): void {
		printf( '<div class="wrap tcs-wrap tcs-settings"><h1>%s</h1>', esc_html__( 'Health and settings', 'tenant-crm-sync' ) );
		settings_errors();
		self::health();
		printf( '<h2 class="title">%s</h2><form method="post" action="%s">', esc_html__( 'Settings', 'tenant-crm-sync' ), esc_url( admin_url( 'options.php' ) ) );
		settings_fields( self::GROUP );
		do_settings_sections( self::GROUP );
		submit_button();
		echo '</form>';
		self::php();
		echo '</div>';
	}

	/** @param array{option: string} $args */
	public static function interval( array $args ): void {
		$present = Settings::get( $args['option'] );
		printf( '<select name="%1$s" id="%1$s">', esc_attr( $args['option'] ) );
		foreach ( TenantForm::intervals( $present ) as $seconds => $name ) {
			printf( '<option value="%d"%s>%s</option>', (int) $seconds, selected( $seconds, $present, false ), esc_html( $name ) );
		}
		printf( '</select><p class="description">%s</p>', esc_html__( 'Each tenant can have a schedule of its own.', 'tenant-crm-sync' ) );
	}

	/** @param array{option: string} $args */
	public static function alerts( array $args ): void {
		$value = get_option( $args['option'], '' );
		printf( '<input type="text" class="regular-text" name="%1$s" id="%1$s" value="%2$s" autocomplete="email"><p class="description">%3$s</p>', esc_attr( $args['option'] ), esc_attr( is_string( $value ) ? $value : '' ), esc_html__( 'When a tenant has been failing for an hour, and when it works again. Several addresses are separated by commas; nobody is told where this is empty.', 'tenant-crm-sync' ) );
	}

	/** @param array{option: string} $args */
	public static function keep( array $args ): void {
		printf(
			'<input type="number" class="small-text" name="%1$s" id="%1$s" value="%2$d" min="1" max="3650"> %3$s<p class="description">%4$s</p>',
			esc_attr( $args['option'] ),
			(int) Settings::get( $args['option'] ),
			esc_html__( 'days', 'tenant-crm-sync' ),
			Settings::KEEP_REQUESTS === $args['option']
				? esc_html__( 'At most 100,000 of them, of which no tenant takes more than its share.', 'tenant-crm-sync' )
				: esc_html__( 'At most 20,000 of them.', 'tenant-crm-sync' )
		);
	}

	/** @param array{option: string} $args */
	public static function uninstall( array $args ): void {
		printf(
			'<label><input type="checkbox" name="%1$s" id="%1$s" value="1"%2$s> %3$s</label><p class="description">%4$s</p>',
			esc_attr( $args['option'] ),
			checked( (bool) get_option( $args['option'] ), true, false ),
			esc_html__( 'Delete all of its data, the synced leads too', 'tenant-crm-sync' ),
			esc_html__( 'Without this everything stays, also the tenants’ sealed credentials. Deactivating the plugin deletes nothing in any case.', 'tenant-crm-sync' )
		);
	}

	/**
	 * What is no address is named, and not stored.
	 *
	 * @param mixed $value
	 */
	public static function addresses( $value ): string {
		$kept  = Alerts::sanitize( $value );
		$given = preg_split( '/[\s,;]+/', is_string( $value ) ? $value : '', -1, PREG_SPLIT_NO_EMPTY );
		if ( count( (array) $given ) > ( '' === $kept ? 0 : count( explode( ',', $kept ) ) ) ) {
			add_settings_error( Alerts::OPTION, 'tcs-address', __( 'One of the addresses for alerts is no e-mail address, or is there twice; it was left out.', 'tenant-crm-sync' ) );
		}
		return $kept;
	}

	/** The worst first. */
	private static function health(): void {
		$order   = array( 'critical', 'recommended', 'good' );
		$results = SiteHealth::results();
		uasort( $results, static fn( array $a, array $b ): int => array_search( $a['status'], $order, true ) <=> array_search( $b['status'], $order, true ) );
		printf( '<h2 class="title">%s</h2><table class="widefat striped tcs-checks"><thead><tr><th scope="col">%s</th><th scope="col">%s</th></tr></thead><tbody>', esc_html__( 'Health', 'tenant-crm-sync' ), esc_html__( 'State', 'tenant-crm-sync' ), esc_html__( 'What was found, and what to do', 'tenant-crm-sync' ) );
		$names = array(
			'critical'    => __( 'Critical', 'tenant-crm-sync' ),
			'recommended' => __( 'Advice', 'tenant-crm-sync' ),
			'good'        => __( 'Good', 'tenant-crm-sync' ),
		);
		foreach ( $results as $result ) {
			printf(
				'<tr><td><span class="tcs-check" data-status="%1$s">%2$s</span></td><td><strong>%3$s</strong>%4$s</td></tr>',
				esc_attr( $result['status'] ),
				esc_html( $names[ $result['status'] ] ?? $result['status'] ),
				esc_html( $result['label'] ),
				wp_kses_post( $result['description'] )
			);
		}
		echo '</tbody></table>';
		if ( current_user_can( 'view_site_health_checks' ) ) {
			printf( '<p><a href="%s">%s</a></p>', esc_url( admin_url( 'site-health.php' ) ), esc_html__( 'Site Health of the whole site', 'tenant-crm-sync' ) );
		}
	}

	/** INI as this process has it, and what came of it. */
	private static function php(): void {
		printf( '<h2 class="title">%1$s</h2><details><summary>%2$s</summary><div class="tcs-ini"><table class="widefat striped"><thead><tr><th scope="col">%3$s</th><th scope="col">%4$s</th></tr></thead><tbody>', esc_html__( 'PHP', 'tenant-crm-sync' ), esc_html__( 'Settings of the extension in use', 'tenant-crm-sync' ), esc_html__( 'Setting', 'tenant-crm-sync' ), esc_html__( 'Value', 'tenant-crm-sync' ) );
		foreach ( (array) ini_get_all( 'tenant_crm_sync', false ) as $name => $value ) {
			printf( '<tr><td><code>%s</code></td><td>%s</td></tr>', esc_html( (string) $name ), esc_html( self::redacted( (string) $value ) ) );
		}
		foreach ( DebugInfo::add( array() )['tenant-crm-sync']['fields'] as $field ) {
			printf( '<tr><td>%s</td><td>%s</td></tr>', esc_html( $field['label'] ), esc_html( self::redacted( (string) $field['value'] ) ) );
		}
		echo '</tbody></table></div></details>';
	}

	/** An address without the password in it. */
	private static function redacted( string $value ): string {
		return (string) preg_replace( '~(\w+://)[^/@\s]*@~', '$1***@', $value );
	}
}
