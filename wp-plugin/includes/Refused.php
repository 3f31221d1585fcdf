<?php
/**
 * Rows that one side has and the other refused, with the reason, until they get through or a person drops them: records of the CRM that the
 * portal could not store (the table `refused`), and changes of the portal that the CRM did not take (those in `changes` that wait for a
 * person). Screens and commands list, retry and drop both by one key: `crm-7`, `portal-7`.
 *
 * A refusal is written, and taken back, in the transaction of the batch that it comes from (Progress). What failed as a whole is in DeadLetters.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\TwoWay\Changes;
use TenantCRM\Webhooks\Hints;
use TenantCRM\Webhooks\Inbox;

final class Refused {

	/** Which side has the row: the other one refused it. */
	public const SIDES = array( 'crm', 'portal' );

	/** Newest records that are kept for each tenant. */
	private const KEEP = 10000;

	private const MAX_REASON = 2000;

	/**
	 * Newest first.
	 *
	 * @param array{tenants?: list<int>|null, side?: string, words?: string, limit?: int, offset?: int, key?: string} $args tenants: null for all.
	 *        words: part of a name, a reason or an id.
	 * @return list<array{key: string, side: string, id: int, tenant: int, object: string, record: string, post_id: int, name: string, reason: string, detail: string, times: int, since: string, at: string, retry_at: ?string, who: int}>
	 *         reason: in plain words; detail: as it came. times: refusals of a record, attempts of a change. who: of a change, the user. retry_at: somebody asked for it again.
	 * @throws StoreException
	 */
	public static function list( array $args = array() ): array {
		if ( array() === ( $args['tenants'] ?? null ) ) {
			return array();
		}
		$rows = Sql::rows( sprintf( 'SELECT x.* FROM (%s) x WHERE %s ORDER BY x.at DESC, x.side, x.id DESC LIMIT %d OFFSET %d', self::both( $args ), self::where( $args ), max( 1, min( 1000, (int) ( $args['limit'] ?? 50 ) ) ), max( 0, (int) ( $args['offset'] ?? 0 ) ) ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- both() and where() quote.
		return array_map(
			static function ( array $row ): array {
				foreach ( array( 'id', 'tenant', 'post_id', 'times', 'who' ) as $name ) {
					$row[ $name ] = (int) $row[ $name ];
				}
				return array(
					'key'    => "{$row['side']}-{$row['id']}",
					'detail' => $row['reason'],
					'reason' => Reason::plain( $row['reason'] ),
				) + $row;
			},
			$rows
		);
	}

	/** @param array{tenants?: list<int>|null, side?: string, words?: string} $args As of list(). */
	public static function count( array $args = array() ): int {
		return array() === ( $args['tenants'] ?? null ) ? 0 : (int) Sql::rows( sprintf( 'SELECT COUNT(*) AS n FROM (%s) x WHERE %s', self::both( $args ), self::where( $args ) ) )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- both() and where() quote.
	}

	/** @return array<int, int> How many there are, by tenant; of those that have none, nothing. */
	public static function by_tenant(): array {
		$rows = Sql::rows( sprintf( 'SELECT tenant, SUM(n) AS n FROM (SELECT tenant, COUNT(*) AS n FROM `%s` GROUP BY tenant UNION ALL SELECT tenant, COUNT(*) FROM `%s` WHERE refused = %d GROUP BY tenant) x GROUP BY tenant', Schema::table( 'refused' ), Schema::table( 'changes' ), Changes::REFUSED ) );
		return array_map( 'intval', array_column( $rows, 'n', 'tenant' ) );
	}

	/** @return array<string, mixed>|null As list() gives it. */
	public static function get( string $key ): ?array {
		return self::parts( $key ) ? self::list( array( 'key' => $key ) )[0] ?? null : null;
	}

	/**
	 * Has a row tried again, as a click does: a record is read from the CRM by its id, or with everything else where its id says nothing; a change is
	 * pushed.
	 *
	 * @return int|null The run that does it; null: it is not refused any more.
	 * @throws StoreException
	 */
	public static function retry( string $key ): ?int {
		$row = self::get( $key );
		if ( ! $row ) {
			return null;
		}
		if ( 'portal' === $row['side'] ) {
			$set = 'refused = 0, attempts = 0, reason = NULL, available_at = UTC_TIMESTAMP(3)';
			return Sql::change( Changes::update_sql( $row['id'], $set ) . ' AND refused = ' . Changes::REFUSED ) ? Jobs::enqueue( $row['tenant'], Changes::KIND, $row['object'], Jobs::PRIORITY_CLICK ) : null;
		}
		if ( ! $row['by_id'] || ! self::can_be_named( $row['tenant'], $row['object'] ) ) {
			Sql::change( self::asked_sql( $row['id'] ) );
			return Jobs::backfill( $row['tenant'], $row['object'] );
		}
		Transaction::run(
			static function ( Transaction $transaction ) use ( $row ): void {
				$transaction->query( self::asked_sql( $row['id'] ) );
				Hints::add( $transaction, $row['tenant'], $row['object'], array( $row['record'] => false ) );
			}
		);
		return Jobs::enqueue( $row['tenant'], Inbox::KIND, $row['object'], Jobs::PRIORITY_CLICK );
	}

	/** What has become of a row that was tried again: refused, waits (for a worker) or through. */
	public static function state( string $key ): string {
		list( $side, $id ) = self::parts( $key ) ?? array( '', 0 );
		if ( 'portal' === $side ) {
			$row = Sql::rows( 'SELECT refused FROM `' . Schema::table( 'changes' ) . "` WHERE id = $id" )[0] ?? null; // phpcs:ignore WordPress.DB.PreparedSQL -- asked_sql() takes an integer.
			return null === $row ? 'through' : ( (int) $row['refused'] ? 'refused' : 'waits' );
		}
		$row = self::get( $key );
		return null === $row ? 'through' : ( null === $row['retry_at'] ? 'refused' : 'waits' );
	}

	/**
	 * Takes a row from the list. A record comes back to it if the CRM sends it again and it is refused again; a change stays in the portal alone, until
	 * the lead is changed again.
	 *
	 * @return bool False: it is not refused any more.
	 * @throws StoreException
	 */
	public static function drop( string $key ): bool {
		list( $side, $id ) = self::parts( $key ) ?? array( '', 0 );
		if ( 'portal' === $side ) {
			return Sql::change( Changes::update_sql( $id, 'refused = ' . Changes::SET_ASIDE ) . ' AND refused = ' . Changes::REFUSED ) > 0;
		}
		return 'crm' === $side && Sql::change( 'DELETE FROM `' . Schema::table( 'refused' ) . "` WHERE id = $id" ) > 0; // phpcs:ignore WordPress.DB.PreparedSQL -- an integer, see parts().
	}

	/**
	 * What a batch of the CRM's records says of refusals: these are refused, those are not any more.
	 *
	 * @param list<array{id: ?string, reason: string, by_id?: bool}> $refused
	 * @param list<string>                                          $stored  Hashes of ids of what else was in the batch.
	 */
	public static function settle( Transaction $transaction, Job $job, array $refused, array $stored ): void {
		$table = Schema::table( 'refused' );
		$own   = sprintf( 'tenant = %d AND object = %s', $job->tenant, Sql::bytes( $job->object ) );
		$rows  = array();
		foreach ( $refused as $refusal ) {
			$reason        = mb_strcut( $refusal['reason'], 0, self::MAX_REASON, 'UTF-8' );
			$id            = (string) $refusal['id'];
			$hash          = self::hash( $refusal['id'], $reason );
			$rows[ $hash ] = sprintf( '(%d, %s, %s, %s, %d, %s, %d, UTC_TIMESTAMP(), UTC_TIMESTAMP())', $job->tenant, Sql::bytes( $job->object ), Sql::bytes( substr( $id, 0, Schema::MAX_ID ) ), Sql::bytes( $hash ), (int) ( '' !== $id && ( $refusal['by_id'] ?? true ) ), Sql::text( $reason ), $job->run );
		}
		$stored = array_diff( $stored, array_keys( $rows ) );
		// Most tenants have none: then nobody looks for a thousand of them.
		if ( $stored && $transaction->rows( "SELECT 1 FROM `$table` WHERE $own LIMIT 1" ) ) {
			$ids = array_column( $transaction->rows( "SELECT id FROM `$table` WHERE $own AND id_hash IN (" . implode( ',', array_map( array( Sql::class, 'bytes' ), $stored ) ) . ')' ), 'id' );
			if ( $ids ) {
				$transaction->query( "DELETE FROM `$table` WHERE id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ')' );
			}
		}
		// In one order, so that two workers do not wait for each other.
		ksort( $rows );
		$transaction->insert( "INSERT INTO `$table` (tenant, object, crm_id, id_hash, by_id, reason, run, first_at, last_at) VALUES ", array_values( $rows ), ' ON DUPLICATE KEY UPDATE reason = VALUES(reason), run = VALUES(run), times = times + 1, last_at = VALUES(last_at), retry_at = NULL', false );
	}

	/**
	 * Everything was read from the beginning: what was refused before and not again is stored by now, or is not at the CRM any more.
	 *
	 * @throws StoreException
	 */
	public static function after_scan( Job $job ): void {
		Sql::change( sprintf( 'DELETE FROM `%s` WHERE tenant = %d AND object = %s AND last_at < (SELECT started_at FROM `%s` WHERE id = %d)', Schema::table( 'refused' ), $job->tenant, Sql::bytes( $job->object ), Schema::table( 'runs' ), $job->run ) );
	}

	/**
	 * Which of these records somebody has asked for again.
	 *
	 * @param list<string> $hashes Of ids.
	 * @return list<string>
	 * @throws StoreException
	 */
	public static function asked( int $tenant, string $object, array $hashes ): array {
		return $hashes ? array_column( Sql::rows( sprintf( 'SELECT id_hash FROM `%s` WHERE tenant = %d AND object = %s AND retry_at IS NOT NULL AND id_hash IN (%s)', Schema::table( 'refused' ), $tenant, Sql::bytes( $object ), implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) ) ) ), 'id_hash' ) : array();
	}

	/**
	 * The CRM was asked for these and does not give them: nobody can try them again.
	 *
	 * @param list<string> $hashes Of ids.
	 * @throws StoreException
	 */
	public static function absent( Job $job, array $hashes ): void {
		foreach ( self::asked( $job->tenant, $job->object, $hashes ) as $hash ) {
			$where = sprintf( 'tenant = %d AND object = %s AND id_hash = %s', $job->tenant, Sql::bytes( $job->object ), Sql::bytes( $hash ) );
			$id    = (string) ( Sql::rows( 'SELECT crm_id FROM `' . Schema::table( 'refused' ) . "` WHERE $where" )[0]['crm_id'] ?? '' );
			if ( Sql::change( 'DELETE FROM `' . Schema::table( 'refused' ) . "` WHERE $where" ) ) {
				Log::add( $job->tenant, 'info', "Record \"$id\", which was refused before, is not at the CRM any more.", array( 'run' => $job->run ) );
			}
		}
	}

	/** Keeps the table bounded: of each tenant the newest. */
	public static function prune(): void {
		$table = Schema::table( 'refused' );
		foreach ( Sql::rows( "SELECT tenant FROM `$table` GROUP BY tenant HAVING COUNT(*) > " . self::KEEP ) as $row ) {
			$floor = Sql::rows( sprintf( 'SELECT id FROM `%s` WHERE tenant = %d ORDER BY id DESC LIMIT 1 OFFSET %d', $table, $row['tenant'], self::KEEP ) )[0]['id'] ?? null;
			if ( null !== $floor ) {
				Sql::prune( 'refused', sprintf( 'tenant = %d AND id <= %d', $row['tenant'], $floor ) );
			}
		}
	}

	private static function asked_sql( int $id ): string {
		return 'UPDATE `' . Schema::table( 'refused' ) . "` SET retry_at = UTC_TIMESTAMP() WHERE id = $id";
	}

	/** Whether the CRM gives a record by its id. */
	private static function can_be_named( int $tenant, string $object ): bool {
		$known   = Tenants::get( $tenant );
		$objects = $known ? Connectors::find( $known->connector )['objects'] ?? array() : array();
		$about   = $objects[ $object ] ?? $objects['*'] ?? array();
		return ! empty( $about['one'] ) || ! empty( $about['by_ids'] );
	}

	/** What a record is known by; one without an id, by its reason. */
	private static function hash( ?string $id, string $reason ): string {
		return hash( 'sha256', null === $id || '' === $id ? "\0$reason" : $id, true );
	}

	/** @return array{0: string, 1: int}|null */
	private static function parts( string $key ): ?array {
		return 1 === preg_match( '/^(crm|portal)-([1-9]\d{0,17})$/D', $key, $found ) ? array( $found[1], (int) $found[2] ) : null;
	}

	/** SQL of the rows of both sides. @param array<string, mixed> $args */
	private static function both( array $args ): string {
		global $wpdb;
		$records = Schema::table( 'records' );
		$key     = self::parts( (string) ( $args['key'] ?? '' ) );
		$side    = $key[0] ?? $args['side'] ?? '';
		$own     = static fn( string $alias ): string => ( isset( $args['tenants'] ) ? " AND $alias.tenant IN (" . implode( ',', array_map( 'intval', $args['tenants'] ) ) . ')' : '' ) . ( $key ? " AND $alias.id = {$key[1]}" : '' );
		$sql     = array(
			'crm'    => "SELECT 'crm' AS side, f.id, f.tenant, f.object, f.crm_id AS record, COALESCE(r.post_id, 0) AS post_id, COALESCE(r.name, '') AS name, f.reason, f.times, f.first_at AS since, f.last_at AS at, f.retry_at, 0 AS who, f.by_id
				FROM `" . Schema::table( 'refused' ) . "` f LEFT JOIN `$records` r ON r.tenant = f.tenant AND r.object = f.object AND r.id_hash = f.id_hash WHERE 1 = 1" . $own( 'f' ),
			'portal' => "SELECT 'portal' AS side, c.id, c.tenant, c.object, COALESCE(r.crm_id, '') AS record, COALESCE(p.ID, 0) AS post_id, COALESCE(CONVERT(p.post_title USING utf8mb4) COLLATE utf8mb4_bin, r.name, '') AS name, COALESCE(c.reason, '') AS reason, c.attempts AS times, c.changed_at AS since, c.changed_at AS at, NULL AS retry_at, c.who, 1 AS by_id
				FROM `" . Schema::table( 'changes' ) . "` c LEFT JOIN `$records` r ON r.id = c.record LEFT JOIN `$wpdb->posts` p ON p.ID = c.post_id WHERE c.refused = " . Changes::REFUSED . $own( 'c' ),
		);
		return implode( ' UNION ALL ', isset( $sql[ $side ] ) ? array( $sql[ $side ] ) : $sql );
	}

	/** @param array<string, mixed> $args */
	private static function where( array $args ): string {
		global $wpdb;
		$words = (string) ( $args['words'] ?? '' );
		if ( '' === $words ) {
			return '1 = 1';
		}
		$like = $wpdb->prepare( 'LIKE %s', '%' . $wpdb->esc_like( $words ) . '%' );
		return "(x.name COLLATE utf8mb4_unicode_520_ci $like OR x.reason COLLATE utf8mb4_unicode_520_ci $like OR x.record = " . Sql::bytes( $words ) . ')';
	}
}
