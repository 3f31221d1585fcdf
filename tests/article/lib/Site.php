<?php
/**
 * One WordPress site of the stack: a table prefix, an error log, PHP with or without our extension. Every call is a process of its own,
 * as every request of a real site is. What is done on the site and in which order is the business of side.php.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

final class Site {

	private string $log;

	public function __construct( private string $prefix, private bool $extension ) {
		$this->log = getenv( 'TCS_STACK' ) . "/tmp/{$prefix}error.log";
		touch( $this->log );
	}

	public function install(): void {
		$this->php( [ getenv( 'TCS_STACK' ) . '/bin/install.php', 'install' ] );
	}

	/** Our plugin, as the stack does it. */
	public function activate_ours(): void {
		$this->php( [ getenv( 'TCS_STACK' ) . '/bin/install.php', 'activate' ] );
	}

	/** A verb of inside.php. */
	public function call( string $verb, string ...$arguments ): string {
		return $this->php( [ __DIR__ . '/inside.php', $verb, ...$arguments ] );
	}

	/** WP-Cron as a system's cron runs it. */
	public function cron(): void {
		$this->php( [ 'wp-cron.php' ] );
	}

	/** @return list<array<string, mixed>> What our plugin's command line says of a sync of all tenants. */
	public function sync_all(): array {
		return json_decode( $this->php( [ 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm', 'sync', '--all', '--format=json' ] ), true, 8, JSON_THROW_ON_ERROR );
	}

	/**
	 * @return array<string, list<array<string, mixed>>> All leads, by "tenant/id of the CRM"; more than one post only where there are doubles.
	 */
	public function posts(): array {
		$posts = [];
		$meta  = [];
		$db    = $this->database();
		foreach ( $db->query( "SELECT * FROM {$this->prefix}posts WHERE post_type = 'crm_lead' ORDER BY ID" )->fetch_all( MYSQLI_ASSOC ) as $row ) {
			$posts[ $row['ID'] ] = $row;
		}
		foreach ( $db->query( "SELECT * FROM {$this->prefix}postmeta ORDER BY meta_key, meta_id" )->fetch_all( MYSQLI_ASSOC ) as $row ) {
			$meta[ $row['post_id'] ][ $row['meta_key'] ][] = $row['meta_value'];
		}
		$found = [];
		foreach ( $posts as $id => $row ) {
			$of             = $meta[ $id ] ?? [];
			$key            = ( $of['_tenant_id'][0] ?? '' ) . '/' . ( $of['crm_lead_id'][0] ?? '' );
			$found[ $key ][] = [
				'title'   => $row['post_title'],
				'status'  => $row['post_status'],
				'type'    => $row['post_type'],
				'content' => $row['post_content'],
				'meta'    => $of,
				'more'    => [
					'slug'     => $row['post_name'],
					'excerpt'  => $row['post_excerpt'],
					'comments' => $row['comment_status'],
					'pings'    => $row['ping_status'],
					'parent'   => $row['post_parent'],
				],
				'author'  => $row['post_author'],
				'number'  => (int) $id,
			];
		}
		ksort( $found, SORT_STRING );
		return $found;
	}

	/** @return list<string> The lines of the error log since the last call, without their times. */
	public function log(): array {
		$lines = file( $this->log, FILE_IGNORE_NEW_LINES );
		file_put_contents( $this->log, '' );
		return preg_replace( '/^\[[^\]]*\] /', '', $lines );
	}

	private function database(): \mysqli {
		mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
		$db = new \mysqli( '127.0.0.1', getenv( 'TCS_DB_USER' ), getenv( 'TCS_DB_PASSWORD' ), getenv( 'TCS_DB_NAME' ), (int) getenv( 'TCS_DB_PORT' ) );
		$db->set_charset( 'utf8mb4' );
		return $db;
	}

	/** @param list<string> $command */
	private function php( array $command ): string {
		$environment = [
			'PHP_INI_SCAN_DIR'   => getenv( $this->extension ? 'TCS_PHP_INI_DIR' : 'TCS_PLAIN_INI_DIR' ),
			'TCS_ARTICLE_PREFIX' => $this->prefix,
			'TCS_ARTICLE_LOG'    => $this->log,
			'TCS_HAS_PLUGIN'     => '1',
		] + getenv();
		$settings    = [ 'memory_limit=256M', "error_log=$this->log", 'log_errors=1', 'display_errors=stderr', 'curl.cainfo=' . getenv( 'TCS_CA_FILE' ) ];
		$options     = array_merge( ...array_map( static fn( string $setting ): array => [ '-d', $setting ], $settings ) );
		$errors      = tmpfile();
		$process     = proc_open( [ PHP_BINARY, ...$options, ...$command ], [ [ 'file', '/dev/null', 'r' ], [ 'pipe', 'w' ], $errors ], $pipes, getenv( 'TCS_WWW' ), $environment );
		if ( ! is_resource( $process ) ) {
			throw new \RuntimeException( 'cannot start ' . PHP_BINARY );
		}
		$said = stream_get_contents( $pipes[1] );
		$code = proc_close( $process );
		if ( 0 !== $code ) {
			rewind( $errors );
			throw new \RuntimeException( "{$this->prefix}: " . implode( ' ', $command ) . " ended with $code: $said " . stream_get_contents( $errors ) . implode( "\n", array_slice( $this->log(), -10 ) ) );
		}
		return $said;
	}
}
