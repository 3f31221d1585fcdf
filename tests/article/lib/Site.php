<?php
/**
 * One WordPress site of the stack: a table prefix, an error log, PHP with or without our extension. Its users come by HTTP to a PHP of its
 * own, WP-Cron and all else are processes. What is done on the site and in which order is the business of side.php.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

final class Site {

	private string $log;
	/** @var resource|null */
	private $server = null;
	private string $address = '';
	/** @var array<string, string> */
	private array $cookies = [];

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

	/** Makes a user of the tenant, and with a key its settings; remembers the user's login. */
	public function tenant( string $tenant, string $key = '', string $endpoint = '' ): void {
		$this->cookies[ $tenant ] = $this->call( 'tenant', $tenant, $key, $endpoint );
	}

	/** The tenant's user presses the button: what the site answers. */
	public function press( string $tenant ): string {
		$this->serve();
		$http = [ 'method' => 'POST', 'header' => [ 'Content-Type: application/x-www-form-urlencoded', "Cookie: {$this->cookies[ $tenant ]}", 'Connection: close' ], 'content' => 'action=crm_sync_now', 'ignore_errors' => true, 'follow_location' => 0, 'timeout' => 60 ];
		$said = file_get_contents( "$this->address/wp-admin/admin-post.php", false, stream_context_create( [ 'http' => $http ] ) );
		return false === $said ? 'no answer' : ( str_contains( $http_response_header[0], ' 200' ) ? $said : "$http_response_header[0]: $said" );
	}

	/** Ends the PHP that answers the users. */
	public function close(): void {
		if ( null !== $this->server ) {
			proc_terminate( $this->server );
			proc_close( $this->server );
			$this->server = null;
		}
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

	/** Starts the PHP that answers the users; one for all of them, as a worker of a real site is. */
	private function serve(): void {
		if ( null !== $this->server ) {
			return;
		}
		$said         = getenv( 'TCS_STACK' ) . "/tmp/{$this->prefix}server.log";
		$this->server = $this->start( [ '-S', '127.0.0.1:0' ], [ 'file', $said, 'w' ], [ 'file', $said, 'a' ] );
		for ( $tries = 0; $tries < 400; $tries++ ) {
			if ( preg_match( '~Development Server \((http://127\.0\.0\.1:\d+)\) started~', (string) file_get_contents( $said ), $match ) ) {
				$this->address = $match[1];
				return;
			}
			usleep( 25_000 );
		}
		throw new \RuntimeException( "$this->prefix: PHP's web server did not start: " . file_get_contents( $said ) );
	}

	/** @param list<string> $command */
	private function php( array $command ): string {
		$out    = tmpfile();
		$errors = tmpfile();
		$code   = proc_close( $this->start( $command, $out, $errors ) );
		$said   = self::text_of( $out );
		if ( 0 !== $code ) {
			throw new \RuntimeException( "{$this->prefix}: " . implode( ' ', $command ) . " ended with $code: $said " . self::text_of( $errors ) );
		}
		return $said;
	}

	/**
	 * @param list<string> $command
	 * @return resource
	 */
	private function start( array $command, mixed $out, mixed $errors ) {
		$environment = [
			'PHP_INI_SCAN_DIR'   => getenv( $this->extension ? 'TCS_PHP_INI_DIR' : 'TCS_PLAIN_INI_DIR' ),
			'TCS_ARTICLE_PREFIX' => $this->prefix,
			'TCS_ARTICLE_LOG'    => $this->log,
			'TCS_HAS_PLUGIN'     => '1',
		] + getenv();
		$settings    = [ 'memory_limit=256M', "error_log=$this->log", 'log_errors=1', 'display_errors=stderr', 'curl.cainfo=' . getenv( 'TCS_CA_FILE' ) ];
		$options     = array_merge( ...array_map( static fn( string $setting ): array => [ '-d', $setting ], $settings ) );
		$process     = proc_open( [ PHP_BINARY, ...$options, ...$command ], [ [ 'file', '/dev/null', 'r' ], $out, $errors ], $pipes, getenv( 'TCS_WWW' ), $environment );
		return is_resource( $process ) ? $process : throw new \RuntimeException( 'cannot start ' . PHP_BINARY );
	}

	/** @param resource $file */
	private static function text_of( $file ): string {
		rewind( $file );
		return (string) stream_get_contents( $file );
	}
}
