<?php
/**
 * Site Health: is the extension there and of the right version, is there a key, are jobs being worked, are webhooks accepted; and debug information without
 * secrets. Reads only; says what to do about what it finds.
 */

namespace TenantCRM;

final class SiteHealth {

	/** A queued job this old means that nobody works the queue. */
	const OVERDUE_SECONDS = 900;

	public static function register(): void {
		add_filter( 'site_status_tests', array( __CLASS__, 'tests' ) );
		add_filter( 'debug_information', array( __CLASS__, 'debug' ) );
	}

	/**
	 * @param array<string, array<string, array<string, mixed>>> $tests
	 * @return array<string, array<string, array<string, mixed>>>
	 */
	public static function tests( $tests ) {
		$tests['direct']['tenant_crm_extension'] = array(
			'label' => __( 'CRM Sync extension', 'tenant-crm-sync' ),
			'test'  => array( __CLASS__, 'extension' ),
		);
		if ( Plugin::is_ready() ) {
			$tests['direct']['tenant_crm_key']    = array(
				'label' => __( 'CRM Sync host key', 'tenant-crm-sync' ),
				'test'  => array( __CLASS__, 'key' ),
			);
			$tests['direct']['tenant_crm_jobs']   = array(
				'label' => __( 'CRM Sync queue', 'tenant-crm-sync' ),
				'test'  => array( __CLASS__, 'jobs' ),
			);
			$tests['direct']['tenant_crm_log']    = array(
				'label' => __( 'CRM Sync log of requests', 'tenant-crm-sync' ),
				'test'  => array( __CLASS__, 'log' ),
			);
			$tests['direct']['tenant_crm_limits'] = array(
				'label' => __( 'CRM Sync limits', 'tenant-crm-sync' ),
				'test'  => array( __CLASS__, 'limits' ),
			);
			$tests['direct']['tenant_crm_webhooks'] = array(
				'label' => __( 'CRM Sync webhooks', 'tenant-crm-sync' ),
				'test'  => array( __CLASS__, 'webhooks' ),
			);
		}
		return $tests;
	}

	/** @return array<string, mixed> */
	public static function extension(): array {
		if ( ! extension_loaded( 'tenant_crm_sync' ) && ! Plugin::is_ready() ) {
			return self::result(
				'extension',
				'critical',
				__( 'The PHP extension for CRM Sync is not loaded', 'tenant-crm-sync' ),
				__( 'No tenant is synced and no credential can be opened. Install tenant_crm_sync.so for the PHP that serves this site (and the one of its command line), enable it, and restart PHP-FPM. Nothing was changed or lost meanwhile.', 'tenant-crm-sync' )
			);
		}
		if ( ! Plugin::is_ready() ) {
			return self::result(
				'extension',
				'critical',
				__( 'Another class takes the name TenantCRMSync', 'tenant-crm-sync' ),
				__( 'The extension is loaded, but the class TenantCRMSync is not its own. Remove the old class from the site’s code, and set tenant_crm_sync.register_class = 1.', 'tenant-crm-sync' )
			);
		}
		$version = (string) ( \TenantCRMSync::status()['version'] ?? '' );
		if ( self::minor( $version ) !== self::minor( Plugin::VERSION ) ) {
			return self::result(
				'extension',
				'critical',
				__( 'Plugin and PHP extension of CRM Sync do not belong together', 'tenant-crm-sync' ),
				/* translators: 1: version of the plugin, 2: version of the extension */
				sprintf( __( 'The plugin is version %1$s, the extension %2$s. Install the same version of both and restart PHP-FPM.', 'tenant-crm-sync' ), Plugin::VERSION, $version )
			);
		}
		return self::result(
			'extension',
			'good',
			__( 'The PHP extension for CRM Sync is loaded', 'tenant-crm-sync' ),
			/* translators: %s: version */
			sprintf( __( 'Version %s matches the plugin.', 'tenant-crm-sync' ), $version )
		);
	}

