<?php
/**
 * The machine that measures: what it is, and whether it is quiet enough. What else works on it takes turns with what is measured, so
 * before each comparison it is looked at how much that is.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Machine {

	/** Part of the cores that others may use. */
	private const BUSY = 0.2;

	/** @return array<string, string> */
	public static function describe(): array {
		preg_match( '/^model name\s*:\s*(.+)$/m', (string) @file_get_contents( '/proc/cpuinfo' ), $cpu );
		preg_match( '/^PRETTY_NAME="(.+)"$/m', (string) @file_get_contents( '/etc/os-release' ), $system );
		$curl = curl_version();
		return [
			'date'   => gmdate( 'Y-m-d' ),
			'cpu'    => trim( $cpu[1] ?? php_uname( 'm' ) ) . ', ' . self::cores() . ' cores',
			'system' => ( $system[1] ?? PHP_OS ) . ', Linux ' . php_uname( 'r' ),
			'php'    => PHP_VERSION,
			'curl'   => "{$curl['version']}, {$curl['ssl_version']}",
		];
	}

	public static function cores(): int {
		return max( 1, substr_count( (string) @file_get_contents( '/proc/cpuinfo' ), "processor\t" ) );
	}

	/** Waits a while for a quiet moment. @throws Unmeasurable */
	public static function must_be_quiet(): void {
		$least = 1.0;
		for ( $look = 0; $look < 8; $look++ ) {
			$least = min( $least, self::busy_part( 0.4 ) );
			if ( $least <= self::BUSY ) {
				return;
			}
		}
		throw new Unmeasurable( sprintf( 'other work takes %.0f %% of the machine (at most %.0f %%); BUSY=1 measures all the same', 100 * $least, 100 * self::BUSY ) );
	}

	/** The part of all cores that is in use while this process sleeps. */
	private static function busy_part( float $seconds ): float {
		[ $idle, $all ] = self::ticks();
		usleep( (int) ( 1e6 * $seconds ) );
		[ $idle_then, $all_then ] = self::ticks();
		return $all_then > $all ? 1 - ( $idle_then - $idle ) / ( $all_then - $all ) : 1.0;
	}

	/** @return array{0: int, 1: int} */
	private static function ticks(): array {
		$line = (string) strtok( (string) file_get_contents( '/proc/stat' ), "\n" );
		// user nice system idle iowait irq softirq steal
		$parts = array_map( 'intval', array_slice( preg_split( '/\s+/', $line ), 1, 8 ) );
		return [ $parts[3] + $parts[4], array_sum( $parts ) ];
	}
}
