--TEST--
merge(), same() and is_newer(): what is refused, in words that name the place; hostile values; weak types
--FILE--
<?php
require __DIR__ . '/inc.php';
const CONFIG = 'TenantCRMSync\ConfigException';
$merge = static fn( ...$arguments ) => static fn() => TenantCRMSync::merge( ...$arguments );

// Options.
$options = [
	'an unknown one'         => [ [ 'polices' => [] ], 'the option "polices": there is none of this name, but policy, policies,' ],
	'a policy'               => [ [ 'policy' => 'oldest' ], 'the option "policy": it is to be crm, portal, newest or ask' ],
	'a policy of another type' => [ [ 'policy' => 1 ], 'the option "policy": it is to be a text' ],
	'a field\'s policy'      => [ [ 'policies' => [ 'a' => 'x' ] ], 'the option "policies": field "a": it is to be crm,' ],
	'policies that are none' => [ [ 'policies' => 'crm' ], 'the option "policies": it is to be an array by field' ],
	'newest for deletes'     => [ [ 'delete' => 'newest' ], 'the option "delete": it is to be crm, portal or ask' ],
	'sets'                   => [ [ 'sets' => 'tags' ], 'the option "sets": it is to be a list of fields' ],
	'a set'                  => [ [ 'sets' => [ [] ] ], 'the option "sets": it is to be a list of fields' ],
	'an equivalence'         => [ [ 'same' => [ 'a' => [ 'trim', 'phones' ] ] ], 'the option "same": field "a": "phones" is no equivalence; there are trim, case,' ],
	'a zone'                 => [ [ 'zone' => 'Mars/Olympus' ], 'the option "zone": it is to be a time zone' ],
	'a skew'                 => [ [ 'skew' => -1 ], 'the option "skew": it is to be a number of seconds' ],
	'a skew that is none'    => [ [ 'skew' => NAN ], 'the option "skew": it is to be a number of seconds' ],
	'a time'                 => [ [ 'crm_updated_at' => [] ], 'the option "crm_updated_at": it is to be a time, or null' ],
	'sent alone'             => [ [ 'sent' => [] ], 'the option "sent": it needs the option outcome' ],
	'an outcome alone'       => [ [ 'outcome' => 'done' ], 'the option "outcome": it needs the option sent' ],
	'an outcome'             => [ [ 'sent' => [], 'outcome' => 'maybe' ], 'the option "outcome": it is to be answered, done or unknown' ],
	'sent that is no array'  => [ [ 'sent' => 'x', 'outcome' => 'done' ], 'the option "sent": it is to be an array by field' ],
	'a name in bytes'        => [ [ "\xff" => 1 ], 'a name is not UTF-8' ],
	'a list'                 => [ [ 'policy' ], 'the option "0": there is none of this name' ],
];
foreach ( $options as $name => [ $given, $words ] ) {
	check_throws( $name, CONFIG, $words, $merge( null, null, null, $given ) );
}
check( 'null is as if it were not there', [], TenantCRMSync::merge( null, null, null, array_fill_keys( [ 'policy', 'policies', 'delete', 'sets', 'same', 'zone', 'skew', 'crm_updated_at', 'portal_updated_at', 'sent', 'outcome' ], null ) )['record'] );

