<?php
/**
 * WordPress's erasure of personal data: leads, their snapshots, changes, conflicts, refusals, what webhooks named, and what log, requests, runs and
 * jobs say of the person. What is erased is kept away from then on (Suppressions), and deleted in the CRM too where the tenant's setting `erase`
 * says `crm` (Deletion).
 *
 * It may be cut off anywhere: first the person is kept away, then what finds the rest again is deleted last.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\Caches;
use TenantCRM\Jobs;
use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;
use TenantCRM\Transaction;

final class Eraser {

	private const PAGE = 50;

	private const MOST = 1000;

	/**
	 * @param mixed $email
	 * @param mixed $page
	 * @return array{items_removed: bool, items_retained: bool, messages: list<string>, done: bool}
	 */
	public static function erase( $email, $page = 1 ): array {
		$email = trim( (string) $email );
		if ( ! is_email( $email ) ) {
			return self::answer( false, array(), true );
		}
		Suppressions::add_person( $email );
		$found = Person::records( $email, self::PAGE );
		$found = $found ? $found : Person::posts( $email, self::PAGE );
		// What a sync read before this is not stored after it: it goes on with a look at who was erased.
		Sql::change( sprintf( 'UPDATE `%s` SET revision = revision + 1', Schema::table( 'tenants' ) ) );
		$kept = array();
		foreach ( $found as $row ) {
			$tenant  = self::tenant_of( $row );
			$is_gone = $tenant && 'crm' === ( $tenant->settings['erase'] ?? 'portal' );
			if ( '' !== $row['crm_id'] ) {
				Suppressions::add_record( $email, $row['tenant'], $row['object'], $row['crm_id'], $is_gone );
				if ( $is_gone ) {
					Jobs::enqueue( $row['tenant'], Deletion::KIND, $row['object'] );
				} elseif ( $tenant ) {
					$kept[ $tenant->id ] = '' === $tenant->label ? $tenant->id : $tenant->label;
				}
			}
			self::traces( $row );
			self::record( $row );
		}
		// Other code may keep a post from being deleted: then this is not to go on for ever.
		$more  = (int) $page < self::MOST && ( count( $found ) >= self::PAGE || ( $found && Person::posts( $email, 1 ) ) );
		$lines = self::mentions( $email );
		return self::answer( $found || $lines, $kept, ! $more );
	}

	/** @param array<string, mixed> $row */
	private static function tenant_of( array $row ): ?\TenantCRM\Tenant {
		return $row['tenant'] ? Tenants::get( $row['tenant'] ) : Tenants::find( (string) get_post_meta( $row['post_id'], '_tenant_id', true ) );
	}

	/** The record with all that hangs on it, then its post. @param array<string, mixed> $row */
	private static function record( array $row ): void {
		Transaction::run(
			static function ( Transaction $transaction ) use ( $row ): void {
				$id   = (int) $row['id'];
				$post = (int) $row['post_id'];
				$own  = sprintf( 'tenant = %d AND object = %s AND id_hash = %s', $row['tenant'], Sql::bytes( $row['object'] ), Sql::bytes( hash( 'sha256', $row['crm_id'], true ) ) );
				if ( $id ) {
					$transaction->query( 'DELETE FROM `' . Schema::table( 'conflicts' ) . "` WHERE record = $id" );
					$transaction->query( 'DELETE FROM `' . Schema::table( 'changes' ) . "` WHERE record = $id" );
					foreach ( array( 'refused', 'webhook_records', 'records' ) as $name ) {
						$transaction->query( 'DELETE FROM `' . Schema::table( $name ) . "` WHERE $own" );
					}
				}
				if ( $post ) {
					$transaction->query( 'DELETE FROM `' . Schema::table( 'conflicts' ) . "` WHERE post_id = $post" );
					$transaction->query( 'DELETE FROM `' . Schema::table( 'changes' ) . "` WHERE post_id = $post" );
				}
			}
		);
		if ( $row['post_id'] && PostType::NAME === get_post_type( $row['post_id'] ) ) {
			wp_delete_post( $row['post_id'], true );
			// Hooks have noted the deletion as a change that the CRM is to hear of: whether it does is said elsewhere.
			Sql::change( 'DELETE FROM `' . Schema::table( 'changes' ) . '` WHERE post_id = ' . (int) $row['post_id'] );
			Caches::clean( array( $row['post_id'] ) );
		}
	}

	/** What log and requests say of a record by its number. @param array<string, mixed> $row */
	private static function traces( array $row ): void {
		global $wpdb;
		$named = array( "\"post\":{$row['post_id']}," );
		if ( '' !== $row['crm_id'] ) {
			$named[] = "\"{$row['crm_id']}\"";
		}
		foreach ( $row['post_id'] || '' !== $row['crm_id'] ? $named : array() as $word ) {
			$like = Sql::text( '%' . $wpdb->esc_like( $word ) . '%' );
			Sql::change( sprintf( 'DELETE FROM `%1$s` WHERE tenant = %2$d AND (message LIKE %3$s OR context LIKE %3$s)', Schema::table( 'log' ), $row['tenant'], $like ) );
		}
		if ( '' !== $row['crm_id'] ) {
			Sql::change( sprintf( 'DELETE FROM `%s` WHERE tenant = %d AND operation LIKE %s', Schema::table( 'attempts' ), $row['tenant'], Sql::text( '%/' . $wpdb->esc_like( rawurlencode( $row['crm_id'] ) ) ) ) );
		}
	}

	/** What mentions the address: log, requests, reasons of failures. @return int How much there was. */
	private static function mentions( string $email ): int {
		global $wpdb;
		$gone = 0;
		foreach ( array_unique( array( $email, rawurlencode( $email ) ) ) as $word ) {
			$like = Sql::text( '%' . $wpdb->esc_like( $word ) . '%' ) . ' COLLATE utf8mb4_unicode_520_ci';
			foreach ( array(
				'log'      => array( 'message', 'context' ),
				'attempts' => array( 'operation', 'excerpt' ),
				'refused'  => array( 'reason' ),
			) as $name => $columns ) {
				$where = implode( ' OR ', array_map( static fn( string $column ): string => "$column LIKE $like", $columns ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- quoted above.
				$gone += Sql::change( 'DELETE FROM `' . Schema::table( $name ) . "` WHERE $where" ); // phpcs:ignore WordPress.DB.PreparedSQL -- quoted above.
			}
			$gone += Sql::change( 'UPDATE `' . Schema::table( 'runs' ) . "` SET error = 'Erased.' WHERE error LIKE $like" );
			$gone += Sql::change( 'UPDATE `' . Schema::table( 'jobs' ) . "` SET reason = 'Erased.' WHERE reason LIKE $like" );
			$gone += Sql::change( 'DELETE FROM `' . Schema::table( 'jobs' ) . "` WHERE state = 'dead' AND payload LIKE $like" );
			$gone += Sql::change( 'UPDATE `' . Schema::table( 'changes' ) . "` SET reason = NULL WHERE reason LIKE $like" );
		}
		return $gone;
	}

	/**
	 * @param array<string, string> $kept Tenants whose CRM keeps its records.
	 * @return array{items_removed: bool, items_retained: bool, messages: list<string>, done: bool}
	 */
	private static function answer( bool $removed, array $kept, bool $done ): array {
		/* translators: %s: names of tenants */
		$words = $kept ? array( sprintf( __( 'The portal has forgotten the person, and syncs do not bring them back. The CRMs of these tenants keep their own records, which are to be deleted there: %s.', 'tenant-crm-sync' ), implode( ', ', $kept ) ) ) : array();
		return array(
			'items_removed'  => $removed,
			'items_retained' => array() !== $kept,
			'messages'       => $words,
			'done'           => $done,
		);
	}
}
