<?php
/**
 * The differential test of JSON: random and hostile documents, given to the class by the sandbox, against json_decode( …, true ) of the same
 * PHP. What one accepts the other must accept with the same value, bit for bit; what one refuses the other must refuse.
 *
 *   php json.php            the test; JSON_SEED replays one, JSON_VALUES and JSON_HOSTILE set how many
 *   php json.php bench      our arrays against json_decode, in time (medians of interleaved runs)
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

use TenantCRM\Tests\Sandbox;

if ( ! class_exists( 'TenantCRMSync', false ) ) {
	$settings = [ 'extension=' . getenv( 'TCS_EXTENSION' ), 'tenant_crm_sync.allow_http=1', 'tenant_crm_sync.allow_private_networks=1', 'memory_limit=1G' ];
	$command  = [ PHP_BINARY, '-n' ];
	foreach ( $settings as $setting ) {
		array_push( $command, '-d', $setting );
	}
	if ( getenv( 'TCS_JSON_CHILD' ) ) {
		fwrite( STDERR, "the extension does not load: set TCS_EXTENSION\n" );
		exit( 2 );
	}
	putenv( 'TCS_JSON_CHILD=1' );
	$process = proc_open( [ ...$command, __FILE__, ...array_slice( $argv, 1 ) ], [ STDIN, STDOUT, STDERR ], $pipes );
	exit( proc_close( $process ) );
}

require __DIR__ . '/lib/Sandbox.php';
require __DIR__ . '/lib/Documents.php';
require __DIR__ . '/lib/Decoder.php';

$folder  = sys_get_temp_dir() . '/json-' . bin2hex( random_bytes( 6 ) );
$sandbox = new Sandbox( (string) getenv( 'TCS_SANDBOX' ), $folder );
register_shutdown_function( static fn() => exec( 'rm -rf ' . escapeshellarg( $folder ) ) );
ini_set( 'error_log', "$folder/error.log" );
$decoder = new Decoder( $sandbox );

if ( 'bench' === ( $argv[1] ?? '' ) ) {
	require __DIR__ . '/lib/bench.php';
	bench( $sandbox );
	exit( 0 );
}

$seed      = (int) ( getenv( 'JSON_SEED' ) ?: random_int( 1, 0x7fffffff ) );
$values    = (int) ( getenv( 'JSON_VALUES' ) ?: 100_000 );
$hostile   = (int) ( getenv( 'JSON_HOSTILE' ) ?: 4_000 );
$documents = new Documents( $seed );
$started   = microtime( true );
echo "JSON_SEED=$seed\n";

$passed = 0;
$failed = 0;
$report = static function ( string $document, string $problem ) use ( &$failed ): void {
	++$failed;
	if ( $failed <= 20 ) {
		echo 'FAILED ' . substr( (string) json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ), 0, 300 ) . ' as hexadecimal ' . substr( bin2hex( $document ), 0, 200 ) . "\n  $problem\n";
	}
};

// Values that PHP accepts, many in one answer: half as data of fetch_leads(), half as rows of a pull.
$batch   = [];
$refused = [];
for ( $number = 0; $passed + $failed < $values; ) {
	$batch = [];
	while ( count( $batch ) < 500 ) {
		$text = $documents->value();
		json_decode( $text );
		JSON_ERROR_NONE === json_last_error() ? $batch[] = $text : $refused[] = $text;
	}
	$as_rows = 1 === ++$number % 2;
	foreach ( $as_rows ? $decoder->rows( $batch ) : $decoder->data( $batch ) as $position => $problem ) {
		'' === $problem ? ++$passed : $report( $batch[ $position ], $problem . ( $as_rows ? ' (a row)' : ' (data)' ) );
	}
}
printf( "%d values, %.1f s\n", $passed + $failed, microtime( true ) - $started );

// Whole documents, one in an answer: what nobody should send, and what is nearly right.
$whole = [ ...Documents::traps(), ...$refused ];
while ( count( $whole ) < $hostile ) {
	$whole[] = $documents->hostile();
}
$accepted = 0;
foreach ( array_chunk( $whole, 500 ) as $chunk ) {
	foreach ( $decoder->documents( $chunk ) as $position => $problem ) {
		json_decode( $chunk[ $position ], true );
		$accepted += JSON_ERROR_NONE === json_last_error() ? 1 : 0;
		'' === $problem ? ++$passed : $report( $chunk[ $position ], $problem );
	}
}
printf( "%d hostile documents, of which PHP accepts %d; refused with another reason: %d; %.1f s\n", count( $whole ), $accepted, $decoder->other_reasons, microtime( true ) - $started );
// Two properties, however many documents they were held against; each document that breaks one counts.
printf( "%d passed, %d failed\n", 0 === $failed && $passed > 0 ? 2 : 0, max( $failed, $passed > 0 ? 0 : 1 ) );
exit( $failed > 0 || 0 === $passed ? 1 : 0 );
