<?php
/**
 * One lead as both sides' bookkeeping has it: its ledger row, its post and what is noted of its changes, each of which may be missing.
 * Read under locks, in this order: changes, ledger, post.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\PostWriter;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Transaction;

final class Subject {

	/** Post states in which a lead is not one, or not yet. */
	private const ABSENT = array( 'trash', 'auto-draft' );

	/** States in which a lead that the CRM never knew is shown to it. */
	private const READY = array( 'publish', 'private' );

	/**
	 * @param array<string, string|null>|null $row    Of the ledger.
	 * @param array<string, string|null>|null $change
	 * @param list<string>                    $asked  Fields that wait for a person; '' is the whole record.
	 */
	public function __construct( public ?array $row, public ?StoredPost $post, public ?array $change, public array $asked = array() ) {
	}

	/** Whether the portal has this lead. */
	public function is_present(): bool {
		if ( ! $this->post || in_array( $this->post->status, self::ABSENT, true ) ) {
			return false;
		}
		return null !== $this->row || in_array( $this->post->status, self::READY, true ) || isset( $this->post->meta['crm_lead_id'] );
	}

	public function is_sent(): bool {
		return null !== $this->change && null !== $this->change['sent_at'];
	}

	/** The portal's own record may not be of another tenant than the ledger's. */
	public function is_of( string $tenant ): bool {
		return ! $this->post || $tenant === ( $this->post->first_meta()['_tenant_id'] ?? null );
	}

	/**
	 * @param list<int> $records Ledger ids.
	 * @param list<int> $posts   Post ids.
	 * @return list<self> One for each ledger row, then one for each post that none of them has.
	 */
	public static function lock( Transaction $transaction, PostWriter $writer, array $records, array $posts ): array {
		$table   = Schema::table( 'records' );
		$changes = Schema::table( 'changes' );
		$known   = $records ? $transaction->rows( "SELECT post_id FROM `$table` WHERE id IN (" . implode( ',', $records ) . ') AND post_id IS NOT NULL' ) : array(); // phpcs:ignore WordPress.DB.PreparedSQL -- ids are integers.
		$posts   = array_values( array_unique( array_merge( $posts, array_map( 'intval', array_column( $known, 'post_id' ) ) ) ) );
		$rows    = array();
		foreach ( array( 'post_id' => $posts, 'record' => $records ) as $column => $ids ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			if ( $ids ) {
				$rows += array_column( $transaction->rows( "SELECT * FROM `$changes` WHERE $column IN (" . implode( ',', $ids ) . ') FOR UPDATE' ), null, 'id' ); // phpcs:ignore WordPress.DB.PreparedSQL -- ids are integers.
			}
		}
		$by_post   = array_column( $rows, null, 'post_id' );
		$by_record = array_column( array_filter( $rows, static fn( array $row ): bool => null !== $row['record'] ), null, 'record' );
		$ledger    = array();
		foreach ( array( 'id' => $records, 'post_id' => $posts ) as $column => $ids ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			if ( $ids ) {
				$ledger += array_column( $transaction->rows( "SELECT * FROM `$table` WHERE $column IN (" . implode( ',', $ids ) . ') FOR UPDATE' ), null, 'id' ); // phpcs:ignore WordPress.DB.PreparedSQL -- ids are integers.
			}
		}
		$stored   = $writer->lock( $posts );
		$asked    = self::asked( $transaction, array_column( $ledger, 'id' ) );
		$subjects = array();
		$has      = array();
		foreach ( $ledger as $row ) {
			$post                     = (int) $row['post_id'];
			$change                 = $by_post[ $post ] ?? $by_record[ $row['id'] ] ?? null;
			$has[ $post ]           = true;
			// Of a post that is gone, the note of its change remains.
			$has[ (int) ( $change['post_id'] ?? 0 ) ] = true;
			$subjects[ $row['id'] ] = new self( $row, $stored[ $post ] ?? null, $change, $asked[ $row['id'] ] ?? array() );
		}
		foreach ( $posts as $post ) {
			if ( ! isset( $has[ $post ] ) ) {
				$subjects[ "post $post" ] = new self( null, $stored[ $post ] ?? null, $by_post[ $post ] ?? null );
			}
		}
		return array_values( $subjects );
	}

	/**
	 * @param list<string> $records
	 * @return array<string, list<string>>
	 */
	private static function asked( Transaction $transaction, array $records ): array {
		$asked = array();
		if ( $records ) {
			$table = Schema::table( 'conflicts' );
			foreach ( $transaction->rows( "SELECT record, field FROM `$table` WHERE state = 'open' AND record IN (" . implode( ',', array_map( 'intval', $records ) ) . ')' ) as $row ) {
				$asked[ $row['record'] ][] = (string) $row['field'];
			}
		}
		return $asked;
	}

	/** SQL of a value that may be null. */
	public static function literal( ?string $value, bool $is_text = false ): string {
		return null === $value ? 'NULL' : ( $is_text ? Sql::text( $value ) : Sql::bytes( $value ) );
	}
}
