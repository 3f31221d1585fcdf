<?php
/**
 * One lead as the REST routes show it, and its schema: what lists show, and for one alone all fields that its post holds.
 */

namespace TenantCRM\Rest;

use TenantCRM\Admin\LeadSearch;
use TenantCRM\Admin\Words;
use TenantCRM\Fields;
use TenantCRM\Tenant;
use TenantCRM\TwoWay\Rules;

final class LeadResource {

	/**
	 * @param array<string, string|null> $row Of LeadSearch.
	 * @return array<string, mixed>
	 */
	public static function from( array $row ): array {
		return array(
			'id'         => (int) $row['id'],
			'tenant'     => (int) $row['tenant'],
			'crm_id'     => (string) $row['crm_id'],
			'name'       => (string) $row['name'],
			'email'      => (string) $row['email'],
			'state'      => (string) $row['state'],
			'owner'      => (string) $row['owner'],
			'updated_at' => Words::iso( $row['crm_updated_at'] ),
			'synced_at'  => Words::iso( $row['synced_at'] ),
			'post'       => null === $row['post_id'] ? null : (int) $row['post_id'],
			'stands'     => (string) $row['stands'],
			'reason'     => (string) ( $row['reason'] ?? '' ),
		);
	}

	/**
	 * The same with its fields, as the post has them now.
	 *
	 * @param array<string, string|null> $row
	 * @return array<string, mixed>
	 */
	public static function whole( array $row, Tenant $tenant ): array {
		$post   = null === $row['post_id'] ? null : get_post( (int) $row['post_id'] );
		$fields = array();
		foreach ( $post instanceof \WP_Post ? Fields::of( $tenant, 'leads' )->map() : array() as $field => $target ) {
			$fields[ $field ] = 'title' === $target ? html_entity_decode( $post->post_title, ENT_QUOTES | ENT_HTML5, 'UTF-8' ) : self::plain( get_post_meta( $post->ID, $target, true ) );
		}
		return self::from( $row ) + array(
			'fields'   => (object) $fields,
			'editable' => $post instanceof \WP_Post && Rules::of( $tenant, 'leads' )->is_two_way() && current_user_can( 'edit_post', $post->ID ),
		);
	}

	/**
	 * No object of whatever class leaves as JSON.
	 *
	 * @param mixed $value
	 * @return mixed
	 */
	private static function plain( $value ) {
		if ( is_array( $value ) ) {
			return array_map( array( __CLASS__, 'plain' ), $value );
		}
		return is_scalar( $value ) || null === $value ? $value : '';
	}

	/** @return array<string, mixed> JSON schema. */
	public static function schema(): array {
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'tenant-crm-lead',
			'type'       => 'object',
			'properties' => array(
				'id'         => Access::property( __( 'Number of the lead on this site.', 'tenant-crm-sync' ), 'integer' ),
				'tenant'     => Access::property( __( 'Key of its tenant.', 'tenant-crm-sync' ), 'integer' ),
				'crm_id'     => Access::property( __( 'Id at the CRM.', 'tenant-crm-sync' ) ),
				'name'       => Access::property( __( 'Name.', 'tenant-crm-sync' ) ),
				'email'      => Access::property( __( 'E-mail address.', 'tenant-crm-sync' ) ),
				'state'      => Access::property( __( 'State at the CRM.', 'tenant-crm-sync' ) ),
				'owner'      => Access::property( __( 'Who looks after it at the CRM.', 'tenant-crm-sync' ) ),
				'updated_at' => Access::time( __( 'When it was changed at the CRM (UTC).', 'tenant-crm-sync' ) ),
				'synced_at'  => Access::time( __( 'When it was stored here (UTC).', 'tenant-crm-sync' ) ),
				'post'       => Access::property( __( 'Number of its post.', 'tenant-crm-sync' ), array( 'integer', 'null' ) ),
				'stands'     => Access::property( __( 'How it stands with the CRM.', 'tenant-crm-sync' ), 'string', array( 'enum' => array( LeadSearch::CONFLICT, LeadSearch::REFUSED, LeadSearch::SENDING, LeadSearch::CHANGED, LeadSearch::GONE, LeadSearch::LINKED ) ) ),
				'reason'     => Access::property( __( 'Why, where something is wrong.', 'tenant-crm-sync' ) ),
				'fields'     => array(
					'description'          => __( 'Its fields by the names of the mapping; in the answer about one lead alone.', 'tenant-crm-sync' ),
					'type'                 => 'object',
					'context'              => array( 'view', 'edit' ),
					'additionalProperties' => array( 'type' => array( 'string', 'number', 'boolean', 'array', 'object', 'null' ) ),
				),
				'editable'   => Access::property( __( 'Whether you can change it here.', 'tenant-crm-sync' ), 'boolean' ),
			),
		);
	}
}
