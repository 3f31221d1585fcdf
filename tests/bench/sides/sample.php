<?php
/** What a side prints: the time from before its first line of work, the processor's time of all of its threads, and a hash of what it got. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/peers.php';
require __DIR__ . '/ours.php';

function cpu(): float {
	$usage = getrusage();
	return $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6;
}

/** Of arrays as they are: order of keys and types count. */
function data( mixed $got ): string {
	return sha1( serialize( $got ) );
}

function sample( callable $work ): void {
	$cpu   = cpu();
	$start = hrtime( true );
	$got   = $work();
	$wall  = ( hrtime( true ) - $start ) / 1e9;
	$cpu   = cpu() - $cpu;
	echo json_encode( [ 'wall' => $wall, 'cpu' => $cpu, 'data' => data( $got ), 'count' => count( $got, COUNT_NORMAL ) ] ), "\n";
}