// Values.
$deep = 'bottom';
for ( $level = 0; $level < 600; $level++ ) {
	$deep = [ $deep ];
}
$loop      = [];
$loop['a'] = &$loop;
$closed    = fopen( 'php://memory', 'r' );
fclose( $closed );
$values = [
	'an object'         => [ new ArrayObject(), 'it is an object of ArrayObject; give its text, number or array' ],
	'an enum or closure' => [ static fn() => 1, 'it is an object of Closure' ],
	'not UTF-8'         => [ "a\xff", 'it is not UTF-8' ],
	'inside'            => [ [ 'x' => [ 'y' => "\xff" ] ], 'it is not UTF-8' ],
	'a member\'s name'  => [ [ "\xff" => 1 ], 'a name is not UTF-8' ],
	'not a number'      => [ NAN, 'it is a number that JSON does not know' ],
	'infinity'          => [ -INF, 'it is a number that JSON does not know' ],
	'a resource'        => [ STDIN, 'it is neither a text, a number, a boolean, null nor an array' ],
	'a closed resource' => [ $closed, 'it is neither a text, a number, a boolean, null nor an array' ],
	'too deep'          => [ $deep, 'arrays inside one another' ],
	'without an end'    => [ $loop, 'arrays inside one another' ],
	'too many'          => [ array_fill( 0, 250001, 1 ), 'here the record passes 250000 values, which is too many' ],
	'too large'         => [ array_fill( 0, 65, str_repeat( 'x', 1 << 20 ) ), 'here the record passes 64 MiB, which is too much' ],
];
foreach ( $values as $name => [ $value, $words ] ) {
	check_throws( "$name in the base", CONFIG, "merge(): the base: field \"f\": ", $merge( [ 'f' => $value ], null, null ) );
	check_throws( "$name in the CRM's", CONFIG, "merge(): the CRM's record: field \"f\": ", $merge( null, [ 'f' => $value ], null ) );
	check_throws( "$name in the portal's", CONFIG, $words, $merge( null, null, [ 'f' => $value ] ) );
	check_throws( "$name in what was sent", CONFIG, 'merge(): what was sent: field "f": ', $merge( null, null, null, [ 'sent' => [ 'f' => $value ], 'outcome' => 'done' ] ) );
	check_throws( "$name, same", CONFIG, 'same(): the first value: ', static fn() => TenantCRMSync::same( $value, 1 ) );
}
check_throws( 'a field in bytes', CONFIG, "the portal's record: a name is not UTF-8", $merge( null, null, [ "\xff" => 1 ] ) );
$thrown = check_throws( 'a long name is cut', CONFIG, '…"', $merge( null, [ str_repeat( 'é', 5000 ) => NAN ], null ) );
check( 'and so is the message', true, strlen( $thrown->getMessage() ) < 500 );
check( 'no secret: the value is not in it', false, str_contains( check_throws( 'a secret', CONFIG, 'UTF-8', $merge( null, [ 'key' => "s3cret\xff" ], null ) )->getMessage(), 's3cret' ) );
check( 'as deep as JSON may be', 'bottom', ( static function () {
	$deep = 'bottom';
	for ( $level = 0; $level < 500; $level++ ) {
		$deep = [ $deep ];
	}
	$found = TenantCRMSync::merge( null, [ 'f' => $deep ], null )['record']['f'];
	while ( is_array( $found ) ) {
		$found = $found[0];
	}
	return $found;
} )() );

// Types of arguments.
check_throws( 'too few', 'ArgumentCountError', 'TenantCRMSync::merge() expects at least 3 arguments, 2 given', $merge( null, null ) );
check_throws( 'a text for a record', 'TypeError', 'must be of type ?array, string given', $merge( null, 'x', null ) );
check_throws( 'a text for options', 'TypeError', 'must be of type array, string given', $merge( null, null, null, 'x' ) );
check_throws( 'same, too few', 'ArgumentCountError', 'expects at least 2 arguments, 1 given', static fn() => TenantCRMSync::same( 1 ) );
check_throws( 'same, an unknown one', CONFIG, 'same(): equivalences: "x" is no equivalence', static fn() => TenantCRMSync::same( 1, 1, [ 'x' ] ) );
check_throws( 'same, not a text', CONFIG, 'same(): equivalences: it is to be a text', static fn() => TenantCRMSync::same( 1, 1, [ 1 ] ) );

// same() and is_newer().
check( 'same', [ true, false, true, true, false ], [ TenantCRMSync::same( null, '' ), TenantCRMSync::same( '1', 1 ), TenantCRMSync::same( '1', 1, [ 'number' ] ), TenantCRMSync::same( '0171 1', '+491711', [ 'phone:49' ] ), TenantCRMSync::same( 'a', 'A' ) ] );
check( 'newer', [ true, false, true, null, null, null ], [
	TenantCRMSync::is_newer( '2026-11-23T10:00:01Z', '2026-11-23T10:00:00Z' ), TenantCRMSync::is_newer( '7', '7' ), TenantCRMSync::is_newer( '7', null ), TenantCRMSync::is_newer( null, '7' ),
	TenantCRMSync::is_newer( 'W/"a"', 'W/"b"' ), TenantCRMSync::is_newer( "\xff", "\xfe" ),
] );
check( 'newer, a number', true, TenantCRMSync::is_newer( 8, 7 ) );
check( 'a subclass has them', true, ( new class( 'x' ) extends TenantCRMSync { public function __construct( $tenant ) {} } )::same( 1, 1 ) );
done();
--EXPECT--
194 checks hold
