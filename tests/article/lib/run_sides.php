<?php
/** Runs the sides in processes of their own, two at a time. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

/**
 * @param list<string> $names
 * @return array<string, array<string, mixed>> What each saw; a side that ended early is an exception.
 */
function run_sides( array $names ): array {
	$place   = getenv( 'TCS_STACK' ) . '/tmp';
	$running = [];
	$seen    = [];
	$waiting = $names;
	while ( $waiting || $running ) {
		while ( $waiting && count( $running ) < 2 ) {
			$name             = array_shift( $waiting );
			$running[ $name ] = proc_open( [ PHP_BINARY, __DIR__ . '/side.php', $name ], [ [ 'file', '/dev/null', 'r' ], [ 'file', "$place/$name.json", 'w' ], [ 'file', "$place/$name.err", 'w' ] ], $pipes );
		}
		usleep( 20_000 );
		foreach ( $running as $name => $process ) {
			if ( proc_get_status( $process )['running'] ) {
				continue;
			}
			unset( $running[ $name ] );
			proc_close( $process );
			$seen[ $name ] = json_decode( (string) file_get_contents( "$place/$name.json" ), true );
			if ( ! is_array( $seen[ $name ] ) ) {
				throw new \RuntimeException( "the side \"$name\" ended early: " . file_get_contents( "$place/$name.err" ) . file_get_contents( "$place/$name.json" ) );
			}
		}
	}
	return $seen;
}
