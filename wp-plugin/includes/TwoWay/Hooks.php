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
		foreach ( array( 'wp_trash_post', 'untrash_post', 'before_delete_post', 'trashed_post', 'untrashed_post' ) as $hook ) {
			add_action( $hook, array( self::class, 'post' ), 1 );
		}
		add_action( 'pre_post_update', array( self::class, 'before_post' ), 1, 2 );
		add_action( 'wp_insert_post', array( self::class, 'after_post' ), 1 );
		// What the row in the ledger said of it is lost by then.
		add_action( 'deleted_post', array( self::class, 'deleted' ), 1, 2 );
		foreach ( array( 'add', 'update', 'delete' ) as $verb ) {
			add_filter( "{$verb}_post_metadata", array( self::class, "before_{$verb}" ), 1, 5 );
		}
		add_filter( 'update_post_metadata_by_mid', array( self::class, 'before_meta_by_mid' ), 1, 3 );
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
	 * @param mixed $data What the post's row is about to become.
	 */
	public static function before_post( $post_id, $data = array() ): void {
		$title = is_array( $data ) ? $data['post_title'] ?? null : null;
		self::edit( (int) $post_id, 'title', false, static fn(): bool => null !== $title && self::title( (int) $post_id ) !== (string) $title );
	}

	/** @param mixed $post_id */
	public static function after_post( $post_id ): void {
		self::edit( (int) $post_id, 'title', true );
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
	public static function before_add( $check, $post_id, $key, $value ) {
		// A lead has the first value of a key.
		self::meta( (int) $post_id, (string) $key, false, static fn( array $has ): bool => ! $has, $value );
		return $check;
	}

	/**
	 * @param mixed $check
	 * @param mixed $post_id
	 * @param mixed $key
	 * @param mixed $value
	 * @param mixed $over
	 * @return mixed
	 */
	public static function before_update( $check, $post_id, $key, $value, $over = '' ) {
		self::meta( (int) $post_id, (string) $key, false, static fn( array $has ): bool => array( self::raw( $value ) ) !== $has && ( in_array( $over, array( '', null, false ), true ) || in_array( self::raw( $over ), $has, true ) ), $value );
		return $check;
	}

	/**
	 * @param mixed $check
	 * @param mixed $post_id
	 * @param mixed $key
	 * @param mixed $value
	 * @return mixed
	 */
	public static function before_delete( $check, $post_id, $key, $value ) {
		self::meta( (int) $post_id, (string) $key, false, static fn( array $has ): bool => $has && ( in_array( $value, array( '', null, false ), true ) || in_array( self::raw( $value ), $has, true ) ) );
		return $check;
	}

	/**
	 * @param mixed $check
	 * @param mixed $meta_id
	 * @param mixed $value What it becomes; none where it goes.
	 * @return mixed
	 */
	public static function before_meta_by_mid( $check, $meta_id, $value = null ) {
		$meta = get_metadata_by_mid( 'post', (int) $meta_id );
		if ( $meta ) {
			self::meta( (int) $meta->post_id, (string) $meta->meta_key, false, static fn( array $has ): bool => null === $value || ! in_array( self::raw( $value ), $has, true ) );
		}
		return $check;
	}

	/**
	 * @param mixed $meta_ids
	 * @param mixed $post_id
	 * @param mixed $key
	 */
	public static function after_meta( $meta_ids, $post_id, $key ): void {
		self::meta( (int) $post_id, (string) $key, true );
	}

	/**
	 * @param (callable(list<string>): bool)|null $changes Whether the write changes anything, from what the key has now.
	 * @param mixed                               $value
	 */
	private static function meta( int $post_id, string $key, bool $is_done, ?callable $changes = null, $value = null ): void {
		if ( in_array( $key, self::IGNORED, true ) ) {
			return;
		}
		$differs = $changes ? static fn(): bool => $changes( self::values( $post_id, $key ) ) : null;
		self::edit( $post_id, 'title' === $key ? null : $key, $is_done, $differs, '_tenant_id' === $key && is_scalar( $value ) ? (string) $value : null );
	}

	/** @param (callable(): bool)|null $changes */
	private static function edit( int $post_id, ?string $target, bool $is_done, ?callable $changes = null, ?string $tenant_id = null ): void {
		if ( $post_id > 0 && PostType::NAME === get_post_type( $post_id ) ) {
			Changes::mark( $post_id, $tenant_id, static fn( bool $is_new ): FieldTimes => FieldTimes::of_edit( $post_id, $is_done || ! $changes || $changes() ? $target : null, $is_done, $is_new ) );
		}
	}

	/** As the database has it, whatever a cache says. */
	private static function title( int $post_id ): string {
		global $wpdb;
		return (string) $wpdb->get_var( $wpdb->prepare( "SELECT post_title FROM $wpdb->posts WHERE ID = %d", $post_id ) );
	}

	/** @return list<string> */
	private static function values( int $post_id, string $key ): array {
		global $wpdb;
		return array_map( 'strval', $wpdb->get_col( $wpdb->prepare( "SELECT meta_value FROM $wpdb->postmeta WHERE post_id = %d AND meta_key = %s ORDER BY meta_id", $post_id, $key ) ) );
	}

	/** @param mixed $value */
	private static function raw( $value ): string {
		return (string) maybe_serialize( $value );
	}
}
