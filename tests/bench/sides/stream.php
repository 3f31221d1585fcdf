<?php
/** Very many leads streamed through one process: how much memory it takes at most, above what it had before and the arrays of one page. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'url' => $url, 'key' => $key ] = json_decode( $argv[1], true );

function kb( string $what ): int {
	preg_match( "/^$what:\s+(\d+)/m", (string) file_get_contents( '/proc/self/status' ), $found );
	return (int) $found[1];
}

$sync = \TenantCRMSync::with_settings( $key, Ours\settings( $url, $key ) + [ 'throw' => true ] );
// The thread and the connection are there before it begins: what they take is another line of the table.
$sync->fetch_leads();
$before = kb( 'VmRSS' );
// Forgets the highest mark.
file_put_contents( '/proc/self/clear_refs', '5' );
$count  = 0;
$digest = hash_init( 'sha256' );
$arrays = 0;
foreach ( $sync->pull( 'leads', null, [ 'page_size' => 1000 ] ) as $batch ) {
	$used   = memory_get_usage();
	$rows   = $batch->rows();
	$arrays = max( $arrays, memory_get_usage() - $used );
	$count += count( $rows );
	hash_update( $digest, $rows[0]['email'] );
	unset( $rows );
}
echo json_encode( [ 'count' => $count, 'arrays' => $arrays / 1e6, 'above' => ( kb( 'VmHWM' ) - $before ) * 1024 / 1e6 - $arrays / 1e6, 'data' => hash_final( $digest ) ] ), "\n";
