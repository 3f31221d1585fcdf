<?php
/**
 * Checks of the work: tables, what is due, who works it, tokens, webhooks, and tenants that keep failing.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Health;

use TenantCRM\Alerts;
use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Wakers;
use TenantCRM\Webhooks\Addresses;

final class Work {

	/** A queued job this old means that nobody works the queue. */
	private const OVERDUE_SECONDS = 900;

	/** So many tenants are named at most. */
	private const NAMED = 5;

	/** @return array<string, mixed> */
	public static function tables(): array {
		$newer = Schema::newer();
		if ( null !== $newer ) {
			return Result::advice( __( 'The tables of CRM Sync are of a newer version of the plugin', 'tenant-crm-sync' ), $newer );
		}
		return Schema::is_current()
			? Result::good( __( 'The tables of CRM Sync are there', 'tenant-crm-sync' ), __( 'They are of the plugin’s version.', 'tenant-crm-sync' ) )
			: Result::critical(
				__( 'The tables of CRM Sync are missing or old', 'tenant-crm-sync' ),
				__( 'They are made when an admin page is loaded. If this stays, the database user lacks rights (CREATE, ALTER, INDEX), the tables of posts are not InnoDB, or the server is older than MariaDB 10.6 or MySQL 8.0; PHP’s error log says which.', 'tenant-crm-sync' )
			);
	}

	/** @return array<string, mixed> */
	public static function jobs(): array {
		$age = Jobs::overdue();
		if ( $age > self::OVERDUE_SECONDS ) {
			return Result::critical(
				__( 'CRM syncs are waiting for a worker', 'tenant-crm-sync' ),
				/* translators: %s: for example "2 hours" */
				sprintf( __( 'The oldest sync has been due for %s.', 'tenant-crm-sync' ), human_time_diff( time() - $age, time() ) ) . ' ' . self::remedy()
			);
		}
		return Result::good(
			__( 'CRM syncs are being worked', 'tenant-crm-sync' ),
			$age > 0
				/* translators: %s: for example "2 minutes" */
				? sprintf( __( 'The oldest sync has been due for %s.', 'tenant-crm-sync' ), human_time_diff( time() - $age, time() ) )
				: __( 'No sync is overdue.', 'tenant-crm-sync' )
		);
	}

	/** @return array<string, mixed> */
	public static function workers(): array {
		$seen   = Wakers::last_seen();
		$is_off = defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON;
		$words  = null === $seen
			? __( 'No worker has come yet.', 'tenant-crm-sync' )
			/* translators: %s: for example "2 hours" */
			: sprintf( __( 'The last worker came %s ago.', 'tenant-crm-sync' ), human_time_diff( time() - $seen, time() ) );
		if ( $is_off && ( null === $seen || $seen > self::OVERDUE_SECONDS ) ) {
			return Result::critical( __( 'Nobody works CRM syncs: WP-Cron is off, and no other worker was seen', 'tenant-crm-sync' ), __( 'DISABLE_WP_CRON is set.', 'tenant-crm-sync' ) . ' ' . $words . ' ' . self::remedy() );
		}
		if ( ! $is_off && ! wp_next_scheduled( Cron::EVENT ) ) {
			return Result::advice( __( 'The event of CRM Sync is not scheduled', 'tenant-crm-sync' ), __( 'Deactivate and activate the plugin to schedule it again.', 'tenant-crm-sync' ) . ' ' . self::remedy() );
		}
		if ( null !== $seen && $seen > HOUR_IN_SECONDS ) {
			return Result::advice( __( 'The workers of CRM Sync come rarely', 'tenant-crm-sync' ), $words . ' ' . __( 'WP-Cron only runs when somebody visits the site.', 'tenant-crm-sync' ) . ' ' . self::remedy() );
		}
		return Result::good( __( 'Workers of CRM Sync come by themselves', 'tenant-crm-sync' ), $words );
	}

	private static function remedy(): string {
		return __( 'Let the system’s cron call wp-cron.php, or run “php wp-content/plugins/tenant-crm-sync/bin/tenant-crm work” each minute, by the timer of systemd in its folder bin/systemd or by cron. “Sync now” on the Overview works all the same, as long as that screen is open.', 'tenant-crm-sync' );
	}

	/** @return array<string, mixed> */
	public static function tokens(): array {
		$lost = array_column( Sql::rows( sprintf( "SELECT t.external_id AS id FROM `%s` k JOIN `%s` t ON t.id = k.tenant WHERE k.state = 'reconnect' ORDER BY t.id", Schema::table( 'tokens' ), Schema::table( 'tenants' ) ) ), 'id' );
		if ( $lost ) {
			return Result::critical(
				__( 'A CRM has withdrawn its consent', 'tenant-crm-sync' ),
				/* translators: %s: names of tenants */
				sprintf( __( 'These tenants are not synced until somebody presses “Connect” on their screens: %s.', 'tenant-crm-sync' ), self::names( $lost ) )
			);
		}
		return Result::good( __( 'All consents of CRMs are valid', 'tenant-crm-sync' ), __( 'Tokens are renewed by themselves.', 'tenant-crm-sync' ) );
	}

	/** @return array<string, mixed> */
	public static function webhooks(): array {
		$rows  = Addresses::all();
		$wrong = array_filter( $rows, static fn( array $row ): bool => $row['tenant'] > 0 && null !== $row['refused_at'] && (string) $row['heard_at'] < $row['refused_at'] );
		if ( $wrong ) {
			return Result::advice(
				__( 'CRM Sync refuses webhooks', 'tenant-crm-sync' ),
				/* translators: %s: number */
				sprintf( _n( 'The last webhook of %s tenant was refused.', 'The last webhooks of %s tenants were refused.', count( $wrong ), 'tenant-crm-sync' ), number_format_i18n( count( $wrong ) ) ) . ' ' . __( 'The screen of each tenant says why; “tenant-crm tenant webhook” does, too. Nothing is lost: syncs find what webhooks would have told.', 'tenant-crm-sync' )
			);
		}
		return Result::good(
			__( 'CRM Sync takes webhooks as they come', 'tenant-crm-sync' ),
			/* translators: 1: number, 2: number */
			sprintf( __( '%1$s were accepted. %2$s that came for no address were refused.', 'tenant-crm-sync' ), number_format_i18n( array_sum( array_column( $rows, 'accepted' ) ) ), number_format_i18n( array_sum( array_map( static fn( array $row ): int => 0 === $row['tenant'] ? $row['refused'] : 0, $rows ) ) ) )
		);
	}

	/** @return array<string, mixed> */
	public static function failing(): array {
		$failing = Alerts::failing();
		if ( $failing ) {
			return Result::critical(
				__( 'Tenants have been failing for a while', 'tenant-crm-sync' ),
				/* translators: %s: names of tenants */
				sprintf( __( '%s. The Log says why; what was synced before is kept, and they are tried again by themselves.', 'tenant-crm-sync' ), self::names( array_column( $failing, 'id' ) ) )
			);
		}
		return Result::good( __( 'No tenant has been failing for long', 'tenant-crm-sync' ), __( 'Short failures are tried again by themselves.', 'tenant-crm-sync' ) );
	}

	/** @param list<string> $ids */
	private static function names( array $ids ): string {
		$named = implode( ', ', array_slice( $ids, 0, self::NAMED ) );
		$more  = count( $ids ) - self::NAMED;
		/* translators: 1: names, 2: number */
		return $more > 0 ? sprintf( __( '%1$s and %2$s more', 'tenant-crm-sync' ), $named, number_format_i18n( $more ) ) : $named;
	}
}
