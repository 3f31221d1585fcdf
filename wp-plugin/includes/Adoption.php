<?php
/**
 * Takes posts that other code made (the article's function, or a worker that died between a post and its ledger row) into the ledger, so
 * that they are brought up to date and not doubled. They belong to the tenant and record that their meta name, bytewise.
 *
 * A scan looks only at posts that are newer than the last one looked at, as long as the tenants are the same: posts of a new one may be
 * anywhere. What it adopts has no base yet: the next pull compares it field by field.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Adoption {

	/** Option: the post id that the next scan starts above, the newest one that the last scan saw, and the tenants it looked for. */
	private const OPTION = 'tenant_crm_sync_adoption';

	/** A post gets its meta after itself: one without is looked at again for so long. */
	private const SETTLE_SECONDS = 900;

	private const CHUNK = 1000;

	/**
	 * @param Job|null $job Gets a sign of life with each chunk.
	 * @return int How many posts were adopted.
	 * @throws StoreException
	 * @throws LeaseLost
	 * @throws TenantChanged
	 */
	public static function run( ?Job $job = null ): int {
		global $wpdb;
		$tenants = self::keys();
		$sum     = md5( (string) wp_json_encode( array_values( $tenants ) ) );
		$state   = get_option( self::OPTION );
		if ( ! is_array( $state ) || ( $state['tenants'] ?? '' ) !== $sum ) {
			// Bound to what was scanned: a tenant that is added while a scan runs is not lost. What a deleted one left would hide its posts.
			Tenants::sweep();
			$state = array();
		}
		$floor   = (int) ( $state['floor'] ?? 0 );
		$last    = (int) ( $state['last'] ?? 0 );
		$ceiling = (int) ( Sql::rows( "SELECT MAX(ID) AS newest FROM `$wpdb->posts`" )[0]['newest'] ?? 0 );
		if ( $ceiling <= $floor ) {
			return 0;
		}
		$pending = $last;
		$adopted = self::scan( $tenants, $floor, $ceiling, $last, $pending, $job );
		// One scan behind, for a post that got its id before the last scan and was visible only after it.
		update_option(
			self::OPTION,
			array(
				'floor'   => min( $pending, $last ),
				'last'    => $ceiling,
				'tenants' => $sum,
			),
			false
		);
		return $adopted;
	}

	/**
	 * From the newest to the oldest: of several posts of one record the newest is taken, as the article's code would.
	 *
	 * @param array<string, int> $tenants Keys by ids.
	 * @param int                $last    Newest post of the last scan: the log knows copies that are older.
	 * @param int                $pending Set to the id below the oldest post that may still get its meta.
	 */
	private static function scan( array $tenants, int $floor, int $ceiling, int $last, int &$pending, ?Job $job ): int {
		global $wpdb;
		$records = Schema::table( 'records' );
		$below   = $ceiling + 1;
		$counts  = array();
		$doubles = array();
		do {
			if ( $job ) {
				Leases::renew( $job );
			}
			$rows  = Sql::rows(
				$wpdb->prepare(
					"SELECT p.ID, p.post_title, t.meta_value AS tenant, c.meta_value AS crm_id, p.post_modified_gmt > UTC_TIMESTAMP() - INTERVAL %d SECOND AS fresh
					FROM `$wpdb->posts` p FORCE INDEX (PRIMARY)
					LEFT JOIN `$records` r ON r.post_id = p.ID
					LEFT JOIN `$wpdb->postmeta` t ON t.post_id = p.ID AND t.meta_key = '_tenant_id'
					LEFT JOIN `$wpdb->postmeta` c ON c.post_id = p.ID AND c.meta_key = 'crm_lead_id'
					WHERE p.ID > %d AND p.ID < %d AND p.post_type = %s AND p.post_status NOT IN ('trash', 'auto-draft') AND r.id IS NULL
					ORDER BY p.ID DESC LIMIT %d",
					self::SETTLE_SECONDS,
					$floor,
					$below,
					PostType::NAME,
					self::CHUNK
				)
			);
			$found = array();
			foreach ( $rows as $row ) {
				$below = (int) $row['ID'];
				if ( $row['fresh'] && ( null === $row['tenant'] || null === $row['crm_id'] ) ) {
					$pending = min( $pending, $below - 1 );
				}
				$key = $tenants[ (string) $row['tenant'] ] ?? null;
				if ( null !== $key && '' !== (string) $row['crm_id'] && strlen( (string) $row['crm_id'] ) <= Schema::MAX_ID ) {
					$found[] = array( $key, $row );
				}
			}
			$busy = array();
			foreach ( self::alone( $found, $job, $busy ) as $number => $adopted ) {
				list( $key, $row ) = $found[ $number ];
				if ( $adopted ) {
					$counts[ $key ] = ( $counts[ $key ] ?? 0 ) + 1;
				} elseif ( false === $adopted ) {
					$doubles[ $key ][] = (int) $row['ID'];
				}
			}
			foreach ( $busy as $id ) {
				$pending = min( $pending, $id - 1 );
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

	/**
	 * Adopts, but not what HookStore is just storing: it has looked into the ledger and would make the same posts once more. The job waits for its own
	 * tenant, and for no other.
	 *
	 * @param list<array{0: int, 1: array<string, string|null>}> $found Tenant and post.
	 * @param list<int>                                          $busy  Gets the posts that somebody has to look at again.
	 * @return array<int, bool|null> As adopt(), by the position in $found.
	 */
	private static function alone( array $found, ?Job $job, array &$busy ): array {
		$locks = array();
		try {
			foreach ( array_unique( array_column( $found, 0 ) ) as $key ) {
				if ( Tenants::get( $key )?->uses_hooks() ) {
					$locks[ $key ] = StoreLock::take( $key, $job && $job->tenant === $key ? StoreLock::WAIT : 0 );
				}
			}
			$free = array_filter( $found, static fn( array $one ): bool => $locks[ $one[0] ] ?? true );
			foreach ( array_diff_key( $found, $free ) as list( , $row ) ) {
				$busy[] = (int) $row['ID'];
			}
			return $free ? array_combine( array_keys( $free ), self::adopt( array_values( $free ) ) ) : array();
		} finally {
			array_map( array( StoreLock::class, 'leave' ), array_keys( array_filter( $locks ) ) );
		}
	}

	/**
	 * One transaction for a chunk.
	 *
	 * @param list<array{0: int, 1: array<string, string|null>}> $found Tenant and post.
	 * @return list<bool|null> Whether each was adopted; else its record has another post. Null: the CRM deleted its record, or others were faster.
	 */
	private static function adopt( array $found ): array {
		return Transaction::run(
			static function ( Transaction $transaction ) use ( $found ): array {
				$adopted = array();
				foreach ( $found as list( $tenant, $row ) ) {
					$transaction->query( self::adopt_sql( $tenant, $row ) );
					$adopted[] = $transaction->affected() > 0 ? true : ( self::has_another( $transaction, $tenant, $row ) ? false : null );
				}
				return $adopted;
			}
		);
	}

	/** @param array<string, string|null> $row */
	private static function adopt_sql( int $tenant, array $row ): string {
		global $wpdb;
		$records = Schema::table( 'records' );
		$crm_id  = (string) $row['crm_id'];
		$post    = (int) $row['ID'];
		$values  = array( $tenant, "'leads'", Sql::bytes( $crm_id ), Sql::bytes( hash( 'sha256', $crm_id, true ) ), 'ID', "x'" . str_repeat( '00', 16 ) . "'", Sql::text( mb_substr( (string) $row['post_title'], 0, 190 ) ), 'UTC_TIMESTAMP()' );
		// A record whose post was deleted takes this one; a record that has a post keeps it. Of one that the CRM deleted the post is to become a new
		// record, and may be on its way. The post may have gone since it was found.
		return "INSERT INTO `$records` (tenant, object, crm_id, id_hash, post_id, fingerprint, name, synced_at) SELECT " . implode( ',', $values ) . " FROM `$wpdb->posts` WHERE ID = $post" . ' ON DUPLICATE KEY UPDATE fingerprint = IF(post_id IS NULL AND gone <> 1, VALUES(fingerprint), fingerprint), post_id = IF(gone = 1, post_id, COALESCE(post_id, VALUES(post_id)))';
	}

	/** @param array<string, string|null> $row */
	private static function has_another( Transaction $transaction, int $tenant, array $row ): bool {
		$records = Schema::table( 'records' );
		return (bool) $transaction->rows( "SELECT id FROM `$records` WHERE tenant = $tenant AND object = 'leads' AND id_hash = " . Sql::bytes( hash( 'sha256', (string) $row['crm_id'], true ) ) . ' AND post_id <> ' . (int) $row['ID'] );
	}

	/** @param list<int> $ids */
	private static function tell_doubles( int $key, array $ids ): void {
		if ( $ids ) {
			Log::add( $key, 'warning', sprintf( '%d posts are further copies of leads that have a post already. They were left as they are; delete them if nobody needs them.', count( $ids ) ), array( 'posts' => array_slice( $ids, 0, 100 ) ) );
		}
	}

	/** @return array<string, int> Keys by the tenants' own ids. */
	private static function keys(): array {
		$keys = array();
		foreach ( Sql::rows( 'SELECT id, external_id FROM `' . Schema::table( 'tenants' ) . '` ORDER BY id' ) as $row ) {
			$keys[ (string) $row['external_id'] ] = (int) $row['id'];
		}
		return $keys;
	}
}
