<?php
/** All pages of one tenant, in one of several ways. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require __DIR__ . '/sample.php';

[ 'way' => $way, 'url' => $url, 'key' => $key, 'ca' => $ca, 'size' => $size, 'at_once' => $at_once, 'pages' => $pages ] = json_decode( $argv[1], true );
sample(
	static fn(): array => match ( $way ) {
		'ours'            => Ours\pages( $url, $key, $size, $at_once ),
		'guzzle'          => Peers\guzzle_sequential( $url, $key, $ca, $size ),
		'guzzle_pool'     => Peers\guzzle_pool( $url, $key, $ca, $size, $at_once ),
		'symfony'         => Peers\symfony( $url, $key, $ca, $size, $at_once ),
		'curl_multi'      => Peers\curl_multi( $url, $key, $ca, $size, $at_once ),
		'curl_multi_told' => Peers\curl_multi( $url, $key, $ca, $size, $at_once, $pages ),
	}
);
