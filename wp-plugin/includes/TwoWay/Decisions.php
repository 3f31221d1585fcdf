<?php
/**
 * What a person decides in the inbox, one entry or many, and how that is undone: in one transaction the chosen value becomes the post's, the
 * base becomes the CRM's value that the person saw, and the lead is pushed like any other change. Where a side has another value by now, the
 * question is asked again instead.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Caches;
use TenantCRM\Fields;
use TenantCRM\PostWriter;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoreException;
use TenantCRM\Tenants;
use TenantCRM\Transaction;

final class Decisions {

	private const SIDES = array( 'crm', 'portal' );

	/**
	 * @param string $side crm or portal.
	 * @return string taken; asked (again, with other values); gone: somebody was faster, or it is not in question any more.
	 * @throws StoreException
	 */
	public static function take( int $id, string $side ): string {
		$conflict = Conflicts::get( $id );
		if ( ! $conflict || 'open' !== $conflict['state'] || ! in_array( $side, self::SIDES, true ) ) {
			return 'gone';
		}
		$result = match ( $conflict['kind'] ) {
			'field'  => self::field( $conflict, $side ),
			'delete' => self::deletion( $conflict, $side ),
			default  => self::many( $conflict, $side ),
		};
		Changes::ring( $conflict['tenant'], $conflict['object'] );
		return $result;
	}

	/**
	 * Gives a lead the value back that was not chosen, as a change of the portal.
	 *
	 * @return string undone; changed: the lead has another value than the chosen one by now; not: only fields can be undone.
	 * @throws StoreException
	 */
	public static function undo( int $id ): string {
		$conflict = Conflicts::get( $id );
		if ( ! $conflict || 'taken' !== $conflict['state'] || 'field' !== $conflict['kind'] ) {
			return 'not';
		}
		$chosen = $conflict[ $conflict['choice'] ];
		$other  = $conflict[ 'crm' === $conflict['choice'] ? 'portal' : 'crm' ];
		$result = self::on_lead(
			$conflict,
			static function ( Transaction $transaction, PostWriter $posts, Subject $subject, Fields $fields ) use ( $conflict, $chosen, $other ): string {
				if ( ! self::looks( $fields, $subject, $conflict['field'], $chosen ) ) {
					return 'changed';
				}
				self::give( $transaction, $posts, $fields, $subject, $conflict, $other );
				$transaction->query( 'UPDATE `' . Schema::table( 'conflicts' ) . "` SET state = 'closed', choice = NULL, decided_at = UTC_TIMESTAMP(), decided_by = " . get_current_user_id() . " WHERE id = {$conflict['id']}" );
				return 'undone';
			}
		);
		Changes::ring( $conflict['tenant'], $conflict['object'] );
		return $result ?? 'changed';
	}

	/** @param array<string, mixed> $conflict */
	private static function field( array $conflict, string $side ): string {
		$result = self::on_lead(
			$conflict,
			static function ( Transaction $transaction, PostWriter $posts, Subject $subject, Fields $fields ) use ( $conflict, $side ): string {
				if ( ! self::is_open( $transaction, $conflict['id'] ) ) {
					return 'gone';
				}
				if ( ! self::looks( $fields, $subject, $conflict['field'], $conflict['portal'] ) ) {
					return 'asked';
				}
				$base                       = (array) json_decode( (string) $subject->row['base'], true );
				$base[ $conflict['field'] ] = $conflict['crm'];
				$transaction->query( 'UPDATE `' . Schema::table( 'records' ) . '` SET base = ' . Sql::text( (string) Records::json( $base ) ) . ', origins = ' . Sql::text( Origins::decided( $subject->row['origins'], $conflict['field'], $side, $conflict[ $side ] ) ) . ", version = version + 1 WHERE id = {$subject->row['id']}" ); // phpcs:ignore WordPress.DB.PreparedSQL -- our own integer.
				self::give( $transaction, $posts, $fields, $subject, $conflict, $conflict[ $side ] );
				self::close( $transaction, $conflict['id'], $side );
				return 'taken';
			}
		);
		if ( 'asked' === $result ) {
			self::ask_again( $conflict );
		}
		return $result ?? 'gone';
	}

	/** One side deleted what the other has: push does it, with this decision. @param array<string, mixed> $conflict */
	private static function deletion( array $conflict, string $side ): string {
		return Transaction::run(
			static function ( Transaction $transaction ) use ( $conflict, $side ): string {
				if ( ! self::is_open( $transaction, $conflict['id'] ) ) {
					return 'gone';
				}
				$changes = Schema::table( 'changes' );
				$known   = $transaction->rows( "SELECT post_id FROM `$changes` WHERE tenant = {$conflict['tenant']} AND record = {$conflict['record']} ORDER BY id LIMIT 1 FOR UPDATE" );
				// A note is of one post. Where that is gone for good and forgotten, a number stands for it that no post has, and no other record.
				$post = $conflict['post_id'] ? $conflict['post_id'] : (int) ( $known[0]['post_id'] ?? PHP_INT_MAX - $conflict['record'] );
				$transaction->query( Changes::mark_sql( $conflict['tenant'], $conflict['object'], $post, $conflict['record'], get_current_user_id() ) );
				$transaction->query( "UPDATE `$changes` SET decision = " . Sql::bytes( $side ) . " WHERE post_id = $post" );
				if ( null === $conflict[ $side ] ) {
					// A deletion was chosen, of what the person saw: what has changed since is asked again.
					$seen = (array) $conflict[ 'crm' === $side ? 'portal' : 'crm' ];
					$transaction->query( 'UPDATE `' . Schema::table( 'records' ) . '` SET base = ' . Sql::text( (string) Records::json( $seen ) ) . ", version = version + 1 WHERE id = {$conflict['record']} AND tenant = {$conflict['tenant']}" );
				}
				self::close( $transaction, $conflict['id'], $side );
				return 'taken';
			}
		);
	}

	/** Many deletions at once, or a site that moved. @param array<string, mixed> $conflict */
	private static function many( array $conflict, string $side ): string {
		$own     = sprintf( 'tenant = %d AND object = %s', $conflict['tenant'], Sql::bytes( $conflict['object'] ) );
		$records = Schema::table( 'records' );
		$changes = Schema::table( 'changes' );
		if ( 'home' === $conflict['kind'] ) {
			'portal' === $side ? Home::confirm() : null;
		} elseif ( 'absent' === $conflict['kind'] && 'crm' === $side ) {
			Deletions::allow( $conflict['tenant'], $conflict['object'] );
		} elseif ( 'bin' === $conflict['kind'] ) {
			Sql::change( "UPDATE `$records` SET " . ( 'crm' === $side ? 'hint = ' . Looks::ALLOWED : 'hint = 0, gone = 3' ) . ", version = version + 1 WHERE $own AND hint = " . Looks::MISSING );
		} elseif ( 'erase' === $conflict['kind'] ) {
			Sql::change( "UPDATE `$changes` SET refused = 0, available_at = UTC_TIMESTAMP(3), " . ( 'portal' === $side ? 'allowed = 1' : "decision = 'keep'" ) . " WHERE $own AND refused = " . Changes::BRAKE );
		}
		return Transaction::run(
			static function ( Transaction $transaction ) use ( $conflict, $side ): string {
				self::close( $transaction, $conflict['id'], $side );
				return 'taken';
			}
		);
	}

	/**
	 * @param array<string, mixed> $conflict
	 * @param callable(Transaction, PostWriter, Subject, Fields): string $work
	 */
	private static function on_lead( array $conflict, callable $work ): ?string {
		$tenant = Tenants::get( $conflict['tenant'] );
		if ( ! $tenant ) {
			return null;
		}
		$fields = Fields::of( $tenant, $conflict['object'] );
		$post   = 0;
		$result = Transaction::run(
			static function ( Transaction $transaction ) use ( $conflict, $work, $tenant, $fields, &$post ): ?string {
				$posts   = new PostWriter( $transaction, $tenant, $fields );
				$subject = Subject::lock( $transaction, $posts, array( $conflict['record'] ), array() )[0] ?? null;
				if ( ! $subject || ! $subject->is_present() || (int) $subject->row['tenant'] !== $tenant->key || ! $subject->is_of( $tenant->id ) ) {
					return null;
				}
				$post   = $subject->post->id;
				$result = $work( $transaction, $posts, $subject, $fields );
				$posts->flush();
				return $result;
			}
		);
		Caches::clean( array_filter( array( $post ) ) );
		return $result;
	}

	/** Whether the post has this value. @param mixed $value */
	private static function looks( Fields $fields, Subject $subject, string $field, $value ): bool {
		$target = $fields->map()[ $field ] ?? null;
		$form   = $fields->portal( array( $field => $value ) );
		if ( 'title' === $target ) {
			return $form['title'] === $subject->post->title || Projection::portal( $fields, $subject->post, null, null )[ $field ] === $value;
		}
		return null !== $target && $form['meta'][ $target ] === ( $subject->post->first_meta()[ $target ] ?? '' );
	}

	/**
	 * @param array<string, mixed> $conflict
	 * @param mixed                $value
	 */
	private static function give( Transaction $transaction, PostWriter $posts, Fields $fields, Subject $subject, array $conflict, $value ): void {
		$target = $fields->map()[ $conflict['field'] ];
		$form   = $fields->portal( array( $conflict['field'] => $value ) );
		'title' === $target ? $posts->write( $subject->post, $form['title'], array() ) : $posts->write( $subject->post, null, array( $target => $form['meta'][ $target ] ) );
		$transaction->query( Changes::mark_sql( $conflict['tenant'], $conflict['object'], $subject->post->id, $conflict['record'], get_current_user_id(), null, FieldTimes::of_fields( array( $target ) ) ) );
	}

	private static function is_open( Transaction $transaction, int $id ): bool {
		return (bool) $transaction->rows( 'SELECT id FROM `' . Schema::table( 'conflicts' ) . "` WHERE id = $id AND state = 'open' FOR UPDATE" );
	}

	private static function close( Transaction $transaction, int $id, string $side ): void {
		$transaction->query( 'UPDATE `' . Schema::table( 'conflicts' ) . "` SET state = 'taken', open_key = NULL, choice = " . Sql::bytes( $side ) . ', decided_by = ' . get_current_user_id() . ", decided_at = UTC_TIMESTAMP() WHERE id = $id AND state = 'open'" );
	}

	/** With what both sides have now. @param array<string, mixed> $conflict */
	private static function ask_again( array $conflict ): void {
		Sql::change( Changes::mark_sql( $conflict['tenant'], $conflict['object'], $conflict['post_id'], $conflict['record'] ) );
	}
}
