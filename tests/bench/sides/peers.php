<?php
/**
 * The peers: how PHP code gets leads without the extension. First what the article does, then the best that each library can do. Every
 * function gives the leads as arrays. Of pages all but the told ones learn how many there are from the first one, as ours does.
 */

declare(strict_types=1);

namespace TenantCRM\Bench\Peers;

const GUZZLE  = '/usr/share/php/GuzzleHttp/autoload.php';
const SYMFONY = '/usr/share/php/Symfony/Component/HttpClient/autoload.php';

/** @return array<string, string> */
function headers( string $key ): array {
	return [ 'Authorization' => "Bearer $key", 'Accept' => 'application/json', 'Content-Type' => 'application/json' ];
}

function page_url( string $url, int $page, int $size ): string {
	return "$url/api/v1/leads?page=$page&per_page=$size";
}

/** As the article writes it; what is tuned is only where the authorities come from: the system's file, or one with the one that is needed. */
function guzzle( string $url, string $key, ?string $ca = null ): \GuzzleHttp\Client {
	require_once GUZZLE;
	return new \GuzzleHttp\Client( [ 'base_uri' => $url, 'headers' => headers( $key ), 'timeout' => 10.0 ] + ( null === $ca ? [] : [ 'verify' => $ca ] ) );
}

/** One call, one page. */
function fetch_leads( \GuzzleHttp\Client $client, array $query = [] ): array {
	$data = json_decode( $client->request( 'GET', '/api/v1/leads', [ 'query' => $query ] )->getBody()->getContents(), true );
	if ( JSON_ERROR_NONE !== json_last_error() ) {
		throw new \RuntimeException( json_last_error_msg() );
	}
	return $data['data'] ?? [];
}

/** Page after page. */
function guzzle_sequential( string $url, string $key, string $ca, int $size ): array {
	$client = guzzle( $url, $key, $ca );
	$pages  = [];
	$page   = 1;
	do {
		$data    = json_decode( $client->request( 'GET', page_url( $url, $page, $size ) )->getBody()->getContents(), true );
		$pages[] = $data['data'];
	} while ( $page++ < $data['meta']['last_page'] );
	return array_merge( ...$pages );
}

/** Guzzle's pool over HTTP/2. */
function guzzle_pool( string $url, string $key, string $ca, int $size, int $at_once ): array {
	$client   = guzzle( $url, $key, $ca );
	$request  = static fn( int $page ) => new \GuzzleHttp\Psr7\Request( 'GET', page_url( $url, $page, $size ), headers( $key ), null, '2.0' );
	$first    = json_decode( $client->send( $request( 1 ) )->getBody()->getContents(), true );
	$pages    = [ 1 => $first['data'] ];
	$requests = static function () use ( $request, $first ) {
		for ( $page = 2; $page <= $first['meta']['last_page']; $page++ ) {
			yield $page => $request( $page );
		}
	};
	$settings = [
		'concurrency' => $at_once,
		'fulfilled'   => static function ( $response, $page ) use ( &$pages ): void {
			$pages[ $page ] = json_decode( $response->getBody()->getContents(), true )['data'];
		},
		'rejected'    => static fn( $reason ) => throw $reason,
	];
	( new \GuzzleHttp\Pool( $client, $requests(), $settings ) )->promise()->wait();
	ksort( $pages );
	return array_merge( ...$pages );
}

/** Over HTTP/1.1: over HTTP/2 it sends all at once, and 10 at once are to be compared with 10 at once. */
function symfony( string $url, string $key, string $ca, int $size, int $at_once ): array {
	require_once SYMFONY;
	$client  = new \Symfony\Component\HttpClient\CurlHttpClient( [ 'headers' => headers( $key ), 'cafile' => $ca, 'timeout' => 10, 'http_version' => '1.1' ], $at_once );
	$first   = $client->request( 'GET', page_url( $url, 1, $size ) )->toArray();
	$pages   = [ 1 => $first['data'] ];
	$waiting = [];
	for ( $page = 2; $page <= $first['meta']['last_page']; $page++ ) {
		$waiting[] = $client->request( 'GET', page_url( $url, $page, $size ), [ 'user_data' => $page ] );
	}
	foreach ( $client->stream( $waiting ) as $response => $chunk ) {
		if ( $chunk->isLast() ) {
			$pages[ $response->getInfo( 'user_data' ) ] = json_decode( $response->getContent(), true )['data'];
		}
	}
	ksort( $pages );
	return array_merge( ...$pages );
}

