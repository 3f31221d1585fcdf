<?php
/**
 * Removes what the plugin stored, site by site, where the site asks for it with the option tenant_crm_sync_delete_data.
 *
 * In pieces, each of which is whole when it is cut off: what finds the rest goes last. WordPress removes the plugin's files only after this has ended,
 * so that "Delete" can be pressed again and goes on from where it was.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Uninstall {

	public const OPTION = 'tenant_crm_sync_delete_data';

	/** Leads of one piece. */
	private const CHUNK = 500;

	private const SITES = 100;

	public static function run(): void {
		$kept = false;
		for ( $offset = 0; ; $offset += self::SITES ) {
			$sites = self::sites( $offset );
			foreach ( $sites as $site ) {
				$kept = ! self::on( (int) $site ) || $kept;
			}
			if ( count( $sites ) < self::SITES ) {
				break;
			}
		}
		if ( ! $kept ) {
			delete_metadata( 'user', 0, 'tenant_crm_per_page', '', true );
			Site::forget();
		}
	}

	/** @return list<int|string> Site 0: there is no network. */
	private static function sites( int $offset ): array {
		return is_multisite()
			? get_sites(
				array(
					'fields'  => 'ids',
					'number'  => self::SITES,
					'offset'  => $offset,
					'orderby' => 'id',
				)
			)
			: array( 0 );
	}

	/** @return bool Whether nothing of the site is kept. */
	private static function on( int $site ): bool {
		if ( $site ) {
			switch_to_blog( $site );
		}
		try {
			if ( get_option( self::OPTION ) ) {
				self::site();
				return true;
			}
			// A site that has never used the plugin has nothing to keep.
			return ! get_option( Schema::OPTION );
		} finally {
			if ( $site ) {
				restore_current_blog();
			}
		}
	}

	private static function site(): void {
		global $wpdb;
		// Nobody may begin anything new; what is being worked finds its job gone.
		Cron::unschedule();
		ActionScheduler::unschedule();
		$table = Schema::table( 'records' );
		while ( self::has( $table ) ) {
			// A request of its own time for each piece, where the host lets us.
			if ( 0 < (int) ini_get( 'max_execution_time' ) && function_exists( 'set_time_limit' ) ) {
				set_time_limit( 60 );
			}
			// By the ledger, so that posts of this type that are not ours stay.
			$rows = $wpdb->get_results( $wpdb->prepare( "SELECT id, post_id FROM `$table` ORDER BY id LIMIT %d", self::CHUNK ), ARRAY_A );
			if ( ! $rows ) {
				break;
			}
			self::posts( array_map( 'intval', array_filter( array_column( $rows, 'post_id' ) ) ) );
			if ( false === $wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE id <= %d", end( $rows )['id'] ) ) ) {
				// The database refuses: better to stop than to go round for ever.
				wp_die( esc_html__( 'Not all data of CRM Sync could be removed. Press “Delete” again.', 'tenant-crm-sync' ) );
			}
		}
		self::forget_keys();
		Schema::drop();
		Capabilities::revoke();
		delete_metadata( 'user', 0, Capabilities::user_meta(), '', true );
		self::options();
	}

	/**
	 * Leads with all that hangs on them, in a few statements: one by one, a hundred thousand would take longer than any request may.
	 *
	 * @param list<int> $ids
	 */
	private static function posts( array $ids ): void {
		global $wpdb;
		if ( ! $ids ) {
			return;
		}
		$ids = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT ID FROM `$wpdb->posts` WHERE ID IN (" . implode( ',', array_map( 'intval', $ids ) ) . ') AND post_type = %s', PostType::NAME ) ) );
		$in  = implode( ',', array_map( 'intval', $ids ) );
		if ( '' === $in ) {
			return;
		}
		$wpdb->query( "DELETE m FROM `$wpdb->commentmeta` m JOIN `$wpdb->comments` c ON c.comment_ID = m.comment_id WHERE c.comment_post_ID IN ($in)" );
		$wpdb->query( "DELETE FROM `$wpdb->comments` WHERE comment_post_ID IN ($in)" );
		$wpdb->query( "DELETE FROM `$wpdb->term_relationships` WHERE object_id IN ($in)" );
		$wpdb->query( "DELETE FROM `$wpdb->postmeta` WHERE post_id IN ($in)" );
		$wpdb->query( "DELETE FROM `$wpdb->posts` WHERE ID IN ($in) OR (post_type = 'revision' AND post_parent IN ($in))" );
		Caches::clean( $ids );
	}

	/** Without the extension the data keys stay in its key_dir; they open nothing once the envelopes are gone. */
	private static function forget_keys(): void {
		global $wpdb;
		$table = Schema::table( 'tenants' );
		if ( ! Plugin::is_ready() || ! self::has( $table ) ) {
			return;
		}
		\TenantCRMSync::use_site( Site::id() );
		foreach ( $wpdb->get_col( "SELECT external_id FROM `$table`" ) as $id ) {
			\TenantCRMSync::forget_tenant( $id );
		}
	}

	/** All of ours but the number under which the extension keeps keys; and last of all the wish to have everything removed. */
	private static function options(): void {
		global $wpdb;
		$like  = static fn( string $prefix ): string => $wpdb->prepare( 'option_name LIKE %s', $wpdb->esc_like( $prefix ) . '%' );
		$names = $wpdb->get_col( "SELECT option_name FROM `$wpdb->options` WHERE {$like( 'tenant_crm_sync_' )} OR {$like( '_transient_tenant_crm_' )} OR {$like( '_transient_timeout_tenant_crm_' )}" ); // phpcs:ignore WordPress.DB.PreparedSQL -- $like prepares.
		foreach ( array_diff( $names, array( 'tenant_crm_sync_site', self::OPTION ) ) as $name ) {
			delete_option( $name );
		}
		delete_option( self::OPTION );
	}

	private static function has( string $table ): bool {
		global $wpdb;
		return null !== $wpdb->get_var( $wpdb->prepare( 'SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) );
	}
}
