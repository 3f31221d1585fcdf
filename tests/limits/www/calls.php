<?php
/**
 * Calls the CRM again and again for ?seconds=… or until a quota is used up. Answers with the outcomes: `ok`, or the class of the error.
 */

require __DIR__ . '/settings.php';

$sync  = new TenantCRMSync( $_GET['tenant'] );
$until = microtime( true ) + (float) $_GET['seconds'];
$found = [];
$last  = null;
while ( microtime( true ) < $until && ( null === $last || 'quota' !== $last['reason'] ) ) {
	$last     = is_array( $sync->fetch_leads() ) ? null : $sync->last_error();
	$outcome  = null === $last ? 'ok' : $last['reason'];
	$found[ $outcome ] = ( $found[ $outcome ] ?? 0 ) + 1;
}

header( 'Content-Type: application/json' );
echo json_encode( [ 'found' => $found, 'last' => $last['message'] ?? null ] );
