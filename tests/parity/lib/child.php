<?php
/**
 * One side of some cases, in a process of its own: `php child.php SIDE SANDBOX FOLDER ARTICLE NAME…` with SIDE `guzzle` or `ours`. Prints a
 * JSON object of what was seen by case. Judges nothing: that is run.php's.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

use TenantCRM\Tests\Sandbox;

require __DIR__ . '/Sandbox.php';
require __DIR__ . '/show.php';
require __DIR__ . '/answers.php';
require __DIR__ . '/cases.php';
require __DIR__ . '/site.php';

[ , $side, $binary, $folder, $article ] = $argv;
if ( 'guzzle' === $side ) {
	require '/usr/share/php/GuzzleHttp/autoload.php';
	require $article;
}
$log = "$folder/error.log";
ini_set( 'error_log', $log );
$sandbox = new Sandbox( $binary, "$folder/crm" );
Site::$fixed = [
	'{plain}'      => $sandbox->plain, '{tls}' => $sandbox->tls, '{ca}' => $sandbox->ca,
	'{plain_port}' => (string) $sandbox->plain_port, '{tls_port}' => (string) $sandbox->tls_port, '{side}' => $side,
];
Site::$sandbox = $sandbox;

$seen  = [];
$cases = cases();
foreach ( array_slice( $argv, 5 ) as $name ) {
	$seen[ $name ] = see( $cases[ $name ], $sandbox, $log );
}
echo json_encode( $seen, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );

/**
 * @param array<string, mixed> $case
 * @return array<string, mixed>
 */
function see( array $case, Sandbox $sandbox, string $log ): array {
	$sandbox->call( 'POST', '/reset' );
	$sandbox->tenant( 'acme', Site::KEY, [ 'paging' => 'none' ] );
	if ( isset( $case['rows'] ) ) {
		$sandbox->call( 'POST', '/rows', [ 'tenant' => 'acme', 'object' => 'leads', 'rows' => $case['rows'] ] );
	}
	$sandbox->faults( 'acme', Site::filled( $case['crm'] ?? [] ) );
	Site::$settings = Site::filled( ( $case['settings'] ?? [] ) + [ 'api_key' => Site::KEY, 'api_endpoint' => '{plain}' ] );
	Site::$lookup   = $case['lookup'] ?? null;
	@unlink( $log );
	$notices = [];
	set_error_handler(
		static function ( int $level, string $text ) use ( &$notices ): bool {
			$notices[] = $text;
			return true;
		}
	);
	$make = static fn( mixed $tenant = 'acme' ): object => new \TenantCRMSync( $tenant );
	$call = $case['call'] ?? static fn( callable $make ): mixed => $make()->fetch_leads();
	try {
		$result = show( $call( $make, $sandbox ) );
	} catch ( \Throwable $thrown ) {
		$result = show_throwable( $thrown );
	}
	restore_error_handler();
	$logged = is_file( $log ) ? (string) file_get_contents( $log ) : '';
	$seen   = [ 'result' => $result, 'wire' => array_map( static fn( $request ) => show_request( $request, Site::KEY ), $sandbox->requests() ), 'logged' => '' !== $logged ];
	if ( $notices ) {
		$seen['notices'] = $notices;
	}
	if ( str_contains( $logged, Site::KEY ) ) {
		$seen['leak'] = 'the key is in the log';
	}
	return Site::unfilled( $seen );
}
