<?php
/**
 * WordPress's hooks around every change of a lead: each is noted before the write, so that no crash behind it loses the change, and once
 * more after it, since a worker may compare in between and find nothing. Our own stores write by SQL and are not heard here.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Jobs;
use TenantCRM\PostType;
use TenantCRM\Tenant;

final class Hooks {

	/** Meta of WordPress's own screens: no field of a lead. */
	private const IGNORED = array( '_edit_lock', '_edit_last', '_wp_old_slug', '_wp_old_date' );

	public static function register(): void {
		add_action( 'tenant_crm_sync_batch_stored', array( self::class, 'stored' ), 10, 2 );
		foreach ( array( 'pre_post_update', 'wp_trash_post', 'untrash_post', 'before_delete_post', 'wp_insert_post', 'trashed_post', 'untrashed_post' ) as $hook ) {
			add_action( $hook, array( self::class, 'post' ), 1 );
		}
		// What the row in the ledger said of it is lost by then.
		add_action( 'deleted_post', array( self::class, 'deleted' ), 1, 2 );
		foreach ( array( 'add', 'update', 'delete' ) as $verb ) {
			add_filter( "{$verb}_post_metadata", array( self::class, 'before_meta' ), 1, 4 );
		}
		add_filter( 'update_post_metadata_by_mid', array( self::class, 'before_meta_by_mid' ), 1, 2 );
		add_filter( 'delete_post_metadata_by_mid', array( self::class, 'before_meta_by_mid' ), 1, 2 );
		foreach ( array( 'added', 'updated', 'deleted' ) as $verb ) {
			add_action( "{$verb}_post_meta", array( self::class, 'after_meta' ), 1, 3 );
		}
	}

	/** A batch may have found changes of the portal, or records to look at. */
	public static function stored( $tenant, $object ): void {
		if ( $tenant instanceof Tenant && Rules::of( $tenant, (string) $object )->is_two_way() && Push::has_work( $tenant->key, (string) $object ) ) {
			Jobs::enqueue( $tenant->key, Changes::KIND, (string) $object, 40 );
		}
	}

	/** @param mixed $post_id */
	public static function post( $post_id ): void {
		if ( PostType::NAME === get_post_type( (int) $post_id ) ) {
			Changes::mark( (int) $post_id );
		}
	}

	/**
	 * @param mixed $post_id
	 * @param mixed $post
	 */
	public static function deleted( $post_id, $post = null ): void {
		if ( $post instanceof \WP_Post && PostType::NAME === $post->post_type ) {
			Changes::mark( (int) $post_id );
		}
	}

	/**
	 * @param mixed $check
	 * @param mixed $post_id
	 * @param mixed $key
	 * @param mixed $value
	 * @return mixed
	 */
	public static function before_meta( $check, $post_id, $key, $value ) {
		self::meta( (int) $post_id, (string) $key, $value );
		return $check;
	}

	/**
	 * @param mixed $check
	 * @param mixed $meta_id
	 * @return mixed
	 */
	public static function before_meta_by_mid( $check, $meta_id ) {
		$meta = get_metadata_by_mid( 'post', (int) $meta_id );
		if ( $meta ) {
			self::meta( (int) $meta->post_id, (string) $meta->meta_key, null );
		}
		return $check;
	}

	/**
	 * @param mixed $meta_ids
	 * @param mixed $post_id
	 * @param mixed $key
	 */
	public static function after_meta( $meta_ids, $post_id, $key ): void {
		self::meta( (int) $post_id, (string) $key, null );
	}

	/** @param mixed $value */
	private static function meta( int $post_id, string $key, $value ): void {
		if ( $post_id > 0 && ! in_array( $key, self::IGNORED, true ) && PostType::NAME === get_post_type( $post_id ) ) {
			Changes::mark( $post_id, '_tenant_id' === $key && is_scalar( $value ) ? (string) $value : null );
		}
	}
}
