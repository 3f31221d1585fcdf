<?php
/**
 * Deletes erased records in the CRM, for tenants whose setting `erase` says so: a job of the queue, tried again until the CRM has done it. Until then
 * the suppression holds the record's number, and nothing else of it.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\Job;
use TenantCRM\Leases;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;

final class Deletion {

	public const KIND = 'erase';

	private const PIECE = 100;

	/**
	 * @param mixed $kinds
	 * @return array<string, callable>
	 */
	public static function add_kind( $kinds ): array {
		return array( self::KIND => array( self::class, 'work' ) ) + (array) $kinds;
	}

	/**
	 * @throws \Throwable What Failure knows how to settle.
	 */
	public static function work( Job $job ): void {
		$tenant = Tenants::get( $job->tenant );
		if ( ! $tenant ) {
			return;
		}
		$client = $tenant->client();
		$table  = Schema::table( 'suppressions' );
		$own    = sprintf( 'tenant = %d AND object = %s AND crm_id IS NOT NULL', $job->tenant, Sql::bytes( $job->object ) );
		do {
			$rows = Sql::rows( "SELECT id, crm_id FROM `$table` WHERE $own ORDER BY id LIMIT " . self::PIECE );
			foreach ( $rows as $row ) {
				Leases::renew( $job );
				// True also where it was gone before.
				$client->delete_record( $job->object, $row['crm_id'] );
				Sql::change( "UPDATE `$table` SET crm_id = NULL WHERE id = {$row['id']}" );
			}
			if ( $rows ) {
				Log::add( $job->tenant, 'info', sprintf( '%d erased records were deleted in the CRM.', count( $rows ) ), array( 'run' => $job->run ) );
			}
		} while ( $rows );
	}
}
