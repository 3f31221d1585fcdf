<?php
/**
 * Checks of the host: the extension, its key, HTTPS, clocks, the counters of limits in shared memory and in Redis, the log file.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Health;

use TenantCRM\Attempts;
use TenantCRM\Counters;
use TenantCRM\Extension;
use TenantCRM\Schema;

final class Host {

	/** Clocks that differ by more than so many seconds make "newest wins" and the times on screens wrong. */
	private const SKEW = 30;

	/** @return array<string, mixed> */
	public static function extension(): array {
		$obstacle = Extension::obstacle();
		if ( null !== $obstacle ) {
			return Result::critical( __( 'There is no PHP extension that CRM Sync can work with', 'tenant-crm-sync' ), $obstacle );
		}
		$difference = Extension::difference();
		if ( null !== $difference ) {
			return Result::advice( __( 'Plugin and PHP extension of CRM Sync are of different versions', 'tenant-crm-sync' ), $difference );
		}
		return Result::good(
			__( 'The PHP extension for CRM Sync is loaded', 'tenant-crm-sync' ),
			/* translators: %s: version */
			sprintf( __( 'Version %s matches the plugin.', 'tenant-crm-sync' ), Extension::version() )
		);
	}

	/** @return array<string, mixed> */
	public static function key(): array {
		$status = \TenantCRMSync::status();
		$error  = (string) ( $status['key_error'] ?? '' );
		if ( '' !== $error || (int) ( $status['keys'] ?? 0 ) < 1 ) {
			return Result::critical(
				__( 'CRM Sync has no usable host key', 'tenant-crm-sync' ),
				'' !== $error
					? $error
					: __( 'Credentials can be neither stored nor opened. Make a key file (one line, 32 random bytes in base64, mode 0600, owned by the user of PHP-FPM) and name it in tenant_crm_sync.key_file.', 'tenant-crm-sync' )
			);
		}
		/* translators: %s: number of keys */
		$words = sprintf( _n( 'Credentials of tenants are sealed. %s key is loaded.', 'Credentials of tenants are sealed. %s keys are loaded.', (int) $status['keys'], 'tenant-crm-sync' ), number_format_i18n( (int) $status['keys'] ) );
		return Result::good( __( 'CRM Sync has a host key', 'tenant-crm-sync' ), $words . ' ' . self::key_source( (string) $status['key_file'] ) );
	}

	/** Where the key comes from and who may read it, without its path: this is seen by more people than the host's. */
	public static function key_source( string $file ): string {
		$source = '' !== (string) ini_get( 'tenant_crm_sync.key_file' )
			? __( 'The file is named in PHP’s settings.', 'tenant-crm-sync' )
			: __( 'The file is named by the environment variable TENANT_CRM_SYNC_KEY_FILE.', 'tenant-crm-sync' );
		clearstatcache( true, $file );
		$mode = '' !== $file && is_file( $file ) ? fileperms( $file ) & 07777 : null;
		/* translators: %s: file permissions such as 0600 */
		return null === $mode ? $source : $source . ' ' . sprintf( __( 'Its mode is %s.', 'tenant-crm-sync' ), sprintf( '%04o', $mode ) );
	}

	/** @return array<string, mixed> */
	public static function https(): array {
		if ( 'https' !== wp_parse_url( home_url(), PHP_URL_SCHEME ) || 'https' !== wp_parse_url( admin_url(), PHP_URL_SCHEME ) ) {
			return Result::advice(
				__( 'CRM Sync works on a site without HTTPS', 'tenant-crm-sync' ),
				__( 'API keys that are typed into its screens, and the leads themselves, can be read on the way; CRMs send no webhooks to such an address. Change the site’s addresses to https.', 'tenant-crm-sync' )
			);
		}
		if ( ! empty( \TenantCRMSync::status()['allow_http'] ) ) {
			return Result::advice(
				__( 'CRM Sync may call CRMs without HTTPS', 'tenant-crm-sync' ),
				__( 'The setting tenant_crm_sync.allow_http is on. Turn it off unless a CRM of your own network has no HTTPS.', 'tenant-crm-sync' )
			);
		}
		return Result::good( __( 'CRM Sync uses HTTPS', 'tenant-crm-sync' ), __( 'This site and all CRMs are called by HTTPS only.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function clock(): array {
		global $wpdb;
		$database = (int) $wpdb->get_var( 'SELECT UNIX_TIMESTAMP()' );
		$skews    = array_map( 'abs', Clocks::skews() );
		$worst    = $skews ? max( $skews ) : 0;
		if ( abs( $database - time() ) > self::SKEW ) {
			return Result::critical(
				__( 'The clocks of this host and of its database differ', 'tenant-crm-sync' ),
				/* translators: %s: number of seconds */
				sprintf( __( 'By %s seconds. Jobs start too early or too late, and “newest wins” can choose the wrong side. Let NTP set both clocks.', 'tenant-crm-sync' ), number_format_i18n( abs( $database - time() ) ) )
			);
		}
		if ( $worst > self::SKEW ) {
			return Result::advice(
				__( 'The clocks of this host and of a CRM differ', 'tenant-crm-sync' ),
				/* translators: 1: number of tenants, 2: number of seconds */
				sprintf( __( 'At the last test of the connection: of %1$s tenants, by up to %2$s seconds. Nothing is lost, since watermarks are the CRM’s own time; “newest wins” asks a person where it cannot tell. Let NTP set this host’s clock, then test the connections again.', 'tenant-crm-sync' ), number_format_i18n( count( array_filter( $skews, static fn( float $skew ): bool => $skew > self::SKEW ) ) ), number_format_i18n( $worst ) )
			);
		}
		return Result::good( __( 'The clocks that CRM Sync goes by agree', 'tenant-crm-sync' ), __( 'This host’s, the database’s, and those of the CRMs whose connections were tested.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function limits(): array {
		// Whoever has not asked Redis lately cannot know how it is.
		\TenantCRMSync::wake( 'site-health' );
		$status = \TenantCRMSync::status();
		$error  = (string) ( $status['limit_error'] ?? '' );
		if ( '' !== $error ) {
			return Result::advice(
				__( 'CRM Sync cannot count requests where it should', 'tenant-crm-sync' ),
				$error . ' ' . __( 'Until then only a small part of what the CRMs take is used, so that no limit is crossed: syncs are slower.', 'tenant-crm-sync' )
			);
		}
		$slots = (int) ( $status['limit_slots'] ?? 0 );
		$used  = (int) ( $status['limit_slots_used'] ?? 0 );
		if ( $slots > 0 && $used > 0.9 * $slots ) {
			return Result::advice(
				__( 'The counters of CRM Sync are nearly full', 'tenant-crm-sync' ),
				/* translators: 1: number, 2: number */
				sprintf( __( '%1$s of %2$s are used. Give tenant_crm_sync.limit_slots a higher number, stop PHP, remove the file (tenant_crm_sync.limit_file) and start PHP again.', 'tenant-crm-sync' ), number_format_i18n( $used ), number_format_i18n( $slots ) )
			);
		}
		return Result::good(
			__( 'CRM Sync counts requests for all processes together', 'tenant-crm-sync' ),
			/* translators: 1: number, 2: number */
			sprintf( __( 'The limits of the CRMs are shared by all processes of this host. %1$s of %2$s counters are used.', 'tenant-crm-sync' ), number_format_i18n( $used ), number_format_i18n( $slots ) )
		);
	}

	/** @return array<string, mixed> */
	public static function redis(): array {
		\TenantCRMSync::wake( 'site-health' );
		$redis = \TenantCRMSync::status()['redis'] ?? null;
		if ( ! in_array( $redis, array( null, 'ok' ), true ) ) {
			return Result::advice(
				__( 'The Redis of CRM Sync is away', 'tenant-crm-sync' ),
				$redis . ' ' . __( 'Until it is back each host goes on with its share of what the CRMs take, so that no limit is crossed: syncs are slower. Nothing is lost.', 'tenant-crm-sync' )
			);
		}
		return null === $redis
			? Result::good( __( 'CRM Sync needs no Redis here', 'tenant-crm-sync' ), __( 'None is configured. That is well for one host; several need one to share the limits of the CRMs (tenant_crm_sync.redis_url).', 'tenant-crm-sync' ) )
			: Result::good( __( 'CRM Sync reaches its Redis', 'tenant-crm-sync' ), __( 'The limits of the CRMs are shared by all hosts.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function log(): array {
		$here    = (string) ( \TenantCRMSync::status()['log_error'] ?? '' );
		$trouble = '' !== $here ? $here : ( Attempts::trouble()['error'] ?? '' );
		if ( '' !== $trouble ) {
			return Result::advice(
				__( 'The log file of requests to CRMs is not written', 'tenant-crm-sync' ),
				/* translators: %s: what went wrong, with its remedy */
				sprintf( __( 'Log shippers miss lines; syncs go on, and the list on the Log screen is complete. The last failure: %s', 'tenant-crm-sync' ), $trouble )
			);
		}
		$lost = Schema::is_current() ? Counters::lost() : null;
		if ( $lost && time() - strtotime( $lost['at'] . ' UTC' ) < WEEK_IN_SECONDS ) {
			return Result::advice(
				__( 'Some requests to CRMs are not in the log', 'tenant-crm-sync' ),
				/* translators: 1: number of requests, 2: for example "2 hours" */
				sprintf( __( 'At least %1$s were lost so far, the last ones %2$s ago: code that sends more than 2,000 requests in one go, or a database that did not take them. Nothing that was synced is missing. Let such code work in several requests, or use a log file (tenant_crm_sync.log_file), which has all of them.', 'tenant-crm-sync' ), number_format_i18n( $lost['count'] ), human_time_diff( strtotime( $lost['at'] . ' UTC' ), time() ) )
			);
		}
		return Result::good( __( 'Requests to CRMs are logged', 'tenant-crm-sync' ), __( 'None was lost in the last week.', 'tenant-crm-sync' ) );
	}
}
