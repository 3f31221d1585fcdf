<?php
/**
 * What the screens and the REST answers say about a run, in plain words. Pure: no query, no markup; whoever prints it escapes it.
 */

namespace TenantCRM\Admin;

use TenantCRM\Tenant;

final class Words {

	const FINAL_STATES = array( 'done', 'failed', 'cancelled' );

	/** Whether nothing will happen to a run any more. */
	public static function is_final( string $state ): bool {
		return in_array( $state, self::FINAL_STATES, true );
	}

	/**
	 * How a tenant stands, from its last run.
	 *
	 * @param array<string, mixed>|null $run A row of Runs, or null where there was none.
	 */
	public static function state( ?array $run, bool $paused = false ): string {
		if ( null === $run ) {
			return $paused ? __( 'Paused, never synced', 'tenant-crm-sync' ) : __( 'Never synced', 'tenant-crm-sync' );
		}
		$when = self::ago( $run['finished_at'] ?? null );
		switch ( $run['state'] ) {
			case 'queued':
				return __( 'Queued', 'tenant-crm-sync' );
			case 'running':
				return __( 'Syncing', 'tenant-crm-sync' );
			case 'waiting':
				return self::waiting( $run['retry_at'] ?? null );
			case 'failed':
				/* translators: %s: for example "5 minutes ago" */
				$words = sprintf( __( 'Failed %s', 'tenant-crm-sync' ), $when );
				break;
			case 'cancelled':
				/* translators: %s: for example "5 minutes ago" */
				$words = sprintf( __( 'Cancelled %s', 'tenant-crm-sync' ), $when );
				break;
			default:
				/* translators: %s: for example "5 minutes ago" */
				$words = sprintf( __( 'Synced %s', 'tenant-crm-sync' ), $when );
		}
		/* translators: %s: how the last sync ended */
		return $paused ? sprintf( __( 'Paused. %s', 'tenant-crm-sync' ), $words ) : $words;
	}

	/** Why a tenant cannot be synced: `paused`, `unset` where something of its connection is missing, or null where nothing stands in the way. */
	public static function obstacle( Tenant $tenant ): ?string {
		if ( ! $tenant->is_configured() ) {
			return 'unset';
		}
		return $tenant->paused ? 'paused' : null;
	}

	/** One word for colour and for the browser script: the state, or `never`, or `paused`. */
	public static function badge( ?array $run, bool $paused = false ): string {
		if ( null !== $run && ! self::is_final( $run['state'] ) ) {
			return $run['state'];
		}
		if ( $paused ) {
			return 'paused';
		}
		return null === $run ? 'never' : $run['state'];
	}

	/**
	 * What a run did. Empty for one that did nothing yet.
	 *
	 * @param array<string, mixed>|null $run
	 */
	public static function counts( ?array $run ): string {
		if ( null === $run ) {
			return '';
		}
		$created   = (int) $run['created'];
		$updated   = (int) $run['updated'];
		$unchanged = (int) $run['unchanged'];
		$refused   = (int) $run['refused'];
		if ( 'done' === $run['state'] && 0 === $created + $updated + $refused ) {
			if ( 0 === $unchanged ) {
				return __( 'Nothing changed at the CRM.', 'tenant-crm-sync' );
			}
			/* translators: %s: number of records */
			return sprintf( _n( '%s record, unchanged.', 'All %s records unchanged.', $unchanged, 'tenant-crm-sync' ), number_format_i18n( $unchanged ) );
		}
		$parts = array();
		if ( $created ) {
			/* translators: %s: number of records */
			$parts[] = sprintf( __( '%s created', 'tenant-crm-sync' ), number_format_i18n( $created ) );
		}
		if ( $updated ) {
			/* translators: %s: number of records */
			$parts[] = sprintf( __( '%s updated', 'tenant-crm-sync' ), number_format_i18n( $updated ) );
		}
		if ( $unchanged ) {
			/* translators: %s: number of records */
			$parts[] = sprintf( __( '%s unchanged', 'tenant-crm-sync' ), number_format_i18n( $unchanged ) );
		}
		if ( $refused ) {
			/* translators: %s: number of records */
			$parts[] = sprintf( __( '%s refused', 'tenant-crm-sync' ), number_format_i18n( $refused ) );
		}
		return implode( ', ', $parts );
	}

