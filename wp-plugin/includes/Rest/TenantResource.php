<?php
/**
 * One tenant as the REST routes show and take it, and its schema. Secrets go in and never come out: of each only is told that it is stored.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\Words;
use TenantCRM\Capabilities;
use TenantCRM\ConnectionFields;
use TenantCRM\Connectors;
use TenantCRM\Runs;
use TenantCRM\Tenant;

final class TenantResource {

	/** Settings that have properties of their own. */
	const APART = array( 'connection', 'mapping' );

	/**
	 * @param string $context `edit` for who manages tenants, else `view`.
	 * @return array<string, mixed>
	 */
	public static function from( Tenant $tenant, string $context ): array {
		$run  = Runs::latest( $tenant->key );
		$data = array(
			'key'        => $tenant->key,
			'id'         => $tenant->id,
			'label'      => $tenant->label,
			'connector'  => $tenant->connector,
			'paused'     => $tenant->paused,
			'configured' => $tenant->is_configured(),
			'state'      => Words::state( $run, $tenant->paused ),
			'sync'       => null === $run ? null : (int) $run['id'],
		);
		if ( 'edit' !== $context ) {
			return $data;
		}
		$stored = $tenant->connection();
		$secret = array_filter( $stored, static fn( string $name ): bool => self::is_secret( $tenant, $name, (string) $stored[ $name ] ), ARRAY_FILTER_USE_KEY );
		return $data + array(
			'source'     => $tenant->source,
			'endpoint'   => $tenant->endpoint,
			'connection' => (object) array_diff_key( $stored, $secret ),
			'secrets'    => array_merge( $tenant->has_key() ? array( 'api_key' ) : array(), array_map( 'strval', array_keys( $secret ) ) ),
			'missing'    => array_map( 'strval', array_keys( $tenant->missing() ) ),
			'settings'   => (object) array_diff_key( $tenant->settings, array_flip( self::APART ) ),
			'mapping'    => $tenant->mapping(),
			'roles'      => Capabilities::roles_of( $tenant->id ),
		);
	}

	/**
	 * What of a connection is kept back. A connector that is not there any more cannot say: whatever looks sealed is, and all of it where nobody knows.
	 */
	private static function is_secret( Tenant $tenant, string $name, string $value ): bool {
		$fields = Connectors::find( $tenant->connector )['fields'] ?? null;
		return null === $fields ? 'auth' !== $name : ! empty( $fields[ $name ]['secret'] ) || str_starts_with( $value, ConnectionFields::ENVELOPE );
	}

	/** @return array<string, mixed> JSON schema. */
	public static function schema(): array {
		$edit = array( 'context' => array( 'edit' ) );
		$both = array( 'context' => array( 'view', 'edit' ) );
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'tenant-crm-tenant',
			'type'       => 'object',
			'properties' => array(
				'key'        => Access::property( __( 'Number of the tenant on this site.', 'tenant-crm-sync' ), 'integer' ),
				'id'         => $both + array(
					'description' => __( 'The site’s own id of the tenant; it cannot be changed.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'minLength'   => 1,
					'maxLength'   => 190,
				),
				'label'      => $both + array(
					'description' => __( 'Name of the tenant.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'maxLength'   => 190,
				),
				'connector'  => $both + array(
					'description' => __( 'Which CRM it is, for example rest.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'maxLength'   => 64,
				),
				'paused'     => $both + array(
					'description' => __( 'Whether it is not synced just now.', 'tenant-crm-sync' ),
					'type'        => 'boolean',
				),
				'configured' => Access::property( __( 'Whether everything is there that a sync needs.', 'tenant-crm-sync' ), 'boolean' ),
				'state'      => Access::property( __( 'How its last sync stands, in plain words.', 'tenant-crm-sync' ) ),
				'sync'       => Access::property( __( 'Number of its last sync.', 'tenant-crm-sync' ), array( 'integer', 'null' ) ),
				'source'     => $edit + Access::property( __( 'Where its connection comes from: this plugin’s table, or a function of the site.', 'tenant-crm-sync' ), 'string', array( 'enum' => array( 'table', 'function' ) ) ),
				'endpoint'   => $edit + array(
					'description' => __( 'Address of the CRM. What secrets are stored is bound to it: they are asked for again when it changes.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'maxLength'   => 2048,
				),
				'api_key'    => array(
					'description' => __( 'The CRM’s API key. It is sealed before it is stored and never returned.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'maxLength'   => ConnectionFields::MAX,
					'context'     => array(),
				),
				'connection' => $edit + array(
					'description'          => __( 'What else the connector asks for, by field; null removes one. Secret ones are sealed and never returned.', 'tenant-crm-sync' ),
					'type'                 => 'object',
					'additionalProperties' => array( 'type' => array( 'string', 'null' ) ),
				),
				'secrets'    => $edit + Access::property( __( 'Names of the secrets that are stored.', 'tenant-crm-sync' ), 'array', array( 'items' => array( 'type' => 'string' ) ) ),
				'missing'    => $edit + Access::property( __( 'Names of what the connection still lacks.', 'tenant-crm-sync' ), 'array', array( 'items' => array( 'type' => 'string' ) ) ),
				'settings'   => $edit + array(
					'description' => __( 'Further settings, such as interval and direction; those that are not given stay, null removes one.', 'tenant-crm-sync' ),
					'type'        => 'object',
				),
				'mapping'    => $edit + array(
					'description' => __( 'The tenant’s own mapping, as JSON; empty for none.', 'tenant-crm-sync' ),
					'type'        => 'string',
					'maxLength'   => 65536,
				),
				'roles'      => $edit + array(
					'description' => __( 'Roles whose users belong to this tenant.', 'tenant-crm-sync' ),
					'type'        => 'array',
					'items'       => array( 'type' => 'string' ),
				),
			),
		);
	}
}
