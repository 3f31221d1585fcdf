<?php
/** Run on the command line by the case "fork": uses the extension, forks eight times, uses it again. Prints one line of JSON. */

require __DIR__ . '/settings.php';

$sync   = new TenantCRMSync( 'forks' );
$parent = [ count( $sync->fetch_leads() ) ];
$start  = microtime( true );
$pids   = [];
for ( $i = 0; $i < 8; $i++ ) {
	$pid = pcntl_fork();
	if ( 0 === $pid ) {
		$leads = ( new TenantCRMSync( 'forks' ) )->fetch_leads();
		exit( is_array( $leads ) && 30 === count( $leads ) ? 0 : 1 );
	}
	$pids[] = $pid;
}
$parent[] = count( $sync->fetch_leads() );
$children = [];
foreach ( $pids as $pid ) {
	pcntl_waitpid( $pid, $status );
	$children[] = pcntl_wifexited( $status ) ? pcntl_wexitstatus( $status ) : 'signal ' . pcntl_wtermsig( $status );
}
$parent[] = count( $sync->fetch_leads() );
echo json_encode( [ 'parent' => $parent, 'children' => $children, 'seconds' => round( microtime( true ) - $start, 2 ) ] ), "\n";
