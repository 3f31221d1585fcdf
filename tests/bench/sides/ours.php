<?php
/** The same with the extension. */

declare(strict_types=1);

namespace TenantCRM\Bench\Ours;

/** @return array<string, mixed> */
function settings( string $url, string $key, int $at_once = 1 ): array {
	return [ 'api_key' => $key, 'api_endpoint' => $url ] + ( $at_once > 1 ? [ 'stable_order' => true, 'parallel' => $at_once ] : [] );
}

function pages( string $url, string $key, int $size, int $at_once ): array {
	$pages = [];
	foreach ( \TenantCRMSync::with_settings( $key, settings( $url, $key, $at_once ) )->pull( 'leads', null, [ 'page_size' => $size ] ) as $batch ) {
		$pages[] = $batch->rows();
	}
	return array_merge( ...$pages );
}

/** @param list<string> $keys */
function tenants( string $url, array $keys, int $size ): array {
	$pages = array_fill_keys( $keys, [] );
	$pulls = [];
	foreach ( $keys as $key ) {
		$pulls[ $key ] = [ 'client' => \TenantCRMSync::with_settings( $key, settings( $url, $key ) ), 'object' => 'leads', 'options' => [ 'page_size' => $size ] ];
	}
	foreach ( \TenantCRMSync::pull_many( $pulls ) as $key => $batch ) {
		if ( $batch instanceof \Throwable ) {
			throw $batch;
		}
		$pages[ $key ][] = $batch->rows();
	}
	return array_map( static fn( array $some ): array => array_merge( ...$some ), $pages );
}
