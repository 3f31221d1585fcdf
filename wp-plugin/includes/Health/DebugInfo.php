<?php
/**
 * The debug information of Site Health. No key, no credential, no tenant's name and no endpoint: this text is pasted into support forums.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Health;

use TenantCRM\Alerts;
use TenantCRM\Extension;
use TenantCRM\Jobs;
use TenantCRM\Plugin;
use TenantCRM\Schema;
use TenantCRM\Tenants;
use TenantCRM\Wakers;
use TenantCRM\Webhooks\Addresses;

final class DebugInfo {

	/** Paths and errors say much about a host: they are shown, but not copied. */
	private const PRIVATE = array( 'key_file', 'key_dir', 'ca_file', 'key_error', 'limit_file', 'limit_error', 'log_error', 'redis' );

	/**
	 * @param mixed $info
	 * @return array<string, mixed>
	 */
	public static function add( $info ): array {
		$info   = is_array( $info ) ? $info : array();
		$fields = array(
			'plugin'    => self::field( __( 'Plugin version', 'tenant-crm-sync' ), Plugin::VERSION ),
			'extension' => self::field( __( 'Extension', 'tenant-crm-sync' ), Extension::version() ?: __( 'not loaded', 'tenant-crm-sync' ) ),
		);
		if ( Plugin::is_ready() ) {
			$fields += self::of_extension();
			$fields += Schema::is_current() ? self::of_site() : array( 'tables' => self::field( __( 'Tables', 'tenant-crm-sync' ), __( 'missing or old', 'tenant-crm-sync' ) ) );
		}
		$info['tenant-crm-sync'] = array(
			'label'  => __( 'CRM Sync', 'tenant-crm-sync' ),
			'fields' => $fields,
		);
		return $info;
	}

	/** @return array<string, array<string, mixed>> */
	private static function of_extension(): array {
		$names  = array(
			'key_file'               => __( 'Host key file', 'tenant-crm-sync' ),
			'keys'                   => __( 'Host keys', 'tenant-crm-sync' ),
			'key_error'              => __( 'Key error', 'tenant-crm-sync' ),
			'key_dir'                => __( 'Folder of data keys', 'tenant-crm-sync' ),
			'ca_file'                => __( 'Certificates', 'tenant-crm-sync' ),
			'allow_http'             => __( 'Plain HTTP allowed', 'tenant-crm-sync' ),
			'allow_private_networks' => __( 'Private networks allowed', 'tenant-crm-sync' ),
			'connections_opened'     => __( 'Connections opened by this worker', 'tenant-crm-sync' ),
			'requests'               => __( 'Requests of this worker', 'tenant-crm-sync' ),
			'limit_file'             => __( 'File of counters', 'tenant-crm-sync' ),
			'limit_slots'            => __( 'Counters', 'tenant-crm-sync' ),
			'limit_slots_used'       => __( 'Counters in use', 'tenant-crm-sync' ),
			'limit_error'            => __( 'Error of the counters', 'tenant-crm-sync' ),
			'log_error'              => __( 'Error of the log file', 'tenant-crm-sync' ),
			'redis'                  => __( 'Redis', 'tenant-crm-sync' ),
		);
		$fields = array();
		foreach ( array_intersect_key( \TenantCRMSync::status(), $names ) as $name => $value ) {
			$fields[ $name ] = self::field( $names[ $name ], self::plain( $value ), in_array( $name, self::PRIVATE, true ) );
		}
		return $fields;
	}

	/** @return array<string, array<string, mixed>> */
	private static function of_site(): array {
		$webhooks = Addresses::all();
		$counts   = Jobs::counts();
		$seen     = Wakers::last_seen();
		return array(
			'tables'   => self::field( __( 'Tables', 'tenant-crm-sync' ), (string) get_option( Schema::OPTION ) ),
			'tenants'  => self::field( __( 'Tenants', 'tenant-crm-sync' ), count( Tenants::all() ) ),
			'failing'  => self::field( __( 'Tenants that have been failing', 'tenant-crm-sync' ), count( Alerts::failing() ) ),
			/* translators: 1: number, 2: number, 3: number of seconds */
			'queue'    => self::field( __( 'Queue', 'tenant-crm-sync' ), sprintf( __( '%1$s jobs are due, %2$s failed for good, the oldest has been due for %3$s s', 'tenant-crm-sync' ), $counts['due'], $counts['dead'], Jobs::overdue() ) ),
			/* translators: %s: number of seconds */
			'worker'   => self::field( __( 'Last worker', 'tenant-crm-sync' ), null === $seen ? __( 'none', 'tenant-crm-sync' ) : sprintf( __( '%s s ago', 'tenant-crm-sync' ), $seen ) ),
			/* translators: 1: number, 2: number, 3: number */
			'webhooks' => self::field( __( 'Webhooks', 'tenant-crm-sync' ), sprintf( __( '%1$s addresses, %2$s messages accepted, %3$s refused', 'tenant-crm-sync' ), count( array_filter( array_column( $webhooks, 'tenant' ) ) ), array_sum( array_column( $webhooks, 'accepted' ) ), array_sum( array_column( $webhooks, 'refused' ) ) ) ),
		);
	}

	/** @return array<string, mixed> */
	private static function field( string $label, string|int $value, bool $is_private = false ): array {
		return array(
			'label'   => $label,
			'value'   => $value,
			'private' => $is_private,
		);
	}

	/** @param mixed $value */
	private static function plain( $value ): string {
		if ( is_bool( $value ) ) {
			return $value ? __( 'yes', 'tenant-crm-sync' ) : __( 'no', 'tenant-crm-sync' );
		}
		return null === $value || '' === $value ? __( 'none', 'tenant-crm-sync' ) : (string) $value;
	}
}