	/** @return array<string, mixed> */
	public static function key(): array {
		$status = \TenantCRMSync::status();
		$error  = (string) ( $status['key_error'] ?? '' );
		if ( '' !== $error || (int) ( $status['keys'] ?? 0 ) < 1 ) {
			return self::result(
				'key',
				'critical',
				__( 'CRM Sync has no usable host key', 'tenant-crm-sync' ),
				'' !== $error
					? $error
					: __( 'Credentials can be neither stored nor opened. Make a key file (one line, 32 random bytes in base64, mode 0600, owned by the user of PHP-FPM) and name it in tenant_crm_sync.key_file.', 'tenant-crm-sync' )
			);
		}
		return self::result(
			'key',
			'good',
			__( 'CRM Sync has a host key', 'tenant-crm-sync' ),
			/* translators: %s: number of keys */
			sprintf( _n( 'Credentials of tenants are sealed. %s key is loaded.', 'Credentials of tenants are sealed. %s keys are loaded.', (int) $status['keys'], 'tenant-crm-sync' ), number_format_i18n( (int) $status['keys'] ) )
		);
	}

	/** @return array<string, mixed> */
	public static function jobs(): array {
		if ( ! Schema::is_current() ) {
			return self::result(
				'jobs',
				'critical',
				__( 'The tables of CRM Sync are missing or old', 'tenant-crm-sync' ),
				__( 'They are made when an admin page is loaded. If this stays, the database user lacks rights (CREATE, ALTER, INDEX), the tables of posts are not InnoDB, or the server is older than MariaDB 10.6 or MySQL 8.0; PHP’s error log says which.', 'tenant-crm-sync' )
			);
		}
		$age    = Jobs::overdue();
		$remedy = __( 'Let the system’s cron call wp-cron.php, or run “php wp-content/plugins/tenant-crm-sync/bin/tenant-crm work” each minute, by the timer of systemd in its folder bin/systemd or by cron. “Sync now” on the Overview works all the same, as long as that screen is open.', 'tenant-crm-sync' );
		$seen   = Wakers::last_seen();
		$is_off = defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON;
		if ( $is_off && ( null === $seen || $seen > self::OVERDUE_SECONDS ) ) {
			return self::result(
				'jobs',
				'critical',
				__( 'Nobody works CRM syncs: WP-Cron is off, and no other worker was seen', 'tenant-crm-sync' ),
				( null === $seen
					? __( 'DISABLE_WP_CRON is set, and no worker has come yet.', 'tenant-crm-sync' )
					/* translators: %s: for example "2 hours" */
					: sprintf( __( 'DISABLE_WP_CRON is set, and the last worker came %s ago.', 'tenant-crm-sync' ), human_time_diff( time() - $seen, time() ) ) ) . ' ' . $remedy
			);
		}
		if ( $age > self::OVERDUE_SECONDS ) {
			return self::result(
				'jobs',
				'critical',
				__( 'CRM syncs wait and nobody works them', 'tenant-crm-sync' ),
				/* translators: %s: for example "2 hours" */
				sprintf( __( 'The oldest sync has been due for %s.', 'tenant-crm-sync' ), human_time_diff( time() - $age, time() ) ) . ' ' . $remedy
			);
		}
		if ( ! $is_off && ! wp_next_scheduled( 'tenant_crm_sync_tick' ) ) {
			return self::result(
				'jobs',
				'recommended',
				__( 'The event of CRM Sync is not scheduled', 'tenant-crm-sync' ),
				__( 'Deactivate and activate the plugin to schedule it again.', 'tenant-crm-sync' ) . ' ' . $remedy
			);
		}
		return self::result( 'jobs', 'good', __( 'CRM syncs are being worked', 'tenant-crm-sync' ), __( 'No sync is overdue.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function log(): array {
		$here    = (string) ( \TenantCRMSync::status()['log_error'] ?? '' );
		$trouble = '' !== $here ? $here : ( Attempts::trouble()['error'] ?? '' );
		if ( '' !== $trouble ) {
			return self::result(
				'log',
				'recommended',
				__( 'The log file of requests to CRMs is not written', 'tenant-crm-sync' ),
				/* translators: %s: what went wrong, with its remedy */
				sprintf( __( 'Log shippers miss lines; syncs go on, and the list on the Log screen is complete. The last failure: %s', 'tenant-crm-sync' ), $trouble )
			);
		}
		$lost = Schema::is_current() ? Counters::lost() : null;
		if ( $lost && time() - strtotime( $lost['at'] . ' UTC' ) < WEEK_IN_SECONDS ) {
			return self::result(
				'log',
				'recommended',
				__( 'Some requests to CRMs are not in the log', 'tenant-crm-sync' ),
				/* translators: 1: number of requests, 2: for example "2 hours" */
				sprintf( __( 'At least %1$s were lost so far, the last ones %2$s ago: code that sends more than 2,000 requests in one go, or a database that did not take them. Nothing that was synced is missing. Let such code work in several requests, or use a log file (tenant_crm_sync.log_file), which has all of them.', 'tenant-crm-sync' ), number_format_i18n( $lost['count'] ), human_time_diff( strtotime( $lost['at'] . ' UTC' ), time() ) )
			);
		}
		return self::result( 'log', 'good', __( 'Requests to CRMs are logged', 'tenant-crm-sync' ), __( 'None was lost in the last week.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function limits(): array {
		// Whoever has not asked Redis lately cannot know how it is.
		\TenantCRMSync::wake( 'site-health' );
		$status = \TenantCRMSync::status();
		$error  = (string) ( $status['limit_error'] ?? '' );
		if ( '' !== $error ) {
			return self::result(
				'limits',
				'recommended',
				__( 'CRM Sync cannot count requests where it should', 'tenant-crm-sync' ),
				$error . ' ' . __( 'Until then only a small part of what the CRMs take is used, so that no limit is crossed: syncs are slower.', 'tenant-crm-sync' )
			);
		}
		if ( ! in_array( $status['redis'] ?? null, array( null, 'ok' ), true ) ) {
			return self::result(
				'limits',
				'recommended',
				__( 'The Redis of CRM Sync is away', 'tenant-crm-sync' ),
				$status['redis'] . ' ' . __( 'Until it is back each host goes on with its share of what the CRMs take, so that no limit is crossed: syncs are slower. Nothing is lost.', 'tenant-crm-sync' )
			);
		}
		return self::result(
			'limits',
			'good',
			__( 'CRM Sync counts requests for all processes together', 'tenant-crm-sync' ),
			null === ( $status['redis'] ?? null )
				? __( 'The limits of the CRMs are shared by all processes of this host.', 'tenant-crm-sync' )
				: __( 'The limits of the CRMs are shared by all hosts, by way of Redis.', 'tenant-crm-sync' )
		);
	}

	/** @return array<string, mixed> */
	public static function webhooks(): array {
		$rows  = Schema::is_current() ? Webhooks\Addresses::all() : array();
		$wrong = array_filter( $rows, static fn( array $row ): bool => $row['tenant'] > 0 && null !== $row['refused_at'] && (string) $row['heard_at'] < $row['refused_at'] );
		if ( $wrong ) {
			return self::result(
				'webhooks',
				'recommended',
				__( 'CRM Sync refuses webhooks', 'tenant-crm-sync' ),
				/* translators: %s: number */
				sprintf( _n( 'The last webhook of %s tenant was refused.', 'The last webhooks of %s tenants were refused.', count( $wrong ), 'tenant-crm-sync' ), number_format_i18n( count( $wrong ) ) ) . ' ' . __( 'The screen of each tenant says why; “tenant-crm tenant webhook” does, too. Nothing is lost: syncs find what webhooks would have told.', 'tenant-crm-sync' )
			);
		}
		return self::result(
			'webhooks',
			'good',
			__( 'CRM Sync takes webhooks as they come', 'tenant-crm-sync' ),
			/* translators: 1: number, 2: number */
			sprintf( __( '%1$s were accepted. %2$s that came for no address were refused.', 'tenant-crm-sync' ), number_format_i18n( array_sum( array_column( $rows, 'accepted' ) ) ), number_format_i18n( array_sum( array_map( static fn( array $row ): int => 0 === $row['tenant'] ? $row['refused'] : 0, $rows ) ) ) )
		);
	}

	/**
	 * No key, no credential, no tenant's name and no endpoint: this text is pasted into support forums.
	 *
	 * @param array<string, mixed> $info
	 * @return array<string, mixed>
	 */
	public static function debug( $info ) {
		$fields = array(
			'plugin'    => array(
				'label' => __( 'Plugin version', 'tenant-crm-sync' ),
				'value' => Plugin::VERSION,
			),
			'extension' => array(
				'label' => __( 'Extension', 'tenant-crm-sync' ),
				'value' => Plugin::is_ready() ? (string) \TenantCRMSync::status()['version'] : __( 'not loaded', 'tenant-crm-sync' ),
			),
		);
		if ( Plugin::is_ready() ) {
			$names = array(
				'key_file'               => __( 'Host key file', 'tenant-crm-sync' ),
				'keys'                   => __( 'Host keys', 'tenant-crm-sync' ),
				'key_error'              => __( 'Key error', 'tenant-crm-sync' ),
				'key_dir'                => __( 'Folder of data keys', 'tenant-crm-sync' ),
				'ca_file'                => __( 'Certificates', 'tenant-crm-sync' ),
				'allow_http'             => __( 'Plain HTTP allowed', 'tenant-crm-sync' ),
				'allow_private_networks' => __( 'Private networks allowed', 'tenant-crm-sync' ),
				'connections_opened'     => __( 'Connections opened by this worker', 'tenant-crm-sync' ),
				'requests'               => __( 'Requests of this worker', 'tenant-crm-sync' ),
				'limit_error'            => __( 'Error of the counters', 'tenant-crm-sync' ),
				'redis'                  => __( 'Redis', 'tenant-crm-sync' ),
			);
			foreach ( array_intersect_key( \TenantCRMSync::status(), $names ) as $name => $value ) {
				$fields[ $name ] = array(
					'label'   => $names[ $name ],
					'value'   => self::plain( $value ),
					// Paths say much about a host: they are shown, but not copied.
					'private' => in_array( $name, array( 'key_file', 'key_dir', 'ca_file', 'key_error', 'limit_error', 'redis' ), true ),
				);
			}
			$fields['tenants'] = array(
				'label' => __( 'Tenants', 'tenant-crm-sync' ),
				'value' => Schema::is_current() ? count( Tenants::all() ) : 0,
			);
			$webhooks           = Schema::is_current() ? Webhooks\Addresses::all() : array();
			$fields['webhooks'] = array(
				'label' => __( 'Webhooks', 'tenant-crm-sync' ),
				/* translators: 1: number, 2: number, 3: number */
				'value' => sprintf( __( '%1$s addresses, %2$s messages accepted, %3$s refused', 'tenant-crm-sync' ), count( array_filter( array_column( $webhooks, 'tenant' ) ) ), array_sum( array_column( $webhooks, 'accepted' ) ), array_sum( array_column( $webhooks, 'refused' ) ) ),
			);
		}
		$info['tenant-crm-sync'] = array(
			'label'  => __( 'CRM Sync', 'tenant-crm-sync' ),
			'fields' => $fields,
		);
		return $info;
	}

	/** @param mixed $value */
	private static function plain( $value ): string {
		if ( is_bool( $value ) ) {
			return $value ? __( 'yes', 'tenant-crm-sync' ) : __( 'no', 'tenant-crm-sync' );
		}
		return null === $value || '' === $value ? __( 'none', 'tenant-crm-sync' ) : (string) $value;
	}

	/** "0.1" of "0.1.3": patch versions go together. */
	private static function minor( string $version ): string {
		return implode( '.', array_slice( explode( '.', $version ), 0, 2 ) );
	}

	/** @return array<string, mixed> */
	private static function result( string $test, string $status, string $label, string $description ): array {
		return array(
			'label'       => $label,
			'status'      => $status,
			'badge'       => array(
				'label' => __( 'CRM Sync', 'tenant-crm-sync' ),
				'color' => 'good' === $status ? 'blue' : ( 'critical' === $status ? 'red' : 'orange' ),
			),
			'description' => '<p>' . esc_html( $description ) . '</p>',
			'actions'     => '',
			'test'        => 'tenant_crm_' . $test,
		);
	}
}
