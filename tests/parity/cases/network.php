<?php
/** Connections that break, stall or speak nonsense, and how bodies travel. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$again = 'reads are repeated after a failure that passes (up to 4 requests in the 10 s that the call has)';
$strict = 'header lines that RFC 9112 forbids are refused: a proxy between may read them otherwise';
$ok    = [ [ 'id' => 1, 'updated_at' => null ] ];
$json  = '{"data":[1,2]}';
$head  = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
$gzip  = static fn( string $body, string $name = 'gzip' ): array => answer( $body, 200, [ 'Content-Type' => 'application/json', 'Content-Encoding' => $name ] );
$made  = static fn( $make ) => is_array( $made = create( $make ) ) ? $made['name'] : $made;
$cases = [];
foreach ( [ 'cut_before_read', 'cut_after_read', 'cut_mid_body' ] as $kind ) {
	$cases[ "GET, $kind for ever" ] = [ 'crm' => fault( $kind ), 'rows' => $ok, 'slow' => true, 'why' => $again ];
	$cases[ "GET, $kind once" ]     = [ 'crm' => once( fault( $kind ) ), 'rows' => $ok, 'why' => $again ];
}
return $cases + [
	'POST, cut after the request was read' => [ 'crm' => once( fault( 'cut_after_read' ) ), 'call' => $made, 'slow' => true ],
	'POST, cut in the middle of the answer' => [ 'crm' => once( fault( 'cut_mid_body' ) ), 'call' => $made, 'slow' => true ],
	'POST, cut before the request was read' => [ 'crm' => once( fault( 'cut_before_read' ) ), 'call' => $made, 'slow' => true ],
	'GET, half the JSON, well-formed HTTP' => [ 'crm' => fault( 'truncated_json' ), 'rows' => $ok ],
	'GET, stalls longer than 10 s'         => [ 'crm' => fault( 'stall', [ 'ms' => 14000 ] ), 'slow' => 10 ],
	'POST, stalls longer than 10 s'        => [ 'crm' => fault( 'stall', [ 'ms' => 14000 ] ), 'call' => $made, 'slow' => 10 ],
	'GET, a body slower than 10 s'         => [ 'crm' => fault( 'slow_body', [ 'ms' => 14000 ] ), 'rows' => $ok, 'slow' => 10 ],
	'GET, late but in time'                => [ 'crm' => fault( 'stall', [ 'ms' => 1500 ] ), 'rows' => $ok, 'slow' => true ],
	'GET, a timeout of the tenant\'s own'  => [ 'crm' => fault( 'stall', [ 'ms' => 1500 ] ), 'rows' => $ok, 'settings' => [ 'timeout' => 0.3 ], 'slow' => true, 'why' => 'a setting that the article does not have' ],
	'GET, a port that refuses'             => [ 'settings' => [ 'api_endpoint' => 'http://127.0.0.1:1' ], 'slow' => true ],
	'POST, a port that refuses'            => [ 'settings' => [ 'api_endpoint' => 'http://127.0.0.1:1' ], 'call' => $made, 'slow' => true ],
	'GET, a name that does not exist'      => [ 'settings' => [ 'api_endpoint' => 'http://no-such-host.invalid' ], 'slow' => true ],
	'GET, TLS with a CA that is trusted'   => [ 'settings' => [ 'api_endpoint' => '{tls}' ], 'rows' => $ok, 'trust' => true, 'slow' => true ],
	'GET, TLS with a CA that is not'       => [ 'settings' => [ 'api_endpoint' => '{tls}' ], 'rows' => $ok, 'slow' => true ],
	'GET, TLS to a port without it'        => [ 'settings' => [ 'api_endpoint' => 'https://127.0.0.1:{plain_port}' ], 'slow' => true ],
	'GET, no TLS to a port with it'        => [ 'settings' => [ 'api_endpoint' => 'http://127.0.0.1:{tls_port}' ], 'slow' => true ],
	'answer: gzip'                         => [ 'crm' => $gzip( gzencode( $json ) ) ],
	'answer: gzip that is none'            => [ 'crm' => $gzip( $json ), 'slow' => true ],
	'answer: deflate'                      => [ 'crm' => $gzip( gzcompress( $json ), 'deflate' ) ],
	'answer: identity'                     => [ 'crm' => $gzip( $json, 'identity' ) ],
	'answer: an unknown encoding'          => [ 'crm' => $gzip( $json, 'x-own' ), 'why' => 'curl refuses an encoding that it does not know; ours reads the body, and takes it only if it is JSON' ],
	'answer: chunked'                      => [ 'crm' => raw( "{$head}Transfer-Encoding: chunked\r\n\r\n5\r\n{\"dat\r\n9\r\na\":[1,2]}\r\n0\r\n\r\n" ) ],
	'answer: chunks that break off'        => [ 'crm' => raw( "{$head}Transfer-Encoding: chunked\r\n\r\n5\r\n{\"dat\r\n9\r\na\":[" ), 'slow' => true, 'why' => $again ],
	'answer: no length, ends with the connection' => [ 'crm' => raw( "$head\r\n$json" ) ],
	'answer: HTTP/1.0'                     => [ 'crm' => raw( "HTTP/1.0 200 OK\r\n\r\n$json" ) ],
	'answer: shorter than its length'      => [ 'crm' => raw( "{$head}Content-Length: 99\r\n\r\n$json" ), 'slow' => true, 'why' => $again ],
	'answer: longer than its length'       => [ 'crm' => raw( "{$head}Content-Length: 14\r\n\r\n{$json}{}" ) ],
	'answer: not HTTP'                     => [ 'crm' => raw( "+OK POP3 ready\r\n" ), 'slow' => true, 'why' => $again ],
	'answer: nothing at all'               => [ 'crm' => raw( '' ), 'slow' => true, 'why' => $again ],
	'answer: 150 headers'                  => [ 'crm' => raw( $head . str_repeat( "X-Header: value\r\n", 150 ) . "Content-Length: 14\r\n\r\n$json" ), 'slow' => true, 'why' => 'headers are bounded: 100 lines' ],
	'answer: a header of 50 KB'            => [ 'crm' => raw( "{$head}X-Long: " . str_repeat( 'x', 50_000 ) . "\r\nContent-Length: 14\r\n\r\n$json" ) ],
	'answer: a header that is not ASCII'   => [ 'crm' => raw( "{$head}X-Name: Zo\xeb \xc3\xa9\r\nContent-Length: 14\r\n\r\n$json" ) ],
	'answer: no reason phrase'             => [ 'crm' => raw( "HTTP/1.1 200\r\nContent-Length: 14\r\n\r\n$json" ) ],
	'answer: line feeds only'              => [ 'crm' => raw( "HTTP/1.1 200 OK\nContent-Length: 14\n\n$json" ) ],
	'answer: a header over two lines'      => [ 'crm' => raw( "{$head}X-Folded: a\r\n  b\r\nContent-Length: 14\r\n\r\n$json" ), 'slow' => true, 'why' => $strict ],
	'answer: a space after a header\'s name' => [ 'crm' => raw( "{$head}X-Spaced : a\r\nContent-Length: 14\r\n\r\n$json" ), 'slow' => true, 'why' => $strict ],
	'answer: the length twice'             => [ 'crm' => raw( "{$head}Content-Length: 14\r\nContent-Length: 14\r\n\r\n$json" ), 'slow' => true ],
	'answer: two lengths'                  => [ 'crm' => raw( "{$head}Content-Length: 14\r\nContent-Length: 13\r\n\r\n$json" ), 'slow' => true, 'why' => $again ],
	'answer: length and chunks'            => [ 'crm' => raw( "{$head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n$json\r\n0\r\n\r\n" ), 'slow' => true ],
	'answer: a cookie, then another call'  => [
		'crm'  => answer( $json, 200, [ 'Set-Cookie' => 'a=b; Path=/' ] ),
		'call' => static function ( $make ) {
			$sync = $make();
			$sync->fetch_leads();
			return $sync->fetch_leads();
		},
	],
	'request: a lead of 3 MB'              => [
		'crm'  => answer( '{"id":1}', 201 ),
		'call' => static fn( $make ) => $make()->create_lead( [ 'notes' => str_repeat( 'x', 3_000_000 ) ] ),
	],
];
