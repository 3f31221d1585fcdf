<?php
/**
 * Takes posts that other code made (the article's function, or a worker that died between a post and its ledger row) into the ledger, so
 * that they are brought up to date and not doubled. They belong to the tenant and record that their meta name, bytewise.
 *
 * A scan looks only at posts that are newer than the last one looked at. What it adopts has no base yet: the next pull compares it field by field.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Adoption {

	/** Option: the post id that the next scan starts above, and the newest one that the last scan saw. */
	private const OPTION = 'tenant_crm_sync_adoption';

	/** A post gets its meta after itself: one without is looked at again for so long. */
	private const SETTLE_SECONDS = 900;

	private const CHUNK = 1000;

	/** There is a new tenant: its posts may be anywhere. */
	public static function look_again(): void {
		delete_option( self::OPTION );
	}

	/** @return int How many posts were adopted. */
	public static function run(): int {
		global $wpdb;
		$state   = get_option( self::OPTION );
		$state   = is_array( $state ) ? $state : array();
		$floor   = (int) ( $state['floor'] ?? 0 );
		$last    = (int) ( $state['last'] ?? 0 );
		$ceiling = (int) $wpdb->get_var( "SELECT MAX(ID) FROM `$wpdb->posts`" );
		if ( $ceiling <= $floor ) {
			return 0;
		}
		$pending = $last;
		$adopted = self::scan( $floor, $ceiling, $last, $pending );
		// One scan behind, for a post that got its id before the last scan and was visible only after it.
		update_option(
			self::OPTION,
			array(
				'floor' => min( $pending, $last ),
				'last'  => $ceiling,
			),
			false
		);
		return $adopted;
	}

	/**
	 * From the newest to the oldest: of several posts of one record the newest is taken, as the article's code would.
	 *
	 * @param int $last    Newest post of the last scan: the log knows copies that are older.
	 * @param int $pending Set to the id below the oldest post that may still get its meta.
	 */
	private static function scan( int $floor, int $ceiling, int $last, int &$pending ): int {
		global $wpdb;
		$records = Schema::table( 'records' );
		$tenants = self::keys();
		$below   = $ceiling + 1;
		$counts  = array();
		$doubles = array();
		do {
			$rows = $wpdb->get_results(
				$wpdb->prepare(
					"SELECT p.ID, p.post_title, t.meta_value AS tenant, c.meta_value AS crm_id, p.post_modified_gmt > UTC_TIMESTAMP() - INTERVAL %d SECOND AS fresh
					FROM `$wpdb->posts` p FORCE INDEX (PRIMARY)
					LEFT JOIN `$records` r ON r.post_id = p.ID
					LEFT JOIN `$wpdb->postmeta` t ON t.post_id = p.ID AND t.meta_key = '_tenant_id'
					LEFT JOIN `$wpdb->postmeta` c ON c.post_id = p.ID AND c.meta_key = 'crm_lead_id'
					WHERE p.ID > %d AND p.ID < %d AND p.post_type = %s AND p.post_status NOT IN ('trash', 'auto-draft') AND r.id IS NULL
					ORDER BY p.ID DESC LIMIT %d", // phpcs:ignore WordPress.DB.PreparedSQL
					self::SETTLE_SECONDS,
					$floor,
					$below,
					PostType::NAME,
					self::CHUNK
				),
				ARRAY_A
			);
			foreach ( $rows as $row ) {
				$below = (int) $row['ID'];
				if ( $row['fresh'] && ( null === $row['tenant'] || null === $row['crm_id'] ) ) {
					$pending = min( $pending, $below - 1 );
				}
				$key   = $tenants[ (string) $row['tenant'] ] ?? null;
				if ( null === $key || '' === (string) $row['crm_id'] || strlen( $row['crm_id'] ) > Schema::MAX_ID ) {
					continue;
				}
				if ( self::adopt( $key, $row ) ) {
					$counts[ $key ] = ( $counts[ $key ] ?? 0 ) + 1;
				} else {
					$doubles[ $key ][] = $below;
				}
			}
		} while ( self::CHUNK === count( $rows ) );
		foreach ( $counts as $key => $count ) {
			Log::add( $key, 'info', sprintf( '%d posts that other code had made were adopted.', $count ) );
		}
		foreach ( $doubles as $key => $ids ) {
			self::tell_doubles( $key, array_values( array_filter( $ids, static fn( int $id ): bool => $id > $last ) ) );
		}
		return array_sum( $counts );
	}

	/** @param array<string, string|null> $row */
	private static function adopt( int $tenant, array $row ): bool {
		global $wpdb;
		$records = Schema::table( 'records' );
		$crm_id  = (string) $row['crm_id'];
		$values  = array( $tenant, "'leads'", Sql::bytes( $crm_id ), Sql::bytes( hash( 'sha256', $crm_id, true ) ), (int) $row['ID'], "x'" . str_repeat( '00', 16 ) . "'", Sql::text( mb_substr( (string) $row['post_title'], 0, 190 ) ), 'UTC_TIMESTAMP()' );
		// A record whose post was deleted takes this one; a record that has a post keeps it.
		$sql = "INSERT INTO `$records` (tenant, object, crm_id, id_hash, post_id, fingerprint, name, synced_at) VALUES (" . implode( ',', $values ) . ') ON DUPLICATE KEY UPDATE fingerprint = IF(post_id IS NULL, VALUES(fingerprint), fingerprint), post_id = COALESCE(post_id, VALUES(post_id))';
		return (int) $wpdb->query( $sql ) > 0; // phpcs:ignore WordPress.DB.PreparedSQL
	}

	/** @param list<int> $ids */
	private static function tell_doubles( int $key, array $ids ): void {
		if ( $ids ) {
			Log::add( $key, 'warning', sprintf( '%d posts are further copies of leads that have a post already. They were left as they are; delete them if nobody needs them.', count( $ids ) ), array( 'posts' => array_slice( $ids, 0, 100 ) ) );
		}
	}

	/** @return array<string, int> Keys by the tenants' own ids. */
	private static function keys(): array {
		global $wpdb;
		$table = Schema::table( 'tenants' );
		$keys  = array();
		foreach ( $wpdb->get_results( "SELECT id, external_id FROM `$table`", ARRAY_A ) as $row ) { // phpcs:ignore WordPress.DB.PreparedSQL
			$keys[ (string) $row['external_id'] ] = (int) $row['id'];
		}
		return $keys;
	}
}
