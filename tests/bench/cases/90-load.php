<?php
/** What it costs a host that the extension is there at all: its size, and the time that loading it adds to each start of PHP. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$extension = (string) getenv( 'TCS_EXT' );
	$bench->quiet();
	$got = Side::run( [ PHP_BINARY, '-n', dirname( __DIR__ ) . '/sides/load.php', json_encode( [ 'extension' => $extension, 'rounds' => $bench->rounds( 15, 9 ), 'pairs' => $bench->pick( 9, 9, 3 ) ] ) ] );
	$bench->row( 'load', 'time that loading adds to php -v', '', 'ms', false, 2, 1, array_map( static fn( float $seconds ): float => 1000 * $seconds, $got['more'] ) );
	$bench->row( 'size', 'size of the .so', '', 'MB', false, 6, 4, [ filesize( $extension ) / 1e6 ] );
};
