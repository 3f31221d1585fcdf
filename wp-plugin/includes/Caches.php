<?php
/**
 * Cleans what the object cache holds of posts that were written by SQL: one call for all of them, not clean_post_cache() for each.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Caches {

	private const CHUNK = 1000;

	/** @param list<int> $post_ids */
	public static function clean( array $post_ids ): void {
		if ( ! $post_ids ) {
			return;
		}
		foreach ( array_chunk( $post_ids, self::CHUNK ) as $ids ) {
			wp_cache_delete_multiple( $ids, 'posts' );
			wp_cache_delete_multiple( $ids, 'post_meta' );
		}
		// Query results are stored under the time of the last change: a new one makes all of them old.
		wp_cache_set( 'last_changed', microtime(), 'posts' );
		wp_cache_delete( _count_posts_cache_key( PostType::NAME ), 'counts' );
	}
}
