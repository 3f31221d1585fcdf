<?php
/** A first sync from the CRM into WordPress: storing and fetching go on at the same time, so it takes hardly longer than the slower one. */

declare(strict_types=1);

namespace TenantCRM\Bench;

return static function ( Bench $bench ): void {
	$leads = $bench->pick( 50000, 5000, 1000 );
	$bench->crm->tenant( 'sync', $leads );
	$database = new Database();
	$inside   = static fn( string $way ): callable => static function () use ( $way, $database, $bench, $leads ): array {
		$database->forget_leads();
		$got = Side::php( 'wordpress', [ 'way' => $way, 'tenant' => 'sync' ] );
		if ( isset( $got['created'] ) && $got['created'] !== $leads ) {
			throw new \RuntimeException( "$way: of $leads leads {$got['created']} were stored" );
		}
		return $got;
	};
	Side::php( 'wordpress', [ 'way' => 'set_up', 'tenant' => 'sync', 'key' => 'sync', 'url' => $bench->crm->url( 20 ), 'sync' => false ] );
	$work = sprintf( 'a first sync, CRM to WordPress, %s leads, 20 ms', number_format( $leads ) );
	$got  = $bench->compare( $work, $bench->rounds( 5 ), [ 'ours' => $inside( 'first' ), 'fetching alone' => $inside( 'fetch' ), 'storing alone' => $inside( 'put' ) ] );
	$more = array_map( static fn( float $both, float $fetch, float $store ): float => $both / max( $fetch, $store ), $got->of( 'ours' ), $got->of( 'fetching alone' ), $got->of( 'storing alone' ) );
	$bench->row( 'first-sync', $work, 'the slower of storing and fetching alone', 'x', false, 1.25, 1.1, $more );
	$database->forget_leads();
	$bench->crm->forget( 'sync' );
};
