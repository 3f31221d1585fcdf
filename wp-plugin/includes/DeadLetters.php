<?php
/**
 * Jobs that failed for good: what they were, why, since when and after how many attempts. A person tries one again or drops it; a newer job
 * for the same tenant and object takes its place by itself, so there is at most one of each.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class DeadLetters {

	/** They are kept so many days, and at most so many. */
	private const KEEP_DAYS = 90;
	private const KEEP_ROWS = 5000;

	/**
	 * Newest first.
	 *
	 * @param list<int>|null $tenants Only those of these tenants; null: all.
	 * @return list<array{id: int, run: int, tenant: int, kind: string, object: string, reason: string, attempts: int, queued_at: ?string, failing_since: ?string, died_at: ?string}>
	 * @throws StoreException
	 */
	public static function list( ?array $tenants = null, int $limit = 50, int $id = 0 ): array {
		$table = Schema::table( 'jobs' );
		if ( array() === $tenants ) {
			return array();
		}
		$where = null === $tenants ? '' : ' AND tenant IN (' . implode( ',', array_map( 'intval', $tenants ) ) . ')';
		$where = $id ? "$where AND id = $id" : $where;
		return array_map(
			static function ( array $row ): array {
				foreach ( array( 'id', 'run', 'tenant', 'attempts' ) as $name ) {
					$row[ $name ] = (int) $row[ $name ];
				}
				return $row;
			},
			Sql::rows( "SELECT id, run, tenant, kind, object, reason, attempts, queued_at, failing_since, died_at FROM `$table` WHERE state = 'dead'$where ORDER BY died_at DESC, id DESC LIMIT $limit" )
		);
	}

	/** @return array<string, mixed>|null As list() gives it. */
	public static function get( int $id ): ?array {
		return self::list( null, 1, $id )[0] ?? null;
	}

	/**
	 * Asks for the same work again, as a click does.
	 *
	 * @return int|null The new run's id; null where the letter is gone.
	 * @throws StoreException
	 */
	public static function retry( int $id ): ?int {
		$table  = Schema::table( 'jobs' );
		$letter = Sql::rows( "SELECT tenant, kind, object, batches, payload FROM `$table` WHERE id = $id AND state = 'dead'" )[0] ?? null;
		if ( ! $letter ) {
			return null;
		}
		$payload = (array) json_decode( (string) $letter['payload'], true );
		if ( (int) $letter['batches'] > 0 && Jobs::BACKFILL !== $letter['kind'] ) {
			// It had begun to read everything again, and goes on from there.
			unset( $payload['full'] );
		}
		$run = Jobs::enqueue( (int) $letter['tenant'], $letter['kind'], $letter['object'], Jobs::PRIORITY_CLICK, $payload );
		// Where a newer job was there already, that one answers for it.
		self::drop( $id );
		return $run;
	}

	/** Forgets it. Its run stays in the list of runs. */
	public static function drop( int $id ): bool {
		$table = Schema::table( 'jobs' );
		return Sql::change( "DELETE FROM `$table` WHERE id = $id AND state = 'dead'" ) > 0;
	}

	/** A newer job of the same kind is there. */
	public static function replace( int $tenant, string $kind, string $object ): void {
		$table = Schema::table( 'jobs' );
		$ids   = array_column( Sql::rows( "SELECT id FROM `$table` WHERE tenant = $tenant AND state = 'dead' AND kind = " . Sql::bytes( $kind ) . ' AND object = ' . Sql::bytes( $object ) ), 'id' );
		if ( $ids ) {
			Sql::change( "DELETE FROM `$table` WHERE state = 'dead' AND id IN (" . implode( ',', array_map( 'intval', $ids ) ) . ')' );
		}
	}

	/** Keeps them bounded. */
	public static function prune(): void {
		Sql::prune( 'jobs', sprintf( "state = 'dead' AND died_at < UTC_TIMESTAMP() - INTERVAL %d DAY", self::KEEP_DAYS ) );
		$table = Schema::table( 'jobs' );
		$floor = Sql::rows( sprintf( "SELECT id FROM `%s` WHERE state = 'dead' ORDER BY id DESC LIMIT 1 OFFSET %d", $table, self::KEEP_ROWS ) )[0]['id'] ?? null;
		if ( null !== $floor ) {
			Sql::prune( 'jobs', "state = 'dead' AND id <= " . (int) $floor );
		}
	}
}
