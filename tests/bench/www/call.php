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
} elseif ( 'arrays' === $_GET['side'] ) {
	$leads = json_decode( (string) file_get_contents( __DIR__ . '/page.json' ), true )['data'];
} else {
	require_once __DIR__ . '/peers.php';
	$leads = Peers\fetch_leads( Peers\guzzle( $url, 'call', $_GET['ca'] ?? null ) );
}
$wall  = ( hrtime( true ) - $start ) / 1e9;
$usage = getrusage();
$data  = isset( $_GET['check'] ) && $leads ? sha1( serialize( $leads ) ) : null;
unset( $leads );
// Of what is this process's alone, in KB. What is only read of files, and shared memory, are everybody's, whoever has looked at them.
// Line by line: the list itself must not take memory that is then counted.
$own    = 0;
$is_own = false;
$maps   = isset( $_GET['memory'] ) ? fopen( '/proc/self/smaps', 'r' ) : null;
while ( $maps && false !== ( $line = fgets( $maps ) ) ) {
	if ( preg_match( '/^[0-9a-f]+-[0-9a-f]+ (....) /', $line, $kind ) ) {
		$is_own = 'rw-p' === $kind[1];
	} elseif ( $is_own && str_starts_with( $line, 'Private_Dirty:' ) ) {
		$own += (int) substr( $line, 14 );
	}
}
echo json_encode(
	[
		'wall' => $wall,
		'cpu'  => $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'] + ( $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'] ) / 1e6,
		'pid'  => getmypid(),
		'data' => $data,
		'own'  => $own,
	]
);
