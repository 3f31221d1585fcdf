<?php
/** Bodies of 200: which are lists of leads, which are none, which are refused. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$deep   = static fn( int $levels ): string => '{"data":' . str_repeat( '[', $levels - 1 ) . str_repeat( ']', $levels - 1 ) . '}';
$bodies = [
	'empty'                         => '',
	'white space only'              => " \r\n\t ",
	'null'                          => 'null',
	'true'                          => 'true',
	'TRUE in capitals'              => '{"data":TRUE}',
	'Null in capitals'              => '{"data":[NULL]}',
	'a number'                      => '12',
	'a string'                      => '"data"',
	'an empty list'                 => '[]',
	'a list'                        => '[{"id":1},{"id":2}]',
	'an empty object'               => '{}',
	'no data'                       => '{"leads":[1]}',
	'data: null'                    => '{"data":null}',
	'data: false'                   => '{"data":false}',
	'data: 0'                       => '{"data":0}',
	'data: text'                    => '{"data":"none"}',
	'data: {}'                      => '{"data":{}}',
	'data: an object'               => '{"data":{"b":1,"a":{"z":[],"y":{}}}}',
	'data: []'                      => '{"data":[]}',
	'data inside data'              => '{"data":{"data":[1]}}',
	'data in another case'          => '{"Data":[1]}',
	'data twice'                    => '{"data":[1],"data":[2]}',
	'data twice, the last null'     => '{"data":[1],"data":null}',
	'data by an escaped name'       => '{"d\u0061ta":[1]}',
	'white space around'            => "\n\t {\"data\" : [ 1 , 2 ] } \r\n",
	'a form feed before'            => "\f{\"data\":[1]}",
	'a byte order mark'             => "\u{feff}{\"data\":[1]}",
	'trailing bytes'                => '{"data":[1]}x',
	'two documents'                 => '{"data":[1]}{"data":[2]}',
	'a trailing NUL'                => "{\"data\":[1]}\0",
	'a trailing comma'              => '{"data":[1,]}',
	'single quotes'                 => "{'data':[1]}",
	'a comment'                     => '{"data":[1]/* */}',
	'truncated'                     => '{"data":[{"id":1,"name":"An',
	'HTML'                          => '<!DOCTYPE html><html><body>Down for maintenance</body></html>',
	'a line break in a string'      => "{\"data\":[\"a\nb\"]}",
	'nested 511 deep'               => $deep( 511 ),
	'nested 512 deep'               => $deep( 512 ),
	'nested 513 deep'               => $deep( 513 ),
	'511 deep beside data'          => '{"x":' . str_repeat( '[', 510 ) . str_repeat( ']', 510 ) . ',"data":[1]}',
	'513 deep beside data'          => '{"x":' . str_repeat( '[', 512 ) . str_repeat( ']', 512 ) . ',"data":[1]}',
	'broken beside data'            => '{"data":[1],"x":[1}',
	'keys that are numbers'         => '{"data":{"1":"a","01":"b","-1":"c","-0":"d","9223372036854775807":"e","9223372036854775808":"f","1.5":"g","":"h"," 1":"i"}}',
	'keys that nearly are numbers'  => '{"data":{"-":1,"-E":2,"-u1":3,"--1":4,"-1.0":5,"1 ":6,"+1":7,"1e1":8,"/":9,":":10,"00":11}}',
	'keys that come twice'          => '{"data":[{"a":1,"b":2,"a":3}]}',
	'a key with a NUL first'        => '{"data":[{"\u0000a":1,"a\u0000b":2}]}',
	// Names that a reader which foresees them, from the object before, must not mistake for others.
	'rows alike'                    => '{"data":[{"id":1,"name":"A","tags":[]},{"id":2,"name":"B","tags":["x"]},{ "id" : 3 ,"name" : "C", "tags":[] }]}',
	'rows nearly alike'             => '{"data":[{"id":1,"name":"A"},{"id":2,"names":"B"},{"id":3,"nam":"C"},{"ids":4},{"i":5,"name":"D"},{"name":"E","id":6},{"id":7},{}]}',
	'names with escapes, then alike' => '{"data":[{"a\\\\b":1,"c\\"d":2,"e\\u0066":3},{"a\\b":4,"c\\\\":5,"ef":6},{"a\\\\b":7,"c\\"d":8,"ef":9}]}',
	'a row that ends in a name'     => '{"data":[{"id":1,"name":2},{"id":3,"name',
	'a row with a name and no value' => '{"data":[{"id":1,"name":2},{"id":3,"name"}]}',
	'a row with a name and no colon' => '{"data":[{"id":1,"name":2},{"id" 3,"name":4}]}',
	'a foreseen name twice'         => '{"data":[{"id":1,"name":2,"id":3},{"id":4,"name":5,"id":6}]}',
	'rows with rows alike in them'  => '{"data":[{"id":1,"a":{"id":2,"a":{"id":3}}},{"id":4,"a":{"id":5,"a":{"id":6}}},{"a":{"a":{"id":7}}}]}',
	'numbers as names in rows'      => '{"data":[{"1":1,"2":2},{"1":3,"2":4},{"01":5,"2":6}]}',
	'empty lists and objects'       => '{"data":[{},[],{"a":{}},[[]]]}',
];
$cases = [];
foreach ( $bodies as $name => $body ) {
	$cases[ "body: $name" ] = [ 'crm' => answer( $body ) ];
}
foreach ( [ 'empty', 'null', 'true', 'a number', 'a string', 'an empty list', 'an empty object', 'data: null', 'truncated', 'HTML', 'trailing bytes' ] as $name ) {
	$cases[ "created: $name" ] = [ 'crm' => answer( $bodies[ $name ], 201 ), 'call' => create( ... ) ];
}
return $cases + [
	'body: another content type'    => [ 'crm' => answer( '{"data":[1]}', 200, [ 'Content-Type' => 'text/html' ] ) ],
	'body: no content type'         => [ 'crm' => answer( '{"data":[1]}', 200, [] ) ],
	'body: 5 MB'                    => [ 'crm' => answer( '{"data":["' . str_repeat( 'a long list of leads ', 250_000 ) . '"]}' ) ],
	'body: more than the host allows' => [
		'crm' => answer( '{"data":["' . str_repeat( 'x', 2000 ) . '"]}' ), 'ini' => [ 'tenant_crm_sync.max_response_bytes=1000' ], 'slow' => true,
		'why' => 'a host can bound what a CRM makes its workers hold (64 MiB if nothing else is set)',
	],
	'body: the success of a create' => [ 'call' => static fn( $make ) => array_intersect_key( $make()->create_lead( [ 'name' => 'Zoë', 'score' => 1.5, 'tags' => [ 'a/b' ] ] ), [ 'name' => 1, 'score' => 1, 'tags' => 1 ] ) ],
	'body: a real list'             => [ 'rows' => [ [ 'id' => 2, 'name' => 'Zoë', 'updated_at' => null ], [ 'id' => '1', 'tags' => [], 'updated_at' => null ] ] ],
];
