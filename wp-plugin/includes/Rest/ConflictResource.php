<?php
/**
 * One conflict as the REST routes show it, and its schema. What the values mean is the business of two-way sync.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\Words;

final class ConflictResource {

	/**
	 * @param array<string, mixed> $row Of Conflicts.
	 * @return array<string, mixed>
	 */
	public static function from( array $row ): array {
		$who     = $row['who'] ? get_userdata( $row['who'] ) : false;
		$decider = $row['decided_by'] ? get_userdata( $row['decided_by'] ) : false;
		return array(
			'id'         => $row['id'],
			'tenant'     => $row['tenant'],
			'lead'       => $row['record'] ? $row['record'] : null,
			'crm_id'     => (string) $row['crm_id'],
			'name'       => (string) $row['name'],
			'kind'       => (string) $row['kind'],
			'field'      => (string) $row['field'],
			'base'       => $row['base'],
			'crm'        => $row['crm'],
			'portal'     => $row['portal'],
			'reason'     => (string) $row['reason'],
			'who'        => $who ? $who->display_name : '',
			'state'      => (string) $row['state'],
			'choice'     => $row['choice'],
			'decided_by' => $decider ? $decider->display_name : '',
			'created_at' => Words::iso( $row['created_at'] ),
			'decided_at' => Words::iso( $row['decided_at'] ),
		);
	}

	/** @return array<string, mixed> JSON schema. */
	public static function schema(): array {
		$value = array( 'string', 'number', 'boolean', 'array', 'object', 'null' );
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'tenant-crm-conflict',
			'type'       => 'object',
			'properties' => array(
				'id'         => Access::property( __( 'Number of the conflict.', 'tenant-crm-sync' ), 'integer' ),
				'tenant'     => Access::property( __( 'Key of its tenant.', 'tenant-crm-sync' ), 'integer' ),
				'lead'       => Access::property( __( 'Number of its lead; null where it concerns the tenant as a whole.', 'tenant-crm-sync' ), array( 'integer', 'null' ) ),
				'crm_id'     => Access::property( __( 'Id of the lead at the CRM.', 'tenant-crm-sync' ) ),
				'name'       => Access::property( __( 'Name of the lead.', 'tenant-crm-sync' ) ),
				'kind'       => Access::property( __( 'field, delete, or what else is asked.', 'tenant-crm-sync' ) ),
				'field'      => Access::property( __( 'Which field.', 'tenant-crm-sync' ) ),
				'base'       => Access::property( __( 'What both sides agreed on before.', 'tenant-crm-sync' ), $value ),
				'crm'        => Access::property( __( 'What the CRM has.', 'tenant-crm-sync' ), $value ),
				'portal'     => Access::property( __( 'What the portal has.', 'tenant-crm-sync' ), $value ),
				'reason'     => Access::property( __( 'Why it is asked.', 'tenant-crm-sync' ) ),
				'who'        => Access::property( __( 'Who changed it in the portal.', 'tenant-crm-sync' ) ),
				'state'      => Access::property( __( 'Whether it waits, was decided, or is over.', 'tenant-crm-sync' ), 'string', array( 'enum' => array( 'open', 'taken', 'closed' ) ) ),
				'choice'     => Access::property( __( 'Whose value was taken.', 'tenant-crm-sync' ), array( 'string', 'null' ) ),
				'decided_by' => Access::property( __( 'Who decided.', 'tenant-crm-sync' ) ),
				'created_at' => Access::time( __( 'When it was asked first (UTC).', 'tenant-crm-sync' ) ),
				'decided_at' => Access::time( __( 'When it was decided (UTC).', 'tenant-crm-sync' ) ),
			),
		);
	}
}
