--TEST--
merge(): what goes where, the next base, conflicts and rules; values are the given ones with their types, names are names
--FILE--
<?php
require __DIR__ . '/inc.php';
$merge = static fn( ...$arguments ): array => TenantCRMSync::merge( ...$arguments );

// Field by field.
$base   = [ 'name' => 'Ann', 'city' => 'Bonn', 'phone' => '0171 1', 'tags' => [ 'a', 'b' ] ];
$crm    = [ 'name' => 'Anna', 'city' => 'Bonn', 'phone' => '+491711', 'tags' => [ 'b', 'c' ] ];
$portal = [ 'name' => 'Ann', 'city' => 'Köln', 'phone' => '0171 1', 'tags' => [ 'a', 'b', 'd' ] ];
$result = $merge( $base, $crm, $portal, [ 'sets' => [ 'tags' ], 'same' => [ 'phone' => 'phone:49' ], 'policy' => 'ask' ] );
check( 'members', [ 'record', 'to_crm', 'to_portal', 'base', 'delete', 'conflicts', 'decisions' ], array_keys( $result ) );
check( 'to the CRM', [ 'city' => 'Köln', 'tags' => [ 'b', 'c', 'd' ] ], $result['to_crm'] );
check( 'to the portal', [ 'name' => 'Anna', 'tags' => [ 'b', 'c', 'd' ] ], $result['to_portal'] );
check( 'all', [ 'city' => 'Köln', 'name' => 'Anna', 'phone' => '+491711', 'tags' => [ 'b', 'c', 'd' ] ], $result['record'] );
check( 'the next base is what the CRM has', [ 'city' => 'Bonn', 'name' => 'Anna', 'phone' => '+491711', 'tags' => [ 'b', 'c' ] ], $result['base'] );
check( 'no delete, no conflict', [ null, [] ], [ $result['delete'], $result['conflicts'] ] );
check( 'why', [ 'from' => 'set', 'rule' => 'changed on both sides: what each added and removed counts' ], $result['decisions']['tags'] );
check( 'why not', [ 'from' => 'equal', 'rule' => 'nobody changed it' ], $result['decisions']['phone'] );
$quiet = $merge( $result['base'], $result['to_crm'] + $crm, $result['to_portal'] + $portal, [ 'sets' => [ 'tags' ], 'same' => [ 'phone' => [ 'trim', 'phone:49' ] ] ] );
check( 'then all is quiet', [ [], [] ], [ $quiet['to_crm'], $quiet['to_portal'] ] );

// Conflicts.
$result = $merge( [ 'a' => 1 ], [ 'a' => 2 ], [ 'a' => 3 ], [ 'policies' => [ 'a' => 'ask' ] ] );
check( 'a conflict', [ [ 'field' => 'a', 'base' => 1, 'crm' => 2, 'portal' => 3, 'reason' => 'both sides changed it' ] ], $result['conflicts'] );
check( 'nothing is written, the base stays', [ [], [], [ 'a' => 1 ] ], [ $result['to_crm'], $result['to_portal'], $result['base'] ] );
$result = $merge( [ 'a' => 1 ], null, [ 'a' => 3 ] );
check( 'of the whole record', [ [ 'field' => null, 'base' => [ 'a' => 1 ], 'crm' => null, 'portal' => [ 'a' => 3 ], 'reason' => 'deleted in the CRM, changed in the portal' ] ], $result['conflicts'] );
check( 'a delete', 'portal', $merge( [ 'a' => 1 ], null, [ 'a' => 1 ] )['delete'] );
check( 'deletes have their own policy', [ 'a' => 3 ], $merge( [ 'a' => 1 ], null, [ 'a' => 3 ], [ 'delete' => 'portal' ] )['to_crm'] );
check( 'newest', [ 'a' => 2 ], $merge( [ 'a' => 1 ], [ 'a' => 2 ], [ 'a' => 3 ], [ 'policy' => 'newest', 'crm_updated_at' => 1763892060, 'portal_updated_at' => [ 'a' => '2025-11-23 10:00:00' ], 'skew' => 2.5 ] )['to_portal'] );
check( 'newest, too close', 'both sides changed it at the same time, as far as the clocks can tell', $merge( [ 'a' => 1 ], [ 'a' => 2 ], [ 'a' => 3 ], [ 'policy' => 'newest', 'crm_updated_at' => '2025-11-23 11:01:00', 'zone' => 'Europe/Berlin', 'portal_updated_at' => '2025-11-23 10:00:00', 'skew' => 60 ] )['conflicts'][0]['reason'] );