	/**
	 * What a person can do about a run's error, where its words tell an HTTP status; else empty, and the error speaks for itself.
	 *
	 * @param array<string, mixed>|null $run
	 */
	public static function remedy( ?array $run ): string {
		if ( null === $run || 1 !== preg_match( '/\bHTTP ([1-5]\d\d)\b/', (string) ( $run['error'] ?? '' ), $found ) ) {
			return '';
		}
		switch ( (int) $found[1] ) {
			case 401:
				return __( 'The CRM does not accept the API key, or the consent. Edit the tenant and enter a key that is valid there, or connect again.', 'tenant-crm-sync' );
			case 403:
				return __( 'The CRM knows the API key but does not let it read leads. Give it that right at the CRM.', 'tenant-crm-sync' );
			case 404:
				return __( 'The CRM has no leads at this address. Check the address of the tenant.', 'tenant-crm-sync' );
			case 429:
				return __( 'The CRM asks for a pause. Nothing to do: the sync goes on by itself.', 'tenant-crm-sync' );
		}
		if ( $found[1] >= 500 ) {
			return 'failed' === $run['state']
				? __( 'The CRM has a problem of its own. Sync again later.', 'tenant-crm-sync' )
				: __( 'The CRM has a problem of its own. Nothing to do: it is tried again.', 'tenant-crm-sync' );
		}
		return '';
	}

	/** When a tenant is synced by itself the next time. */
	public static function next( Tenant $tenant, ?string $utc ): string {
		$time = self::timestamp( $utc );
		if ( null !== self::obstacle( $tenant ) || null === $time ) {
			return __( 'next: not by itself', 'tenant-crm-sync' );
		}
		if ( $time - time() > YEAR_IN_SECONDS ) {
			return __( 'next: after you start the first one', 'tenant-crm-sync' );
		}
		/* translators: %s: for example "5 minutes" */
		return $time <= time() ? __( 'next: due now', 'tenant-crm-sync' ) : sprintf( __( 'next: in %s', 'tenant-crm-sync' ), human_time_diff( time(), $time ) );
	}

	/** A UTC time of the database as "5 minutes ago". */
	public static function ago( ?string $utc ): string {
		$time = self::timestamp( $utc );
		if ( null === $time ) {
			return __( 'just now', 'tenant-crm-sync' );
		}
		if ( time() - $time < 10 ) {
			return __( 'just now', 'tenant-crm-sync' );
		}
		/* translators: %s: for example "5 minutes" */
		return sprintf( __( '%s ago', 'tenant-crm-sync' ), human_time_diff( $time, time() ) );
	}

	/** A UTC time of the database in the site's format and zone; empty where there is none. */
	public static function time( ?string $utc ): string {
		$time = self::timestamp( $utc );
		/* translators: date and time format, see https://www.php.net/date */
		return null === $time ? '' : (string) wp_date( __( 'Y-m-d H:i:s', 'tenant-crm-sync' ), $time );
	}

	/** A UTC time of the database for machines; null where there is none. */
	public static function iso( ?string $utc ): ?string {
		$time = self::timestamp( $utc );
		return null === $time ? null : gmdate( 'Y-m-d\TH:i:s\Z', $time );
	}

	/** Where a tenant's endpoint and key come from. */
	public static function source( string $source ): string {
		return 'function' === $source
			? __( 'The site’s own function get_tenant_crm_settings()', 'tenant-crm-sync' )
			: __( 'This plugin', 'tenant-crm-sync' );
	}

	/** @return array<string, string> Log levels and their names. */
	public static function levels(): array {
		return array(
			'error'   => __( 'Error', 'tenant-crm-sync' ),
			'warning' => __( 'Warning', 'tenant-crm-sync' ),
			'info'    => __( 'Information', 'tenant-crm-sync' ),
			'debug'   => __( 'Detail', 'tenant-crm-sync' ),
		);
	}

	private static function waiting( ?string $retry_at ): string {
		$time = self::timestamp( $retry_at );
		if ( null === $time || $time <= time() ) {
			return __( 'Waiting for its turn', 'tenant-crm-sync' );
		}
		/* translators: %s: for example "2 minutes" */
		return sprintf( __( 'Waiting, next try in %s', 'tenant-crm-sync' ), human_time_diff( time(), $time ) );
	}

	private static function timestamp( ?string $utc ): ?int {
		if ( null === $utc || '' === $utc || 0 === strpos( $utc, '0000' ) ) {
			return null;
		}
		$time = strtotime( $utc . ' UTC' );
		return false === $time ? null : $time;
	}
}
