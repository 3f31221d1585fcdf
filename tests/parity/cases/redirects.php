<?php
/** Redirects: Guzzle follows five of them, and turns a POST into a GET after 301, 302 and 303. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$to    = static fn( int $status, string $where ): array => once( fault( 'redirect', [ 'status' => $status, 'location' => $where, 'path_contains' => '/leads' ] ) );
$rows  = [ [ 'id' => 1, 'updated_at' => null ] ];
$lost  = 'followed, the POST would become a GET: the lead is lost and a list is returned as if it were the new lead';
$away  = 'the credential is not sent to another origin';
$post  = static fn( $make ) => is_array( $made = create( $make ) ) ? $made['name'] ?? array_keys( $made ) : $made;
$cases = [];
foreach ( [ 301, 302, 303, 307, 308 ] as $status ) {
	$cases[ "GET, $status to another path" ] = [ 'crm' => $to( $status, '/api/v1/contacts' ), 'rows' => $rows ];
	$cases[ "GET, $status to another origin" ] = [ 'crm' => $to( $status, 'http://localhost:{plain_port}/api/v1/leads' ), 'rows' => $rows, 'why' => $away ];
}
foreach ( [ 301, 302 ] as $status ) {
	$cases[ "POST, $status" ] = [ 'crm' => $to( $status, '/api/v1/contacts' ), 'call' => $post, 'why' => $lost ];
}
foreach ( [ 307, 308 ] as $status ) {
	$cases[ "POST, $status" ] = [ 'crm' => $to( $status, '/api/v1/contacts' ), 'call' => $post ];
}
return $cases + [
	'POST, 303 to the new lead'               => [ 'crm' => $to( 303, '/api/v1/leads/1' ), 'rows' => [ [ 'id' => 1, 'name' => 'Ann', 'updated_at' => null ] ], 'call' => $post ],
	'GET, a relative location'                => [ 'crm' => $to( 302, 'contacts?page=1' ), 'rows' => $rows ],
	'GET, a location with a query of its own' => [ 'crm' => $to( 302, '/api/v1/contacts?page=2' ), 'call' => static fn( $make ) => $make()->fetch_leads( '2026-11-23 10:00:00' ) ],
	'GET, a location with a space'            => [ 'crm' => once( answer( '', 302, [ 'Location' => '/api/v1/contacts?page=1&per_page=5 ' ] ) ), 'rows' => $rows ],
	'GET, a location in UTF-8'                => [ 'crm' => once( raw( "HTTP/1.1 302 Found\r\nLocation: /api/v1/leads/\xc3\xa9\r\nContent-Length: 0\r\n\r\n" ) ) ],
	'GET, a circle'                           => [ 'crm' => fault( 'redirect', [ 'status' => 302, 'location' => '/api/v1/leads' ] ) ],
	'GET, 302 without a location'             => [ 'crm' => answer( '{"data":[1]}', 302 ), 'why' => 'an answer that is no success is no list of leads' ],
	'GET, 300 with JSON'                      => [ 'crm' => answer( '{"data":[1]}', 300 ), 'why' => 'an answer that is no success is no list of leads' ],
	'GET, 304'                                => [ 'crm' => answer( '', 304 ) ],
	'GET, a location that is no URL'          => [ 'crm' => $to( 302, 'http://' ) ],
	'GET, a location of another scheme'       => [ 'crm' => $to( 302, 'ftp://127.0.0.1/leads' ) ],
];
