<?php
/** What it costs a host that the extension is there at all: its size, and the time that loading it adds to each start of PHP. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$extension = (string) getenv( 'TCS_EXT' );
	$children  = static function (): float {
		$usage = getrusage( 1 );
		return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
	};
	$start     = static function ( string ...$options ) use ( $children ): callable {
		return static function () use ( $options, $children ): array {
			// The processor's time, since nothing here waits; the least of some, since the caches are others' as well.
			$least = INF;
			for ( $i = 0; $i < 9; $i++ ) {
				$began   = $children();
				$process = proc_open( [ PHP_BINARY, '-n', ...$options, '-v' ], [ [ 'file', '/dev/null', 'r' ], [ 'file', '/dev/null', 'w' ], [ 'file', '/dev/null', 'w' ] ], $pipes );
				proc_close( $process );
				$least = min( $least, $children() - $began );
			}
			return [ 'wall' => $least ];
		};
	};
	$got  = $bench->compare( 'php -n -v', $bench->rounds( 15, 9 ), [ 'with the extension' => $start( '-d', "extension=$extension" ), 'without' => $start() ] );
	$more = array_map( static fn( float $with, float $without ): float => 1000 * ( $with - $without ), $got->of( 'with the extension' ), $got->of( 'without' ) );
	$bench->row( 'load', 'time that loading adds to php -v', '', 'ms', false, 2, 1, $more );
	$bench->row( 'size', 'size of the .so', '', 'MB', false, 6, 4, [ filesize( $extension ) / 1e6 ] );
};
