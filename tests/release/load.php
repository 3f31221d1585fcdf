<?php
/**
 * Uses the extension in a loop that is hot enough for the JIT, and prints its version. The argument says what else must be on: "opcache", "opcache jit".
 */

declare(strict_types=1);

$wanted = explode( ' ', $argv[1] ?? '' );
$status = function_exists( 'opcache_get_status' ) ? opcache_get_status( false ) : false;
if ( in_array( 'opcache', $wanted, true ) && ! ( $status['opcache_enabled'] ?? false ) ) {
	echo 'opcache is off';
	exit( 1 );
}

/** @return array<string, mixed> */
function merged( int $i ): array {
	return TenantCRMSync::status() + array( 'i' => $i );
}
$keys = 0;
for ( $i = 0; $i < 20000; $i++ ) {
	$keys += count( merged( $i ) ) > 1 ? 1 : 0;
}
if ( 20000 !== $keys ) {
	echo 'it does not work';
	exit( 1 );
}
if ( in_array( 'jit', $wanted, true ) ) {
	$jit = opcache_get_status( false )['jit'];
	if ( ! $jit['on'] || $jit['buffer_free'] >= $jit['buffer_size'] ) {
		echo 'the JIT has compiled nothing';
		exit( 1 );
	}
}
echo phpversion( 'tenant_crm_sync' );
