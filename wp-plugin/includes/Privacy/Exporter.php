<?php
/**
 * WordPress's export of personal data: what the portal has of a person, tenant by tenant, with where each value comes from and what the log says.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;

final class Exporter {

	private const PAGE = 50;

	/**
	 * @param mixed $email
	 * @param mixed $page
	 * @return array{data: list<array<string, mixed>>, done: bool}
	 */
	public static function export( $email, $page = 1 ): array {
		$email = (string) $email;
		$page  = max( 1, (int) $page );
		$found = self::page( $email, $page );
		$data  = array_map( array( self::class, 'lead' ), $found );
		if ( 1 === $page ) {
			$data = array_merge( $data, self::log( $email ) );
		}
		return array(
			'data' => $data,
			'done' => count( $found ) < self::PAGE,
		);
	}

	/** Records first, then posts that no record of the address has. @return list<array<string, mixed>> */
	private static function page( string $email, int $page ): array {
		$all = array();
		foreach ( array_merge( Person::records( $email, self::PAGE * $page + 1 ), Person::posts( $email, self::PAGE * $page + 1 ) ) as $row ) {
			$all[ $row['post_id'] ? "post {$row['post_id']}" : "record {$row['id']}" ] ??= $row;
		}
		return array_slice( array_values( $all ), self::PAGE * ( $page - 1 ), self::PAGE );
	}

	/**
	 * @param array<string, mixed> $row
	 * @return array<string, mixed>
	 */
	private static function lead( array $row ): array {
		$tenant = $row['tenant'] ? Tenants::get( $row['tenant'] ) : null;
		$fields = array(
			array( __( 'Tenant', 'tenant-crm-sync' ), $tenant ? ( '' === $tenant->label ? $tenant->id : $tenant->label ) : (string) get_post_meta( $row['post_id'], '_tenant_id', true ) ),
			array( __( 'Number at the CRM', 'tenant-crm-sync' ), $row['crm_id'] ),
		);
		if ( $row['post_id'] && PostType::NAME === get_post_type( $row['post_id'] ) ) {
			$fields[] = array( __( 'Name', 'tenant-crm-sync' ), get_post_field( 'post_title', $row['post_id'], 'raw' ) );
			foreach ( (array) get_post_meta( $row['post_id'] ) as $key => $values ) {
				if ( '_' !== $key[0] && 'crm_lead_id' !== $key ) {
					$fields[] = array( $key, self::text( maybe_unserialize( $values[0] ) ) );
				}
			}
		}
		$base = $row['id'] ? Sql::rows( sprintf( 'SELECT base, crm_updated_at, synced_at FROM `%s` WHERE id = %d', Schema::table( 'records' ), $row['id'] ) )[0] ?? null : null;
		foreach ( (array) json_decode( (string) ( $base['base'] ?? '' ), true ) as $field => $value ) {
			/* translators: %s: name of a field */
			$fields[] = array( sprintf( __( '%s, as the CRM has it', 'tenant-crm-sync' ), $field ), self::text( $value ) );
		}
		if ( $base ) {
			$fields[] = array( __( 'Last synced (UTC)', 'tenant-crm-sync' ), $base['synced_at'] );
		}
		return self::item( 'tenant-crm-sync-leads', __( 'CRM leads', 'tenant-crm-sync' ), 'crm-lead-' . ( $row['post_id'] ? $row['post_id'] : 'record-' . $row['id'] ), $fields );
	}

	/** @return list<array<string, mixed>> */
	private static function log( string $email ): array {
		global $wpdb;
		$like = $wpdb->prepare( '%s', '%' . $wpdb->esc_like( trim( $email ) ) . '%' );
		$rows = Sql::rows( $wpdb->remove_placeholder_escape( sprintf( 'SELECT id, created_at, message, context FROM `%1$s` WHERE message COLLATE utf8mb4_unicode_520_ci LIKE %2$s OR context COLLATE utf8mb4_unicode_520_ci LIKE %2$s ORDER BY id LIMIT 500', Schema::table( 'log' ), $like ) ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- prepared above.
		return array_map(
			static fn( array $row ): array => self::item(
				'tenant-crm-sync-log',
				__( 'CRM Sync log', 'tenant-crm-sync' ),
				"crm-log-{$row['id']}",
				array(
					array( __( 'Time (UTC)', 'tenant-crm-sync' ), $row['created_at'] ),
					array( __( 'Message', 'tenant-crm-sync' ), $row['message'] ),
					array( __( 'Details', 'tenant-crm-sync' ), (string) $row['context'] ),
				)
			),
			$rows
		);
	}

	/**
	 * @param list<array{0: string, 1: string}> $fields
	 * @return array<string, mixed>
	 */
	private static function item( string $group, string $label, string $id, array $fields ): array {
		$data = array();
		foreach ( $fields as list( $name, $value ) ) {
			if ( '' !== (string) $value ) {
				// WordPress allows links and such in values: these are somebody's words.
				$data[] = array(
					'name'  => esc_html( $name ),
					'value' => esc_html( $value ),
				);
			}
		}
		return array(
			'group_id'    => $group,
			'group_label' => $label,
			'item_id'     => $id,
			'data'        => $data,
		);
	}

	/** @param mixed $value */
	private static function text( $value ): string {
		return is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	}
}
