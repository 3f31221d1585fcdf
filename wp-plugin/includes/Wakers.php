<?php
/**
 * Who wakes workers, and when one was last seen. A click rings: a worker that waits on Redis hears it at once, Action Scheduler soon, and
 * everybody else finds the job in the database, which holds the truth.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Wakers {

	/** Option: which worker came last, and when. Screens that work themselves do not count: they are open only now and then. */
	private const OPTION = 'tenant_crm_sync_worker';

	/** The time is written at most once in so many seconds. */
	private const FRESH = 60;

	/** Tells waiting workers on all hosts that there is something to do. Never fails: a job that nobody heard of is found all the same. */
	public static function ring(): void {
		try {
			\TenantCRMSync::wake( self::channel() );
		} catch ( \TenantCRMSync\Exception $e ) {
			// A Redis that cannot be used is shown by Site Health; workers look into the database by themselves.
			return;
		} finally {
			ActionScheduler::ring();
		}
	}

	/**
	 * Waits until somebody rings, or the time is over.
	 *
	 * @return bool Whether somebody rang.
	 */
	public static function wait( float $seconds ): bool {
		$rang = \TenantCRMSync::wait_for_wake( $seconds, self::channel() );
		if ( null === $rang ) {
			// Without Redis: look again soon.
			usleep( (int) ( 1000000 * min( 1.0, $seconds ) ) );
		}
		return (bool) $rang;
	}

	/** Notes that a worker came which comes by itself. */
	public static function seen( string $who ): void {
		$last = get_option( self::OPTION );
		if ( ! is_array( $last ) || ( $last['who'] ?? '' ) !== $who || time() - (int) ( $last['at'] ?? 0 ) >= self::FRESH ) {
			update_option(
				self::OPTION,
				array(
					'who' => $who,
					'at'  => time(),
				),
				false
			);
		}
	}

	/** @return int|null Seconds since a worker was seen; null where none ever was. */
	public static function last_seen(): ?int {
		$last = get_option( self::OPTION );
		return is_array( $last ) && isset( $last['at'] ) ? max( 0, time() - (int) $last['at'] ) : null;
	}

	public static function forget(): void {
		delete_option( self::OPTION );
	}

	/** Sites that share a Redis do not wake one another. */
	private static function channel(): string {
		return substr( hash( 'sha256', Site::id() ), 0, 16 );
	}
}
