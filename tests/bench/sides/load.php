<?php
/** Starts of PHP with the extension and without it, in turns: a small process starts them, so that copying its own memory costs next to nothing.
 * Prints how many seconds of processor more one with it takes, round by round. */

declare(strict_types=1);

namespace TenantCRM\Bench;

[ 'extension' => $extension, 'rounds' => $rounds, 'pairs' => $pairs ] = json_decode( $argv[1], true );

function of_children(): float {
	$usage = getrusage( 1 );
	return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
}

/** The processor's time, since nothing here waits. @param list<string> $options */
function start( array $options ): float {
	$began   = of_children();
	$process = proc_open( [ PHP_BINARY, '-n', ...$options, '-v' ], [ [ 'file', '/dev/null', 'r' ], [ 'file', '/dev/null', 'w' ], [ 'file', '/dev/null', 'w' ] ], $pipes );
	if ( false === $process || 0 !== proc_close( $process ) ) {
		throw new \RuntimeException( 'php -v failed' );
	}
	return of_children() - $began;
}

/** @param list<string> $with Of neighbours in time: what slows the machine down slows down both. */
function more( array $with, int $pairs ): float {
	$more = [];
	for ( $i = 0; $i < $pairs; $i++ ) {
		$more[] = 0 === $i % 2 ? start( $with ) - start( [] ) : - start( [] ) + start( $with );
	}
	sort( $more );
	return $more[ intdiv( $pairs, 2 ) ];
}

$with = [ '-d', "extension=$extension" ];
more( $with, 2 );
$more = [];
for ( $round = 0; $round < $rounds; $round++ ) {
	$more[] = more( $with, $pairs );
}
echo json_encode( [ 'more' => $more ] ), "\n";
