<?php
/**
 * Every class, method and property of the stubs is explained, and every parameter that has no obvious meaning by its @param. That they are the real ones is
 * tests/phpt/002-reflection.phpt's affair. Prints what is not explained, or how much is.
 */

declare(strict_types=1);

$before = get_declared_classes();
require dirname( __DIR__, 2 ) . '/php-stubs/TenantCRMSync.php';
$wrong = [];
$count = 0;
foreach ( array_diff( get_declared_classes(), $before ) as $name ) {
	$class   = new ReflectionClass( $name );
	$members = [ $name => $class ];
	foreach ( array_merge( $class->getMethods(), $class->getProperties() ) as $member ) {
		if ( $member->getDeclaringClass()->getName() === $name ) {
			$members[ $name . '::' . $member->getName() ] = $member;
		}
	}
	foreach ( $members as $what => $member ) {
		++$count;
		$text = trim( (string) preg_replace( '~^\s*/?\**/?|@\w+.*$~m', '', (string) $member->getDocComment() ) );
		// The methods of PHP's own interfaces are explained there.
		$known = $member instanceof ReflectionMethod && $member->hasPrototype();
		if ( '' === $text && ! $known && ! preg_match( '/@(return|var) .*[a-z]{3,} /', (string) $member->getDocComment() ) ) {
			$wrong[] = "$what is not explained";
		}
	}
}
echo $wrong ? implode( "\n", $wrong ) : "$count classes, methods and properties", "\n";
exit( $wrong || $count < 50 ? 1 : 0 );
