<?php
/** What each status makes of a read and of a create. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$body    = '{"data":[{"id":1,"name":"Ann"}],"id":7}';
$again   = 'reads are repeated after a failure that passes (up to 4 requests in the 10 s that the call has)';
$limited = 'a refusal for haste was not processed: it is repeated within the 10 s that the call has';
$cases   = [];
foreach ( [ 200, 201, 202, 203, 204, 206, 299, 400, 401, 402, 403, 404, 405, 409, 410, 415, 422 ] as $status ) {
	$crm                       = answer( 204 === $status ? '' : $body, $status );
	$cases[ "GET, $status" ]   = [ 'crm' => $crm ];
	$cases[ "POST, $status" ]  = [ 'crm' => $crm, 'call' => create( ... ) ];
}
foreach ( [ 408, 500, 502, 503, 504 ] as $status ) {
	$cases[ "GET, $status for ever" ]  = [ 'crm' => answer( $body, $status ), 'slow' => true, 'why' => $again ];
	$cases[ "POST, $status" ]          = [ 'crm' => answer( $body, $status ), 'call' => create( ... ), 'slow' => 1 ];
}
foreach ( [ 501, 505, 507 ] as $status ) {
	$cases[ "GET, $status" ] = [ 'crm' => answer( $body, $status ) ];
}
return $cases + [
	'GET, 503 once'                              => [ 'crm' => once( answer( 'down', 503 ) ), 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ], 'why' => $again ],
	'GET, 429 without Retry-After, once'         => [ 'crm' => once( answer( '{}', 429 ) ), 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ], 'why' => $limited ],
	'GET, 429 with Retry-After: 1, once'         => [ 'crm' => once( answer( '{}', 429, [ 'Retry-After' => '1' ] ) ), 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ], 'why' => $limited ],
	'GET, 429 with Retry-After: 0, once'         => [ 'crm' => once( answer( '{}', 429, [ 'Retry-After' => '0' ] ) ), 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ], 'why' => $limited ],
	'GET, 429 with a date that is past, once'    => [ 'crm' => once( answer( '{}', 429, [ 'Retry-After' => 'Wed, 21 Oct 2015 07:28:00 GMT' ] ) ), 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ], 'why' => $limited ],
	'POST, 429 with Retry-After: 0, once'        => [
		'crm' => once( answer( '{}', 429, [ 'Retry-After' => '0' ] ) ), 'why' => $limited,
		'call' => static fn( $make ) => create( $make )['name'] ?? null,
	],
	'GET, 429 with Retry-After: 3600'            => [ 'slow' => 1, 'crm' => answer( '{}', 429, [ 'Retry-After' => '3600' ] ) ],
	'GET, 429 with a date far ahead'             => [ 'slow' => 1, 'crm' => answer( '{}', 429, [ 'Retry-After' => 'Thu, 21 Oct 2100 07:28:00 GMT' ] ) ],
	'POST, 429 with Retry-After: 3600'           => [ 'slow' => 1, 'crm' => answer( '{}', 429, [ 'Retry-After' => '3600' ] ), 'call' => create( ... ) ],
	'GET, 503 with Retry-After: 3600'            => [ 'slow' => 1, 'crm' => answer( '{}', 503, [ 'Retry-After' => '3600' ] ) ],
	'GET, 403 with a page of HTML'               => [ 'crm' => answer( '<html><body>Forbidden</body></html>', 403, [ 'Content-Type' => 'text/html' ] ) ],
	'GET, 401 that repeats the key'              => [ 'crm' => answer( '{"error":"no such key: ' . Site::KEY . '"}', 401 ), 'why' => 'the key in an error is not logged' ],
	'GET, 400 without a body'                    => [ 'crm' => answer( '', 400 ) ],
	'GET, 500 with invalid UTF-8, a POST'        => [ 'crm' => answer( "\xff\xfe\x00", 500 ), 'call' => create( ... ) ],
	'GET, the wrong key'                         => [ 'settings' => [ 'api_key' => 'another' ] ],
	'GET, an early hint and then 200'            => [ 'crm' => raw( "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":[]}" ) ],
];
