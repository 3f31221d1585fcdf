<?php
/**
 * One sync as the REST routes show it, and its schema. Only shapes: the routes decide who may see it.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\Words;
use TenantCRM\Ledger;
use TenantCRM\Tenant;

final class RunResource {

	/**
	 * @param array<string, mixed> $run A row of Runs.
	 * @return array<string, mixed>
	 */
	public static function from( array $run, Tenant $tenant ): array {
		$state = (string) $run['state'];
		return array(
			'id'          => (int) $run['id'],
			'tenant'      => $tenant->id,
			'label'       => $tenant->label,
			'object'      => (string) $run['object'],
			'state'       => $state,
			'message'     => Words::state( $run, $tenant->paused ),
			'counts'      => Words::counts( $run ),
			'error'       => (string) ( $run['error'] ?? '' ),
			'remedy'      => Words::remedy( $run ),
			'fetched'     => (int) $run['fetched'],
			'created'     => (int) $run['created'],
			'updated'     => (int) $run['updated'],
			'unchanged'   => (int) $run['unchanged'],
			'refused'     => (int) $run['refused'],
			'pages'       => (int) $run['pages'],
			// Counting costs a query: only the answer that ends a run carries it.
			'records'     => Words::is_final( $state ) ? Ledger::count( $tenant->key ) : null,
			'retry_at'    => Words::iso( $run['retry_at'] ?? null ),
			'queued_at'   => Words::iso( $run['queued_at'] ?? null ),
			'started_at'  => Words::iso( $run['started_at'] ?? null ),
			'finished_at' => Words::iso( $run['finished_at'] ?? null ),
		);
	}

	/** @return array<string, mixed> JSON schema. */
	public static function schema(): array {
		$number = static function ( string $description ): array {
			return array(
				'description' => $description,
				'type'        => 'integer',
				'minimum'     => 0,
				'readonly'    => true,
			);
		};
		$text   = static function ( string $description ): array {
			return array(
				'description' => $description,
				'type'        => 'string',
				'readonly'    => true,
			);
		};
		$time   = static function ( string $description ): array {
			return array(
				'description' => $description,
				'type'        => array( 'string', 'null' ),
				'format'      => 'date-time',
				'readonly'    => true,
			);
		};
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'tenant-crm-sync',
			'type'       => 'object',
			'properties' => array(
				'id'          => $number( __( 'Number of the sync.', 'tenant-crm-sync' ) ),
				'tenant'      => $text( __( 'Id of the tenant.', 'tenant-crm-sync' ) ),
				'label'       => $text( __( 'Name of the tenant.', 'tenant-crm-sync' ) ),
				'object'      => $text( __( 'What is synced, for example leads.', 'tenant-crm-sync' ) ),
				'state'       => array(
					'description' => __( 'How the sync stands.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'enum'        => array( 'queued', 'running', 'waiting', 'done', 'failed', 'cancelled' ),
					'readonly'    => true,
				),
				'message'     => $text( __( 'The state in plain words.', 'tenant-crm-sync' ) ),
				'counts'      => $text( __( 'What was done, in plain words.', 'tenant-crm-sync' ) ),
				'error'       => $text( __( 'Why it failed or waits, in plain words; empty if it does not.', 'tenant-crm-sync' ) ),
				'remedy'      => $text( __( 'What to do about the error, where that is known.', 'tenant-crm-sync' ) ),
				'fetched'     => $number( __( 'Records read from the CRM.', 'tenant-crm-sync' ) ),
				'created'     => $number( __( 'Records new to this site.', 'tenant-crm-sync' ) ),
				'updated'     => $number( __( 'Records that had changed.', 'tenant-crm-sync' ) ),
				'unchanged'   => $number( __( 'Records that had not changed.', 'tenant-crm-sync' ) ),
				'refused'     => $number( __( 'Records that could not be stored; the log says why.', 'tenant-crm-sync' ) ),
				'pages'       => $number( __( 'Pages read from the CRM.', 'tenant-crm-sync' ) ),
				'records'     => array(
					'description' => __( 'Records this site has of the tenant, once the sync has ended.', 'tenant-crm-sync' ),
					'type'        => array( 'integer', 'null' ),
					'readonly'    => true,
				),
				'retry_at'    => $time( __( 'When it is tried again (UTC).', 'tenant-crm-sync' ) ),
				'queued_at'   => $time( __( 'When it was asked for (UTC).', 'tenant-crm-sync' ) ),
				'started_at'  => $time( __( 'When work on it began (UTC).', 'tenant-crm-sync' ) ),
				'finished_at' => $time( __( 'When it ended (UTC).', 'tenant-crm-sync' ) ),
			),
		);
	}
}
