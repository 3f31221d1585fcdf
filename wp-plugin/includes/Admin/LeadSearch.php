<?php
/**
 * Finds leads of some tenants in the ledger's projection, for the Leads screen, REST and the portal: words, how they stand with the CRM, order, pages. It never
 * looks at posts' meta, and joins by the tenant's integer key. Writing the projection is Ledger's business.
 *
 * Leads of the portal that the CRM has never had are not in the ledger; they are listed by count_new() and page_new().
 */

namespace TenantCRM\Admin;

use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\TwoWay\Looks;

final class LeadSearch {

	/** What may be sorted by, and its column; the address may name nothing else. */
	const ORDERS = array(
		'name'    => 'name',
		'email'   => 'email',
		'state'   => 'state',
		'updated' => 'crm_updated_at',
		'synced'  => 'synced_at',
	);

	/** How a lead stands with the CRM, the most urgent first. */
	const CONFLICT = 'conflict';
	const REFUSED  = 'refused';
	const SENDING  = 'sending';
	const CHANGED  = 'changed';
	const GONE     = 'gone';
	const LINKED   = 'linked';
	const UNSENT   = 'new';

	/** Those that the portal shows: with a post that is published. */
	const HERE = 'here';

	/** @var string WHERE, prepared. */
	private $where;

	/** @var string WHERE of the tenants alone. */
	private $tenants;

	/** @var string */
	private $words;

	/**
	 * @param list<int> $tenants Their keys; none: nothing is found.
	 * @param string    $words   A part of the name or of the e-mail address, or a CRM id as a whole.
	 * @param string    $stands  One of the above; empty: all.
	 */
	public function __construct( array $tenants, string $words, string $stands = '' ) {
		global $wpdb;
		$this->words   = $words;
		$this->tenants = $tenants ? 'tenant IN (' . implode( ',', array_map( 'intval', $tenants ) ) . ") AND object = 'leads'" : '1 = 0';
		$this->where   = 'r.' . $this->tenants . self::standing_sql( $stands );
		if ( ! $tenants ) {
			$this->where = '1 = 0';
		}
		if ( '' !== $words ) {
			$like         = '%' . $wpdb->esc_like( $words ) . '%';
			$this->where .= $wpdb->prepare(
				' AND (r.name COLLATE utf8mb4_unicode_520_ci LIKE %s OR r.email COLLATE utf8mb4_unicode_520_ci LIKE %s OR r.id_hash = UNHEX(%s))',
				$like,
				$like,
				hash( 'sha256', $words )
			);
		}
	}

	public function count(): int {
		return (int) Sql::rows( 'SELECT COUNT(*) AS n FROM `' . Schema::table( 'records' ) . "` r WHERE {$this->where}" )[0]['n'];
	}

	/**
	 * @param string $order One of ORDERS.
	 * @return list<array<string, string|null>> With `stands` and, where there is one, `reason`.
	 */
	public function page( string $order, bool $ascending, int $size, int $number ): array {
		$column = self::ORDERS[ $order ] ?? self::ORDERS['updated'];
		$way    = $ascending ? 'ASC' : 'DESC';
		// The id makes the order total, so that no row is on two pages.
		return self::with_standing( Sql::rows( sprintf( 'SELECT r.id, r.tenant, r.crm_id, r.post_id, r.name, r.email, r.state, r.owner, r.crm_updated_at, r.synced_at, r.gone, r.hint FROM `%s` r WHERE %s ORDER BY r.%s %s, r.id %s LIMIT %d OFFSET %d', Schema::table( 'records' ), $this->where, $column, $way, $way, $size, $size * max( 0, $number - 1 ) ) ) );
	}

	/**
	 * @param int       $id      Number of the ledger's row.
	 * @param list<int> $tenants
	 * @return array<string, string|null>|null The same shape, if it is a lead of one of these tenants.
	 */
	public static function one( int $id, array $tenants ): ?array {
		$search         = new self( $tenants, '' );
		$search->where .= " AND r.id = $id";
		return $search->page( 'name', true, 1, 1 )[0] ?? null;
	}

	/** How many leads of the portal the CRM has never had. */
	public function count_new(): int {
		return (int) Sql::rows( "SELECT COUNT(*) AS n {$this->new_sql()}" )[0]['n'];
	}

