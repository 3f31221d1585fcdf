<?php
/**
 * Presses "Sync now" for each tenant that is named, waits with the screen open, and prints the table. Ends with 1 if a sync failed,
 * or, with --unchanged, if one of them changed anything. The site is taken from TCS_URL, TCS_ADMIN_USER and TCS_ADMIN_PASSWORD.
 */

declare(strict_types=1);

namespace TenantCRM\Demo;

require __DIR__ . '/Browser.php';

const PATIENCE_SECONDS = 300;

/** One click, and the screen kept open until the run has ended. @return array<string, mixed> The run, with the seconds it took. */
function sync( Browser $browser, string $tenant ): array {
	$start = microtime( true );
	$run   = $browser->rest( 'POST', '/tenant-crm-sync/v1/sync', [ 'tenant' => $tenant ] );
	while ( ! in_array( $run['state'], [ 'done', 'failed', 'cancelled' ], true ) ) {
		$fetched = $run['fetched'];
		$run     = $browser->rest( 'POST', "/tenant-crm-sync/v1/sync/{$run['id']}/slice", [ 'seconds' => 1 ] );
		progress( "$tenant: {$run['state']}, {$run['fetched']} fetched" );
		if ( microtime( true ) - $start > PATIENCE_SECONDS ) {
			throw new \RuntimeException( "$tenant: not done after " . PATIENCE_SECONDS . " s: {$run['message']} {$run['error']}" );
		}
		if ( $run['fetched'] === $fetched ) {
			usleep( 300_000 );
		}
	}
	progress( '' );
	return $run + [ 'seconds' => microtime( true ) - $start ];
}

/** On a terminal one line that changes, elsewhere a line each. */
function progress( string $text ): void {
	if ( stream_isatty( STDOUT ) ) {
		echo "\r\e[K", $text;
	} elseif ( '' !== $text ) {
		echo $text, "\n";
	}
}

$unchanged = '--unchanged' === ( $argv[1] ?? '' );
$names     = array_slice( $argv, $unchanged ? 2 : 1 );
try {
	$browser = new Browser( (string) getenv( 'TCS_URL' ) );
	$browser->log_in( (string) getenv( 'TCS_ADMIN_USER' ), (string) getenv( 'TCS_ADMIN_PASSWORD' ) );
	$browser->open_screen();
	$runs = array_map( static fn( $name ) => sync( $browser, $name ), $names );
} catch ( \RuntimeException $error ) {
	fwrite( STDERR, "error: {$error->getMessage()}\n" );
	exit( 1 );
}

$line = "%-12s %9s %9s %9s %9s %9s %9s\n";
printf( $line, 'tenant', 'fetched', 'created', 'updated', 'unchanged', 'failed', 'seconds' );
$bad = [];
foreach ( $runs as $run ) {
	printf( $line, $run['tenant'], $run['fetched'], $run['created'], $run['updated'], $run['unchanged'], $run['refused'], sprintf( '%.2f', $run['seconds'] ) );
	if ( 'done' !== $run['state'] || 0 !== $run['refused'] ) {
		$bad[] = "{$run['tenant']}: {$run['message']} {$run['error']}";
	} elseif ( $unchanged && $run['fetched'] !== $run['unchanged'] ) {
		$bad[] = "{$run['tenant']}: something was written though nothing had changed";
	}
}
if ( $unchanged && [] === $bad ) {
	echo "All unchanged.\n";
}
foreach ( $bad as $text ) {
	fwrite( STDERR, "error: $text\n" );
}
exit( [] === $bad ? 0 : 1 );
