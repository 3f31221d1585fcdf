<?php
/**
 * Notes of posts that may differ from what was agreed on with the CRM: one row a post, made before the post is written and once more behind
 * it, and removed only by whoever compared the two under locks. A write to the CRM that is not settled stands in the same row.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoreException;
use TenantCRM\Transaction;

final class Changes {

	public const KIND = 'push';

	/** Why a change waits for a person, or for its next change (`refused`): it was refused; many were deleted at once; a person set it aside. */
	public const REFUSED   = 1;
	public const BRAKE     = 2;
	public const SET_ASIDE = 3;

	/** Seconds for which a tenant is left alone whose push failed for good; a person, or the next change, may be faster. */
	private const REST = 900;

	/** @var array<string, array{0: int, 1: string, 2: int}> Tenants, objects and their sites, to be pushed when this request ends. */
	private static array $ring = array();

	/**
	 * Notes that a post changes. Never fails: what cannot be noted the sweep finds.
	 *
	 * @param string|null                          $tenant_id What `_tenant_id` is about to become, of a post that the ledger does not know.
	 * @param (callable(bool): FieldTimes)|null $times     Which field changes when, asked where the tenant wants to know; told whether the ledger does not know the lead.
	 */
	public static function mark( int $post_id, ?string $tenant_id = null, ?callable $times = null ): void {
		if ( $post_id <= 0 || ! Rules::any() ) {
			return;
		}
		$owner = self::owner( $post_id, $tenant_id );
		if ( ! $owner || ! Rules::direction_is_two_way( (string) $owner['settings'], (string) $owner['object'] ) ) {
			return;
		}
		$is_new = null === $owner['record'];
		$hash   = self::hash_of( $post_id, (string) $owner['settings'], (string) $owner['object'] );
		$times  = $times && FieldTimes::are_wanted( (string) $owner['settings'] ) ? $times( $is_new ) : null;
		try {
			Sql::change( self::mark_sql( (int) $owner['tenant'], (string) $owner['object'], $post_id, $is_new ? null : (int) $owner['record'], get_current_user_id(), $hash, $times ) );
		} catch ( StoreException $e ) {
			error_log( "tenant-crm-sync: a change of post $post_id was not noted; the next sweep looks for it. {$e->getMessage()}" ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		}
		self::ring( (int) $owner['tenant'], (string) $owner['object'] );
	}

	/**
	 * The statement of a mark, also for transactions.
	 *
	 * @param string|null $person By what the lead is known now. A new one that is on its way is known by what was sent, too.
	 */
	public static function mark_sql( int $tenant, string $object, int $post_id, ?int $record, int $who = 0, ?string $person = null, ?FieldTimes $times = null ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- ?int.
		$times ??= FieldTimes::none();
		return sprintf(
			'INSERT INTO `%s` (tenant, object, post_id, record, unique_hash, person, who, times, changed_at, available_at) VALUES (%d, %s, %d, %s, %s, %s, %d, %s, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
			ON DUPLICATE KEY UPDATE marks = marks + 1, who = IF(VALUES(who) > 0, VALUES(who), who), times = %s, changed_at = VALUES(changed_at), record = COALESCE(VALUES(record), record), unique_hash = IF(sent_at IS NULL, COALESCE(VALUES(unique_hash), unique_hash), unique_hash), person = COALESCE(VALUES(person), person),
				attempts = 0, refused = 0, reason = NULL, available_at = IF(sent_at IS NULL, VALUES(available_at), available_at), tenant = IF(sent_at IS NULL AND record IS NULL, VALUES(tenant), tenant)',
			Schema::table( 'changes' ),
			$tenant,
			Sql::bytes( $object ),
			$post_id,
			null === $record ? 'NULL' : $record,
			null === $record ? Subject::literal( $person ) : 'NULL',
			Subject::literal( $person ),
			$who,
			$times->first ?? 'NULL',
			$times->next
		);
	}

	/** Has a push queued at the end of this request; a process that dies before that leaves it to the timer. */
	public static function ring( int $tenant, string $object ): void {
		if ( ! self::$ring ) {
			add_action( 'shutdown', array( self::class, 'flush' ), 5 );
		}
		$site = get_current_blog_id();
		self::$ring[ "$site:$tenant:$object" ] = array( $tenant, $object, $site );
	}

	/** Without a database nothing is queued: the timer does it. */
	public static function flush(): void {
		$ring       = Sql::is_lost() ? array() : self::$ring;
		self::$ring = array();
		foreach ( $ring as list( $tenant, $object, $site ) ) {
			$is_other = get_current_blog_id() !== $site && switch_to_blog( $site );
			try {
				Jobs::enqueue( $tenant, self::KIND, $object, Jobs::PRIORITY_CLICK );
			} catch ( \RuntimeException $e ) {
				// The timer queues it.
				unset( $e );
			}
			if ( $is_other ) {
				restore_current_blog();
			}
		}
	}

	/** Queues a push for each tenant that has something to be pushed, or looked at, now; not where one failed for good a moment ago. */
	public static function enqueue_due(): void {
		$changes = Schema::table( 'changes' );
		$records = Schema::table( 'records' );
		$tenants = Schema::table( 'tenants' );
		$jobs    = Schema::table( 'jobs' );
		if ( ! Rules::any() ) {
			return;
		}
		$due  = Sql::rows(
			"SELECT DISTINCT c.tenant, c.object FROM `$changes` c JOIN `$tenants` t ON t.id = c.tenant WHERE c.refused = 0 AND c.available_at <= UTC_TIMESTAMP(3) AND t.paused = 0
			UNION SELECT DISTINCT r.tenant, r.object FROM `$tenants` t JOIN `$records` r ON r.tenant = t.id AND r.object = 'leads' AND r.hint IN (1, 3) WHERE t.paused = 0"
		);
		$dead = array_column( Sql::rows( "SELECT tenant FROM `$jobs` WHERE state = 'dead' AND kind = '" . self::KIND . "' AND died_at > UTC_TIMESTAMP() - INTERVAL " . self::REST . ' SECOND' ), 'tenant', 'tenant' );
		foreach ( $due as $row ) {
			if ( isset( $dead[ $row['tenant'] ] ) ) {
				continue;
			}
			Jobs::enqueue( (int) $row['tenant'], self::KIND, (string) $row['object'] );
		}
	}

	/**
	 * Changes to be pushed now: those that failed before come later.
	 *
	 * @return list<int>
	 * @throws StoreException
	 */
	public static function due( int $tenant, string $object, int $limit = 100 ): array {
		return array_map( 'intval', array_column( Sql::rows( sprintf( 'SELECT id FROM `%s` WHERE tenant = %d AND object = %s AND refused = 0 AND available_at <= UTC_TIMESTAMP(3) ORDER BY attempts, id LIMIT %d', Schema::table( 'changes' ), $tenant, Sql::bytes( $object ), $limit ) ), 'id' ) );
	}

	/** @return array<string, string|null>|null Null: it is not due any more. */
	public static function get( int $id ): ?array {
		return Sql::rows( 'SELECT * FROM `' . Schema::table( 'changes' ) . "` WHERE id = $id AND refused = 0 AND available_at <= UTC_TIMESTAMP(3)" )[0] ?? null;
	}

	/** What was noted of a tenant that goes one way by now: its differences are nobody's business any more. */
	public static function forget( int $tenant, string $object ): void {
		$own = sprintf( 'tenant = %d AND object = %s', $tenant, Sql::bytes( $object ) );
		Sql::change( 'DELETE FROM `' . Schema::table( 'changes' ) . "` WHERE $own" );
		Sql::change( 'UPDATE `' . Schema::table( 'records' ) . "` SET hint = 0 WHERE $own AND hint > 0" );
	}

	/** @param string $set SQL. */
	public static function update_sql( int $id, string $set ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- the caller's SQL, checked there.
		return 'UPDATE `' . Schema::table( 'changes' ) . "` SET $set WHERE id = $id";
	}

	public static function delete_sql( int $id ): string {
		return 'DELETE FROM `' . Schema::table( 'changes' ) . "` WHERE id = $id";
	}

	/** A write that is not settled: from here on nobody knows whether it was done, until somebody looks. */
	public static function intend( Transaction $transaction, int $id, string $verb, array $data, string $crm_id ): void {
		$json = (string) wp_json_encode( $data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION );
		$transaction->query( self::update_sql( $id, sprintf( 'verb = %s, sent = %s, sent_id = %s, sent_at = UTC_TIMESTAMP(3)', Sql::bytes( $verb ), Sql::text( $json ), Sql::bytes( $crm_id ) ) ) );
	}

	public const SETTLED = 'verb = NULL, sent = NULL, sent_id = NULL, sent_at = NULL';

	/** @return array<string, string|null>|null Ledger id, tenant, its settings and the object of a post. */
	private static function owner( int $post_id, ?string $tenant_id ): ?array {
		global $wpdb;
		$records = Schema::table( 'records' );
		$tenants = Schema::table( 'tenants' );
		$row     = $wpdb->get_row( "SELECT r.id AS record, r.object, t.id AS tenant, t.settings FROM `$records` r JOIN `$tenants` t ON t.id = r.tenant WHERE r.post_id = $post_id", ARRAY_A );
		if ( $row ) {
			return $row;
		}
		$tenant_id ??= $wpdb->get_var( "SELECT meta_value FROM `$wpdb->postmeta` WHERE post_id = $post_id AND meta_key = '_tenant_id' ORDER BY meta_id LIMIT 1" );
		if ( null === $tenant_id ) {
			return null;
		}
		return $wpdb->get_row( "SELECT NULL AS record, 'leads' AS object, t.id AS tenant, t.settings FROM `$tenants` t WHERE t.external_id = " . Sql::bytes( (string) $tenant_id ), ARRAY_A );
	}

	/** By what a lead is known now, so that the same person coming from the CRM or by a form meanwhile is not doubled. */
	private static function hash_of( int $post_id, string $settings, string $object ): ?string {
		global $wpdb;
		$rules  = new Rules( (array) json_decode( $settings, true ), $object );
		if ( '' === $rules->unique ) {
			return null;
		}
		// The meta has the field's name, unless the site's filter says otherwise; then Push finds it out.
		return $rules->unique_hash( $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM `$wpdb->postmeta` WHERE post_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", $post_id, $rules->unique ) ) );
	}
}
