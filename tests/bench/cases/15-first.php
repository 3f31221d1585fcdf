<?php
/** The first call in a new process: threads, authorities, connection, and the call itself. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$bench->crm->tenant( 'first', 100 );
	$bundle = (string) getenv( 'BENCH_BUNDLE' );
	// All authorities of the system are read, as on a host that names no file of its own.
	$side = static fn( string $way ): callable => static fn(): array => Side::php( 'first', [ 'way' => $way, 'url' => $bench->crm->url(), 'key' => 'first', 'ca' => $bench->crm->ca ], [ 'tenant_crm_sync.ca_file' => $bundle, 'curl.cainfo' => $bundle ] );
	$got  = $bench->compare( 'first call in a new process, 0 ms', $bench->rounds( 25, 11 ), [ 'ours' => $side( 'ours' ), 'tuned' => $side( 'tuned' ), 'article' => $side( 'article' ) ], [], [ 'wall' => 'ms', 'cpu' => 'ms of processor' ] );
	$ms   = array_map( static fn( float $seconds ): float => 1000 * $seconds, $got->of( 'ours' ) );
	$bench->row( 'first', 'first call in a new process', '', 'ms', false, 6, 3, $ms );
	$bench->crm->forget( 'first' );
};
