<?php
/**
 * One request to FPM that makes one call to the CRM, as the article's "on demand" code does, in the way that `side` says. Answers what
 * the call took, what this worker has used of the processor until now, and, where it is asked to, a hash of the leads.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

$start = hrtime( true );
$url   = $_GET['url'] ?? '';
if ( 'ours' === $_GET['side'] ) {
	$leads = \TenantCRMSync::with_settings( 'call', [ 'api_key' => 'call', 'api_endpoint' => $url, 'throw' => true ] )->fetch_leads();
} elseif ( 'nothing' === $_GET['side'] ) {
	$leads = [];
} else {
	require_once __DIR__ . '/peers.php';
	$leads = Peers\fetch_leads( Peers\guzzle( $url, 'call', $_GET['ca'] ?? null ) );
}
$wall  = ( hrtime( true ) - $start ) / 1e9;
$usage = getrusage();
$data  = isset( $_GET['check'] ) && $leads ? sha1( serialize( $leads ) ) : null;
unset( $leads );
preg_match( '/^Private_Dirty:\s+(\d+)/m', isset( $_GET['memory'] ) ? (string) file_get_contents( '/proc/self/smaps_rollup' ) : '', $memory );
echo json_encode(
	[
		'wall' => $wall,
		'cpu'  => $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6,
		'pid'  => getmypid(),
		'data' => $data,
		// What is this process's alone, in KB. Pages of files are everybody's, whoever has looked at them.
		'own'  => (int) ( $memory[1] ?? 0 ),
	]
);
