<?php
/** What is done often: a decision of the limiter, the verification of a webhook. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$bench->quiet();
	$got = Side::php( 'small', [ 'rounds' => $bench->rounds( 31, 15 ), 'many' => $bench->pick( 200000, 100000, 1000 ) ] );
	$of  = static fn( string $what, float $unit ): array => array_map( static fn( float $seconds ): float => $seconds * $unit, $got[ $what ] );
	$bench->row( 'limiter', 'limiter: a decision from PHP, let through', '', 'ns', false, 100, 60, $of( 'open', 1e9 ) );
	$bench->row( 'limiter-refused', 'limiter: a decision from PHP, refused', '', 'ns', false, 100, 60, $of( 'shut', 1e9 ) );
	$bench->row( 'webhook', 'webhook verification of 64 KB', '', 'us', false, 100, 60, $of( 'webhook', 1e6 ) );
};
