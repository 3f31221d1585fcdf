<?php
/**
 * What was asked and admitted, and when: each call lies somewhere between two readings of the machine's one monotonic clock.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Redis;

final class Admissions {

	/** @var list<array{0: int, 1: int, 2: bool}> Those that were admitted. */
	private array $all;

	/** @param list<array{0: int, 1: int, 2: bool}> $asked By the first of the two times. */
	private function __construct( private array $asked ) {
		sort( $this->asked );
		$this->all = array_values( array_filter( $this->asked, static fn( $one ) => $one[2] ) );
	}

	/** @param list<list<array{0: int, 1: int, 2: bool}>|null> $of_processes */
	public static function of( array $of_processes ): self {
		return new self( array_merge( ...array_map( static fn( $one ) => $one ?? array(), $of_processes ) ) );
	}

	/** Those that began between two times. */
	public function between( int $from, int $to ): self {
		return new self( array_values( array_filter( $this->asked, static fn( $one ) => $from <= $one[0] && $one[0] < $to ) ) );
	}

	/**
	 * What one limiter that makes no mistake would have admitted of these calls, of so many a second and so many at once. A busy machine
	 * lets all processes sleep too long at times; nobody can admit what nobody asks for.
	 */
	public function ideal( int $rate, int $burst ): int {
		$ends = array_column( $this->asked, 1 );
		sort( $ends );
		list( $count, $left, $at ) = array( 0, (float) $burst, $ends[0] ?? 0 );
		foreach ( $ends as $now ) {
			$left = min( $burst, $left + $rate * ( $now - $at ) / 1e9 );
			$at   = $now;
			if ( $left >= 1.0 ) {
				--$left;
				++$count;
			}
		}
		return $count;
	}

	public function count(): int {
		return count( $this->all );
	}

	/**
	 * The most that any window of this length has seen for certain, both ends included: nobody's slowness counts as another's haste.
	 */
	public function most_in( int $nanoseconds ): int {
		$most = 0;
		foreach ( $this->all as $first => list( $from ) ) {
			$seen = 0;
			for ( $at = $first, $count = count( $this->all ); $at < $count && $this->all[ $at ][0] <= $from + $nanoseconds; $at++ ) {
				$seen += $this->all[ $at ][1] <= $from + $nanoseconds ? 1 : 0;
			}
			$most = max( $most, $seen );
		}
		return $most;
	}

	/** Admissions in each half second since a time. */
	public function course( int $since ): string {
		$halves = array();
		foreach ( $this->all as list( $at ) ) {
			$half            = intdiv( max( 0, $at - $since ), 500000000 );
			$halves[ $half ] = ( $halves[ $half ] ?? 0 ) + 1;
		}
		$course = array();
		for ( $half = 0; $half <= max( array( 0, ...array_keys( $halves ) ) ); $half++ ) {
			$course[] = $halves[ $half ] ?? 0;
		}
		return implode( ' ', $course );
	}
}
