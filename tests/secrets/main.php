<?php
/**
 * What a credential that is a reference does, seen from PHP, the CRM and the secrets managers. Started by ./run. Each file of cases/ is a part.
 */

declare(strict_types=1);

namespace TenantCRM\Tests;

require __DIR__ . '/../parity/lib/Sandbox.php';
require __DIR__ . '/Managers.php';
require __DIR__ . '/Checks.php';

/** What must be seen nowhere but in the request to the CRM. */
function key_of( string $name ): string {
	static $keys = [];
	return $keys[ $name ] ??= "k3y-$name-" . bin2hex( random_bytes( 8 ) );
}

/** A private file, as a host has it. */
function private_file( string $name, string $text ): string {
	$file = getenv( 'TCS_WORK' ) . "/$name";
	file_put_contents( $file, $text );
	chmod( $file, 0600 );
	return $file;
}

$work     = (string) getenv( 'TCS_WORK' );
$managers = new Managers( (string) getenv( 'TCS_BAO' ), (string) getenv( 'TCS_BAO_TOKEN' ), (string) getenv( 'TCS_BAO_CA' ), (string) getenv( 'TCS_MOTO' ) );
$crm      = new Sandbox( (string) getenv( 'TCS_SANDBOX' ), "$work/crm" );
// Every worker's settings that are not about secrets.
$base     = [ 'allow_http' => 1, 'allow_private_networks' => 1, 'limit_file' => "$work/limits", 'timeout_ms' => 8000 ];
$vault    = $base + [
	'vault_addr'       => (string) getenv( 'TCS_BAO' ),
	'vault_path'       => 'secret/crm/{tenant}',
	'vault_ca_file'    => (string) getenv( 'TCS_BAO_CA' ),
	'vault_token_file' => private_file( 'token', getenv( 'TCS_BAO_TOKEN' ) . "\n" ),
];

/** The keys that the CRM has seen since the last time. @return list<string> */
$seen = static fn(): array => array_map( static fn( array $one ): string => (string) preg_replace( '/^Bearer /', '', (string) ( array_change_key_case( array_column( array_map( static fn( $k, $v ) => is_array( $v ) ? $v : [ $k, $v ], array_keys( $one['headers'] ), $one['headers'] ), 1, 0 ) )['authorization'] ?? '' ) ), $crm->requests() );

foreach ( glob( __DIR__ . '/cases/*.php' ) as $file ) {
	require $file;
}

echo Checks::$held, ' passed, ', Checks::$failed, " failed\n";
exit( Checks::$failed > 0 ? 1 : 0 );
