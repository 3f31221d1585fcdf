<?php
/**
 * How far each tenant's pull of each object has come: the CRM's own watermark, opaque to us.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Cursors {

	/**
	 * @param string $mapping Fields::hash(). With other fields mapped than last time, everything must be read again.
	 * @return string|null Null: everything.
	 */
	public static function read( int $tenant, string $object, string $mapping ): ?string {
		global $wpdb;
		$table = Schema::table( 'cursors' );
		$row   = $wpdb->get_row( $wpdb->prepare( "SELECT watermark, mapping FROM `$table` WHERE tenant = %d AND object = %s", $tenant, $object ), ARRAY_A );
		return $row && $mapping === $row['mapping'] ? $row['watermark'] : null;
	}

	/** Run by Store as the last statement of a batch. */
	public static function write_sql( int $tenant, string $object, string $mapping, string $watermark ): string {
		$table = Schema::table( 'cursors' );
		return sprintf(
			'INSERT INTO `%s` (tenant, object, watermark, mapping, updated_at) VALUES (%d, %s, %s, %s, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE watermark = VALUES(watermark), mapping = VALUES(mapping), updated_at = VALUES(updated_at)',
			$table,
			$tenant,
			Sql::bytes( $object ),
			Sql::bytes( $watermark ),
			Sql::bytes( $mapping )
		);
	}

	/** The next pull reads everything. */
	public static function reset( int $tenant, string $object ): void {
		global $wpdb;
		$wpdb->delete( Schema::table( 'cursors' ), array( 'tenant' => $tenant, 'object' => $object ), array( '%d', '%s' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}
}
