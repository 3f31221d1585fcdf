<?php
/**
 * Reads and writes posts and their meta in bulk, inside of a transaction. What is to be written was decided by Store.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class PostWriter {

	private const POST_COLUMNS = 'post_author, post_date, post_date_gmt, post_content, post_title, post_excerpt, post_status, comment_status, ping_status, post_password, post_name, to_ping, pinged, post_modified, post_modified_gmt, post_content_filtered, post_parent, guid, menu_order, post_type';

	/** @var list<string> */
	private array $titles = array();

	/** @var list<string> */
	private array $known_meta = array();

	/** @var list<string> */
	private array $new_meta = array();

	/** @var list<int> Posts of which only meta changes. */
	private array $touched = array();

	private readonly string $now;
	private readonly string $now_local;
	private readonly \DateTimeZone $zone;

	public function __construct( private readonly Transaction $transaction, private readonly Tenant $tenant, private readonly Fields $fields ) {
		$this->now       = gmdate( 'Y-m-d H:i:s' );
		$this->zone      = wp_timezone();
		$this->now_local = Times::local( $this->now, $this->zone );
	}

	/**
	 * Locks posts and their meta, so that nobody edits them between the comparison and the write.
	 *
	 * @param list<int> $ids
	 * @return array<int, StoredPost> By id; posts that are gone or are of another type are not among them.
	 */
	public function lock( array $ids ): array {
		global $wpdb;
		if ( ! $ids ) {
			return array();
		}
		$list  = implode( ',', $ids );
		$posts = array();
		foreach ( $this->transaction->rows( "SELECT ID, post_title, post_status FROM `$wpdb->posts` WHERE ID IN ($list) AND post_type = '" . PostType::NAME . "' FOR UPDATE" ) as $row ) {
			$posts[ (int) $row['ID'] ] = new StoredPost( (int) $row['ID'], (string) $row['post_title'], (string) $row['post_status'] );
		}
		$keys = implode( ',', array_map( array( Sql::class, 'text' ), array_merge( array( '_tenant_id', 'crm_lead_id' ), $this->fields->meta_keys() ) ) );
		foreach ( $this->transaction->rows( "SELECT meta_id, post_id, meta_key, meta_value FROM `$wpdb->postmeta` WHERE post_id IN ($list) AND meta_key IN ($keys) FOR UPDATE" ) as $row ) {
			$post = $posts[ (int) $row['post_id'] ] ?? null;
			if ( $post ) {
				$post->meta[ (string) $row['meta_key'] ][ (int) $row['meta_id'] ] = (string) $row['meta_value'];
			}
		}
		return $posts;
	}

	/** Notes what is to be changed; flush() does it. The status of a post is the portal's. */
	public function update( StoredPost $post, Lead $lead, Comparison $comparison ): void {
		$this->write( $post, $comparison->title ? $lead->title : null, $comparison->meta );
	}

	/**
	 * The same with the values named.
	 *
	 * @param string|null           $title Null: it stays.
	 * @param array<string, string> $meta
	 */
	public function write( StoredPost $post, ?string $title, array $meta ): void {
		if ( null !== $title ) {
			// Columns without a default must be named; the row is there and locked, so they are never used.
			$this->titles[] = "($post->id," . Sql::text( $title ) . ",'$this->now_local','$this->now','','','','','')";
		} else {
			$this->touched[] = $post->id;
		}
		foreach ( $meta as $key => $value ) {
			foreach ( array_keys( $post->meta[ $key ] ?? array() ) as $meta_id ) {
				$this->known_meta[] = "($meta_id,$post->id," . Sql::text( $key ) . ',' . Sql::text( $value ) . ')';
			}
			if ( ! isset( $post->meta[ $key ] ) ) {
				$this->new_meta[] = "($post->id," . Sql::text( $key ) . ',' . Sql::text( $value ) . ')';
			}
		}
	}

	public function flush(): void {
		global $wpdb;
		$this->transaction->insert( "INSERT INTO `$wpdb->posts` (ID, post_title, post_modified, post_modified_gmt, post_content, post_excerpt, to_ping, pinged, post_content_filtered) VALUES ", $this->titles, ' ON DUPLICATE KEY UPDATE post_title = VALUES(post_title), post_modified = VALUES(post_modified), post_modified_gmt = VALUES(post_modified_gmt)' );
		if ( $this->touched ) {
			$this->transaction->query( "UPDATE `$wpdb->posts` SET post_modified = '$this->now_local', post_modified_gmt = '$this->now' WHERE ID IN (" . implode( ',', $this->touched ) . ')' );
		}
		$this->transaction->insert( "INSERT INTO `$wpdb->postmeta` (meta_id, post_id, meta_key, meta_value) VALUES ", $this->known_meta, ' ON DUPLICATE KEY UPDATE meta_value = VALUES(meta_value)' );
		$this->insert_meta( $this->new_meta );
		$this->titles     = array();
		$this->touched    = array();
		$this->known_meta = array();
		$this->new_meta   = array();
	}

	/**
	 * @param list<Lead> $leads
	 * @return list<int> Ids of the new posts, in the same order.
	 */
	public function insert( array $leads ): array {
		global $wpdb;
		// A name that nobody has: slugs need no search, and ids are found by it. Arithmetic on insert_id is wrong on clusters.
		$token = 'lead-' . bin2hex( random_bytes( 8 ) ) . '-';
		$type  = PostType::NAME;
		$rows  = array();
		foreach ( $leads as $number => $lead ) {
			$date   = $lead->post_date( $this->now );
			$rows[] = "(0,'" . Times::local( $date, $this->zone ) . "','$date',''," . Sql::text( $lead->title ) . ",'','publish','closed','closed','','$token$number','','','$this->now_local','$this->now','',0,'urn:crm-lead:$token$number',0,'$type')";
		}
		$this->transaction->insert( "INSERT INTO `$wpdb->posts` (" . self::POST_COLUMNS . ') VALUES ', $rows );
		$ids = array();
		foreach ( $this->transaction->rows( "SELECT ID, post_name FROM `$wpdb->posts` WHERE post_name LIKE '$token%' AND post_type = '$type'" ) as $row ) {
			$ids[ (int) substr( (string) $row['post_name'], strlen( $token ) ) ] = (int) $row['ID'];
		}
		if ( count( $ids ) !== count( $leads ) ) {
			throw new StoreException( sprintf( 'Of %d new posts %d were found again. Nothing of the batch was stored; look for a trigger on the table of posts.', count( $leads ), count( $ids ) ) );
		}
		ksort( $ids );
		$meta = array();
		$keys = array();
		foreach ( $leads as $number => $lead ) {
			foreach ( $lead->post_meta( $this->tenant ) as $key => $value ) {
				if ( 'crm_lead_id' === $key && '' === $lead->id ) {
					// The CRM does not know it yet.
					continue;
				}
				$keys[ $key ] ??= Sql::text( (string) $key );
				$meta[]         = "($ids[$number],$keys[$key]," . Sql::text( $value ) . ')';
			}
		}
		$this->insert_meta( $meta );
		return array_values( $ids );
	}

	/** @param list<string> $rows */
	private function insert_meta( array $rows ): void {
		global $wpdb;
		$this->transaction->insert( "INSERT INTO `$wpdb->postmeta` (post_id, meta_key, meta_value) VALUES ", $rows );
	}
}
