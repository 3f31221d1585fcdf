<?php
/**
 * Tells people when a tenant has been failing for a while, once each time, and when it works again: by the actions `tenant_crm_sync_failing` and
 * `tenant_crm_sync_recovered`, and by e-mail to the addresses of the option `tenant_crm_sync_alerts`. Workers look once a minute.
 *
 * Failing is a tenant whose open sync stores nothing but failures, whose last sync failed for good, or whose CRM withdrew its consent. That a CRM
 * says "later" is no failure.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Alerts {

	/** Option: addresses, separated by commas; empty: no e-mail. */
	public const OPTION = 'tenant_crm_sync_alerts';

	/** Option: integer key => since, reason, told (the action), mailed. Only tenants that fail just now. */
	private const EPISODES = 'tenant_crm_sync_episodes';

	/** Transient: somebody looked a moment ago. */
	private const LOOKED = 'tenant_crm_sync_looked';

	/** Seconds of failing before people are told. */
	private const PATIENCE = HOUR_IN_SECONDS;

	/** So many tenants are named in one e-mail at most: a CRM that is down takes all of its tenants along. */
	private const NAMED = 50;

	/** What Settings stores: the addresses that are ones. @param mixed $value */
	public static function sanitize( $value ): string {
		$words = preg_split( '/[\s,;]+/', is_string( $value ) ? $value : '', -1, PREG_SPLIT_NO_EMPTY );
		return implode( ', ', array_values( array_unique( array_filter( array_map( 'sanitize_email', $words ), 'is_email' ) ) ) );
	}

	/** Looks, at most once a minute. Never throws: whoever calls this has other things to do. */
	public static function check(): void {
		if ( ! get_transient( self::LOOKED ) ) {
			set_transient( self::LOOKED, 1, MINUTE_IN_SECONDS );
			self::look();
		}
	}

	/** Looks now. */
	public static function look(): void {
		global $wpdb;
		$lock = substr( Schema::table( 'alerts' ), 0, 64 );
		// Two workers must not both tell.
		if ( '1' !== (string) $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, 0)', $lock ) ) ) {
			return;
		}
		try {
			// Another process may have written it after this one read it.
			wp_cache_delete( self::EPISODES, 'options' );
			wp_cache_delete( 'alloptions', 'options' );
			wp_cache_delete( 'notoptions', 'options' );
			self::compare( self::episodes() );
		} catch ( StoreException $e ) {
			error_log( $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		} finally {
			$wpdb->query( $wpdb->prepare( 'DO RELEASE_LOCK(%s)', $lock ) );
		}
	}

	/**
	 * Those that have been failing for so long that people are told.
	 *
	 * @return list<array{key: int, id: string, since: int, reason: string}>
	 */
	public static function failing(): array {
		$failing  = array();
		$episodes = self::episodes();
		$now      = $episodes ? self::now() : 0;
		foreach ( $episodes as $key => $episode ) {
			$tenant = $now - $episode['since'] >= self::patience() ? Tenants::get( $key ) : null;
			if ( $tenant ) {
				$failing[] = array(
					'key'    => $key,
					'id'     => $tenant->id,
					'since'  => $episode['since'],
					'reason' => $episode['reason'],
				);
			}
		}
		return $failing;
	}

	/** The database's clock, which also says since when: one of several hosts may have a wrong one. */
	private static function now(): int {
		return (int) Sql::rows( 'SELECT UNIX_TIMESTAMP() AS now' )[0]['now'];
	}

	public static function forget(): void {
		delete_option( self::EPISODES );
		delete_option( self::OPTION );
		delete_transient( self::LOOKED );
	}

	/**
	 * @param array<int, array{since: int, reason: string, told: bool, mailed: bool}> $old
	 * @throws StoreException
	 */
	private static function compare( array $old ): void {
		$tenants = array();
		foreach ( Tenants::all() as $tenant ) {
			$tenants[ $tenant->key ] = $tenant;
		}
		$new    = array();
		$failed = array();
		$now    = self::now();
		foreach ( self::troubles() as $key => $trouble ) {
			if ( ! isset( $tenants[ $key ] ) || $tenants[ $key ]->paused ) {
				continue;
			}
			$new[ $key ] = array_merge(
				$old[ $key ] ?? array(
					'since'  => $trouble['since'],
					'told'   => false,
					'mailed' => false,
				),
				array( 'reason' => $trouble['reason'] )
			);
			if ( $now - $new[ $key ]['since'] >= self::patience() ) {
				$failed[ $key ] = $tenants[ $key ];
			}
		}
		$well = array();
		foreach ( array_diff_key( $old, $new ) as $key => $episode ) {
			// One that is paused or deleted is not well, only quiet.
			if ( ( $episode['told'] || $episode['mailed'] ) && isset( $tenants[ $key ] ) && ! $tenants[ $key ]->paused ) {
				$well[ $key ] = $tenants[ $key ];
			}
		}
		$untold = array_filter( $failed, static fn( Tenant $tenant ): bool => ! $new[ $tenant->key ]['told'] );
		foreach ( $untold as $key => $tenant ) {
			$new[ $key ]['told'] = true;
		}
		// Written before anybody is told: an action that dies must not be called for ever.
		self::store( $new, $old );
		foreach ( $untold as $key => $tenant ) {
			Log::add( $key, 'error', sprintf( 'The tenant has been failing since %s UTC. %s', gmdate( 'Y-m-d H:i:s', $new[ $key ]['since'] ), $new[ $key ]['reason'] ) );
			/**
			 * A tenant has been failing for a while. Called once each time.
			 *
			 * @param Tenant $tenant
			 * @param string $reason In plain words, without secrets.
			 * @param int    $since  Unix time.
			 */
			do_action( 'tenant_crm_sync_failing', $tenant, $new[ $key ]['reason'], $new[ $key ]['since'] );
		}
		foreach ( $well as $key => $tenant ) {
			Log::add( $key, 'info', 'The tenant works again.' );
			/** A tenant that people were told of works again. @param Tenant $tenant @param int $since Unix time: when it began to fail. */
			do_action( 'tenant_crm_sync_recovered', $tenant, $old[ $key ]['since'] );
		}
		$unmailed = array_filter( $failed, static fn( Tenant $tenant ): bool => ! $new[ $tenant->key ]['mailed'] );
		if ( $unmailed && self::mail_failing( $unmailed, $new ) ) {
			$before = $new;
			foreach ( $unmailed as $key => $tenant ) {
				$new[ $key ]['mailed'] = true;
			}
			self::store( $new, $before );
		}
		$missed = array_filter( $well, static fn( Tenant $tenant ): bool => $old[ $tenant->key ]['mailed'] );
		if ( $missed ) {
			/* translators: %s: number */
			$what = sprintf( _n( '%s tenant works again', '%s tenants work again', count( $missed ), 'tenant-crm-sync' ), number_format_i18n( count( $missed ) ) );
			self::mail( $what, array_map( array( self::class, 'name' ), $missed ) );
		}
	}

	/**
	 * @return array<int, array{since: int, reason: string}> By tenant.
	 * @throws StoreException
	 */
	private static function troubles(): array {
		$jobs     = Schema::table( 'jobs' );
		$runs     = Schema::table( 'runs' );
		$troubles = array();
		$rows     = Sql::rows( 'SELECT tenant, changed_at AS since, reason FROM `' . Schema::table( 'tokens' ) . "` WHERE state = 'reconnect'" );
		// The last sync that ended failed for good.
		$rows = array_merge( $rows, Sql::rows( "SELECT r.tenant, r.finished_at AS since, r.error AS reason FROM `$runs` r JOIN (SELECT MAX(id) AS id FROM `$runs` WHERE state IN ('done', 'failed') AND kind = 'pull' GROUP BY tenant) newest ON newest.id = r.id WHERE r.state = 'failed'" ) );
		// held: nothing fails, the CRM has said when to come again.
		$rows = array_merge( $rows, Sql::rows( "SELECT j.tenant, j.failing_since AS since, r.error AS reason FROM `$jobs` j LEFT JOIN `$runs` r ON r.id = j.run WHERE j.failing_since IS NOT NULL AND j.state <> 'dead' AND j.attempts > 0 AND NOT (j.held = 1 AND j.available_at > UTC_TIMESTAMP(3))" ) );
		foreach ( $rows as $row ) {
			$key   = (int) $row['tenant'];
			$since = (int) strtotime( $row['since'] . ' UTC' );
			if ( ! isset( $troubles[ $key ] ) || $since < $troubles[ $key ]['since'] ) {
				$troubles[ $key ] = array(
					'since'  => $since,
					'reason' => (string) $row['reason'],
				);
			}
		}
		return $troubles;
	}

	/**
	 * @param array<int, Tenant>                             $tenants
	 * @param array<int, array{since: int, reason: string}> $episodes
	 */
	private static function mail_failing( array $tenants, array $episodes ): bool {
		$lines = array();
		foreach ( $tenants as $key => $tenant ) {
			/* translators: 1: a tenant, 2: for example "2 hours", 3: why */
			$lines[] = sprintf( __( '%1$s, for %2$s: %3$s', 'tenant-crm-sync' ), self::name( $tenant ), human_time_diff( $episodes[ $key ]['since'], self::now() ), $episodes[ $key ]['reason'] );
		}
		/* translators: %s: number */
		return self::mail( sprintf( _n( '%s tenant fails', '%s tenants fail', count( $lines ), 'tenant-crm-sync' ), number_format_i18n( count( $lines ) ) ), $lines );
	}

	/** @param array<string> $lines */
	private static function mail( string $what, array $lines ): bool {
		$to = self::sanitize( get_option( self::OPTION, '' ) );
		if ( '' === $to ) {
			return false;
		}
		$more  = count( $lines ) - self::NAMED;
		$lines = array_slice( array_values( $lines ), 0, self::NAMED );
		if ( $more > 0 ) {
			/* translators: %s: number */
			$lines[] = sprintf( __( '… and %s more.', 'tenant-crm-sync' ), number_format_i18n( $more ) );
		}
		$site = wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES );
		/* translators: 1: name of the site, 2: what happened */
		return wp_mail( explode( ', ', $to ), sprintf( __( '[%1$s] CRM Sync: %2$s', 'tenant-crm-sync' ), $site, $what ), implode( "\n\n", $lines ) . "\n\n" . admin_url( 'admin.php?page=tenant-crm-sync' ) . "\n" );
	}

	private static function name( Tenant $tenant ): string {
		return '' === $tenant->label || $tenant->label === $tenant->id ? $tenant->id : "{$tenant->label} ({$tenant->id})";
	}

	private static function patience(): int {
		/** Seconds of failing before people are told. @param int $seconds */
		return max( 0, (int) apply_filters( 'tenant_crm_sync_alert_after', self::PATIENCE ) );
	}

	/** @return array<int, array{since: int, reason: string, told: bool, mailed: bool}> */
	private static function episodes(): array {
		$episodes = get_option( self::EPISODES );
		return is_array( $episodes ) ? $episodes : array();
	}

	private static function store( array $new, array $old ): void {
		if ( $new !== $old ) {
			update_option( self::EPISODES, $new, false );
		}
	}
}
