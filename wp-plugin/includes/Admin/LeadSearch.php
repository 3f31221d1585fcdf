<?php
/**
 * Finds one tenant's leads in the ledger's projection for the Leads screen: words, order, pages. It never looks at posts or their meta, and
 * joins by the tenant's integer key. Writing the projection is Ledger's business.
 */

namespace TenantCRM\Admin;

use TenantCRM\Schema;

final class LeadSearch {

	/** What may be sorted by, and its column; the address may name nothing else. */
	const ORDERS = array(
		'name'    => 'name',
		'email'   => 'email',
		'state'   => 'state',
		'updated' => 'crm_updated_at',
	);

	/** @var string WHERE, prepared. */
	private $where;

	/** @param string $words A part of the name or of the e-mail address, or a CRM id as a whole. */
	public function __construct( int $tenant, string $words ) {
		global $wpdb;
		$this->where = $wpdb->prepare( 'tenant = %d AND object = %s', $tenant, 'leads' );
		if ( '' !== $words ) {
			$like         = '%' . $wpdb->esc_like( $words ) . '%';
			$this->where .= $wpdb->prepare(
				' AND (name COLLATE utf8mb4_unicode_520_ci LIKE %s OR email COLLATE utf8mb4_unicode_520_ci LIKE %s OR id_hash = UNHEX(%s))',
				$like,
				$like,
				hash( 'sha256', $words )
			);
		}
	}

	public function count(): int {
		global $wpdb;
		$table = Schema::table( 'records' );
		return (int) $wpdb->get_var( "SELECT COUNT(*) FROM `$table` WHERE {$this->where}" );
	}

	/**
	 * @param string $order One of ORDERS.
	 * @return list<array<string, string|null>>
	 */
	public function page( string $order, bool $ascending, int $size, int $number ): array {
		global $wpdb;
		$table  = Schema::table( 'records' );
		$column = self::ORDERS[ $order ] ?? self::ORDERS['updated'];
		$way    = $ascending ? 'ASC' : 'DESC';
		// The id makes the order total, so that no row is on two pages.
		return (array) $wpdb->get_results( $wpdb->prepare( "SELECT id, crm_id, post_id, name, email, state, owner, crm_updated_at, synced_at FROM `$table` WHERE {$this->where} ORDER BY $column $way, id $way LIMIT %d OFFSET %d", $size, $size * ( $number - 1 ) ), ARRAY_A );
	}
}
