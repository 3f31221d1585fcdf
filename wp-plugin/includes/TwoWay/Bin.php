<?php
/**
 * WordPress's bin, by SQL: what wp_trash_post() and wp_untrash_post() do, inside of a transaction. A lead comes back with the status it had.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\StoredPost;
use TenantCRM\Sql;
use TenantCRM\Transaction;

final class Bin {

	/** @var list<StoredPost> */
	private array $in = array();

	/** @var list<StoredPost> */
	private array $out = array();

	public function __construct( private readonly Transaction $transaction ) {
	}

	public function put( StoredPost $post ): void {
		if ( 'trash' !== $post->status ) {
			$this->in[] = $post;
		}
	}

	public function restore( StoredPost $post ): void {
		$this->out[] = $post;
	}

	public function flush(): void {
		global $wpdb;
		if ( $this->in ) {
			$meta = array();
			foreach ( $this->in as $post ) {
				$meta[] = "($post->id,'_wp_trash_meta_status'," . Sql::text( $post->status ) . ')';
				$meta[] = "($post->id,'_wp_trash_meta_time','" . time() . "')";
			}
			$this->transaction->insert( "INSERT INTO `$wpdb->postmeta` (post_id, meta_key, meta_value) VALUES ", $meta );
			$this->transaction->query( "UPDATE `$wpdb->posts` SET post_status = 'trash', post_modified = " . Sql::text( current_time( 'mysql' ) ) . ', post_modified_gmt = UTC_TIMESTAMP() WHERE ID IN (' . self::ids( $this->in ) . ')' );
		}
		if ( $this->out ) {
			$ids = self::ids( $this->out );
			$this->transaction->query( "UPDATE `$wpdb->posts` p LEFT JOIN `$wpdb->postmeta` m ON m.post_id = p.ID AND m.meta_key = '_wp_trash_meta_status' SET p.post_status = IF(m.meta_value IN ('private', 'draft', 'pending', 'publish'), m.meta_value, 'publish') WHERE p.ID IN ($ids) AND p.post_status = 'trash'" );
			$this->transaction->query( "DELETE FROM `$wpdb->postmeta` WHERE post_id IN ($ids) AND meta_key IN ('_wp_trash_meta_status', '_wp_trash_meta_time')" );
		}
		$this->in  = array();
		$this->out = array();
	}

	/** @param list<StoredPost> $posts */
	private static function ids( array $posts ): string {
		return implode( ',', array_map( static fn( StoredPost $post ): int => $post->id, $posts ) );
	}
}
