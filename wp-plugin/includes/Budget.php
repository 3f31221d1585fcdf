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

	/** @var array<string, float> Seconds of computing of this process until which slices may go on, by PHP's limit. */
	private static array $computing = array();

	private readonly float $deadline;

	public function __construct( float $seconds ) {
		$this->deadline = microtime( true ) + $seconds;
		// What was computed until now was not for us.
		self::is_out_of_time();
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
		return $this->seconds_left() <= 0 || self::is_spent();
	}

	/** Not even one more batch. */
	public function must_stop(): bool {
		return self::$stopped || self::is_out_of_memory();
	}

	/** Whether another slice of this process would be as short as can be: it was told to stop, or has used up what PHP gives it. */
	public static function is_spent(): bool {
		return self::$stopped || self::is_out_of_memory() || self::is_out_of_time();
	}

	private static function is_out_of_memory(): bool {
		$limit = wp_convert_hr_to_bytes( (string) ini_get( 'memory_limit' ) );
		return $limit > 0 && memory_get_usage() > self::SHARE * $limit;
	}

	private static function is_out_of_time(): bool {
		$limit = (string) ini_get( 'max_execution_time' );
		if ( (float) $limit <= 0 ) {
			return false;
		}
		if ( ! isset( self::$computing[ $limit ] ) ) {
			$before                    = microtime( true ) - (float) ( $_SERVER['REQUEST_TIME_FLOAT'] ?? microtime( true ) );
			self::$computing[ $limit ] = self::computed() + max( self::LEAST, self::SHARE * (float) $limit - $before );
		}
		return self::computed() >= self::$computing[ $limit ];
	}

	private static function computed(): float {
		$usage = getrusage();
		return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
	}
}
