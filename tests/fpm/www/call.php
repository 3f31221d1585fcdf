<?php
/** One call of the extension: ?do=fetch counts the leads, ?do=create&email=… makes one. Answers with the worker's pid and what came back. */

require __DIR__ . '/settings.php';

$sync = new TenantCRMSync( $_GET['tenant'] );
$got  = 'create' === $_GET['do']
	? $sync->create_lead( [ 'name' => 'Zoë', 'email' => $_GET['email'] ] )
	: $sync->fetch_leads();

header( 'Content-Type: application/json' );
echo json_encode(
	[
		'pid'   => getmypid(),
		'got'   => is_array( $got ) ? ( $got['id'] ?? count( $got ) ) : $got,
		'error' => $sync->last_error(),
	]
);
