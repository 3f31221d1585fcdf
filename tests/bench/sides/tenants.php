<?php
/** All pages of many tenants, in one of several ways. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'way' => $way, 'url' => $url, 'keys' => $keys, 'ca' => $ca, 'size' => $size, 'pages' => $pages ] = json_decode( $argv[1], true );
sample(
	static fn(): array => match ( $way ) {
		'ours'         => Ours\tenants( $url, $keys, $size ),
		'article'      => Peers\tenants_in_a_loop( $url, $keys, $pages, $size ),
		'coroutines'   => Peers\tenants_as_coroutines( $url, $keys, $pages, $size, $ca ),
		'coroutines2'  => Peers\tenants_as_coroutines( $url, $keys, $pages, $size, $ca, '2.0' ),
	}
);
