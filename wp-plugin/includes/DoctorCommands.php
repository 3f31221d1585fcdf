<?php
/**
 * The command `doctor`: what Site Health says of this plugin, on a terminal; and with tenants, whether their CRMs answer.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class DoctorCommands {

	private const STATUSES = array(
		'good'        => 'good',
		'recommended' => 'advice',
		'critical'    => 'critical',
	);

	/** @param array<string, mixed> $options */
	public static function run( array $options ): int {
		$rows = array();
		foreach ( SiteHealth::results() as $name => $result ) {
			$rows[] = self::row( $name, self::STATUSES[ $result['status'] ], $result['label'], $result['description'] );
		}
		$tenants = $options['all'] || $options['tenant'] ? CommandLine::chosen( $options ) : array();
		foreach ( $tenants as $tenant ) {
			// One that is not set up is no fault, unless it is asked about.
			if ( ! $options['all'] || $tenant->is_configured() ) {
				$result = $tenant->test_connection();
				$rows[] = self::row( "tenant {$tenant->id}", $result['ok'] ? 'good' : 'critical', $result['ok'] ? 'The CRM answers' : 'The CRM does not answer as it should', $result['message'] );
			}
		}
		Output::rows( $rows, $options, 'Nothing to check.' );
		$found = array_column( $rows, 'status' );
		return in_array( 'critical', $found, true ) ? CommandLine::FAILED : ( in_array( 'advice', $found, true ) ? CommandLine::WAITS : CommandLine::GOOD );
	}

	/** @return array<string, string> */
	private static function row( string $check, string $status, string $label, string $description ): array {
		return array(
			'check'   => $check,
			'status'  => $status,
			'found'   => $label,
			'details' => html_entity_decode( wp_strip_all_tags( $description ), ENT_QUOTES, 'UTF-8' ),
		);
	}
}
