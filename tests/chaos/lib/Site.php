<?php
/**
 * The portal and its CRM from outside: tenants, what is stored on either side, the passing of time, and how the site comes to rest. It knows
 * the tables, not the plugin's code. What must hold at rest is in Verdict.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

final class Site {

	/** @var array<string, array{key: int, domain: string, is_two_way: bool}> */
	public array $tenants = array();

	/** @var array<string, int> What was broken, how often. */
	public array $faults = array();

	/** @var list<Crowd> Everybody who was at the portal. */
	public array $crowds = array();

	/** Rows that Verdict has looked at. */
	public int $checked = 0;

	/** @var list<string> What the case could not do here. */
	public array $notes = array();

	/** @var list<string> A command in which this site's workers have to be started. */
	public array $within = array();

	/** @var array<string, int> Logs, and their size when the case began. */
	private array $logs = array();

	private ?\mysqli $database = null;

	public function __construct( public readonly int $seed ) {
	}

	/** Empties CRM and site for the next case. */
	public function clean( string $case ): void {
		Process::kill_all();
		\Sandbox::reset();
		Proxy::mood( 'well' );
		foreach ( array_column( $this->rows( "SHOW TABLES LIKE 'wp\\_tenant\\_crm\\_%'" ), 0 ) as $table ) {
			$this->sql( "DELETE FROM `$table`" );
		}
		$this->sql( "DELETE m FROM wp_postmeta m JOIN wp_posts p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
		$this->sql( "DELETE FROM wp_posts WHERE post_type = 'crm_lead'" );
		$this->forget_breakers();
		$this->tenants = array();
		$this->faults  = array();
		$this->crowds  = array();
		$this->notes   = array();
		$this->within  = array();
		$this->checked = 0;
		foreach ( glob( getenv( 'TCS_STACK' ) . '/log/*' ) as $file ) {
			$this->logs[ $file ] = (int) filesize( $file );
		}
	}

	/**
	 * Makes tenants on both sides. `leads` is their number in the CRM, `crm` how the CRM's tenant behaves, `proxied` whether it is reached through
	 * Proxy, `url` its address where it is neither; the rest are settings.
	 *
	 * @param array<string, array<string, mixed>> $wanted By id.
	 */
	public function add( array $wanted ): void {
		$data = array();
		foreach ( $wanted as $id => $settings ) {
			$id     = (string) $id;
			$domain = 't' . ( count( $this->tenants ) + 1 ) . '.example.test';
			\Sandbox::tenant( $id, 0, $settings['crm'] ?? array() );
			$rows = array();
			for ( $number = 1; $number <= ( $settings['leads'] ?? 0 ); $number++ ) {
				$rows[] = array( 'name' => "Zoë $number of $id", 'email' => "z$number@$domain", 'phone' => "+43 1 $number" );
			}
			\Sandbox::post( '/rows', array( 'tenant' => $id, 'object' => 'leads', 'rows' => $rows ) );
			$this->tenants[ $id ] = array( 'key' => 0, 'domain' => $domain, 'is_two_way' => isset( $settings['direction'] ) );
			$data[]               = array(
				'id'       => $id,
				'endpoint' => $settings['url'] ?? ( empty( $settings['proxied'] ) ? getenv( 'TCS_SANDBOX_URL' ) : Proxy::url() ),
				'api_key'  => "key-of-$id",
				// Nothing is due by itself while a case runs.
				'settings' => array_diff_key( $settings, array_flip( array( 'leads', 'crm', 'proxied', 'url' ) ) ) + array( 'interval' => 86400, 'page_size' => 15 ),
			);
		}
		list( $code, $output ) = Process::door( 'tenants', input: (string) json_encode( $data ) )->end();
		$keys                  = json_decode( $output, true );
		if ( 0 !== $code || ! is_array( $keys ) ) {
			throw new \RuntimeException( "the tenants cannot be made: $output" );
		}
		foreach ( array_map( 'strval', array_keys( $wanted ) ) as $number => $id ) {
			$this->tenants[ $id ]['key'] = $keys[ $number ];
		}
	}

	/** A portal with some of everything: ids and names that differ in case, writing by WordPress's own functions, two-way sync. */
	public function populate( bool $proxied = false, int $times = 1 ): void {
		$this->add(
			array_map(
				static fn( array $settings ): array => $settings + array( 'proxied' => $proxied ),
				array(
					'north' => array( 'leads' => 90 * $times ),
					'Acme'  => array( 'leads' => 40 * $times, 'crm' => array( 'ids' => 'mixed_case' ) ),
					'acme'  => array( 'leads' => 40 * $times, 'crm' => array( 'ids' => 'mixed_case' ) ),
					'hooks' => array( 'leads' => 30, 'hooks' => true ),
					'both'  => array( 'leads' => 30, 'direction' => 'both' ),
					'out'   => array( 'direction' => 'to_crm' ),
				)
			)
		);
	}

	public function crowd( int $people = 3 ): Crowd {
		return $this->crowds[] = Crowd::come( $this, $people, $this->tenants );
	}

	/** Something is broken now. */
	public function fault( string $what, int $times = 1 ): void {
		$this->faults[ $what ] = $times + ( $this->faults[ $what ] ?? 0 );
	}

	/** For people: what was broken. */
	public function told(): string {
		$told = array_map( static fn( string $what, int $times ): string => "$times $what", array_keys( $this->faults ), $this->faults );
		return implode( ', ', $told ? $told : array( 'nothing broken' ) ) . ( $this->notes ? ' (' . implode( '; ', $this->notes ) . ')' : '' );
	}

	/** The CRM's own users work, too. */
	public function touch( int $most = 8 ): void {
		foreach ( $this->tenants as $id => $tenant ) {
			if ( ! $tenant['is_two_way'] && 0 === mt_rand( 0, 1 ) ) {
				\Sandbox::post( '/touch', array( 'tenant' => (string) $id, 'object' => 'leads', 'count' => mt_rand( 1, $most ) ) );
			}
		}
	}

	/** @param bool $full Everything is to be read again. */
	public function click( bool $full = false ): void {
		list( $code, $output ) = Process::door( 'click', input: $full ? '{"full":true}' : '' )->end();
		if ( 0 !== $code ) {
			throw new \RuntimeException( "a click failed: $output" );
		}
	}

	/** All waits are over: for the next attempt, for leases of the dead, for writes whose outcome is not known. For when nobody works. */
	public function let_time_pass(): void {
		$this->sql( "UPDATE {jobs} SET available_at = UTC_TIMESTAMP(3), held = 0 WHERE state = 'queued'" );
		$this->end_leases( 0.0 );
		$this->sql( "UPDATE wp_posts p LEFT JOIN {records} r ON r.post_id = p.ID SET p.post_modified_gmt = UTC_TIMESTAMP() - INTERVAL 1 HOUR WHERE p.post_type = 'crm_lead' AND r.id IS NULL" );
		$this->sql( 'UPDATE {runs} SET queued_at = queued_at - INTERVAL 5 MINUTE' );
		$this->sql( 'UPDATE {changes} SET available_at = UTC_TIMESTAMP(3), sent_at = sent_at - INTERVAL 1 HOUR' );
		$this->forget_breakers();
	}

	/** Takes the jobs of workers that said nothing for so many seconds away from them, as if leases (120 s) were that short. */
	public function end_leases( float $seconds ): void {
		$this->sql( sprintf( "UPDATE {jobs} SET lease_until = '2020-01-01' WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(3) + INTERVAL %d MICROSECOND", (int) ( 1e6 * ( 120 - $seconds ) ) ) );
	}

	/** The shared memory goes, and with it whom it is not worth asking for a minute. */
	public function forget_breakers(): void {
		@unlink( getenv( 'TCS_STACK' ) . '/shm/limits' );
	}

	/** Everything is well again: works until nothing is left to do. @return bool False: something is stuck. */
	public function settle(): bool {
		for ( $round = 0; $round < 12; $round++ ) {
			$this->let_time_pass();
			if ( $round < 2 ) {
				$this->click();
			}
			$workers = array( Process::door( 'cron', within: $this->within ), Process::door( 'cron', within: $this->within ) );
			foreach ( $workers as $worker ) {
				list( $code, $output ) = $worker->end();
				if ( 0 !== $code || '{"worked":true}' !== $output ) {
					throw new \RuntimeException( "a worker failed ($code): $output" );
				}
			}
			if ( $round >= 1 && array() === $this->left() ) {
				return true;
			}
		}
		return false;
	}

	/** @return list<string> What is still to be done. */
	public function left(): array {
		$left = array();
		foreach ( $this->rows( "SELECT 'job', tenant, kind, state, attempts, deaths, reason FROM {jobs} UNION ALL SELECT 'change', tenant, verb, refused, attempts, post_id, reason FROM {changes} UNION ALL SELECT 'hint', tenant, crm_id, post_id, hint, gone, '' FROM {records} WHERE hint > 0" ) as $row ) {
			$left[] = (string) json_encode( $row, JSON_INVALID_UTF8_SUBSTITUTE );
		}
		return $left;
	}

	/** @return list<list<string|null>> {jobs} is the plugin's table of that name. */
	public function rows( string $sql ): array {
		$result = $this->sql( $sql );
		return $result instanceof \mysqli_result ? $result->fetch_all( MYSQLI_NUM ) : array();
	}

	public function number( string $sql ): int {
		return (int) ( $this->rows( $sql )[0][0] ?? 0 );
	}

	/** As root, by the socket; a server that was started again is found again, and a deadlock with workers answered as they do. */
	public function sql( string $sql ): \mysqli_result|bool {
		$sql = (string) preg_replace( '/\{([a-z]+)\}/', 'wp_tenant_crm_$1', $sql );
		for ( $try = 1; ; $try++ ) {
			try {
				$this->database ??= new \mysqli( 'localhost', 'root', '', 'wp', null, (string) getenv( 'TCS_DB_SOCKET' ) );
				return $this->database->query( $sql );
			} catch ( \mysqli_sql_exception $e ) {
				if ( $try >= 10 ) {
					throw $e;
				}
				if ( 1213 !== $e->getCode() ) {
					$this->database = null;
				}
				usleep( 100000 * $try );
			}
		}
	}

	/** @return array<string, string> What each log of the site and its servers has got since the case began. */
	public function logged(): array {
		$logged = array();
		foreach ( glob( getenv( 'TCS_STACK' ) . '/log/*' ) as $file ) {
			$logged[ basename( $file ) ] = (string) file_get_contents( $file, false, null, $this->logs[ $file ] ?? 0 );
		}
		return $logged;
	}
}
