<?php
/**
 * One process of the site: reads a tenant's leads once and prints what became of it. Its order is JSON in the first argument:
 * `tenant`; `at`: when to call, so that many call at once; `dies`: the step at which it stops and waits to be killed.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

require __DIR__ . '/../wordpress/site.php';
require __DIR__ . '/lib/DyingStore.php';

use TenantCRM\Tenants;
use TenantCRM\Tokens\TokenStore;

$order = json_decode( $argv[1], true );
if ( isset( $order['dies'] ) && 'never' !== $order['dies'] ) {
	\TenantCRMSync::use_token_store( new DyingStore( new TokenStore(), $order['dies'] ) );
}
$client = Tenants::find( $order['tenant'] )->client();
if ( isset( $order['at'] ) ) {
	time_sleep_until( $order['at'] );
}
$result  = array( 'outcome' => 'ok', 'message' => '', 'retry_after' => null );
$started = microtime( true );
try {
	$leads = $client->fetch_records( 'leads' );
	if ( 3 !== count( $leads ) ) {
		$result = array( 'outcome' => 'odd', 'message' => (string) json_encode( $leads ), 'retry_after' => null );
	}
} catch ( \TenantCRMSync\Exception $e ) {
	$result = array( 'outcome' => $e->kind, 'message' => $e->getMessage(), 'retry_after' => $e->retry_after );
}
echo json_encode( $result + array( 'seconds' => round( microtime( true ) - $started, 2 ) ) ), "\n";
