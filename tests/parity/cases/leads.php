<?php
/** Leads that are created: `json_encode` without flags, and what cannot be encoded is a failure without a request. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$lead   = static fn( mixed $value ): array => [ 'crm' => answer( '{"id":1}', 201 ), 'call' => static fn( $make ) => $make()->create_lead( $value ) ];
$leads  = [
	'nothing'                => [],
	'a list'                 => [ 1, 'two', null, true ],
	'unicode'                => [ 'name' => "Zoë 😀 \u{2028}" ],
	'slashes and quotes'     => [ 'url' => 'https://a/b', 'q' => "\"'<&>" ],
	'floats'                 => [ 'a' => 1.0, 'b' => 0.1, 'c' => 1e25, 'd' => -0.0, 'e' => 0.30000000000000004 ],
	'integers'               => [ 'a' => PHP_INT_MAX, 'b' => PHP_INT_MIN ],
	'keys that are numbers'  => [ 5 => 'a', '6' => 'b' ],
	'empty arrays inside'    => [ 'tags' => [], 'owner' => new \stdClass() ],
	'nested'                 => [ 'a' => [ 'b' => [ 'c' => [ 1, [ 2 ] ] ] ] ],
	'an empty key'           => [ '' => 1 ],
	'a date object'          => [ 'at' => new \DateTimeImmutable( '2026-11-23 10:00:00 UTC' ) ],
	'a backed enum'          => [ 'level' => Level::High ],
	'a unit enum'            => [ 'level' => Kind::One ],
	'invalid UTF-8'          => [ 'name' => "a\xff" ],
	'invalid UTF-8 in a key' => [ "a\xff" => 1 ],
	'INF'                    => [ 'score' => INF ],
	'NAN'                    => [ 'score' => NAN ],
	'a stream'               => [ 'file' => STDIN ],
	'a closure'              => [ 'f' => static fn() => 1 ],
	'512 levels'             => nested( 512 ),
	'513 levels'             => nested( 513 ),
	'a JsonSerializable'     => [ 'a' => new Speaks( [ 'b' => 1.0 ] ) ],
	'one that throws'        => [ 'a' => new Speaks( new \RuntimeException( 'cannot be written' ) ) ],
	'one with an error'      => [ 'a' => new Speaks( new \TypeError( 'a mistake of the caller' ) ) ],
];
$cases = [];
foreach ( $leads as $name => $value ) {
	$cases[ "lead: $name" ] = $lead( $value );
}
return $cases + [
	'lead: recursion'          => [
		'call' => static function ( $make ) {
			$lead         = [ 'a' => 1 ];
			$lead['self'] = &$lead;
			return $make()->create_lead( $lead );
		},
	],
	'lead: values by reference' => [
		'crm'  => answer( '{"id":1}', 201 ),
		'call' => static function ( $make ) {
			$name = 'Ann';
			$lead = [ 'name' => &$name ];
			$made = $make()->create_lead( $lead );
			$name = 'Bob';
			return [ $made, $lead['name'] ];
		},
	],
	'lead: what is passed stays as it was' => [
		'crm'  => answer( '{"id":1}', 201 ),
		'call' => static function ( $make ) {
			$lead = [ 'b' => 1.0, 'a' => [ 'x' => null ] ];
			$make()->create_lead( $lead );
			return $lead;
		},
	],
	'lead: serialize_precision counts' => [
		'crm'  => answer( '{"id":1}', 201 ),
		'call' => static function ( $make ) {
			$before = ini_set( 'serialize_precision', '5' );
			$made   = $make()->create_lead( [ 'a' => 0.123456789 ] );
			ini_set( 'serialize_precision', $before );
			return $made;
		},
	],
	'lead: none'               => [ 'call' => static fn( $make ) => $make()->create_lead(), 'why' => 'PHP words it otherwise for native methods; the class of the error is the same' ],
	'lead: null'               => [ 'call' => static fn( $make ) => $make()->create_lead( null ), 'why' => 'PHP words it otherwise for native methods; the class of the error is the same' ],
	'lead: an object'          => [ 'call' => static fn( $make ) => $make()->create_lead( new \ArrayObject( [ 1 ] ) ), 'why' => 'PHP words it otherwise for native methods; the class of the error is the same' ],
	'lead: refused by the CRM' => [ 'call' => static fn( $make ) => $make()->create_lead( [ 'name' => '' ] ) ],
];
