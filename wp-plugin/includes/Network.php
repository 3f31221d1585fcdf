<?php
/**
 * The plugin on a network: each site has tables, tenants and keys of its own. They are made when a site is made, or when it is first used; they go
 * with the site. How all sites stand, for the network's screen.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Network {

	public static function register(): void {
		if ( ! is_multisite() ) {
			return;
		}
		// Behind WordPress, which makes the site's own tables at 10, and before it, which drops them at 10.
		add_action( 'wp_initialize_site', array( self::class, 'begin' ), 20 );
		add_action( 'wp_uninitialize_site', array( self::class, 'end' ), 5 );
		add_filter( 'wpmu_drop_tables', array( self::class, 'tables' ) );
		if ( class_exists( Admin\NetworkPage::class ) ) {
			add_action( 'network_admin_menu', array( Admin\NetworkPage::class, 'menu' ) );
		}
	}

	/** @param mixed $site WP_Site. */
	public static function begin( $site ): void {
		if ( ! $site instanceof \WP_Site || ! self::is_everywhere() ) {
			return;
		}
		self::on(
			(int) $site->blog_id,
			static function (): void {
				try {
					Plugin::install();
				} catch ( \RuntimeException $e ) {
					// The site's first request tries again, and its Site Health says why.
					error_log( $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
				}
			}
		);
	}

	/** Data keys are no tables: WordPress does not know of them. @param mixed $site WP_Site. */
	public static function end( $site ): void {
		if ( $site instanceof \WP_Site ) {
			self::on(
				(int) $site->blog_id,
				static function (): void {
					foreach ( Schema::is_current() ? Tenants::all() : array() as $tenant ) {
						\TenantCRMSync::forget_tenant( $tenant->id );
					}
				}
			);
		}
	}

	/**
	 * Ours are dropped with the others of the site.
	 *
	 * @param mixed $tables
	 * @return array<string>
	 */
	public static function tables( $tables ): array {
		return array_merge( (array) $tables, Schema::tables() );
	}

	/**
	 * How sites stand, in order of their numbers.
	 *
	 * @return list<array{site: int, url: string, name: string, tenants: int, records: int, due: int, overdue: int, dead: int, failing: int, refused: int, conflicts: int, worker: ?int}>
	 *         Without tables all figures are 0. worker: seconds since one was seen.
	 */
	public static function sites( int $limit, int $offset = 0 ): array {
		$all = array();
		foreach ( get_sites( array( 'number' => $limit, 'offset' => $offset, 'orderby' => 'id', 'fields' => 'ids' ) ) as $site ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$all[] = self::on( (int) $site, static fn(): array => self::standing( (int) $site ) );
		}
		return $all;
	}

	/** @return array<string, mixed> */
	private static function standing( int $site ): array {
		$row = array(
			'site'      => $site,
			'url'       => home_url( '/' ),
			'name'      => (string) get_option( 'blogname' ),
			'tenants'   => 0,
			'records'   => 0,
			'due'       => 0,
			'overdue'   => 0,
			'dead'      => 0,
			'failing'   => 0,
			'refused'   => 0,
			'conflicts' => 0,
			'worker'    => null,
		);
		if ( ! Schema::is_current() ) {
			return $row;
		}
		$counts = Jobs::counts();
		$count  = static fn( string $name, string $where ): int => (int) Sql::rows( 'SELECT COUNT(*) AS n FROM `' . Schema::table( $name ) . "` WHERE $where" )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- the constants below.
		return array_merge(
			$row,
			array(
				'tenants'   => $count( 'tenants', '1 = 1' ),
				'records'   => $count( 'records', "object = 'leads'" ),
				'due'       => $counts['due'],
				'overdue'   => Jobs::overdue(),
				'dead'      => $counts['dead'],
				'failing'   => count( Alerts::failing() ),
				'refused'   => array_sum( Refused::by_tenant() ),
				'conflicts' => $count( 'conflicts', "state = 'open'" ),
				'worker'    => Wakers::last_seen(),
			)
		);
	}

	private static function is_everywhere(): bool {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		return is_plugin_active_for_network( plugin_basename( Plugin::file() ) );
	}

	/**
	 * @template T
	 * @param callable(): T $do
	 * @return T
	 */
	private static function on( int $site, callable $do ) {
		switch_to_blog( $site );
		try {
			return $do();
		} finally {
			restore_current_blog();
		}
	}
}
