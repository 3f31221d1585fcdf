<?php
/**
 * Holds both classes to the ledger: what the article's class was seen to do on Guzzle, and what ours does, case by case.
 *
 *   php run.php [--record] [PART OF A CASE'S NAME]
 *
 * TCS_EXTENSION and TCS_SANDBOX name what was built. With SEED_ARTICLE (the article's text) the article's class runs as well, so that its side
 * of the ledger is held true. --record writes the ledger anew from both sides; a difference still needs a reason (`why`) in its case.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

require __DIR__ . '/lib/article.php';
require __DIR__ . '/lib/answers.php';
require __DIR__ . '/lib/site.php';
require __DIR__ . '/lib/show.php';
require __DIR__ . '/lib/cases.php';
require __DIR__ . '/lib/ledger.php';
require __DIR__ . '/lib/Processes.php';

$record    = in_array( '--record', $argv, true );
$part      = array_values( array_diff( array_slice( $argv, 1 ), [ '--record' ] ) )[0] ?? '';
$extension = (string) getenv( 'TCS_EXTENSION' );
$sandbox   = (string) getenv( 'TCS_SANDBOX' );
$seed      = (string) getenv( 'SEED_ARTICLE' );
if ( ! is_file( $extension ) || ! is_executable( $sandbox ) || ( $record && '' === $seed ) ) {
	fwrite( STDERR, "set TCS_EXTENSION to the built extension and TCS_SANDBOX to the built sandbox-crm; --record needs SEED_ARTICLE too\n" );
	exit( 2 );
}
$folder = sys_get_temp_dir() . '/parity-' . bin2hex( random_bytes( 6 ) );
mkdir( $folder, 0700 );
register_shutdown_function( static fn() => exec( 'rm -rf ' . escapeshellarg( $folder ) ) );

$article = '';
if ( '' !== $seed ) {
	$article = "$folder/article.php";
	file_put_contents( $article, article_class( $seed ) );
}
$cases   = array_filter( cases(), static fn( $name ) => '' === $part || str_contains( $name, $part ), ARRAY_FILTER_USE_KEY );
$started = microtime( true );
$seen    = ( new Processes( $extension, $sandbox, $folder, $article ) )->see( $cases );
$sides   = '' === $seed ? [ 'ours' ] : [ 'guzzle', 'ours' ];

if ( $record ) {
	record( $cases, $seen );
}
$ledger = ledger();
$failed = 0;
$passed = 0;
foreach ( $cases as $name => $case ) {
	$entry = $ledger[ $name ] ?? [];
	foreach ( $sides as $side ) {
		$problem = problem( $case, $entry, $side, $seen[ $side ][ $name ] ?? [ 'result' => 'the process ended before it said anything' ] );
		if ( '' === $problem ) {
			++$passed;
			continue;
		}
		++$failed;
		echo "FAILED $name ($side): $problem\n";
	}
}
foreach ( '' === $part ? array_diff( array_keys( $ledger ), array_keys( $cases ) ) : [] as $name ) {
	++$failed;
	echo "FAILED $name: it is in the ledger, but there is no such case\n";
}
printf( "%d cases, %s, %.1f s\n", count( $cases ), implode( ' and ', $sides ), microtime( true ) - $started );
echo "$passed passed, $failed failed\n";
exit( $failed > 0 || 0 === $passed ? 1 : 0 );
