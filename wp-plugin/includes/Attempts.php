<?php
/**
 * Every request that was sent to a CRM, one row each: taken from the extension, which keeps the last ones of this process in memory, and
 * stored together with their sums (Counters). Finding them is the business of AttemptSearch.
 *
 * The extension has removed secrets, queries and bodies before they come here. Whatever fails here fails alone: the work that the requests
 * were for goes on, and what could not be stored is tried again.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Attempts {

	/** Rows are kept so many days, and at most so many of them; the filter tenant_crm_sync_keep_attempts says otherwise. */
	private const KEEP_ROWS = 100000;

	/** What the extension keeps. Twice as many wait here while the database does not take them. */
	private const MOST = 2000;

	/** Rows that one pruning deletes at most; the rest goes next time. Also: rows that a process stores before it prunes by itself. */
	private const MOST_PRUNED = 20000;
	private const TOO_MANY    = 5000;

	/** Rows of one statement: at most a megabyte. */
	private const PIECE = 250;

	/** A statement that failed so often is given up. */
	private const TRIES = 3;

	/** Seconds until a database that did not answer is asked again. */
	private const PAUSE = 10.0;

	/** Option: why lines are not written to the log file, and when that was seen. Never autoloaded. */
	private const TROUBLE = 'tenant_crm_sync_log_trouble';

	private const COLUMNS = 'tenant, run, at, method, operation, status, micros, attempt, sent, received, outcome, excerpt, trace_id, span_id';

	/** @var array<int, list<array<string, mixed>>> What was taken and is not yet stored, by site of the network. */
	private static array $waiting = array();

	/** @var array<int, int> Attempts that nobody can know of any more, by site. */
	private static array $lost = array();

	/** @var array<int, int> How many of the first that wait are in the sums already, by site. */
	private static array $counted = array();

	private static ?int $dropped = null;
	private static string $error = '';
	private static int $stored   = 0;
	private static int $tries    = 0;
	private static float $failed = 0.0;

	public static function register(): void {
		// Late: other code may call a CRM at the end of a request, too.
		add_action( 'shutdown', array( self::class, 'finish' ), 1000 );
		// Before the extension hears of the new site.
		add_action( 'switch_blog', array( self::class, 'leave_site' ), 1, 2 );
	}

	/** Stores what was sent since the last time. Never inside of a transaction: a batch that is undone did send its requests. */
	public static function collect(): void {
		self::take( get_current_blog_id() );
		if ( ! Sql::is_in_transaction() && microtime( true ) - self::$failed >= self::PAUSE ) {
			self::store();
		}
	}

	/** The end of the request: whatever it was, and however it ended. */
	public static function finish(): void {
		global $wpdb;
		self::take( get_current_blog_id() );
		if ( ! array_filter( self::$waiting ) && ! self::$lost ) {
			return;
		}
		if ( Sql::is_in_transaction() ) {
			// The request died in the middle of a batch, which nobody will end any more.
			$wpdb->query( 'ROLLBACK' );
			Sql::use_connection( null );
		}
		foreach ( array_keys( self::$waiting + self::$lost ) as $site ) {
			$switch = get_current_blog_id() !== $site && switch_to_blog( $site );
			self::store();
			if ( $switch ) {
				restore_current_blog();
			}
		}
	}

	/**
	 * The extension tells each site only of its own.
	 *
	 * @param int $new
	 * @param int $old
	 */
	public static function leave_site( $new, $old ): void {
		if ( (int) $new !== (int) $old ) {
			self::take( (int) $old );
		}
	}

	/** Keeps the table bounded. A tenant that sends much makes room for itself, and not at the cost of the others. */
	public static function prune(): void {
		/**
		 * How long requests to CRMs are kept.
		 *
		 * @param array{days: int, rows: int} $keep
		 */
		$keep  = (array) apply_filters(
			'tenant_crm_sync_keep_attempts',
			array(
				'days' => Settings::get( Settings::KEEP_REQUESTS ),
				'rows' => self::KEEP_ROWS,
			)
		);
		$days  = max( 0, (int) ( $keep['days'] ?? Settings::get( Settings::KEEP_REQUESTS ) ) );
		$rows  = max( 0, (int) ( $keep['rows'] ?? self::KEEP_ROWS ) );
		$table = Schema::table( 'attempts' );
		$old   = "at < UTC_TIMESTAMP(3) - INTERVAL $days DAY";
		// Ids follow the time closely enough to bound the search; what is left over goes next time.
		$floor = (int) ( Sql::rows( "SELECT id FROM `$table` WHERE $old ORDER BY at DESC LIMIT 1" )[0]['id'] ?? 0 );
		if ( $floor ) {
			Sql::prune( 'attempts', "id <= $floor AND $old", self::MOST_PRUNED );
		}
		$counts = array_map( 'intval', array_column( Sql::rows( "SELECT tenant, COUNT(*) AS n FROM `$table` GROUP BY tenant" ), 'n', 'tenant' ) );
		$share  = self::share( $counts, $rows );
		foreach ( array_keys( array_filter( $counts, static fn( int $count ): bool => $count > $share ) ) as $tenant ) {
			$floor = (int) ( Sql::rows( "SELECT id FROM `$table` WHERE tenant = $tenant ORDER BY id DESC LIMIT 1 OFFSET $share" )[0]['id'] ?? 0 );
			Sql::prune( 'attempts', "tenant = $tenant AND id <= $floor", self::MOST_PRUNED );
		}
	}

	/**
	 * The largest share that leaves room for all: who needs less leaves the rest to the others.
	 *
	 * @param array<int, int> $counts
	 */
	public static function share( array $counts, int $rows ): int {
		sort( $counts );
		$others = count( $counts );
		foreach ( $counts as $count ) {
			$share = intdiv( $rows, $others );
			if ( $count > $share ) {
				return $share;
			}
			$rows -= $count;
			--$others;
		}
		return PHP_INT_MAX;
	}

	/** @return array{error: string, at: int}|null Why a process could not write lines to the log file, within the last day. */
	public static function trouble(): ?array {
		$trouble = get_option( self::TROUBLE );
		return is_array( $trouble ) && isset( $trouble['error'], $trouble['at'] ) && time() - (int) $trouble['at'] < DAY_IN_SECONDS ? $trouble : null;
	}

	public static function forget(): void {
		delete_option( self::TROUBLE );
	}

	private static function take( int $site ): void {
		$taken = \TenantCRMSync::attempts( self::MOST );
		if ( ! $taken ) {
			return;
		}
		$status      = \TenantCRMSync::status();
		self::$error = (string) ( $status['log_error'] ?? '' );
		// It counts since the process began, which may have served other requests before: of what those lost it cannot be told apart.
		$dropped       = (int) $status['attempts_dropped'];
		$before        = self::$dropped ?? ( 'cli' === PHP_SAPI ? 0 : $dropped - (int) ( $dropped > 0 && count( $taken ) >= self::MOST ) );
		self::$dropped = $dropped;
		$waiting       = array_merge( self::$waiting[ $site ] ?? array(), $taken );
		$surplus       = max( 0, count( $waiting ) - 2 * self::MOST );

		self::$waiting[ $site ] = $surplus ? array_slice( $waiting, 0, -$surplus ) : $waiting;
		self::lose( $site, $surplus + $dropped - $before );
	}

	private static function lose( int $site, int $count ): void {
		if ( $count > 0 ) {
			self::$lost[ $site ] = ( self::$lost[ $site ] ?? 0 ) + $count;
		}
	}

	/** Stores what waits for this site. */
	private static function store(): void {
		global $wpdb;
		$site = get_current_blog_id();
		if ( empty( self::$waiting[ $site ] ) && empty( self::$lost[ $site ] ) ) {
			return;
		}
		$retries = $wpdb->reconnect_retries;
		try {
			// A database that is away is waited for by those who need it.
			$wpdb->reconnect_retries = 1;
			if ( ! $wpdb->check_connection( false ) || ! Schema::is_current() ) {
				self::$failed = microtime( true );
				return;
			}
			self::write( $site );
			self::note_trouble();
		} catch ( \Throwable $e ) {
			self::$failed = microtime( true );
			if ( ++self::$tries >= self::TRIES ) {
				// The same rows would fail for ever, and keep all later ones from being stored.
				self::lose( $site, count( self::$waiting[ $site ] ?? array() ) );
				unset( self::$waiting[ $site ], self::$counted[ $site ] );
				self::$tries = 0;
			}
			error_log( 'tenant-crm-sync: requests to CRMs could not be logged: ' . $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		} finally {
			$wpdb->reconnect_retries = $retries;
		}
	}

	/**
	 * Statements that stand for themselves: a transaction here would commit one that the site's own code left open.
	 *
	 * @throws StoreException
	 */
	private static function write( int $site ): void {
		while ( ! empty( self::$waiting[ $site ] ) ) {
			$counted  = self::$counted[ $site ] ?? 0;
			$attempts = self::with_keys( array_slice( self::$waiting[ $site ], 0, $counted ? $counted : self::PIECE ) );
			if ( ! $counted ) {
				Counters::add( $attempts );
				self::$counted[ $site ] = count( $attempts );
			}
			// Of a tenant that was deleted meanwhile nothing stays but its part of the sums of nobody.
			$rows = array_map( array( self::class, 'row' ), array_filter( $attempts, static fn( array $attempt ): bool => $attempt['key'] > 0 ) );
			if ( $rows ) {
				Sql::change( 'INSERT INTO `' . Schema::table( 'attempts' ) . '` (' . self::COLUMNS . ') VALUES ' . implode( ',', $rows ) ); // phpcs:ignore WordPress.DB.PreparedSQL -- row() quotes.
			}
			array_splice( self::$waiting[ $site ], 0, count( $attempts ) );
			unset( self::$counted[ $site ] );
			self::$tries   = 0;
			self::$stored += count( $attempts );
		}
		if ( ! empty( self::$lost[ $site ] ) ) {
			Counters::add_lost( self::$lost[ $site ] );
			unset( self::$lost[ $site ] );
		}
		if ( self::$stored >= self::TOO_MANY ) {
			self::$stored = 0;
			self::prune();
		}
	}

	/**
	 * @param list<array<string, mixed>> $attempts
	 * @return list<array<string, mixed>> With the tenant's integer `key`; 0 where there is no such tenant.
	 * @throws StoreException
	 */
	private static function with_keys( array $attempts ): array {
		$keys = self::keys( array_unique( array_column( $attempts, 'tenant' ) ) );
		return array_map( static fn( array $attempt ): array => array( 'key' => $keys[ $attempt['tenant'] ] ?? 0 ) + $attempt, $attempts );
	}

	/**
	 * @param array<string> $ids
	 * @return array<string, int> Integer keys by id.
	 * @throws StoreException
	 */
	private static function keys( array $ids ): array {
		$table = Schema::table( 'tenants' );
		$known = $ids ? array_column( Sql::rows( "SELECT id, external_id FROM `$table` WHERE external_id IN (" . implode( ',', array_map( array( Sql::class, 'bytes' ), $ids ) ) . ')' ), 'id', 'external_id' ) : array();
		foreach ( array_diff( $ids, array_map( 'strval', array_keys( $known ) ) ) as $id ) {
			// Of a tenant that only the site's own code knows this may be the first that is heard.
			try {
				if ( null !== Article::site_settings( $id ) ) {
					$known[ $id ] = Tenants::ensure( $id )->key;
				}
			} catch ( \InvalidArgumentException $e ) {
				// An id that no tenant can have.
				unset( $known[ $id ] );
			}
		}
		return array_map( 'intval', $known );
	}

	/** @param array<string, mixed> $attempt */
	private static function row( array $attempt ): string {
		$at      = (int) round( 1000 * (float) $attempt['at'] );
		$hex     = static fn( $id ): string => is_string( $id ) && ctype_xdigit( $id ) ? "x'$id'" : 'NULL';
		$excerpt = $attempt['excerpt'];
		return sprintf(
			"(%d,%d,'%s',%s,%s,%s,%d,%d,%d,%d,%s,%s,%s,%s)",
			$attempt['key'],
			Traces::run_of( $attempt['trace_id'], $attempt['key'] ),
			gmdate( 'Y-m-d H:i:s', intdiv( $at, 1000 ) ) . sprintf( '.%03d', $at % 1000 ),
			Sql::bytes( substr( (string) $attempt['method'], 0, 16 ) ),
			Sql::text( mb_strcut( mb_scrub( (string) $attempt['operation'], 'UTF-8' ), 0, 1000, 'UTF-8' ) ),
			null === $attempt['status'] ? 'NULL' : (int) $attempt['status'],
			Counters::micros( $attempt ),
			$attempt['attempt'],
			$attempt['sent'],
			$attempt['received'],
			Sql::bytes( substr( (string) $attempt['outcome'], 0, 24 ) ),
			null === $excerpt ? 'NULL' : Sql::text( mb_strcut( mb_scrub( (string) $excerpt, 'UTF-8' ), 0, 1000, 'UTF-8' ) ),
			$hex( $attempt['trace_id'] ),
			$hex( $attempt['span_id'] )
		);
	}

	/** A worker may meet what the process that shows Site Health does not. */
	private static function note_trouble(): void {
		$last = self::trouble();
		if ( '' !== self::$error && ( ! $last || $last['error'] !== self::$error || time() - $last['at'] >= MINUTE_IN_SECONDS ) ) {
			update_option(
				self::TROUBLE,
				array(
					'error' => self::$error,
					'at'    => time(),
				),
				false
			);
		}
	}
}
