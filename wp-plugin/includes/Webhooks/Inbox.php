<?php
/**
 * Takes a proven message: once only, to the tenants whose account it names, as records that are to be fetched. What it says of them is only
 * a hint.
 *
 * The message's key and its records are stored in one transaction, so that a message of which only the answer got lost has no second effect, and
 * one that was not stored has one when it comes again. A tenant's records have one job, however many messages name them.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenants;
use TenantCRM\Transaction;
use TenantCRM\Wakers;

final class Inbox {

	/** Kind of the jobs that fetch records. */
	public const KIND = 'fetch';

	/** More urgent than what is scheduled, less than a person who waits. */
	private const PRIORITY = 30;

	/** Messages of one address in a minute, and at once. Beyond that they are not written down one by one: a pull brings the same. */
	private const RATE  = 1200;
	private const BURST = 600;

	/** How long a message is known again, and how many are. CRMs repeat what got no answer for a day or so. */
	private const KEEP_DAYS = 3;
	private const KEEP_ROWS = 500000;

	/**
	 * @param int                  $owner The tenant whose address was called.
	 * @param array<string, mixed> $found What verify_webhook() returned.
	 * @throws \TenantCRM\StoreException Where it could not be kept.
	 */
	public static function take( int $owner, array $found ): void {
		$wanted   = array();
		$stranger = null;
		self::route( $owner, $found['events'], $wanted, $stranger );
		if ( ! self::admits( $owner ) ) {
			foreach ( $wanted as $tenant => $objects ) {
				foreach ( array_keys( $objects ) as $object ) {
					self::ask( $tenant, 'pull', $object );
				}
			}
			Sql::change( Addresses::count_sql( $owner, 'accepted', $stranger ) );
			return;
		}
		$is_new = Transaction::run(
			static function ( Transaction $transaction ) use ( $owner, $found, $wanted, $stranger ): bool {
				if ( $found['identified'] ) {
					$transaction->query( sprintf( 'INSERT IGNORE INTO `%s` (tenant, replay_key, heard_at) VALUES (%d, %s, UTC_TIMESTAMP())', Schema::table( 'webhook_messages' ), $owner, Sql::bytes( (string) hex2bin( $found['replay_key'] ) ) ) );
					if ( 0 === $transaction->affected() ) {
						$transaction->query( Addresses::count_sql( $owner, 'repeated', null ) );
						return false;
					}
				}
				foreach ( $wanted as $tenant => $objects ) {
					foreach ( $objects as $object => $records ) {
						Hints::add( $transaction, $tenant, $object, $records );
					}
				}
				$transaction->query( Addresses::count_sql( $owner, $wanted ? 'accepted' : 'ignored', $stranger ) );
				return true;
			}
		);
		foreach ( $is_new ? $wanted : array() as $tenant => $objects ) {
			foreach ( $objects as $object => $records ) {
				// Without names, it is everything that changed.
				self::ask( $tenant, $records ? self::KIND : 'pull', $object );
			}
		}
	}

	/**
	 * Asks for a job unless there is one: what it does not find any more, it looks for again at its end (Fetching).
	 *
	 * @throws \TenantCRM\StoreException
	 */
	public static function ask( int $tenant, string $kind, string $object ): void {
		if ( null === Jobs::state( $tenant, $kind, $object ) ) {
			Jobs::enqueue( $tenant, $kind, $object, self::PRIORITY );
			Wakers::ring();
		}
	}

	/**
	 * Jobs for records that wait and have none: a request that died before it asked for one, a worker that died before it looked again.
	 *
	 * @throws \TenantCRM\StoreException
	 */
	public static function sweep(): void {
		foreach ( Hints::orphans( self::KIND ) as list( $tenant, $object ) ) {
			self::ask( $tenant, self::KIND, $object );
		}
	}

	/** Keeps the tables bounded. */
	public static function prune(): void {
		global $wpdb;
		$table = Schema::table( 'webhook_messages' );
		Sql::prune( 'webhook_messages', 'heard_at < UTC_TIMESTAMP() - INTERVAL ' . self::KEEP_DAYS . ' DAY' );
		$floor = (int) $wpdb->get_var( $wpdb->prepare( "SELECT id FROM `$table` ORDER BY id DESC LIMIT 1 OFFSET %d", self::KEEP_ROWS ) );
		if ( $floor ) {
			Sql::prune( 'webhook_messages', "id <= $floor" );
		}
		Hints::prune();
	}

	/**
	 * Which tenants' records a message names.
	 *
	 * @param list<array<string, mixed>>                          $events
	 * @param array<int, array<string, array<string|int, bool>>>  $wanted   Gets, by tenant and object, ids and whether the CRM said that they are deleted.
	 * @param string|null                                         $stranger Gets an account that is nobody's.
	 */
	private static function route( int $owner, array $events, array &$wanted, ?string &$stranger ): void {
		$members    = Addresses::members( $owner );
		$selections = array();
		$selection  = static function ( int $tenant ) use ( &$selections ): ?Selection {
			if ( ! array_key_exists( $tenant, $selections ) ) {
				$known                 = Tenants::get( $tenant );
				$selections[ $tenant ] = $known ? Selection::of( $known ) : null;
			}
			return $selections[ $tenant ];
		};
		if ( ! $events && array( $owner ) === array_keys( $members ) ) {
			foreach ( $selection( $owner )->objects ?? array() as $object ) {
				$wanted[ $owner ][ $object ] = array();
			}
		}
		foreach ( $events as $event ) {
			$account = $event['account'];
			// Whose it is must be said, unless there is only one whose it can be.
			$tenants = null === $account ? ( array( $owner ) === array_keys( $members ) ? array( $owner ) : array() ) : array_keys( $members, $account, true );
			if ( null !== $account && ! $tenants && strlen( $account ) <= Addresses::MAX_ACCOUNT ) {
				$stranger = $account;
			}
			foreach ( $tenants as $tenant ) {
				$chosen = $selection( $tenant );
				if ( $chosen && $chosen->wants( $event ) ) {
					foreach ( $event['ids'] as $id ) {
						$wanted[ $tenant ][ $event['object'] ][ $id ] = 'delete' === $event['action'];
					}
				}
			}
		}
	}

	private static function admits( int $owner ): bool {
		try {
			return 0.0 === \TenantCRMSync::limiter( "webhooks of tenant $owner", self::RATE, 60.0, self::BURST )->admit();
		} catch ( \TenantCRMSync\Exception $e ) {
			// Site Health says why limits are not counted.
			return true;
		}
	}
}
