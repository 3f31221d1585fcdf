<?php
/**
 * JSON to arrays, in one process: the rows of a page that has come, against json_decode() of the same bytes. Prints a sample a round:
 * seconds of the processor (nothing here waits, and other work does not count) of each, how many bytes each result takes, and that the two are equal to the last bit of the last float.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'url' => $url, 'key' => $key, 'ca' => $ca, 'rounds' => $rounds, 'repeat' => $repeat ] = json_decode( $argv[1], true );
$context = stream_context_create( [ 'http' => [ 'header' => [ "Authorization: Bearer $key", 'Accept: application/json' ] ], 'ssl' => [ 'cafile' => $ca ] ] );
$body    = (string) file_get_contents( "$url/api/v1/leads", false, $context );
$pull    = \TenantCRMSync::with_settings( $key, Ours\settings( $url, $key ) )->pull( 'leads' );
$pull->rewind();
$batch = $pull->current();
$ours  = static fn() => $batch->rows();
$php   = static fn() => json_decode( $body, true );
if ( data( $ours() ) !== data( $php()['data'] ) ) {
	throw new \RuntimeException( 'the arrays differ' );
}
/** @return array{0: float, 1: int} Seconds of one, and what the result takes. */
$time = static function ( callable $work ) use ( $repeat ): array {
	$work();
	$start = cpu();
	for ( $i = 0; $i < $repeat; $i++ ) {
		$got = $work();
		unset( $got );
	}
	$seconds = ( cpu() - $start ) / $repeat;
	$before  = memory_get_usage();
	$got     = $work();
	$memory  = memory_get_usage() - $before;
	return [ $seconds, $memory ];
};
$samples = [];
for ( $round = 0; $round < $rounds; $round++ ) {
	foreach ( 0 === $round % 2 ? [ 'ours', 'php' ] : [ 'php', 'ours' ] as $side ) {
		[ $samples[ $side ][ $round ]['wall'], $samples[ $side ][ $round ]['memory'] ] = $time( $$side );
	}
}
echo json_encode( [ 'bytes' => strlen( $body ), 'samples' => $samples ] ), "\n";
