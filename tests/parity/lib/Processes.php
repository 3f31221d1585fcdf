<?php
/** Runs the cases in child processes, several at a time: the slow ones, and those after which a CRM is left alone, by themselves; the others in handfuls. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

final class Processes {

	private const AT_ONCE = 16;
	private const HANDFUL = 12;

	public function __construct( private string $extension, private string $sandbox, private string $folder, private string $article ) {}

	/**
	 * @param array<string, array<string, mixed>> $cases
	 * @return array<string, array<string, array<string, mixed>>> What was seen, by side and case.
	 */
	public function see( array $cases ): array {
		$slow = array_filter( array_map( static fn( $case ) => (int) ( $case['slow'] ?? 0 ), $cases ) );
		arsort( $slow );
		$slow   = array_keys( $slow );
		$others = array_diff( array_keys( $cases ), $slow );
		// The slowest first: they decide how long the whole takes.
		$handfuls = [ ...array_chunk( $slow, 1 ), ...array_chunk( $others, self::HANDFUL ) ];
		$jobs     = [];
		foreach ( $handfuls as $names ) {
			foreach ( '' === $this->article ? [ 'ours' ] : [ 'guzzle', 'ours' ] as $side ) {
				$jobs[] = [ $side, $names ];
			}
		}
		$seen    = [ 'guzzle' => [], 'ours' => [] ];
		$running = [];
		$number  = 0;
		while ( $jobs || $running ) {
			while ( $jobs && count( $running ) < self::AT_ONCE ) {
				[ $side, $names ] = array_shift( $jobs );
				$place            = "$this->folder/" . ++$number;
				mkdir( $place );
				$running[] = [ $side, $place, $this->start( $side, $place, $names, $cases ) ];
			}
			usleep( 10_000 );
			foreach ( $running as $key => [ $side, $place, $process ] ) {
				if ( ! proc_get_status( $process )['running'] ) {
					unset( $running[ $key ] );
					proc_close( $process );
					$said = json_decode( (string) file_get_contents( "$place/out" ), true );
					if ( ! is_array( $said ) ) {
						fwrite( STDERR, "$side: a process ended early: " . file_get_contents( "$place/out" ) . file_get_contents( "$place/err" ) . "\n" );
					}
					$seen[ $side ] += is_array( $said ) ? $said : [];
				}
			}
		}
		return $seen;
	}

	/**
	 * @param list<string>                        $names
	 * @param array<string, array<string, mixed>> $cases
	 * @return resource
	 */
	private function start( string $side, string $place, array $names, array $cases ) {
		$ca   = isset( $cases[ $names[0] ]['trust'] ) ? "$place/crm/ca.pem" : '';
		$ours = [
			"extension=$this->extension", 'tenant_crm_sync.allow_http=1', 'tenant_crm_sync.allow_private_networks=1', "tenant_crm_sync.ca_file=$ca",
			"tenant_crm_sync.limit_file=$place/limits",
		];
		$settings = 'ours' === $side ? [ ...$ours, ...$cases[ $names[0] ]['ini'] ?? [] ] : [ "curl.cainfo=$ca" ];
		// No php.ini: an installed copy of the extension must not stand for the built one, nor for the article's class.
		$command  = [ PHP_BINARY, '-n' ];
		foreach ( [ 'curl', 'mbstring', 'iconv', 'intl', 'ctype', 'tokenizer', 'dom', 'xml', 'xmlwriter' ] as $name ) {
			if ( ! is_file( ini_get( 'extension_dir' ) . "/$name.so" ) ) {
				continue;
			}
			array_push( $command, '-d', "extension=$name" );
		}
		foreach ( [ ...$settings, 'memory_limit=512M', 'zend.exception_ignore_args=0', 'log_errors=1', 'display_errors=stderr', 'opcache.enable_cli=0' ] as $setting ) {
			array_push( $command, '-d', $setting );
		}
		array_push( $command, __DIR__ . '/child.php', $side, $this->sandbox, $place, $this->article, ...$names );
		$process = proc_open( $command, [ [ 'file', '/dev/null', 'r' ], [ 'file', "$place/out", 'w' ], [ 'file', "$place/err", 'w' ] ], $pipes );
		return is_resource( $process ) ? $process : throw new \RuntimeException( 'cannot start ' . PHP_BINARY );
	}
}
