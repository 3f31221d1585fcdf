<?php
/** The same with the extension. */

declare(strict_types=1);

namespace TenantCRM\Bench\Ours;

/** @return array<string, mixed> */
function settings( string $url, string $key, int $at_once = 1 ): array {
	return [ 'api_key' => $key, 'api_endpoint' => $url ] + ( $at_once > 1 ? [ 'stable_order' => true, 'parallel' => $at_once ] : [] );
}

function pages( string $url, string $key, int $size, int $at_once ): array {
	$leads = [];
	foreach ( \TenantCRMSync::with_settings( $key, settings( $url, $key, $at_once ) )->pull( 'leads', null, [ 'page_size' => $size ] ) as $batch ) {
		array_push( $leads, ...$batch->rows() );
	}
	return $leads;
}

/** @param list<string> $keys */
function tenants( string $url, array $keys, int $size ): array {
	$leads = array_fill_keys( $keys, [] );
	$pulls = [];
	foreach ( $keys as $key ) {
		$pulls[ $key ] = [ 'client' => \TenantCRMSync::with_settings( $key, settings( $url, $key ) ), 'object' => 'leads', 'options' => [ 'page_size' => $size ] ];
	}
	foreach ( \TenantCRMSync::pull_many( $pulls ) as $key => $batch ) {
		if ( $batch instanceof \Throwable ) {
			throw $batch;
		}
		array_push( $leads[ $key ], ...$batch->rows() );
	}
	return $leads;
}
