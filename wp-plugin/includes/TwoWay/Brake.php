<?php
/**
 * Many deletions at once wait for a person: over a tenth of a tenant's records and over twenty, whichever side they come from.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;

final class Brake {

	private const MANY  = 20;
	private const SHARE = 0.1;

	public function __construct( private readonly Session $session ) {
	}

	/** Whether leads may go to the bin whose records the CRM does not have any more. */
	public function lets_bin(): bool {
		return $this->lets( 'bin', $this->count( 'hint = ' . Looks::MISSING ), 'The CRM has deleted %d of %d records. Taking the CRM\'s side puts their leads into the bin; taking the portal\'s keeps them as they are.' );
	}

	/**
	 * Whether a record may be deleted in the CRM because its lead was deleted here.
	 *
	 * @param array<string, string|null> $change
	 */
	public function lets_erase( array $change ): bool {
		global $wpdb;
		if ( $change['allowed'] || null !== $change['decision'] ) {
			return true;
		}
		$changes = Schema::table( 'changes' );
		$records = Schema::table( 'records' );
		$count   = (int) Sql::rows( "SELECT COUNT(*) AS n FROM `$changes` c JOIN `$records` r ON r.id = c.record AND r.gone = 0 LEFT JOIN `$wpdb->posts` p ON p.ID = c.post_id AND p.post_type = '" . PostType::NAME . "' WHERE {$this->own( 'c.' )} AND c.allowed = 0 AND c.decision IS NULL AND (p.ID IS NULL OR p.post_status = 'trash')" )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- own() quotes.
		return $this->lets( 'erase', $count, '%d of %d leads were deleted in the portal. Taking the portal\'s side deletes their records in the CRM; taking the CRM\'s keeps them there.' );
	}

	/** Whether the records that a full list did not show may be looked for one by one. */
	public function lets_look( int $absent ): bool {
		return $this->lets( 'absent', $absent, 'A full list of the CRM does not show %d of %d records. Taking the CRM\'s side looks for each of them and puts the leads of those that are gone into the bin; taking the portal\'s does nothing.' );
	}

	/** Whether so many deletions of so many records wait for a person. */
	public static function is_many( int $count, int $all ): bool {
		return $count > self::MANY && $count > self::SHARE * $all;
	}

	private function lets( string $kind, int $count, string $words ): bool {
		$all = $this->count( 'gone = 0 AND base IS NOT NULL' );
		if ( ! self::is_many( $count, $all ) ) {
			Conflicts::close_for_all( $this->session->tenant->key, $this->session->job->object, $kind );
			return true;
		}
		Conflicts::ask_for_all( $this->session->tenant->key, $this->session->job->object, $kind, sprintf( $words, $count, $all ) );
		return false;
	}

	private function count( string $where ): int {
		return (int) Sql::rows( 'SELECT COUNT(*) AS n FROM `' . Schema::table( 'records' ) . "` WHERE {$this->own()} AND $where" )[0]['n']; // phpcs:ignore WordPress.DB.PreparedSQL -- own() quotes; conditions are constants.
	}

	private function own( string $prefix = '' ): string {
		return sprintf( '%1$stenant = %2$d AND %1$sobject = %3$s', $prefix, $this->session->tenant->key, Sql::bytes( $this->session->job->object ) );
	}
}
