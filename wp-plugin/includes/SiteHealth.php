<?php
/**
 * Site Health: which checks there are, for WordPress's screen, our own and the command `doctor`. What they look at is in Health\Host and
 * Health\Work, the debug information in Health\DebugInfo. Everything only reads, and says what to do about what it finds.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class SiteHealth {

	/** Check => who does it, and whether it can be done without the extension. */
	private const CHECKS = array(
		'extension' => array( Health\Host::class, true ),
		'key'       => array( Health\Host::class, false ),
		'https'     => array( Health\Host::class, false ),
		'clock'     => array( Health\Host::class, false ),
		'limits'    => array( Health\Host::class, false ),
		'redis'     => array( Health\Host::class, false ),
		'log'       => array( Health\Host::class, false ),
		'tables'    => array( Health\Work::class, false ),
		'jobs'      => array( Health\Work::class, false ),
		'workers'   => array( Health\Work::class, false ),
		'tokens'    => array( Health\Work::class, false ),
		'webhooks'  => array( Health\Work::class, false ),
		'failing'   => array( Health\Work::class, false ),
	);

	/** These read our tables, and have nothing to say while they are missing; `tables` says it. */
	private const OF_TABLES = array( 'jobs', 'tokens', 'webhooks', 'failing' );

	public static function register(): void {
		add_filter( 'site_status_tests', array( self::class, 'tests' ) );
		add_filter( 'debug_information', array( Health\DebugInfo::class, 'add' ) );
	}

	/**
	 * @param mixed $tests
	 * @return array<string, array<string, array<string, mixed>>>
	 */
	public static function tests( $tests ): array {
		$tests  = is_array( $tests ) ? $tests : array();
		$labels = self::labels();
		foreach ( self::names() as $name ) {
			$tests['direct'][ "tenant_crm_$name" ] = array(
				'label' => $labels[ $name ],
				'test'  => static fn(): array => self::result( $name ),
			);
		}
		return $tests;
	}

	/** @return array<string, array<string, mixed>> By check, as WordPress wants them. */
	public static function results(): array {
		$names = self::names();
		return array_combine( $names, array_map( array( self::class, 'result' ), $names ) );
	}

	/** @return array<string, mixed> */
	public static function result( string $name ): array {
		return self::CHECKS[ $name ][0]::$name() + array( 'test' => "tenant_crm_$name" );
	}

	/** @return list<string> Those that can be done just now. */
	private static function names(): array {
		$checks = Plugin::is_ready() ? self::CHECKS : array_filter( self::CHECKS, static fn( array $check ): bool => $check[1] );
		$names  = array_keys( $checks );
		return Plugin::is_ready() && ! Schema::is_current() ? array_values( array_diff( $names, self::OF_TABLES ) ) : $names;
	}

	/** @return array<string, string> */
	private static function labels(): array {
		return array(
			'extension' => __( 'CRM Sync extension', 'tenant-crm-sync' ),
			'key'       => __( 'CRM Sync host key', 'tenant-crm-sync' ),
			'https'     => __( 'CRM Sync and HTTPS', 'tenant-crm-sync' ),
			'clock'     => __( 'CRM Sync clocks', 'tenant-crm-sync' ),
			'limits'    => __( 'CRM Sync shared memory', 'tenant-crm-sync' ),
			'redis'     => __( 'CRM Sync Redis', 'tenant-crm-sync' ),
			'log'       => __( 'CRM Sync log of requests', 'tenant-crm-sync' ),
			'tables'    => __( 'CRM Sync tables', 'tenant-crm-sync' ),
			'jobs'      => __( 'CRM Sync queue', 'tenant-crm-sync' ),
			'workers'   => __( 'CRM Sync workers', 'tenant-crm-sync' ),
			'tokens'    => __( 'CRM Sync consent', 'tenant-crm-sync' ),
			'webhooks'  => __( 'CRM Sync webhooks', 'tenant-crm-sync' ),
			'failing'   => __( 'CRM Sync tenants', 'tenant-crm-sync' ),
		);
	}
}
