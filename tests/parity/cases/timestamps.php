<?php
/** Whatever the caller has for a timestamp: what is falsy sends no filter, the rest is encoded by RFC 3986. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$since  = static fn( mixed $value ): array => [ 'crm' => answer( '{"data":[]}' ), 'call' => static fn( $make ) => $make()->fetch_leads( $value ) ];
$object = new class() {
	public string $date = '2026-11-23';
	protected string $hidden = 'x';
};
$values = [
	'MySQL\'s form'        => '2026-11-23 10:00:00',
	'RFC 3339'             => '2026-11-23T10:00:00+01:00',
	'null'                 => null,
	'an empty text'        => '',
	'"0"'                  => '0',
	'"0.0"'                => '0.0',
	'a space'              => ' ',
	'0'                    => 0,
	'0.0'                  => 0.0,
	'false'                => false,
	'true'                 => true,
	'an integer'           => 1764000000,
	'a negative integer'   => -1,
	'a float'              => 1764000000.25,
	'a large float'        => 1e25,
	'INF'                  => INF,
	'NAN'                  => NAN,
	'reserved characters'  => "a&b=c+d#e?f/g:h;i@j,k%20l'm\"n[o]~p-q_r.s*t(u)!",
	'unicode'              => 'März 2026 😀',
	'invalid UTF-8'        => "a\xffb",
	'a NUL'                => "a\0b",
	'a line break'         => "a\r\nb",
	'an empty array'       => [],
	'a list'               => [ 'a', 'b c' ],
	'a map'                => [ 'gt' => '1', 'lt' => [ 'x' => true, 'y' => null, 'z' => false ] ],
	'an object'            => $object,
	'an empty object'      => new \stdClass(),
	'a date object'        => new \DateTimeImmutable( '2026-11-23 10:00:00 UTC' ),
	'10,000 characters'    => str_repeat( 'x', 10_000 ),
];
$cases = [];
foreach ( $values as $name => $value ) {
	$cases[ "timestamp: $name" ] = $since( $value );
}
return $cases + [
	'timestamp: none'                => [ 'crm' => answer( '{"data":[]}' ) ],
	'timestamp: a text object'       => $since(
		new class() {
			public function __toString(): string {
				return '2026-11-23';
			}
		}
	),
	'timestamp: a stream'            => [ 'crm' => answer( '{"data":[]}' ), 'call' => static fn( $make ) => $make()->fetch_leads( STDIN ) ],
	'timestamp: by name'             => [ 'crm' => answer( '{"data":[]}' ), 'call' => static fn( $make ) => $make()->fetch_leads( last_sync_timestamp: 'x' ) ],
	'timestamp: a reference'         => [
		'crm'  => answer( '{"data":[]}' ),
		'call' => static function ( $make ) {
			$value     = 'x';
			$reference = &$value;
			return $make()->fetch_leads( $reference );
		},
	],
];
