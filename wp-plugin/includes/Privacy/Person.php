<?php
/**
 * Finds what the site has of a person, by e-mail address: records of the ledger, and leads whose address only the portal has.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\Fields;
use TenantCRM\NotSupported;
use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;

final class Person {

	/**
	 * @param int $after The last ledger id of the page before.
	 * @return list<array{id: int, tenant: int, object: string, crm_id: string, post_id: int, name: string}>
	 */
	public static function records( string $email, int $limit, int $after = 0 ): array {
		global $wpdb;
		$like = $wpdb->prepare( '%s', trim( $email ) );
		// As people type it: case does not matter.
		return self::typed( Sql::rows( sprintf( 'SELECT id, tenant, object, crm_id, COALESCE(post_id, 0) AS post_id, name FROM `%s` WHERE email COLLATE utf8mb4_unicode_520_ci = %s AND id > %d ORDER BY id LIMIT %d', Schema::table( 'records' ), $like, $after, $limit ) ) );
	}

	/**
	 * Leads that have the address in a field of theirs, with their record if the ledger knows it by another address.
	 *
	 * @return list<array{id: int, tenant: int, object: string, crm_id: string, post_id: int, name: string}> id and crm_id are empty where there is no record.
	 */
	public static function posts( string $email, int $limit, int $after = 0 ): array {
		global $wpdb;
		$keys = implode( ',', array_map( array( Sql::class, 'text' ), self::meta_keys() ) );
		$sql  = $wpdb->prepare( "SELECT DISTINCT p.ID AS post_id, p.post_title AS name, COALESCE(r.id, 0) AS id, COALESCE(r.tenant, 0) AS tenant, COALESCE(r.object, 'leads') AS object, COALESCE(r.crm_id, '') AS crm_id FROM `$wpdb->postmeta` m JOIN `$wpdb->posts` p ON p.ID = m.post_id AND p.post_type = %s LEFT JOIN `" . Schema::table( 'records' ) . "` r ON r.post_id = p.ID WHERE m.meta_key IN ($keys) AND m.meta_value = %s AND p.ID > %d ORDER BY p.ID LIMIT %d", PostType::NAME, trim( $email ), $after, $limit );
		return self::typed( Sql::rows( $wpdb->remove_placeholder_escape( $sql ) ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- prepared above.
	}

	/** @return list<string> Where addresses are, by the mappings of all tenants. */
	private static function meta_keys(): array {
		$keys = array( 'email' => true );
		foreach ( Tenants::all() as $tenant ) {
			try {
				$target = Fields::of( $tenant, 'leads' )->map()['email'] ?? 'title';
			} catch ( NotSupported | \TenantCRMSync\Exception $e ) {
				continue;
			}
			if ( 'title' !== $target ) {
				$keys[ $target ] = true;
			}
		}
		return array_map( 'strval', array_keys( $keys ) );
	}

	/**
	 * @param list<array<string, string|null>> $rows
	 * @return list<array<string, mixed>>
	 */
	private static function typed( array $rows ): array {
		return array_map( static fn( array $row ): array => array_merge( $row, array_map( 'intval', array_intersect_key( $row, array_flip( array( 'id', 'tenant', 'post_id' ) ) ) ) ), $rows );
	}
}
