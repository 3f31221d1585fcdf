<?php
/**
 * Who is looking: everybody sees the leads of the own tenants, who manages tenants sees all, and what nobody looks at (cron, workers, the
 * command line) works on all. How that is put into queries is in Queries, and where WordPress asks no query, in Doors.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tenancy;

use TenantCRM\Capabilities;
use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;

final class Viewer {

	/** How many pieces of work for the site itself are going on, one inside of the other. */
	private static int $system = 0;

	/** Whether WordPress is finding out just now who the user is: other plugins may query posts for that. */
	private static bool $is_asking = false;

	/**
	 * Does work of the site itself, whoever's request it runs in: what it finds is not filtered.
	 *
	 * @template T
	 * @param callable(): T $work
	 * @return T
	 */
	public static function as_system( callable $work ) {
		++self::$system;
		try {
			return $work();
		} finally {
			--self::$system;
		}
	}

	/** Whether nobody looks: cron, a worker, a script of the command line that nobody is logged in to. */
	public static function is_system(): bool {
		// Cron that WordPress runs inside of a visitor's request (ALTERNATE_WP_CRON) may go on to the visitor's page.
		$is_cron   = wp_doing_cron() && ! did_action( 'parse_request' );
		$is_system = self::$system > 0 || $is_cron || ( 'cli' === PHP_SAPI && 0 === self::user() );
		/**
		 * Whether what runs is the site's own work, from which no lead is hidden. For queues that other plugins run in web requests; whatever shows
		 * its results to somebody must not say so.
		 *
		 * @param bool $is_system
		 */
		return true === apply_filters( 'tenant_crm_sync_is_system', $is_system );
	}

	/**
	 * The integer keys of the tenants whose leads may be shown now.
	 *
	 * @return list<int>|null Null: of all. Empty: of none, also where it cannot be told yet who the user is.
	 */
	public static function keys(): ?array {
		return self::is_system() ? null : self::keys_of( self::user(), Capabilities::VIEW );
	}

	/**
	 * The integer keys of the tenants for which a user has one of our capabilities.
	 *
	 * @return list<int>|null Null: of all.
	 */
	public static function keys_of( int $user, string $capability ): ?array {
		if ( 0 === $user || ! Schema::is_current() ) {
			return array();
		}
		if ( user_can( $user, Capabilities::MANAGE ) ) {
			return null;
		}
		return user_can( $user, $capability ) ? self::lookup( Capabilities::tenants_of( $user ) ) : array();
	}

	/** Whether a lead, or what hangs on it, may be shown now. Other posts may. */
	public static function sees( int $post_id ): bool {
		$post = get_post( $post_id );
		if ( $post instanceof \WP_Post && PostType::NAME !== $post->post_type && $post->post_parent > 0 ) {
			// Its attachments and revisions.
			$post = get_post( $post->post_parent );
		}
		if ( ! $post instanceof \WP_Post || PostType::NAME !== $post->post_type ) {
			return true;
		}
		$keys = self::keys();
		if ( null === $keys ) {
			return true;
		}
		$key = Capabilities::tenant_key_of( $post->ID );
		return null === $key ? ! self::is_unknown_lead( $post->ID ) : in_array( $key, $keys, true );
	}

	/** Of a post that the ledger does not know: whether it is some tenant's all the same. Where the site registered the type, it has posts of its own. */
	public static function is_unknown_lead( int $post_id ): bool {
		return PostType::is_ours() || metadata_exists( 'post', $post_id, '_tenant_id' );
	}

	/** 0: a visitor, or nobody knows yet. */
	private static function user(): int {
		if ( self::$is_asking || ! function_exists( 'wp_get_current_user' ) ) {
			return 0;
		}
		self::$is_asking = true;
		try {
			return get_current_user_id();
		} finally {
			self::$is_asking = false;
		}
	}

	/**
	 * @param list<string> $ids Of tenants. Compared bytewise.
	 * @return list<int>
	 */
	private static function lookup( array $ids ): array {
		global $wpdb;
		if ( ! $ids ) {
			return array();
		}
		$table = Schema::table( 'tenants' );
		return array_map( 'intval', $wpdb->get_col( "SELECT id FROM `$table` WHERE external_id IN (" . implode( ',', array_map( array( Sql::class, 'bytes' ), $ids ) ) . ')' ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- as hexadecimal numbers.
	}
}
