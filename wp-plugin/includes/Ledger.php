<?php
/**
 * The ledger: one row a record, which says what was last agreed with the CRM and which post holds it. The same row carries the
 * projection that lists read. Who decides what changes is Store and HookStore.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Ledger {

	private const COLUMNS = 'tenant, object, crm_id, id_hash, post_id, fingerprint, base, crm_revision, name, email, state, owner, crm_created_at, crm_updated_at, synced_at';

	/**
	 * SQL: whether a record was stored a short while ago. A page of a backfill may have been read before that; longer no page is on its way, and a
	 * record whose time lies ahead (the CRM was restored, its clock was set back) is what the CRM says it is.
	 */
	private const JUST_STORED = 'synced_at > UTC_TIMESTAMP() - INTERVAL 15 MINUTE AS just_stored';

	/** What lookup_sql() reads for HookStore, which asks is_ahead() of these rows. */
	public const STATE = 'id, id_hash, post_id, fingerprint, crm_revision, ' . self::JUST_STORED;

	public static function register(): void {
		add_action( 'deleted_post', array( self::class, 'forget_post' ), 10, 2 );
	}

	/**
	 * A deleted post leaves its record without one; the CRM's next pull of it makes a new post.
	 *
	 * @param mixed $post_id
	 * @param mixed $post
	 */
	public static function forget_post( $post_id, $post ): void {
		global $wpdb;
		if ( $post instanceof \WP_Post && PostType::NAME === $post->post_type ) {
			$table = Schema::table( 'records' );
			$wpdb->query( $wpdb->prepare( "UPDATE `$table` SET post_id = NULL WHERE post_id = %d", $post_id ) );
		}
	}

	/** @return int Number of records of a tenant. */
	public static function count( int $tenant, string $object = 'leads' ): int {
		global $wpdb;
		$table = Schema::table( 'records' );
		return (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM `$table` WHERE tenant = %d AND object = %s", $tenant, $object ) );
	}

	/** @param list<string> $hashes */
	public static function lookup_sql( int $tenant, string $object, array $hashes, string $columns = 'id, id_hash, post_id, fingerprint' ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- columns are the caller's constant.
		return sprintf(
			"SELECT $columns FROM `%s` WHERE tenant = %d AND object = %s AND id_hash IN (%s)",
			Schema::table( 'records' ),
			$tenant,
			Sql::bytes( $object ),
			implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) )
		);
	}

	/** @param list<int> $ids */
	public static function lock_sql( array $ids ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- ids are integers.
		return sprintf( 'SELECT id, id_hash, post_id, base, crm_revision, ' . self::JUST_STORED . ' FROM `%s` WHERE id IN (%s) FOR UPDATE', Schema::table( 'records' ), implode( ',', $ids ) );
	}

	/**
	 * Whether the ledger has a newer state than a page of a backfill, which may have been read before the pull of changes that stored it.
	 *
	 * @param array<string, string|null> $row
	 */
	public static function is_ahead( Job $job, array $row, string $revision ): bool {
		return $job->is_backfill() && $row['just_stored'] && true === \TenantCRMSync::is_newer( (string) $row['crm_revision'], $revision );
	}

	public static function insert_head(): string {
		return 'INSERT INTO `' . Schema::table( 'records' ) . '` (' . self::COLUMNS . ') VALUES ';
	}

	public static function update_head(): string {
		return 'INSERT INTO `' . Schema::table( 'records' ) . '` (id, ' . self::COLUMNS . ') VALUES ';
	}

	/** The id of the row comes from a locking read in the same transaction: nothing is ever inserted by it. */
	public static function update_tail(): string {
		$set = array();
		foreach ( array( 'post_id', 'fingerprint', 'base', 'crm_revision', 'name', 'email', 'state', 'owner', 'crm_created_at', 'crm_updated_at', 'synced_at' ) as $column ) {
			$set[] = "$column = VALUES($column)";
		}
		// What a pull in one direction writes, two-way sync has to look at once more if it is ever switched on again.
		return ' ON DUPLICATE KEY UPDATE ' . implode( ', ', $set ) . ', mapping = NULL';
	}

	/** @return string The values of one row, for either head. */
	public static function values( Tenant $tenant, string $object, Lead $lead, int $post_id, ?int $id = null ): string {
		return '(' . ( null === $id ? '' : $id . ',' ) . $tenant->key . ',' . Sql::bytes( $object ) . ',' . Sql::bytes( $lead->id ) . ',' . Sql::bytes( $lead->hash ) . ",$post_id,"
			. Sql::bytes( $lead->fingerprint ) . ',' . Sql::text( $lead->base ) . ',' . Sql::bytes( $lead->revision ) . ','
			. Sql::text( $lead->projection['name'] ) . ',' . Sql::text( $lead->projection['email'] ) . ',' . Sql::text( $lead->projection['state'] ) . ',' . Sql::text( $lead->projection['owner'] ) . ','
			. Sql::nullable( $lead->created_at ) . ',' . Sql::nullable( $lead->updated_at ) . ',UTC_TIMESTAMP())';
	}
}
