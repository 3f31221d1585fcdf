<?php
/**
 * How often and how long a job is tried again. Pure numbers; Failure decides what a failure is, Jobs writes it down.
 *
 * An outage of hours must heal with no hand (a click, or the next automatic pull, only helps), and an endpoint that is dead for good
 * must not be asked for ever.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Retries {

	/** A job is given up after so many failures without a stored batch, or so many seconds of nothing else. */
	public const MAX_ATTEMPTS = 200;
	public const MAX_SECONDS  = DAY_IN_SECONDS;

	/** Workers that a job may kill: by memory, time, or a fault of PHP. */
	public const MAX_DEATHS = 8;

	/** From so many on it is worked alone: the others that died with it must not be given up in its stead. */
	public const DEATHS_IN_COMPANY = 2;

	/** A CRM that only ever says "later" is believed for so long. */
	public const MAX_WAITING = 7 * DAY_IN_SECONDS;

	/** The longest wait that a CRM can ask for at once: a quota of a day, and a little more. */
	public const LONGEST = DAY_IN_SECONDS + HOUR_IN_SECONDS;

	private const FIRST = 15;
	private const LAST  = 900;

	/** Whether one more failure is the last. */
	public static function are_over( Job $job, bool $was_told_to_wait ): bool {
		if ( $job->progressed ) {
			return false;
		}
		return $was_told_to_wait ? $job->failing >= self::MAX_WAITING : $job->attempts + 1 >= self::MAX_ATTEMPTS || $job->failing >= self::MAX_SECONDS;
	}

	/** Seconds until the next attempt: any time up to a bound that doubles, so that tenants which failed together do not come back together. */
	public static function backoff( int $attempts ): float {
		$bound = min( self::LAST, self::FIRST * 2 ** min( $attempts, 16 ) );
		return max( 1.0, $bound * wp_rand( 0, 10000 ) / 10000 );
	}

	/** The wait that a CRM asked for, never shorter, and a little longer by chance. */
	public static function told( float $seconds ): float {
		$seconds = min( self::LONGEST, max( 1.0, $seconds ) );
		return $seconds + min( 5.0, $seconds / 10 ) * wp_rand( 0, 100 ) / 100;
	}
}
