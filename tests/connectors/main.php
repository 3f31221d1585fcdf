<?php
/**
 * Runs the table of verbs for each connector, then what FAULTS lists. Started by ./run; cases/ says what is particular to a CRM,
 * lib/Verbs.php what is tested of all, faults/ what only some can show. Prints "N passed, N failed".
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

require __DIR__ . '/../parity/lib/Sandbox.php';
require __DIR__ . '/lib/Tests.php';
require __DIR__ . '/lib/Subject.php';
require __DIR__ . '/lib/Tokens.php';
require __DIR__ . '/lib/Verbs.php';

\TenantCRMSync::use_token_store( new Tokens() );

$wanted = array_slice( $argv, 1 );
$crm    = new Sandbox( (string) getenv( 'TCS_SANDBOX' ), getenv( 'TCS_FOLDER' ) . '/crm' );
$tests  = new Tests();
$cases  = [];
foreach ( glob( __DIR__ . '/cases/*.php' ) ?: [] as $file ) {
	$cases[ basename( $file, '.php' ) ] = require $file;
}

$tests->group( 'connectors' );
$tests->test(
	'every built-in connector has a case here',
	static function () use ( $tests, $cases ): void {
		$tests->same( 'names', [], array_values( array_diff( array_keys( \TenantCRMSync::connectors() ), array_keys( $cases ) ) ) );
	}
);
foreach ( $cases as $name => $case ) {
	if ( [] === $wanted || in_array( $name, $wanted, true ) ) {
		$tests->group( $name );
		( new Verbs( $tests, $crm, $case ) )->run();
	}
}
foreach ( glob( __DIR__ . '/faults/*.php' ) ?: [] as $file ) {
	if ( [] === $wanted || array_intersect( [ 'faults', basename( $file, '.php' ) ], $wanted ) ) {
		$tests->group( basename( $file, '.php' ) );
		( require $file )( $tests, $crm, $cases );
	}
}
exit( $tests->finish() );
