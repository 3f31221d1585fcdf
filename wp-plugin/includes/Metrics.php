<?php
/**
 * The figures of this site for a monitor: requests, queue, runs, records, limits. Reads only; Counters keeps what must never shrink, and
 * Exposition knows the format.
 *
 * Labels are bounded: a tenant's id (of the first tenants; the others are summed up), an outcome, a state, a limit of a CRM. No address, no
 * text of a CRM.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Metrics {

	/** Tenants with series of their own; those after them, and deleted ones, are counted together under the empty id. */
	private const MOST_TENANTS = 2000;

	/** Seconds for which the number of records is not counted again, which takes a second for each few million. */
	private const FRESH = 60;

	private const RECORDS = 'tenant_crm_sync_metrics_records';

	/** Seconds in which the limits of tenants are asked for; those that come later are left out. */
	private const PATIENCE = 2.0;

	/** Tokens are renewed a minute before they run out, where the connector says nothing else. */
	private const TOKEN_SECONDS = 120;

	private const PREFIX = 'tenant_crm_';

	private readonly Exposition $out;

	/** @var array<int, string> Labels of tenants, by key. */
	private array $ids = array();

	/** @var list<Tenant> */
	private readonly array $tenants;

	private function __construct() {
		$this->out     = new Exposition();
		$this->tenants = Tenants::all();
		foreach ( array_slice( $this->tenants, 0, self::MOST_TENANTS ) as $tenant ) {
			$this->ids[ $tenant->key ] = $tenant->id;
		}
	}

	/** @throws StoreException */
	public static function text(): string {
		$self = new self();
		$self->info();
		$self->requests();
		$self->queue();
		$self->records();
		$self->limits();
		return $self->out->text();
	}

	public static function forget(): void {
		delete_transient( self::RECORDS );
	}

	private function info(): void {
		$this->family( 'info', 'gauge', 'Versions of plugin and extension.' );
		$this->sample(
			'info',
			array(
				'plugin'    => Plugin::VERSION,
				'extension' => (string) \TenantCRMSync::status()['version'],
			),
			1
		);
		$paused = count( array_filter( $this->tenants, static fn( Tenant $tenant ): bool => $tenant->paused ) );
		$this->family( 'tenants', 'gauge', 'Tenants.' );
		$this->sample( 'tenants', array( 'state' => 'active' ), count( $this->tenants ) - $paused );
		$this->sample( 'tenants', array( 'state' => 'paused' ), $paused );
		$seen = Wakers::last_seen();
		if ( null !== $seen ) {
			$this->family( 'worker_last_seen_timestamp_seconds', 'gauge', 'When a worker last came by itself (WP-Cron, the command line, Action Scheduler), to the minute.' );
			$this->sample( 'worker_last_seen_timestamp_seconds', array(), time() - $seen );
		}
	}

	private function requests(): void {
		$requests  = array();
		$by_tenant = array();
		foreach ( Counters::all() as $row ) {
			$tenant = $this->ids[ $row['tenant'] ] ?? '';

			$requests[ $tenant ][ $row['outcome'] ] = ( $requests[ $tenant ][ $row['outcome'] ] ?? 0 ) + $row['requests'];
			foreach ( $row as $column => $count ) {
				if ( is_int( $count ) ) {
					$by_tenant[ $tenant ][ $column ] = ( $by_tenant[ $tenant ][ $column ] ?? 0 ) + $count;
				}
			}
		}
		$this->family( 'requests_total', 'counter', 'Requests to CRMs: every attempt counts. The tenant is empty for deleted tenants and those without series of their own.' );
		foreach ( $requests as $tenant => $outcomes ) {
			foreach ( $outcomes as $outcome => $count ) {
				$this->sample(
					'requests_total',
					array(
						'tenant'  => $tenant,
						'outcome' => $outcome,
					),
					$count
				);
			}
		}
		$this->family( 'request_duration_seconds', 'histogram', 'How long requests to CRMs took.' );
		foreach ( $by_tenant as $tenant => $sums ) {
			$labels = array( 'tenant' => $tenant );
			foreach ( Counters::BUCKETS as $column => $seconds ) {
				$this->sample( 'request_duration_seconds_bucket', $labels + array( 'le' => (string) $seconds ), $sums[ $column ] );
			}
			$this->sample( 'request_duration_seconds_bucket', $labels + array( 'le' => '+Inf' ), $sums['requests'] );
			$this->sample( 'request_duration_seconds_sum', $labels, $sums['micros'] / 1e6 );
			$this->sample( 'request_duration_seconds_count', $labels, $sums['requests'] );
		}
		foreach ( array(
			'sent'     => 'Bytes of the bodies of requests to CRMs.',
			'received' => 'Bytes of the bodies of CRMs\' answers, unpacked.',
		) as $column => $help ) {
			$this->family( "{$column}_bytes_total", 'counter', $help );
			foreach ( $by_tenant as $tenant => $sums ) {
				$this->sample( "{$column}_bytes_total", array( 'tenant' => $tenant ), $sums[ $column ] );
			}
		}
		$this->family( 'attempts_lost_total', 'counter', 'Requests that could not be logged, nor counted above, at least.' );
		$this->sample( 'attempts_lost_total', array(), Counters::lost()['count'] ?? 0 );
	}

	private function queue(): void {
		$jobs   = Schema::table( 'jobs' );
		$runs   = Schema::table( 'runs' );
		$counts = Jobs::counts();
		$this->family( 'jobs', 'gauge', 'Jobs by state; dead ones wait for a person.' );
		foreach ( array( 'queued', 'running', 'dead' ) as $state ) {
			$this->sample( 'jobs', array( 'state' => $state ), $counts[ $state ] );
		}
		$this->family( 'due_jobs', 'gauge', 'Queued jobs that are due.' );
		$this->sample( 'due_jobs', array(), $counts['due'] );
		$this->family( 'oldest_due_job_seconds', 'gauge', 'For how long the job that is due for longest has been due.' );
		$this->sample( 'oldest_due_job_seconds', array(), Jobs::overdue() );
		$by_tenant = Sql::rows( "SELECT tenant, SUM(state = 'dead') AS dead, SUM(state = 'queued' AND held = 1 AND available_at > UTC_TIMESTAMP(3)) AS held, COALESCE(MAX(IF(state = 'dead', NULL, TIMESTAMPDIFF(SECOND, failing_since, UTC_TIMESTAMP()))), 0) AS failing FROM `$jobs` WHERE state = 'dead' OR held = 1 OR failing_since IS NOT NULL GROUP BY tenant" );
		foreach ( array(
			'dead'    => array( 'dead_letters', 'Jobs that failed for good.' ),
			'held'    => array( 'held_jobs', 'Jobs that wait until a time that the CRM named, or that the breaker of its connection did.' ),
			'failing' => array( 'failing_seconds', 'For how long a tenant\'s open job has stored nothing but failures.' ),
		) as $column => list( $name, $help ) ) {
			$this->family( $name, 'gauge', $help );
			$sums = array();
			foreach ( $by_tenant as $row ) {
				$tenant          = $this->ids[ (int) $row['tenant'] ] ?? '';
				$sums[ $tenant ] = 'failing' === $column ? max( $sums[ $tenant ] ?? 0, (int) $row[ $column ] ) : ( $sums[ $tenant ] ?? 0 ) + (int) $row[ $column ];
			}
			foreach ( array_filter( $sums ) as $tenant => $value ) {
				$this->sample( $name, array( 'tenant' => $tenant ), $value );
			}
		}
		$this->family( 'runs', 'gauge', 'Syncs by state: the open ones, and those that ended and are kept.' );
		$states = array_column( Sql::rows( "SELECT state, COUNT(*) AS n FROM `$runs` GROUP BY state" ), 'n', 'state' );
		foreach ( Runs::STATES as $state ) {
			$this->sample( 'runs', array( 'state' => $state ), (int) ( $states[ $state ] ?? 0 ) );
		}
	}

	private function records(): void {
		$rows = get_transient( self::RECORDS );
		if ( ! is_array( $rows ) ) {
			$rows = Sql::rows( 'SELECT tenant, object, COUNT(*) AS n FROM `' . Schema::table( 'records' ) . '` GROUP BY tenant, object' );
			set_transient( self::RECORDS, $rows, self::FRESH );
		}
		$sums = array();
		foreach ( $rows as $row ) {
			$tenant = $this->ids[ (int) $row['tenant'] ] ?? '';

			$sums[ $tenant ][ $row['object'] ] = ( $sums[ $tenant ][ $row['object'] ] ?? 0 ) + (int) $row['n'];
		}
		$this->family( 'records', 'gauge', 'Records on this site, counted at most once a minute.' );
		foreach ( $sums as $tenant => $objects ) {
			foreach ( $objects as $object => $count ) {
				$this->sample(
					'records',
					array(
						'tenant' => $tenant,
						'object' => $object,
					),
					$count
				);
			}
		}
	}

	/** What is used of the limits of those tenants whose CRM was asked anything yet, and whose figures cost no request to it. */
	private function limits(): void {
		$asked    = array_flip( array_column( Counters::all(), 'tenant' ) );
		$fresh    = array_flip( array_column( Sql::rows( 'SELECT tenant FROM `' . Schema::table( 'tokens' ) . "` WHERE state = 'ok' AND version > 0 AND (expires_at IS NULL OR expires_at > UNIX_TIMESTAMP() + " . self::TOKEN_SECONDS . ')' ), 'tenant' ) );
		$deadline = microtime( true ) + self::PATIENCE;
		$all      = array();
		$left_out = 0;
		foreach ( $this->tenants as $tenant ) {
			if ( ! isset( $this->ids[ $tenant->key ], $asked[ $tenant->key ] ) || ! $tenant->is_configured() ) {
				continue;
			}
			if ( microtime( true ) > $deadline || ( self::needs_token( $tenant ) && ! isset( $fresh[ $tenant->key ] ) ) ) {
				++$left_out;
				continue;
			}
			try {
				foreach ( $tenant->client()->limits() as $limit ) {
					// Two windows of one name differ in their length.
					$all[ $tenant->id ][ "{$limit['name']} {$limit['seconds']}" ] = $limit;
				}
			} catch ( \Exception $e ) {
				// What is wrong with the connection is said where it is tested and synced.
				continue;
			}
		}
		$now = microtime( true );
		foreach ( array(
			'limit_used'         => array( 'What is used of the limits of a tenant\'s CRM, in their units; tenants with one account share them.', static fn( array $limit ) => (int) $limit['used'] ),
			'limit_left'         => array( 'What is left of them for this site.', static fn( array $limit ) => (int) $limit['left'] ),
			'limit_held_seconds' => array( 'For how long the CRM has asked to wait.', static fn( array $limit ) => max( 0.0, ( $limit['held_until'] ?? $now ) - $now ) ),
		) as $name => list( $help, $value ) ) {
			$this->family( $name, 'gauge', $help );
			foreach ( $all as $tenant => $limits ) {
				foreach ( $limits as $limit ) {
					$labels = array(
						'tenant' => $tenant,
						'limit'  => $limit['name'],
						'window' => $limit['seconds'],
						'unit'   => $limit['unit'],
					);
					$this->sample( $name, $labels, $value( $limit ) );
				}
			}
		}
		$this->family( 'limits_left_out', 'gauge', 'Tenants whose limits are missing above: their token runs out or is missing, which only a sync renews, or there was no time for them.' );
		$this->sample( 'limits_left_out', array(), $left_out );
	}

	/** Where the token is not known to be good, the extension would get a new one; a look at figures must not. */
	private static function needs_token( Tenant $tenant ): bool {
		$methods = Connectors::find( $tenant->connector )['auth'] ?? array();
		$method  = $methods[ (string) ( $tenant->connection()['auth'] ?? array_key_first( $methods ) ) ] ?? null;
		// Of a tenant of the site's own code it is not known which way it takes.
		return 'function' === $tenant->source ? array() !== array_filter( array_column( $methods, 'oauth2' ) ) : ! empty( $method['oauth2'] );
	}

	private function family( string $name, string $type, string $help ): void {
		$this->out->family( self::PREFIX . $name, $type, $help );
	}

	/** @param array<string, string|int> $labels */
	private function sample( string $name, array $labels, int|float $value ): void {
		$this->out->sample( self::PREFIX . $name, $labels, $value );
	}
}
