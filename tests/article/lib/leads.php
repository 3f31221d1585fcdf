<?php
/**
 * The leads of the three tenants: plain ones by the dozen, and those that trip code up. Fixed, so that a recording stays true. The times
 * are far in the past and the future: the article's code asks for what changed since its last sync by the clock on the wall.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

const TENANTS = [ 'north', '42', 'Müller & Co' ];
const UNKNOWN = 'nobody';

/** @return list<array<string, mixed>> */
function leads( string $tenant ): array {
	$first = [ 'Ada', 'Zoë', 'Łukasz', 'Мария', '李雷', 'Nguyễn', 'José', "D'Arcy", 'Anne-Marie', 'Søren' ];
	$last  = [ 'Müller', 'O’Neill', 'Smith', 'Ивано́ва', '王', 'Ñandú', 'van der Berg' ];
	$leads = [];
	// The same ids for every tenant: they must not meet.
	for ( $id = 1; $id <= 56; $id++ ) {
		$leads[] = lead( $id, [ 'name' => "{$first[ $id % 10 ]} {$last[ $id % 7 ]} ($tenant)", 'email' => "lead$id@example.test", 'phone' => sprintf( '+44 20 %06d', $id * 7919 ), 'company' => 'Not stored' ] );
	}
	foreach ( odd() as $id => $fields ) {
		$leads[] = lead( $id, $fields );
	}
	if ( '42' === $tenant ) {
		$leads[] = lead( '00QAbC', [ 'name' => 'Upper' ] );
		$leads[] = lead( '00QaBc', [ 'name' => 'Lower' ] );
	}
	return $leads;
}

/** @return list<array<string, mixed>> Leads that change, and new ones. */
function changes( string $tenant ): array {
	$changes = [
		3          => [ 'name' => 'Renamed', 'email' => 'lead3@example.test', 'phone' => '+44 20 023757' ],
		5          => [ 'name' => 'Zoë "Zed" O\'Brien', 'email' => null ],
		9          => [ 'email' => 'no-name-left@example.test' ],
		1001       => [ 'name' => 'No quotes now', 'phone' => "O'Brien's" ],
		1005       => [ 'name' => 'Has a name now', 'phone' => 'C:\\new' ],
		"O'Hara-1" => [ 'name' => "Scarlett O'Hara", 'email' => 'scarlett@example.test' ],
		2001       => [ 'name' => "New at $tenant", 'email' => 'new@example.test', 'phone' => '1' ],
		'läd-2'    => [ 'name' => 'Neu & frisch' ],
	];
	return array_map( static fn( $id, array $fields ): array => lead( $id, $fields, '2099-01-01T00:00:00Z' ), array_keys( $changes ), $changes );
}

/** @return array<int|string, array<string, mixed>> */
function odd(): array {
	return [
		1001       => [ 'name' => 'Zoë "Zo" O\'Brien', 'email' => '"quoted"@example.test', 'phone' => "'1'" ],
		1002       => [ 'name' => '<b>Bold</b> Name', 'email' => '<b>x</b>', 'phone' => '<a href="tel:1">1</a>' ],
		1003       => [ 'name' => '<script>alert(1)</script>Eve', 'email' => '"><img src=x onerror=alert(1)>' ],
		1004       => [ 'name' => 'C:\\Users\\Ada', 'email' => 'a\\b@example.test', 'phone' => '\\\\server\\1' ],
		1005       => [ 'email' => 'nameless@example.test', 'phone' => '5' ],
		1006       => [ 'name' => null, 'email' => null, 'phone' => null ],
		1007       => [],
		1008       => [ 'name' => '', 'email' => '', 'phone' => '' ],
		1009       => [ 'name' => 'Müller & Söhne', 'email' => 'm&s@example.test' ],
		1010       => [ 'name' => 'Escaped &amp; sent', 'email' => 'a&amp;b' ],
		1011       => [ 'name' => "Rocket \u{1F680} \u{1F469}\u{200D}\u{1F680}", 'email' => "\u{1F4E7}@example.test" ],
		1012       => [ 'name' => 'שלום عليكم', 'email' => 'rtl@example.test' ],
		1013       => [ 'name' => "Tab\tand\nline", 'phone' => "1\t2\n3" ],
		1014       => [ 'name' => 'Numbers', 'email' => 0, 'phone' => 4930 ],
		1015       => [ 'name' => 'Half', 'email' => true, 'phone' => 1.5 ],
		1016       => [ 'name' => 'Lists', 'email' => [ 'a@example.test', 'b"@example.test' ], 'phone' => [ 'work' => '+49', 'home' => null ] ],
		1017       => [ 'name' => 'Serialized', 'email' => 'a:1:{i:0;s:1:"x";}', 'phone' => 'b:0;' ],
		1018       => [ 'name' => '  padded  ', 'email' => '  padded  ' ],
		1019       => [ 'name' => '1 < 2 and 3 > 2', 'email' => '1 < 2' ],
		1020       => [ 'name' => '100% %s %1$s {"json":1}', 'email' => '%d%%' ],
		1021       => [ 'name' => '0', 'email' => '0', 'phone' => '0' ],
		1022       => [ 'name' => 4711, 'email' => 'number@example.test' ],
		1023       => [ 'name' => str_repeat( 'long ', 60 ) . 'name', 'email' => str_repeat( 'x', 300 ) . '@example.test' ],
		'007'      => [ 'name' => 'Not 7', 'email' => 'bond@example.test' ],
		"O'Hara-1" => [ 'name' => 'Scarlett', 'email' => 'scarlett@example.test' ],
		'50%-off'  => [ 'name' => 'Per cent' ],
		'läd-1'    => [ 'name' => 'Läd' ],
		'9f8b1c9e-2f1a-4c55-9d0e-5a0f2d7f9b11' => [ 'name' => 'Uuid', 'phone' => '+1' ],
		9007199254740993                       => [ 'name' => 'Large id', 'phone' => '+2' ],
	];
}

/** @param array<string, mixed> $fields */
function lead( int|string $id, array $fields, string $updated_at = '2020-01-01T00:00:00Z' ): array {
	return [ 'id' => $id ] + $fields + [ 'status' => 'open', 'created_at' => '2019-01-01T00:00:00Z', 'updated_at' => $updated_at ];
}
