<?php
/**
 * Hooks, and nothing else: which class answers to what.
 *
 * Screens, REST, Site Health and capabilities may be missing (a half copied update): each is asked for before it is hooked.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Plugin {

	public const VERSION = '0.1.0';

	/** Transient: the tables could not be made a moment ago. */
	private const TROUBLE = 'tenant_crm_sync_trouble';

	private static string $file = '';

	public static function boot( string $file ): void {
		self::$file = $file;
		register_activation_hook( $file, array( self::class, 'activate' ) );
		register_deactivation_hook( $file, array( self::class, 'deactivate' ) );
		// These two tell people what is missing, so they work without the extension.
		self::register( Admin\Screens::class );
		self::register( SiteHealth::class );
		self::register( Languages::class );
		if ( ! self::is_ready() ) {
			return;
		}
		self::use_site();
		self::use_tokens();
		add_action( 'switch_blog', array( self::class, 'use_site' ), 10, 0 );
		add_action( 'plugins_loaded', array( self::class, 'install_if_older' ) );
		Network::register();
		self::register( Capabilities::class );
		Tenancy\Queries::register();
		Tenancy\Doors::register();
		self::register( Rest\Gate::class );
		self::register( WpCli::class );
		self::register( Rest\Routes::class );
		self::register( Rest\TenantRoutes::class );
		self::register( Rest\LeadRoutes::class );
		self::register( Rest\ConflictRoutes::class );
		self::register( Rest\MetricsRoute::class );
		self::register( Portal\LeadsTable::class );
		self::register( Portal\Block::class );
		Privacy\Privacy::register();
		PostType::register();
		TwoWay\Hooks::register();
		TwoWay\Forms::register();
		require_once __DIR__ . '/functions/tenant_crm_sync_push.php';
		Ledger::register();
		Traces::resume();
		Attempts::register();
		Cron::register();
		ActionScheduler::register();
		Article::register();
		Webhooks\Endpoint::register();
	}

	/** The plugin's main file. */
	public static function file(): string {
		return self::$file;
	}

	/** Whether there is an extension that this plugin can work with. */
	public static function is_ready(): bool {
		return Extension::is_usable();
	}

	/** Keeps the keys of the sites of a network apart. */
	public static function use_site(): void {
		\TenantCRMSync::use_site( Site::id() );
	}

	/** Nothing is asked of the database until a connection needs a token. */
	private static function use_tokens(): void {
		\TenantCRMSync::use_token_store( new Tokens\TokenStore() );
		Tokens\Connect::register();
	}

	/** @param bool $network_wide Whether the whole network gets it; each site makes its tables when it is first used. */
	public static function activate( bool $network_wide = false ): void {
		if ( self::is_ready() && ! ( $network_wide && is_multisite() ) ) {
			self::install();
		}
	}

	public static function deactivate( bool $network_wide = false ): void {
		$sites = $network_wide && is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( get_current_blog_id() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		foreach ( $sites as $site ) {
			$switch = get_current_blog_id() !== (int) $site && switch_to_blog( (int) $site );
			// Capabilities stay: a site may have given them to roles of its own.
			Cron::unschedule();
			ActionScheduler::unschedule();
			if ( $switch ) {
				restore_current_blog();
			}
		}
	}

	/** After an update no activation hook runs, nor where the extension came later than the plugin. */
	public static function install_if_older(): void {
		if ( Schema::is_current() || get_transient( self::TROUBLE ) ) {
			return;
		}
		try {
			self::install();
		} catch ( \RuntimeException $e ) {
			// Site Health shows the missing tables; a visitor's request must not die of it, nor every request try again.
			set_transient( self::TROUBLE, 1, 5 * MINUTE_IN_SECONDS );
			error_log( $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
	}

	/** @throws \RuntimeException In plain words where the database cannot do what is needed. */
	public static function install(): void {
		Schema::migrate();
		if ( class_exists( Capabilities::class ) ) {
			Capabilities::grant();
		}
		Cron::schedule();
	}

	/** @param class-string $class */
	private static function register( string $class ): void {
		if ( class_exists( $class ) ) {
			$class::register();
		}
	}
}
