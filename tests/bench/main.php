<?php
/**
 * Runs the comparisons (cases/), one after the other, prints the tables and leaves them as JSON. Ends with 1 where a floor is missed
 * or a comparison fails, with 2 where something could not be measured. Started by tests/bench/run.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

spl_autoload_register(
	static function ( string $name ): void {
		require __DIR__ . '/lib/' . substr( $name, strlen( __NAMESPACE__ ) + 1 ) . '.php';
	}
);

$mode  = getenv( 'SMOKE' ) ? 'smoke' : ( getenv( 'QUICK' ) ? 'quick' : 'full' );
$bench = new Bench( $mode, 'smoke' === $mode || (bool) getenv( 'BUSY' ) );
$only  = array_slice( $argv, 1 );
$began = microtime( true );
$wrong = [];
foreach ( glob( __DIR__ . '/cases/*.php' ) as $file ) {
	$name = preg_replace( '/^\d+-/', '', basename( $file, '.php' ) );
	if ( $only && ! in_array( $name, $only, true ) ) {
		continue;
	}
	$start = microtime( true );
	try {
		( require $file )( $bench );
	} catch ( Unmeasurable $reason ) {
		$bench->row( $name, "comparison \"$name\"", '', '', true, null, null, $reason->getMessage() );
	} catch ( \Throwable $reason ) {
		$wrong[] = "$name: {$reason->getMessage()} ({$reason->getFile()}:{$reason->getLine()})";
	}
	fprintf( STDERR, "%s: %.0f s\n", $name, microtime( true ) - $start );
}
$report = Report::of( $bench, microtime( true ) - $began, (bool) getenv( 'BUSY' ) );
echo $report->text();
if ( getenv( 'BENCH_JSON' ) ) {
	file_put_contents( getenv( 'BENCH_JSON' ), json_encode( $report->content, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) . "\n" );
}
foreach ( $wrong as $line ) {
	echo "FAILED $line\n";
}
$verdicts = array_map( static fn( Row $row ): string => $row->verdict(), $bench->rows );
$missed   = 'smoke' === $mode ? 0 : count( array_keys( $verdicts, 'MISSED', true ) );
$unknown  = count( array_keys( $verdicts, 'not measured', true ) );
$good     = count( $verdicts ) - $missed - $unknown - count( array_keys( $verdicts, 'whole run only', true ) );
printf( "%d passed, %d failed\n", $good, $missed + count( $wrong ) );
exit( $missed || $wrong ? 1 : ( $unknown ? 2 : 0 ) );
