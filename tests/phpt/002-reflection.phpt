--TEST--
Reflection equals php-stubs/TenantCRMSync.php: classes, methods, parameters, defaults, types, properties, documented keys
--FILE--
<?php
require __DIR__ . '/inc.php';
// The stub under other names, so that both can be looked at side by side.
$stub = file_get_contents( getenv( 'TCS_REPO' ) . '/php-stubs/TenantCRMSync.php' );
$stub = preg_replace( [ '/\bclass TenantCRMSync\b/', '/\bnamespace TenantCRMSync\b/', '/\\\\TenantCRMSync\\\\/' ], [ 'class StubOfSync', 'namespace StubOfSync', '\\StubOfSync\\' ], $stub );
file_put_contents( folder() . '/stub.php', $stub );
$before = get_declared_classes();
require folder() . '/stub.php';
$stubs = array_values( array_diff( get_declared_classes(), $before ) );

$real  = static fn( string $name ): string => str_replace( 'StubOfSync', 'TenantCRMSync', $name );
$type  = static fn( ?ReflectionType $type ): string => $real( (string) $type );
$shape = static function ( ReflectionClass $class ) use ( $real, $type ): array {
	$shape = [
		'class' => [ $real( $class->getName() ), $class->isFinal(), $class->isAbstract(), $class->getParentClass() ? $real( $class->getParentClass()->getName() ) : '', $class->isInterface() ],
	];
	$interfaces = $class->getInterfaceNames();
	sort( $interfaces );
	$shape['interfaces'] = $interfaces;
	foreach ( $class->getMethods() as $method ) {
		if ( $method->getDeclaringClass()->getName() !== $class->getName() ) {
			continue;
		}
		$parameters = [];
		foreach ( $method->getParameters() as $parameter ) {
			$parameters[] = [
				$parameter->getName(), $type( $parameter->getType() ), $parameter->isOptional(), $parameter->isDefaultValueAvailable() ? var_export( $parameter->getDefaultValue(), true ) : 'none',
				$parameter->isVariadic(), $parameter->isPassedByReference(),
			];
		}
		$returns = $method->hasTentativeReturnType() ? $method->getTentativeReturnType() : $method->getReturnType();
		$shape[ $method->getName() . '()' ] = [ $parameters, $type( $returns ), $method->isStatic(), $method->isPublic(), $method->isFinal(), $method->isAbstract() ];
	}
	foreach ( $class->getProperties() as $property ) {
		if ( $property->getDeclaringClass()->getName() === $class->getName() ) {
			$shape[ '$' . $property->getName() ] = [ $type( $property->getType() ), $property->isPublic(), $property->isStatic(), $property->isReadOnly(), var_export( $property->getDefaultValue(), true ) ];
		}
	}
	$shape['constants'] = $class->getConstants();
	ksort( $shape );
	return $shape;
};
check( 'the stub has classes', 13, count( $stubs ) );
foreach ( $stubs as $name ) {
	$expected = $shape( new ReflectionClass( $name ) );
	$actual   = $shape( new ReflectionClass( $real( $name ) ) );
	check( "$name: members", array_keys( $expected ), array_keys( $actual ) );
	foreach ( $expected as $member => $what ) {
		check( "$name $member", $what, $actual[ $member ] ?? null );
	}
}
$ours = array_filter( get_declared_classes(), static fn( $class ) => str_starts_with( $class, 'TenantCRMSync' ) );
sort( $ours );
$documented = array_map( $real, $stubs );
sort( $documented );
check( 'no class but the documented ones', $documented, array_values( $ours ) );
check( 'no functions', [], array_keys( ( new ReflectionExtension( 'tenant_crm_sync' ) )->getFunctions() ) );

// The array shapes that the stub documents.
preg_match( '/What phpinfo\(\) shows.*?@return array\{(.*?)\}/s', $stub, $keys );
preg_match_all( '/(\w+): /', $keys[1], $keys );
check( 'status()', $keys[1], array_keys( TenantCRMSync::status() ) );
done();
--EXPECT--
139 checks hold
