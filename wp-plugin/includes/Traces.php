<?php
/**
 * Which trace (W3C Trace Context) the calls to a CRM are part of. Calls that a request makes itself go on with the trace that it came with;
 * the calls of a run have a trace of the run's own, the same in every slice and process, unless whoever asked for the run or for a slice of
 * it named one.
 *
 * The extension passes it on and writes it down, with a new span for each attempt.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Traces {

	/** Runs that a process remembers the traces of. */
	private const MOST = 1000;

	/** @var array<string, int> Run by trace and tenant: attempts are told with no more than these. */
	private static array $runs = array();

	/** What this request calls by itself is part of the trace that it came with; where it came with none, of none. */
	public static function resume(): void {
		\TenantCRMSync::trace( isset( $_SERVER['HTTP_TRACEPARENT'] ) && is_string( $_SERVER['HTTP_TRACEPARENT'] ) ? $_SERVER['HTTP_TRACEPARENT'] : null ); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- the extension takes what the standard allows, and nothing else.
	}

	/** Notes the trace of whoever asked for a run, for those who will work it. */
	public static function keep( int $run, ?string $traceparent ): void {
		$trace = null === $traceparent ? null : \TenantCRMSync::trace( $traceparent );
		self::resume();
		if ( null !== $trace ) {
			self::name( $run, $trace );
		}
	}

	/**
	 * What is called from now on is called for this job.
	 *
	 * @param string|null $traceparent What whoever asked for this slice sent; what is no such value counts for nothing.
	 */
	public static function follow( Job $job, ?string $traceparent = null ): void {
		$trace = null === $traceparent ? null : \TenantCRMSync::trace( $traceparent );
		$trace = $trace ?? \TenantCRMSync::trace( $job->trace ?? 'new' );
		if ( null === $trace || ! $job->run ) {
			return;
		}
		self::$runs = array_slice( self::$runs, 1 - self::MOST, null, true );

		self::$runs[ self::key( substr( $trace, 3, 32 ), $job->tenant ) ] = $job->run;
	}

	/** The run that an attempt was for; 0: none. */
	public static function run_of( ?string $trace_id, int $tenant ): int {
		return null === $trace_id ? 0 : self::$runs[ self::key( $trace_id, $tenant ) ] ?? 0;
	}

	/**
	 * SQL: a run's trace, which it gets here if it has none yet.
	 *
	 * @param string $random 32 hexadecimal digits that nobody else has.
	 */
	public static function named_sql( string $random ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- hexadecimal digits.
		return "COALESCE(trace, CONCAT('00-', MD5(CONCAT('$random', id)), '-', LEFT(MD5(CONCAT(id, '$random')), 16), '-01'))";
	}

	private static function name( int $run, string $trace ): void {
		$table = Schema::table( 'runs' );
		Sql::change( "UPDATE `$table` SET trace = " . Sql::bytes( $trace ) . " WHERE id = $run AND trace IS NULL" );
	}

	private static function key( string $trace_id, int $tenant ): string {
		return "$trace_id $tenant";
	}
}
