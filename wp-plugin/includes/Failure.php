<?php
/**
 * What a failure means for a job: it waits, it goes back into the queue, or it is over. How long it waits is in Retries.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Failure {

	/** A paused tenant's job looks again after so many seconds. */
	private const PAUSE_SECONDS = 300.0;

	/** Kinds of failure that another attempt does not cure: a person must change something. */
	private const PERMANENT = array( 'config', 'credential', 'egress', 'encode' );

	/**
	 * Never throws: where the database is away, too, the lease runs out and another worker takes over.
	 *
	 * @return string failed, waiting, released or lost.
	 */
	public static function settle( Job $job, ?Tenant $tenant, \Throwable $e ): string {
		try {
			if ( $e instanceof LeaseLost || Sql::is_lost() ) {
				return 'lost';
			}
			if ( ! $e instanceof TenantChanged && ! self::is_final( $e ) && ! Retries::are_over( $job, self::is_limit( $e ) ) ) {
				return self::postpone( $job, $tenant, $e );
			}
			return self::is_changed( $job ) ? self::changed( $job ) : self::bury( $job, self::words( $tenant, $e ) );
		} catch ( StoreException $e ) {
			return 'lost';
		}
	}

	/** A key that was refused, and replaced meanwhile, is no reason to give up. */
	private static function is_changed( Job $job ): bool {
		try {
			Leases::renew( $job );
			return false;
		} catch ( TenantChanged $e ) {
			return true;
		}
	}

	/** Ends a job for a reason that is no exception. */
	public static function bury( Job $job, string $message ): string {
		Jobs::bury( $job, $message );
		Log::add( $job->tenant, 'error', $message, array( 'run' => $job->run ) );
		return 'failed';
	}

	public static function pause( Job $job, Tenant $tenant ): string {
		Jobs::pause( $job, "Tenant \"{$tenant->id}\" is paused. The sync goes on when the pause ends.", self::PAUSE_SECONDS );
		return 'waiting';
	}

	/** Not a failure: what was stored stays, and the next slice begins with what is set now. */
	private static function changed( Job $job ): string {
		$tenant = Tenants::get( $job->tenant );
		if ( $tenant && $tenant->paused ) {
			return self::pause( $job, $tenant );
		}
		Jobs::release( $job );
		return 'released';
	}

	private static function postpone( Job $job, ?Tenant $tenant, \Throwable $e ): string {
		$message     = self::words( $tenant, $e );
		$retry_after = $e instanceof \TenantCRMSync\Exception ? $e->retry_after : null;
		if ( null !== $retry_after && self::is_limit( $e ) ) {
			$message = sprintf( 'The sync waits until %s UTC and goes on from where it is. %s', gmdate( 'Y-m-d H:i:s', (int) ceil( microtime( true ) + $retry_after ) ), $message );
			Jobs::postpone( $job, $message, $retry_after, false );
			Log::add_once( $job->tenant, 'info', self::words( $tenant, $e ), array( 'run' => $job->run ) );
			return 'waiting';
		}
		Jobs::postpone( $job, $message, $retry_after );
		Log::add( $job->tenant, 'warning', $message, array( 'run' => $job->run ) );
		return 'waiting';
	}

	private static function is_final( \Throwable $e ): bool {
		if ( ! $e instanceof \TenantCRMSync\Exception ) {
			// A plain \Exception is what the constructor throws where settings are missing.
			return $e instanceof NotSupported || 'Exception' === get_class( $e );
		}
		$status = (int) $e->status;
		return in_array( $e->kind, self::PERMANENT, true ) || ( $status >= 400 && $status < 500 && ! self::is_limit( $e ) && ! in_array( $status, array( 408, 423, 425, 429 ), true ) );
	}

	/** Nothing is broken: the CRM, or our own count of what it allows, says "later". */
	private static function is_limit( \Throwable $e ): bool {
		return $e instanceof \TenantCRMSync\RateLimitException || ( $e instanceof \TenantCRMSync\Exception && 'rate_limited' === $e->kind );
	}

	private static function words( ?Tenant $tenant, \Throwable $e ): string {
		$text = $e->getMessage();
		if ( ! $e instanceof \TenantCRMSync\Exception && ! $e instanceof StoreException && 'Exception' !== get_class( $e ) ) {
			// A bug, ours or of a hook: name the place, never the arguments.
			$text = sprintf( '%s (%s in %s, line %d)', $text, get_class( $e ), basename( $e->getFile() ), $e->getLine() );
		}
		return ! $tenant || str_contains( $text, $tenant->id ) ? $text : "Tenant \"{$tenant->id}\": $text";
	}
}
