<?php
/**
 * What both sides and the ledger of one tenant have at a moment, read from the database and from the sandbox. The judge judges this, so a test
 * can show it another.
 */

use TenantCRM\Schema;
use TenantCRM\Tenant;

final class Sides {

	/**
	 * @param array<int, array<string, mixed>>    $leads  By post; those in the bin too.
	 * @param array<string, array<string, mixed>> $rows   Of the CRM, by id.
	 * @param array<int, array<string, mixed>>    $ledger Rows with a post, by it.
	 * @param list<string>                        $left   What is still to be done.
	 * @param list<string>                        $writes Of the silent cycles.
	 * @param string                              $before Both sides before the silent cycles, and after them.
	 */
	public function __construct( public readonly string $tenant, public array $leads, public array $rows, public array $ledger, public array $left, public array $writes = array(), public string $before = '', public string $after = '' ) {
	}

	public static function of( Tenant $tenant ): self {
		global $wpdb;
		$ledger = array();
		foreach ( $wpdb->get_results( 'SELECT * FROM `' . Schema::table( 'records' ) . "` WHERE tenant = {$tenant->key} AND post_id IS NOT NULL", ARRAY_A ) as $row ) {
			$ledger[ (int) $row['post_id'] ] = array( 'crm_id' => $row['crm_id'], 'base' => json_decode( (string) $row['base'], true ), 'gone' => (int) ( $row['gone'] ?? 0 ) );
		}
		return new self( $tenant->id, Portal::leads( $tenant->id ), Crm::rows( $tenant->id ), $ledger, Workers::left( array( $tenant->key ) ) );
	}

	/** @param list<Tenant> $tenants @return array<string, string> Everything that a silent cycle must leave as it is, by tenant. */
	public static function everything( array $tenants ): array {
		global $wpdb;
		$all = array();
		foreach ( $tenants as $tenant ) {
			$leads              = Portal::leads( $tenant->id );
			$posts              = implode( ',', array_keys( $leads ) + array( -1 => 0 ) );
			$all[ $tenant->id ] = json_encode(
				array(
					Crm::rows( $tenant->id ),
					$wpdb->get_results( "SELECT * FROM $wpdb->posts WHERE ID IN ($posts) ORDER BY ID" ),
					$wpdb->get_results( "SELECT * FROM $wpdb->postmeta WHERE post_id IN ($posts) ORDER BY meta_id" ),
					$wpdb->get_results( 'SELECT id, HEX(crm_id), post_id, base FROM `' . Schema::table( 'records' ) . "` WHERE tenant = {$tenant->key} ORDER BY id" ),
				),
				JSON_INVALID_UTF8_SUBSTITUTE
			);
		}
		return $all;
	}
}
