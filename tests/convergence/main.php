<?php
/**
 * Random schedules on the real stack: WordPress with the plugin, MariaDB, the sandbox CRM, workers in processes of their own. Several schedules
 * go on side by side, each with its own tenants. When all have been played and all is quiet, further cycles must change nothing, and
 * Judge says whether both sides and the ledger agree and nothing was lost.
 *
 * A seed gives the same schedule each time; when a worker reads what, the machine decides.
 */

require __DIR__ . '/../wordpress/site.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
foreach ( array( 'Dice', 'Schedule', 'Value', 'History', 'Crm', 'Portal', 'Child', 'Workers', 'Webhooks', 'Player', 'Sides', 'Judge', 'Group', 'Controls' ) as $tcs_class ) {
	require __DIR__ . "/lib/$tcs_class.php";
}

$tcs_given = array();
foreach ( array_slice( $argv, 1 ) as $tcs_argument ) {
	if ( ! preg_match( '/^(SEEDS|FROM|SEED)=(\d{1,6})$/D', $tcs_argument, $tcs_match ) ) {
		fwrite( STDERR, "usage: run [SEEDS=n] [FROM=seed] [SEED=seed], not \"$tcs_argument\"\n" );
		exit( 2 );
	}
	$tcs_given[ $tcs_match[1] ] = (int) $tcs_match[2];
}
$tcs_from   = $tcs_given['SEED'] ?? $tcs_given['FROM'] ?? 1;
$tcs_count  = isset( $tcs_given['SEED'] ) ? 1 : $tcs_given['SEEDS'] ?? 200;
$tcs_began  = microtime( true );

list( $tcs_passed, $tcs_faults ) = Controls::run();
$tcs_failed                      = count( $tcs_faults );
echo implode( "\n", $tcs_faults ), $tcs_faults ? "\n" : '';

Portal::open();
foreach ( array_chunk( range( $tcs_from, $tcs_from + $tcs_count - 1 ), 40 ) as $tcs_seeds ) {
	foreach ( ( new Group( $tcs_seeds, isset( $tcs_given['SEED'] ) ) )->play() as $tcs_player ) {
		$tcs_player->faults ? ++$tcs_failed : ++$tcs_passed;
		if ( $tcs_player->faults || isset( $tcs_given['SEED'] ) ) {
			echo $tcs_player->schedule, implode( "\n", $tcs_player->notes ), "\n", implode( "\n", array_map( static fn( string $fault ): string => "FAULT $fault", $tcs_player->faults ) ), "\n";
			echo "again: make convergence SEED={$tcs_player->schedule->seed}\n\n";
		}
	}
}
printf( "%d schedules in %.0f s\n%d passed, %d failed\n", $tcs_count, microtime( true ) - $tcs_began, $tcs_passed, $tcs_failed );
exit( $tcs_failed ? 1 : 0 );
