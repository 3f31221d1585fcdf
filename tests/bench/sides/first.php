<?php
/** The first call of a new process. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'way' => $way, 'url' => $url, 'key' => $key, 'ca' => $ca ] = json_decode( $argv[1], true );
sample(
	static fn(): array => match ( $way ) {
		'ours'    => \TenantCRMSync::with_settings( $key, Ours\settings( $url, $key ) + [ 'throw' => true ] )->fetch_leads(),
		'tuned'   => Peers\fetch_leads( Peers\guzzle( $url, $key, $ca ) ),
		'article' => Peers\fetch_leads( Peers\guzzle( $url, $key ) ),
	}
);
