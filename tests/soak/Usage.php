<?php
/**
 * What a process uses, as the operating system shows it.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Soak;

final class Usage {

	private function __construct( public readonly int $kilobytes, public readonly int $threads, public readonly int $files ) {
	}

	/** @return self|null Null: it is gone. */
	public static function of( int|string $pid ): ?self {
		$status = (string) @file_get_contents( "/proc/$pid/status" );
		if ( ! preg_match( '/^RssAnon:\s+(\d+)/m', $status, $memory ) || ! preg_match( '/^Threads:\s+(\d+)/m', $status, $threads ) ) {
			return null;
		}
		return new self( (int) $memory[1], (int) $threads[1], max( 0, count( (array) @scandir( "/proc/$pid/fd" ) ) - 2 ) );
	}
}
