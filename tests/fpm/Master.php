<?php
/**
 * PHP-FPM's master and the workers of one pool, as the operating system shows them.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

final class Master {

	public static function pid(): int {
		return (int) file_get_contents( getenv( 'TCS_STACK' ) . '/run/fpm.pid' );
	}

	/** @return list<int> */
	public static function workers( string $pool ): array {
		$master = self::pid();
		$found  = [];
		foreach ( explode( ' ', trim( (string) @file_get_contents( "/proc/$master/task/$master/children" ) ) ) as $pid ) {
			// A zombie has an empty command line.
			if ( str_contains( (string) @file_get_contents( "/proc/$pid/cmdline" ), "pool $pool" ) ) {
				$found[] = (int) $pid;
			}
		}
		return $found;
	}

	/**
	 * Until a reload has let these go and made others.
	 *
	 * @param list<int> $old
	 */
	public static function wait_until_without( array $old ): void {
		$until = microtime( true ) + 20;
		do {
			usleep( 50_000 );
			$now = self::workers( 'four' );
		} while ( ( [] === $now || [] !== array_intersect( $old, $now ) ) && microtime( true ) < $until );
	}

	public static function reload(): void {
		posix_kill( self::pid(), SIGUSR2 );
	}
}
