<?php
/**
 * How tenants stand, for lists: all figures of many tenants in a fixed number of queries, however many there are. It only reads; what the
 * figures mean is Admin\TenantHealth's business.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Standings {

	/** So many finished syncs of a tenant say how much the next one will probably read. */
	private const REMEMBERED = 5;

	/** What every tenant starts from. */
	private const NOTHING = array(
		'run'       => null,
		'done_at'   => null,
		'next_at'   => null,
		'records'   => 0,
		'waiting'   => 0,
		'dead'      => 0,
		'refused'   => 0,
		'conflicts' => 0,
		'expected'  => 0,
	);

	/**
	 * @param list<int> $keys Of tenants.
	 * @return array<int, array{run: ?array<string, mixed>, done_at: ?string, next_at: ?string, records: int, waiting: int, dead: int, refused: int, conflicts: int, expected: int}>
	 *         By key. run: the newest pull. done_at: the end of the last one that went to its end. next_at: when the next one is due. waiting: jobs, and leads
	 *         on their way to the CRM. dead: jobs that failed for good. refused: records that one side did not take. expected: records that a sync usually reads.
	 */
	public static function of( array $keys ): array {
		if ( ! $keys ) {
			return array();
		}
		$all = array_fill_keys( $keys, self::NOTHING );
		$in  = implode( ',', array_map( 'intval', $keys ) );
		$add = static function ( string $sql, string ...$names ) use ( &$all ): void {
			foreach ( Sql::rows( $sql ) as $row ) { // phpcs:ignore WordPress.DB.PreparedSQL -- the statements below.
				foreach ( $names as $name ) {
					$all[ (int) $row['tenant'] ][ $name ] += (int) $row[ $name ];
				}
			}
		};
		foreach ( Runs::latest_of( $keys ) as $key => $run ) {
			$all[ $key ]['run'] = $run;
		}
		foreach ( array_intersect_key( Refused::by_tenant(), $all ) as $key => $many ) {
			$all[ $key ]['refused'] = $many;
		}
		foreach ( Sql::rows( 'SELECT id, next_due_at FROM `' . Schema::table( 'tenants' ) . "` WHERE id IN ($in)" ) as $row ) {
			$all[ (int) $row['id'] ]['next_at'] = $row['next_due_at'];
		}
		$add( 'SELECT tenant, COUNT(*) AS records FROM `' . Schema::table( 'records' ) . "` WHERE tenant IN ($in) AND object = 'leads' GROUP BY tenant", 'records' );
		$add( "SELECT tenant, SUM(state <> 'dead') AS waiting, SUM(state = 'dead') AS dead FROM `" . Schema::table( 'jobs' ) . "` WHERE tenant IN ($in) GROUP BY tenant", 'waiting', 'dead' );
		$add( 'SELECT tenant, COUNT(*) AS waiting FROM `' . Schema::table( 'changes' ) . "` WHERE tenant IN ($in) AND refused = 0 GROUP BY tenant", 'waiting' );
		$add( 'SELECT tenant, COUNT(*) AS conflicts FROM `' . Schema::table( 'conflicts' ) . "` WHERE tenant IN ($in) AND state = 'open' GROUP BY tenant", 'conflicts' );
		$fetched = array();
		foreach ( Sql::rows( sprintf( "SELECT tenant, fetched, finished_at FROM (SELECT tenant, fetched, finished_at, ROW_NUMBER() OVER (PARTITION BY tenant ORDER BY id DESC) AS nth FROM `%s` WHERE tenant IN (%s) AND kind = 'pull' AND state = 'done') newest WHERE nth <= %d ORDER BY tenant, nth", Schema::table( 'runs' ), $in, self::REMEMBERED ) ) as $row ) {
			$key                        = (int) $row['tenant'];
			$all[ $key ]['done_at']   ??= $row['finished_at'];
			$fetched[ $key ][]          = (int) $row['fetched'];
		}
		foreach ( $fetched as $key => $numbers ) {
			sort( $numbers );
			$all[ $key ]['expected'] = $numbers[ intdiv( count( $numbers ), 2 ) ];
		}
		return $all;
	}

	/**
	 * How the syncs of the last days ended, today last.
	 *
	 * @param list<int> $keys Of tenants.
	 * @return array<string, array{done: int, failed: int, cancelled: int}> By day of the site's calendar, Y-m-d.
	 */
	public static function days( array $keys, int $days ): array {
		$offset = wp_timezone()->getOffset( new \DateTimeImmutable( 'now' ) );
		$all    = array();
		for ( $back = $days - 1; $back >= 0; $back-- ) {
			$all[ gmdate( 'Y-m-d', time() + $offset - $back * DAY_IN_SECONDS ) ] = array(
				'done'      => 0,
				'failed'    => 0,
				'cancelled' => 0,
			);
		}
		if ( ! $keys ) {
			return $all;
		}
		$sql = "SELECT DATE(finished_at + INTERVAL %d SECOND) AS day, state, COUNT(*) AS many FROM `%s` WHERE finished_at >= UTC_TIMESTAMP() - INTERVAL %d DAY AND kind IN ('pull', '%s') AND tenant IN (%s) GROUP BY day, state";
		foreach ( Sql::rows( sprintf( $sql, $offset, Schema::table( 'runs' ), $days, Jobs::BACKFILL, implode( ',', array_map( 'intval', $keys ) ) ) ) as $row ) { // phpcs:ignore WordPress.DB.PreparedSQL -- the numbers go into %d.
			if ( isset( $all[ $row['day'] ][ $row['state'] ] ) ) {
				$all[ $row['day'] ][ $row['state'] ] += (int) $row['many'];
			}
		}
		return $all;
	}
}
