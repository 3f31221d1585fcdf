<?php
/**
 * Records that webhooks named and that are to be fetched: one row a record, however often it is named. The row counts how often it was, so that one
 * that is named again while it is fetched stays.
 *
 * Of a record that the CRM does not give any more a mark stays for a while. It is no proof that the record was deleted, and nothing is deleted
 * because of it: that is for the feed of deletes, or a full pull.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Transaction;

final class Hints {

	/** Days that a mark stays, and a record that nobody could fetch: a pull has brought it since. */
	private const KEEP_MISSING = 30;
	private const KEEP_WAITING = 7;

	/** Rows of one DELETE. */
	private const PIECE = 500;

	/** @param array<string|int, bool> $records Id => whether the CRM said that it is deleted. */
	public static function add( Transaction $transaction, int $tenant, string $object, array $records ): void {
		$rows = array();
		foreach ( $records as $id => $is_deleted ) {
			$id = (string) $id;
			if ( strlen( $id ) <= Schema::MAX_ID ) {
				$rows[ hash( 'sha256', $id ) ] = sprintf( "(%d, %s, %s, UNHEX('%s'), %d, UTC_TIMESTAMP())", $tenant, Sql::bytes( $object ), Sql::bytes( $id ), hash( 'sha256', $id ), (int) $is_deleted );
			}
		}
		// Two requests take their locks in one order.
		ksort( $rows );
		$table = Schema::table( 'webhook_records' );
		$transaction->insert( "INSERT INTO `$table` (tenant, object, crm_id, id_hash, is_deleted, heard_at) VALUES ", array_values( $rows ), ' ON DUPLICATE KEY UPDATE version = version + 1, is_deleted = VALUES(is_deleted), missing_at = NULL, heard_at = VALUES(heard_at)' );
	}

	/**
	 * Records that wait, those that were named first come first.
	 *
	 * @return list<array{id: int, crm_id: string, id_hash: string, version: int}>
	 * @throws \TenantCRM\StoreException
	 */
	public static function waiting( int $tenant, string $object, int $limit ): array {
		$rows = Sql::rows( sprintf( 'SELECT id, crm_id, id_hash, version FROM `%s` WHERE tenant = %d AND object = %s AND missing_at IS NULL ORDER BY id LIMIT %d', Schema::table( 'webhook_records' ), $tenant, Sql::bytes( $object ), $limit ) );
		return array_map( static fn( array $row ): array => array( 'id' => (int) $row['id'], 'version' => (int) $row['version'] ) + $row, $rows ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/**
	 * They are dealt with, unless they were named again meanwhile.
	 *
	 * @param list<array<string, mixed>> $rows As waiting() gave them.
	 */
	public static function done( array $rows ): void {
		self::each( $rows, 'DELETE FROM `%s`' );
	}

	/**
	 * The CRM does not give them, unless they were named again meanwhile.
	 *
	 * @param list<array<string, mixed>> $rows
	 */
	public static function missing( array $rows ): void {
		self::each( $rows, 'UPDATE `%s` SET missing_at = UTC_TIMESTAMP()' );
	}

	/** @return array{waiting: int, missing: int} How many records of a tenant wait, and how many its CRM does not give any more. */
	public static function counts( int $tenant ): array {
		$row = Sql::rows( sprintf( 'SELECT COUNT(*) - COUNT(missing_at) AS waiting, COUNT(missing_at) AS missing FROM `%s` WHERE tenant = %d', Schema::table( 'webhook_records' ), $tenant ) )[0];
		return array_map( 'intval', $row );
	}

	/** @return list<array{0: int, 1: string}> Tenants and objects with records that wait and have no job of this kind. */
	public static function orphans( string $kind ): array {
		$rows = Sql::rows( sprintf( 'SELECT DISTINCT r.tenant, r.object FROM `%s` r WHERE r.missing_at IS NULL AND NOT EXISTS (SELECT 1 FROM `%s` j WHERE j.tenant = r.tenant AND j.kind = %s AND j.object = r.object)', Schema::table( 'webhook_records' ), Schema::table( 'jobs' ), Sql::bytes( $kind ) ) );
		return array_map( static fn( array $row ): array => array( (int) $row['tenant'], (string) $row['object'] ), $rows );
	}

	public static function prune(): void {
		Sql::prune( 'webhook_records', 'missing_at < UTC_TIMESTAMP() - INTERVAL ' . self::KEEP_MISSING . ' DAY OR heard_at < UTC_TIMESTAMP() - INTERVAL ' . self::KEEP_WAITING . ' DAY AND missing_at IS NULL' );
	}

	/** @param list<array<string, mixed>> $rows */
	private static function each( array $rows, string $what ): void {
		foreach ( array_chunk( $rows, self::PIECE ) as $some ) {
			$pairs = array_map( static fn( array $row ): string => "({$row['id']}, {$row['version']})", $some );
			Sql::change( sprintf( "$what WHERE (id, version) IN (%s)", Schema::table( 'webhook_records' ), implode( ',', $pairs ) ) );
		}
	}
}