	/** @return list<array<string, string|null>> The same shape as page(), newest first. */
	public function page_new( int $size, int $number ): array {
		$rows = Sql::rows( sprintf( "SELECT c.id, c.tenant, '' AS crm_id, c.post_id, p.post_title AS name, '' AS email, '' AS state, '' AS owner, NULL AS crm_updated_at, NULL AS synced_at, c.changed_at, c.refused, c.sent_at, c.reason %s ORDER BY c.id DESC LIMIT %d OFFSET %d", $this->new_sql(), $size, $size * max( 0, $number - 1 ) ) );
		return array_map(
			static fn( array $row ): array => array( 'stands' => $row['refused'] > 0 ? self::REFUSED : ( null === $row['sent_at'] ? self::UNSENT : self::SENDING ) ) + $row,
			$rows
		);
	}

	private function new_sql(): string {
		global $wpdb;
		$where = "c.{$this->tenants} AND c.record IS NULL";
		if ( '1 = 0' === $this->tenants ) {
			$where = '1 = 0';
		} elseif ( '' !== $this->words ) {
			$where .= $wpdb->prepare( ' AND p.post_title LIKE %s', '%' . $wpdb->esc_like( $this->words ) . '%' );
		}
		return sprintf( "FROM `%s` c JOIN `%s` p ON p.ID = c.post_id AND p.post_status <> 'trash' WHERE %s", Schema::table( 'changes' ), $wpdb->posts, $where );
	}

	private static function standing_sql( string $stands ): string {
		global $wpdb;
		$change   = 'SELECT 1 FROM `' . Schema::table( 'changes' ) . '` c WHERE c.record = r.id';
		$conflict = 'SELECT 1 FROM `' . Schema::table( 'conflicts' ) . "` k WHERE k.record = r.id AND k.state = 'open'";
		$refused  = 'SELECT 1 FROM `' . Schema::table( 'refused' ) . '` f WHERE f.tenant = r.tenant AND f.object = r.object AND f.id_hash = r.id_hash';
		$gone     = '(r.gone > 0 OR r.hint >= ' . Looks::MISSING . ')';
		switch ( $stands ) {
			case self::CONFLICT:
				return " AND EXISTS ($conflict)";
			case self::REFUSED:
				return " AND (EXISTS ($change AND c.refused > 0) OR EXISTS ($refused))";
			case self::SENDING:
				return " AND EXISTS ($change AND c.refused = 0 AND c.sent_at IS NOT NULL)";
			case self::CHANGED:
				return " AND EXISTS ($change AND c.refused = 0 AND c.sent_at IS NULL)";
			case self::HERE:
				return " AND EXISTS (SELECT 1 FROM `$wpdb->posts` p WHERE p.ID = r.post_id AND p.post_status = 'publish')";
			case self::GONE:
				return " AND $gone";
			case self::LINKED:
				return " AND NOT $gone AND NOT EXISTS ($change) AND NOT EXISTS ($conflict) AND NOT EXISTS ($refused)";
		}
		return '';
	}

	/**
	 * @param list<array<string, string|null>> $rows Of the ledger.
	 * @return list<array<string, string|null>>
	 */
	private static function with_standing( array $rows ): array {
		if ( ! $rows ) {
			return array();
		}
		$ids       = implode( ',', array_map( 'intval', array_column( $rows, 'id' ) ) );
		$changes   = array_column( Sql::rows( 'SELECT record, refused, reason, sent_at FROM `' . Schema::table( 'changes' ) . "` WHERE record IN ($ids)" ), null, 'record' );
		$conflicts = array_column( Sql::rows( 'SELECT record, MIN(reason) AS reason FROM `' . Schema::table( 'conflicts' ) . "` WHERE record IN ($ids) AND state = 'open' GROUP BY record" ), 'reason', 'record' );
		$refused   = array_column( Sql::rows( 'SELECT r.id, f.reason FROM `' . Schema::table( 'records' ) . '` r JOIN `' . Schema::table( 'refused' ) . "` f ON f.tenant = r.tenant AND f.object = r.object AND f.id_hash = r.id_hash WHERE r.id IN ($ids)" ), 'reason', 'id' );
		foreach ( $rows as &$row ) {
			$change        = $changes[ $row['id'] ] ?? null;
			$row['reason'] = $conflicts[ $row['id'] ] ?? $refused[ $row['id'] ] ?? $change['reason'] ?? null;
			if ( isset( $conflicts[ $row['id'] ] ) ) {
				$row['stands'] = self::CONFLICT;
			} elseif ( isset( $refused[ $row['id'] ] ) ) {
				$row['stands'] = self::REFUSED;
			} elseif ( $change ) {
				$row['stands'] = $change['refused'] > 0 ? self::REFUSED : ( null === $change['sent_at'] ? self::CHANGED : self::SENDING );
			} else {
				$row['stands'] = $row['gone'] > 0 || $row['hint'] >= Looks::MISSING ? self::GONE : self::LINKED;
			}
		}
		return $rows;
	}
}
