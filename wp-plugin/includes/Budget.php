<?php
/**
 * How long a slice may go on: its own time, the time and memory that PHP gives this request, and a signal to stop.
 *
 * PHP counts the time that it computes, not the time that it waits (max_execution_time); what other code of this request used before is
 * taken to be all of it. FPM's request_terminate_timeout cannot be seen from here: the slice's own time is chosen well below it.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Budget {

	/** Parts of memory_limit and max_execution_time after which a slice ends. */
	private const SHARE = 0.8;

	/** Seconds of computing that a slice gets at least, or a slow site would never come to its first batch. */
	private const LEAST = 1.0;

	private static bool $stopped = false;

	private readonly float $deadline;

	/** Seconds of computing of this process until which the slice may go on; infinite where PHP sets no limit. */
	private readonly float $computing;

	private readonly float $memory;

	public function __construct( float $seconds ) {
		$this->deadline  = microtime( true ) + $seconds;
		$limit           = (float) ini_get( 'max_execution_time' );
		$before          = microtime( true ) - (float) ( $_SERVER['REQUEST_TIME_FLOAT'] ?? microtime( true ) );
		$this->computing = $limit > 0 ? self::computed() + max( self::LEAST, self::SHARE * $limit - $before ) : INF;
		$memory          = wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
		$this->memory    = $memory > 0 ? self::SHARE * $memory : INF;
	}

	/** Ends every slice of this process after its batch: for signal handlers. */
	public static function stop(): void {
		self::$stopped = true;
	}

	public static function is_stopped(): bool {
		return self::$stopped;
	}

	public function seconds_left(): float {
		return $this->deadline - microtime( true );
	}

	public function is_over(): bool {
		return $this->seconds_left() <= 0 || self::computed() >= $this->computing || $this->must_stop();
	}

	/** Not even one more batch. */
	public function must_stop(): bool {
		return self::$stopped || memory_get_usage() > $this->memory;
	}

	private static function computed(): float {
		$usage = getrusage();
		return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
	}
}
