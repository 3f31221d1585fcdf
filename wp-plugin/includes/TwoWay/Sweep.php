<?php
/**
 * Finds what no hook told of: changes by direct SQL, posts of processes that died between the post and the note of it. Looks at a bounded
 * slice of the ledger and of the new posts each time, one after the other, and only notes what differs; who compares under locks is Push.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Cursors;
use TenantCRM\Fields;
use TenantCRM\Job;
use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Tenant;

final class Sweep {

	private const SLICE = 2000;
	private const CHUNK = 500;

	/** Ids of posts of one slice, and the seconds after which a post has its meta or never gets it. */
	private const POSTS  = 20000;
	private const SETTLE = 60;

	/** @throws \TenantCRM\StoreException */
	public static function slice( Job $job, Tenant $tenant ): void {
		$fields = Fields::of( $tenant, $job->object );
		$state  = array_map( 'intval', explode( ' ', (string) Cursors::read( $tenant->key, 'sweep', $fields->hash() ) . '  ' ) );
		$record = self::records( $tenant, $job->object, $fields, $state[0] );
		$post   = self::posts( $tenant, $job->object, $state[1] );
		Sql::change( Cursors::write_sql( $tenant->key, 'sweep', $fields->hash(), "$record $post" ) );
	}

	/** @return int The last ledger id that was looked at; 0: the next slice begins anew. */
	private static function records( Tenant $tenant, string $object, Fields $fields, int $last ): int {
		global $wpdb;
		$records = Schema::table( 'records' );
		$changes = Schema::table( 'changes' );
		$asks    = Schema::table( 'conflicts' );
		for ( $seen = 0; $seen < self::SLICE; $seen += self::CHUNK ) {
			$rows = Sql::rows(
				sprintf(
					"SELECT r.id, r.post_id, r.base, p.ID AS post, p.post_title, p.post_status, (SELECT GROUP_CONCAT(f.field SEPARATOR '\\n') FROM `$asks` f WHERE f.record = r.id AND f.state = 'open') AS asked
					FROM `$records` r LEFT JOIN `$wpdb->posts` p ON p.ID = r.post_id AND p.post_type = '%s' LEFT JOIN `$changes` c ON c.post_id = r.post_id
					WHERE r.tenant = %d AND r.object = %s AND r.id > %d AND r.post_id IS NOT NULL AND r.gone = 0 AND r.base IS NOT NULL AND r.mapping = %s AND c.id IS NULL ORDER BY r.id LIMIT %d",
					PostType::NAME,
					$tenant->key,
					Sql::bytes( $object ),
					$last,
					Sql::bytes( $fields->hash() ),
					self::CHUNK
				)
			);
			$meta = self::meta( array_filter( array_column( $rows, 'post' ) ), $fields );
			foreach ( $rows as $row ) {
				$last = (int) $row['id'];
				if ( self::differs( $row, $meta[ (int) $row['post_id'] ] ?? array(), $fields, $tenant ) ) {
					Sql::change( Changes::mark_sql( $tenant->key, $object, (int) $row['post_id'], $last ) );
				}
			}
			if ( count( $rows ) < self::CHUNK ) {
				return 0;
			}
		}
		return $last;
	}

	/**
	 * @param array<string, string|null>        $row
	 * @param array<string, array<int, string>> $meta
	 */
	private static function differs( array $row, array $meta, Fields $fields, Tenant $tenant ): bool {
		$asked = null === $row['asked'] ? array() : explode( "\n", $row['asked'] );
		if ( null === $row['post'] || 'trash' === $row['post_status'] ) {
			return ! in_array( '', $asked, true );
		}
		$post       = new StoredPost( (int) $row['post'], (string) $row['post_title'], (string) $row['post_status'] );
		$post->meta = $meta;
		$base       = (array) json_decode( (string) $row['base'], true );
		if ( $tenant->id !== ( $post->first_meta()['_tenant_id'] ?? null ) ) {
			return true;
		}
		foreach ( Projection::portal( $fields, $post, $base, null ) as $field => $value ) {
			if ( ! in_array( $field, $asked, true ) && Projection::canonical( $value ) !== Projection::canonical( $base[ $field ] ?? null ) ) {
				return true;
			}
		}
		return false;
	}

	/**
	 * @param list<string> $posts
	 * @return array<int, array<string, array<int, string>>>
	 */
	private static function meta( array $posts, Fields $fields ): array {
		global $wpdb;
		$meta = array();
		if ( $posts ) {
			$keys = implode( ',', array_map( array( Sql::class, 'text' ), array_merge( array( '_tenant_id' ), $fields->meta_keys() ) ) );
			foreach ( Sql::rows( "SELECT meta_id, post_id, meta_key, meta_value FROM `$wpdb->postmeta` WHERE post_id IN (" . implode( ',', array_map( 'intval', $posts ) ) . ") AND meta_key IN ($keys)" ) as $row ) {
				$meta[ (int) $row['post_id'] ][ (string) $row['meta_key'] ][ (int) $row['meta_id'] ] = (string) $row['meta_value'];
			}
		}
		return $meta;
	}

	/** @return int Where the next slice begins. */
	private static function posts( Tenant $tenant, string $object, int $last ): int {
		global $wpdb;
		$records = Schema::table( 'records' );
		$changes = Schema::table( 'changes' );
		$newest  = (int) Sql::rows( "SELECT MAX(ID) AS newest FROM `$wpdb->posts`" )[0]['newest'];
		$rows    = Sql::rows(
			sprintf(
				"SELECT p.ID FROM `$wpdb->posts` p FORCE INDEX (PRIMARY)
				JOIN `$wpdb->postmeta` t ON t.post_id = p.ID AND t.meta_key = '_tenant_id' AND CAST(t.meta_value AS BINARY) = %s
				LEFT JOIN `$records` r ON r.post_id = p.ID LEFT JOIN `$changes` c ON c.post_id = p.ID
				WHERE p.ID > %d AND p.ID <= %d AND p.post_type = '%s' AND p.post_status IN ('publish', 'private') AND p.post_modified_gmt < UTC_TIMESTAMP() - INTERVAL %d SECOND AND r.id IS NULL AND c.id IS NULL",
				Sql::bytes( $tenant->id ),
				$last,
				$last + self::POSTS,
				PostType::NAME,
				self::SETTLE
			)
		);
		foreach ( $rows as $row ) {
			Sql::change( Changes::mark_sql( $tenant->key, $object, (int) $row['ID'], null ) );
		}
		// From the beginning again: an old post may become a lead of this tenant.
		return $last + self::POSTS >= $newest ? 0 : $last + self::POSTS;
	}
}