/** @param int|null $last Number of pages, where it is told beforehand. */
function curl_multi( string $url, string $key, string $ca, int $size, int $at_once, ?int $last = null, bool $http2 = true ): array {
	$multi = curl_multi_init();
	curl_multi_setopt( $multi, CURLMOPT_MAX_HOST_CONNECTIONS, $http2 ? 1 : $at_once );
	$lines = [];
	foreach ( headers( $key ) as $name => $value ) {
		$lines[] = "$name: $value";
	}
	$pages   = [];
	$page_of = [];
	$next    = 1;
	$add     = static function ( \CurlHandle $curl ) use ( $multi, $url, $size, &$next, &$page_of ): void {
		curl_setopt( $curl, CURLOPT_URL, page_url( $url, $next, $size ) );
		$page_of[ spl_object_id( $curl ) ] = $next++;
		curl_multi_add_handle( $multi, $curl );
	};
	$new     = static function () use ( $lines, $ca, $http2 ): \CurlHandle {
		$curl = curl_init();
		curl_setopt_array( $curl, [ CURLOPT_RETURNTRANSFER => 1, CURLOPT_HTTPHEADER => $lines, CURLOPT_TIMEOUT => 10, CURLOPT_CAINFO => $ca, CURLOPT_HTTP_VERSION => $http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1, CURLOPT_PIPEWAIT => (int) $http2 ] );
		return $curl;
	};
	$add( $new() );
	while ( null !== $last && $next <= min( $last, $at_once ) ) {
		$add( $new() );
	}
	while ( $page_of ) {
		curl_multi_exec( $multi, $running );
		while ( $info = curl_multi_info_read( $multi ) ) {
			$curl = $info['handle'];
			if ( CURLE_OK !== $info['result'] ) {
				throw new \RuntimeException( (string) curl_strerror( $info['result'] ) );
			}
			$data           = json_decode( (string) curl_multi_getcontent( $curl ), true );
			$page           = $page_of[ spl_object_id( $curl ) ];
			$pages[ $page ] = $data['data'];
			curl_multi_remove_handle( $multi, $curl );
			unset( $page_of[ spl_object_id( $curl ) ] );
			$last ??= $data['meta']['last_page'];
			if ( $next <= $last ) {
				$add( $curl );
			}
			while ( 1 === $page && $next <= $last && count( $page_of ) < $at_once ) {
				$add( $new() );
			}
		}
		if ( $page_of ) {
			curl_multi_exec( $multi, $running );
			curl_multi_select( $multi, 1 );
		}
	}
	ksort( $pages );
	return array_merge( ...$pages );
}

/**
 * Many tenants one after the other, a client each.
 *
 * @param list<string> $keys
 * @return array<string, array<mixed>> By key.
 */
function tenants_in_a_loop( string $url, array $keys, int $pages, int $size, ?string $ca = null ): array {
	$leads = [];
	foreach ( $keys as $key ) {
		$client        = guzzle( $url, $key, $ca );
		$some          = [];
		for ( $page = 1; $page <= $pages; $page++ ) {
			$some[] = fetch_leads( $client, [ 'page' => $page, 'per_page' => $size ] );
		}
		$leads[ $key ] = array_merge( ...$some );
	}
	return $leads;
}

/** Many tenants side by side: one client, a coroutine each. */
function tenants_as_coroutines( string $url, array $keys, int $pages, int $size, string $ca, string $version = '1.1' ): array {
	require_once GUZZLE;
	$client = new \GuzzleHttp\Client( [ 'timeout' => 10.0, 'verify' => $ca, 'version' => $version ] );
	$leads  = array_fill_keys( $keys, [] );
	$each   = static function () use ( $client, $url, $keys, $pages, $size, &$leads ) {
		foreach ( $keys as $key ) {
			yield $key => \GuzzleHttp\Promise\Coroutine::of(
				static function () use ( $client, $url, $key, $pages, $size, &$leads ) {
					for ( $page = 1; $page <= $pages; $page++ ) {
						$response = yield $client->requestAsync( 'GET', page_url( $url, $page, $size ), [ 'headers' => headers( $key ) ] );
						$leads[ $key ][] = json_decode( $response->getBody()->getContents(), true )['data'];
					}
				}
			);
		}
	};
	\GuzzleHttp\Promise\Each::ofLimit( $each(), count( $keys ), null, static fn( $reason ) => throw $reason )->wait();
	return array_map( static fn( array $some ): array => array_merge( ...$some ), $leads );
}
