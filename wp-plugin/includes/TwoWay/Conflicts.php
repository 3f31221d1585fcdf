<?php
/**
 * The inbox: what both sides changed and a person has to decide, with both values, the base, who and when. An entry blocks only its field.
 * How one is decided is in Decisions.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Capabilities;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;

final class Conflicts {

	public const STATES = array( 'open', 'taken', 'closed' );

	/** Decided and closed ones are kept so many days. */
	private const KEEP_DAYS = 180;

	/**
	 * Asks, or asks again with what the sides have now. The ledger row must be there by the time this runs.
	 *
	 * @param array{field: ?string, base: mixed, crm: mixed, portal: mixed, reason: string} $conflict As merge() gives it.
	 */
	public static function ask_sql( int $tenant, string $object, string $id_hash, Subject $subject, array $conflict, string $revision ): string {
		$field  = (string) $conflict['field'];
		$change = $subject->change;
		$post   = $subject->post ? $subject->post->id : (int) ( $change['post_id'] ?? $subject->row['post_id'] ?? 0 );
		$values = array(
			(string) $tenant,
			Sql::bytes( $object ),
			'(SELECT id FROM `' . Schema::table( 'records' ) . "` WHERE tenant = $tenant AND object = " . Sql::bytes( $object ) . ' AND id_hash = ' . Sql::bytes( $id_hash ) . ')',
			(string) $post,
			null === $conflict['field'] ? "'delete'" : "'field'",
			Sql::bytes( $field ),
			self::json( $conflict['base'] ),
			self::json( $conflict['crm'] ),
			self::json( $conflict['portal'] ),
			Sql::text( mb_substr( $conflict['reason'], 0, 400 ) ),
			(string) (int) ( $change['who'] ?? 0 ),
			Sql::bytes( $revision ),
			null === $change ? 'NULL' : Sql::text( $change['changed_at'] ),
			Sql::bytes( self::key( "$tenant:$object:" . bin2hex( $id_hash ) . ":$field" ) ),
			'UTC_TIMESTAMP()',
		);
		return 'INSERT INTO `' . Schema::table( 'conflicts' ) . '` (tenant, object, record, post_id, kind, field, base, crm, portal, reason, who, crm_at, portal_at, open_key, created_at) VALUES (' . implode( ', ', $values ) . ')
			ON DUPLICATE KEY UPDATE base = VALUES(base), crm = VALUES(crm), portal = VALUES(portal), reason = VALUES(reason), who = IF(VALUES(who) > 0, VALUES(who), who), crm_at = VALUES(crm_at), portal_at = COALESCE(VALUES(portal_at), portal_at), post_id = VALUES(post_id)';
	}

	/** @param list<string> $fields The sides agree on them now. */
	public static function close_sql( int $record, array $fields ): string {
		return 'UPDATE `' . Schema::table( 'conflicts' ) . "` SET state = 'closed', open_key = NULL, decided_at = UTC_TIMESTAMP() WHERE record = $record AND state = 'open' AND field IN (" . implode( ',', array_map( array( Sql::class, 'bytes' ), $fields ) ) . ')';
	}

	/** Asks something about a tenant as a whole: whether many records may be deleted at once. */
	public static function ask_for_all( int $tenant, string $object, string $kind, string $reason ): void {
		Sql::change(
			sprintf(
				'INSERT INTO `%s` (tenant, object, record, kind, reason, open_key, created_at) VALUES (%d, %s, 0, %s, %s, %s, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE reason = VALUES(reason)',
				Schema::table( 'conflicts' ),
				$tenant,
				Sql::bytes( $object ),
				Sql::bytes( $kind ),
				Sql::text( mb_substr( $reason, 0, 400 ) ),
				Sql::bytes( self::key( "$tenant:$object:$kind" ) )
			)
		);
	}

	/** The same is not in question any more. */
	public static function close_for_all( int $tenant, string $object, string $kind ): void {
		Sql::change( 'UPDATE `' . Schema::table( 'conflicts' ) . "` SET state = 'closed', open_key = NULL, decided_at = UTC_TIMESTAMP() WHERE open_key = " . Sql::bytes( self::key( "$tenant:$object:$kind" ) ) );
	}

	/**
	 * Newest first.
	 *
	 * @param array{tenants?: list<int>|null, state?: string, words?: string, limit?: int, offset?: int, id?: int} $args tenants: null for all.
	 *        words: part of a lead's name, or a whole id or field.
	 * @return list<array<string, mixed>> With crm_id; base, crm and portal as values.
	 */
	public static function list( array $args = array() ): array {
		if ( array() === ( $args['tenants'] ?? null ) ) {
			return array();
		}
		$rows = Sql::rows( sprintf( 'SELECT c.*, r.crm_id, r.name FROM `%s` c LEFT JOIN `%s` r ON r.id = c.record WHERE %s ORDER BY c.id DESC LIMIT %d OFFSET %d', Schema::table( 'conflicts' ), Schema::table( 'records' ), self::where( $args ), max( 1, min( 1000, (int) ( $args['limit'] ?? 50 ) ) ), max( 0, (int) ( $args['offset'] ?? 0 ) ) ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- where() prepares what is given.
		foreach ( $rows as &$row ) {
			foreach ( array( 'id', 'tenant', 'record', 'post_id', 'who', 'decided_by' ) as $name ) {
				$row[ $name ] = (int) $row[ $name ];
			}
			foreach ( array( 'base', 'crm', 'portal' ) as $name ) {
				$row[ $name ] = null === $row[ $name ] ? null : json_decode( $row[ $name ], true );
			}
			unset( $row['open_key'] );
		}
		return $rows;
	}

	/** @return array<string, mixed>|null */
	public static function get( int $id ): ?array {
		return self::list( array( 'id' => $id ) )[0] ?? null;
	}

	/** @param array{tenants?: list<int>|null, state?: string, words?: string} $args As of list(). */
	public static function count( array $args = array() ): int {
		return array() === ( $args['tenants'] ?? null ) ? 0 : (int) Sql::rows( sprintf( 'SELECT COUNT(*) AS n FROM `%s` c LEFT JOIN `%s` r ON r.id = c.record WHERE %s', Schema::table( 'conflicts' ), Schema::table( 'records' ), self::where( $args ) ) )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- where() prepares what is given.
	}

	/**
	 * Whether a user may decide a conflict: of a tenant of their own; what is about many leads at once, or the site as a whole, who manages tenants.
	 *
	 * @param array<string, mixed> $conflict As list() gives it.
	 */
	public static function may( int $user, array $conflict ): bool {
		$tenant = Tenants::get( (int) $conflict['tenant'] );
		return $tenant && Capabilities::user_may( $user, (int) $conflict['record'] ? Capabilities::SYNC : Capabilities::MANAGE, $tenant->id );
	}

	/** Keeps the table bounded. */
	public static function prune(): void {
		Sql::prune( 'conflicts', sprintf( "state <> 'open' AND decided_at < UTC_TIMESTAMP() - INTERVAL %d DAY", self::KEEP_DAYS ) );
	}

	/** @param array<string, mixed> $args */
	private static function where( array $args ): string {
		$where = array( '1 = 1' );
		if ( isset( $args['tenants'] ) ) {
			$where[] = 'c.tenant IN (' . implode( ',', array_map( 'intval', $args['tenants'] ) ) . ')';
		}
		if ( in_array( $args['state'] ?? '', self::STATES, true ) ) {
			$where[] = "c.state = '{$args['state']}'";
		}
		if ( '' !== ( $args['words'] ?? '' ) ) {
			global $wpdb;
			$name    = $wpdb->prepare( 'r.name COLLATE utf8mb4_unicode_520_ci LIKE %s', '%' . $wpdb->esc_like( $args['words'] ) . '%' );
			$words   = Sql::bytes( $args['words'] );
			$where[] = "($name OR r.crm_id = $words OR c.field = $words)";
		}
		if ( isset( $args['id'] ) ) {
			$where[] = 'c.id = ' . (int) $args['id'];
		}
		return implode( ' AND ', $where );
	}

	/** @param mixed $value */
	private static function json( $value ): string {
		return Sql::text( (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION ) );
	}

	private static function key( string $what ): string {
		return substr( hash( 'sha256', $what, true ), 0, 16 );
	}
}