// An own write that comes back, as the server writes it, while the portal goes on.
$sent = [ 'sent' => [ 'note' => 'hello' ], 'outcome' => 'answered', 'policy' => 'crm' ];
check( 'the server\'s way goes to the portal', [ 'note' => 'Hello.' ], $merge( [ 'note' => '' ], [ 'note' => 'Hello.' ], [ 'note' => 'hello' ], $sent )['to_portal'] );
$result = $merge( [ 'note' => '' ], [ 'note' => 'Hello.' ], [ 'note' => 'hello again' ], $sent );
check( 'what came meanwhile goes out', [ [ 'note' => 'hello again' ], [], [ 'note' => 'Hello.' ] ], [ $result['to_crm'], $result['to_portal'], $result['base'] ] );
check( 'what the CRM does not tell is in the base', [ 'secret' => 1 ], $merge( [], [], [ 'secret' => 1 ], [ 'sent' => [ 'secret' => 1 ], 'outcome' => 'done' ] )['base'] );

// Types and names stay.
$odd    = [ 7 => 'seven', '08' => '8', '' => 'empty', 'f' => 1.0, 'n' => null, 't' => true, 'deep' => [ 'x' => [ 1 => [ 'y' ] ] ] ];
$result = $merge( null, $odd, null );
ksort( $odd );
$given  = $result['to_portal'];
ksort( $given );
check( 'as given', $odd, $given );
check( 'a number as a name is the same name', [ [], [] ], array_values( array_intersect_key( $merge( [ '7' => 'seven' ], [ 7 => 'seven' ], [ '7' => 'seven' ] ), [ 'to_crm' => 1, 'to_portal' => 1 ] ) ) );
check( 'options by such names', [ 7 => 'p' ], $merge( [ 7 => 'b' ], [ 7 => 'c' ], [ 7 => 'p' ], [ 'policies' => [ 7 => 'portal' ], 'sets' => [ 9 ], 'same' => [ 7 => 'trim' ] ] )['to_crm'] );
check( 'a set with holes', [ 't' => [ 'b', 'c' ] ], $merge( [ 't' => [ 'a', 'b' ] ], [ 't' => [ 'a', 'b' ] ], [ 't' => [ 1 => 'b', 4 => 'c' ] ], [ 'sets' => [ 't' ] ] )['to_crm'] );
check( 'a list with holes is an object', [ 't' => [ 1 => 'b' ] ], $merge( [ 't' => [ 'b' ] ], [ 't' => [ 'b' ] ], [ 't' => [ 1 => 'b' ] ] )['to_crm'] );

// References are read, and nothing that was given is changed.
$value          = 'new';
$portal         = [ 'a' => &$value, 'list' => [ 'x' ] ];
$portal['list'][0] = &$value;
$before         = serialize( $portal );
$result         = $merge( [ 'a' => 'old' ], [ 'a' => 'old' ], $portal );
$result['to_crm']['a'] = 'written over';
$result['record']['list'][] = 'more';
check( 'references', [ 'new', $before ], [ $value, serialize( $portal ) ] );
// Values are shared, not copied: a large text costs nothing again.
$text   = str_repeat( 'x', 8 << 20 );
$before = memory_get_usage();
$result = $merge( null, [ 'text' => $text, 'list' => array_fill( 0, 5, $text ) ], null );
check( 'shared', true, memory_get_usage() - $before < 1 << 20 );
check( 'the result holds it', 8 << 20, strlen( $result['record']['text'] ) );
unset( $result );
gc_collect_cycles();
$before = memory_get_usage();
for ( $round = 0; $round < 2000; $round++ ) {
	$merge( [ 'a' => [ "x$round" ] ], [ 'a' => [ "y$round" ] ], [ 'a' => [ "z$round" ] ], [ 'sets' => [ 'a' ], 'policies' => [ "p$round" => 'ask' ] ] );
}
check( 'nothing is left behind', true, memory_get_usage() - $before < 4096 );
done();
--EXPECT--
28 checks hold
