<?php
/**
 * The article's own functions, for sites whose code calls them: defined at wp_loaded, and only those that nobody else has.
 *
 * The functions themselves are in functions/, one a file, since a function can be defined only by including it.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Article {

	private const FUNCTIONS = array( 'get_tenant_crm_settings', 'save_tenant_crm_settings', 'get_all_configured_tenants', 'process_crm_leads_for_tenant' );

	/** @var array<string, true> Those that are ours. */
	private static array $ours = array();

	public static function register(): void {
		// Late in wp_loaded: the site's plugins and theme define theirs before.
		add_action( 'wp_loaded', array( self::class, 'define' ), 99 );
	}

	public static function define(): void {
		if ( self::loads_plugins_late() ) {
			return;
		}
		foreach ( self::FUNCTIONS as $name ) {
			if ( ! function_exists( $name ) ) {
				require __DIR__ . "/functions/$name.php";
				self::$ours[ $name ] = true;
			}
		}
	}

	/**
	 * Requests that may include another plugin's file after wp_loaded, because they activate it: if it declares functions of these
	 * names, ours would be a fatal error.
	 */
	private static function loads_plugins_late(): bool {
		global $pagenow;
		// phpcs:disable WordPress.Security.NonceVerification, WordPress.Security.ValidatedSanitizedInput -- only compared.
		$action = $_REQUEST['action'] ?? '';
		$route  = ( $_GET['rest_route'] ?? '' ) . ( $_SERVER['REQUEST_URI'] ?? '' );
		// phpcs:enable
		return ( is_admin() && in_array( $pagenow, array( 'plugins.php', 'plugin-install.php', 'update.php' ), true ) )
			|| ( wp_doing_ajax() && 'activate-plugin' === $action )
			|| ( is_string( $route ) && str_contains( $route, '/wp/v2/plugins' ) )
			|| ( defined( 'WP_CLI' ) && WP_CLI && in_array( 'plugin', (array) ( $_SERVER['argv'] ?? array() ), true ) );
	}

	/** Whether the site has such a function of its own. */
	public static function site_has( string $name ): bool {
		return ! isset( self::$ours[ $name ] ) && function_exists( $name );
	}

	/**
	 * What the site's own get_tenant_crm_settings() says of a tenant.
	 *
	 * @return array<string, mixed>|null Null where there is no such function, or it does not know the tenant; empty where it failed.
	 */
	public static function site_settings( string $tenant_id ): ?array {
		if ( ! self::site_has( 'get_tenant_crm_settings' ) ) {
			return null;
		}
		try {
			$settings = get_tenant_crm_settings( $tenant_id );
		} catch ( \Throwable $e ) {
			// One tenant that the site's code stumbles over must not keep the others from their sync.
			self::tell( "get_tenant_crm_settings() of this site failed for tenant \"$tenant_id\"", $e );
			return array();
		}
		return is_array( $settings ) && $settings ? $settings : null;
	}

	/** @return array<mixed> What the site's own get_all_configured_tenants() names. */
	public static function site_tenants(): array {
		try {
			return (array) get_all_configured_tenants();
		} catch ( \Throwable $e ) {
			self::tell( 'get_all_configured_tenants() of this site failed', $e );
			return array();
		}
	}

	/** Logs a failure of the site's own code, once a request. */
	private static function tell( string $what, \Throwable $e ): void {
		static $told = array();
		if ( ! isset( $told[ $what ] ) ) {
			$told[ $what ] = true;
			Log::add( 0, 'error', sprintf( '%s: %s in %s, line %d. Mend that function; until then its tenants are not synced.', $what, get_class( $e ), basename( $e->getFile() ), $e->getLine() ) );
		}
	}

	/** @return array<string, mixed>|false */
	public static function settings( string $tenant_id ) {
		$tenant = Tenants::find( $tenant_id );
		return ( $tenant ? $tenant->article_settings() : null ) ?? false;
	}

	/** @return list<string> Ids of the tenants that can be synced. */
	public static function tenants(): array {
		$ids = array();
		foreach ( Tenants::all() as $tenant ) {
			if ( $tenant->is_configured() ) {
				$ids[] = $tenant->id;
			}
		}
		return $ids;
	}

	/**
	 * Stores leads that somebody else fetched.
	 *
	 * @param iterable<mixed> $leads
	 * @throws StoreException Where they cannot be stored; the caller's catch keeps its watermark where it was.
	 */
	public static function store( string $tenant_id, iterable $leads ): void {
		$tenant = Tenants::ensure( $tenant_id );
		Adoption::run();
		$fields = Fields::of( $tenant, 'leads' );
		// Before the lease is taken: a generator may fetch for longer than a lease lasts.
		$rows   = new ArrayRows( $leads, $fields );
		$job    = Jobs::hold( $tenant->key, 'leads' );
		try {
			$store = $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields );
			Tenancy\Viewer::as_system( static fn() => $store->batch( $rows ) );
		} finally {
			Jobs::finish( $job );
		}
	}
}
