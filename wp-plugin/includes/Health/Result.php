<?php
/**
 * What a check found, as WordPress wants it.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Health;

final class Result {

	/** @return array<string, mixed> */
	public static function good( string $label, string $description ): array {
		return self::make( 'good', 'blue', $label, $description );
	}

	/** @return array<string, mixed> */
	public static function advice( string $label, string $description ): array {
		return self::make( 'recommended', 'orange', $label, $description );
	}

	/** @return array<string, mixed> */
	public static function critical( string $label, string $description ): array {
		return self::make( 'critical', 'red', $label, $description );
	}

	/** @return array<string, mixed> */
	private static function make( string $status, string $color, string $label, string $description ): array {
		return array(
			'label'       => $label,
			'status'      => $status,
			'badge'       => array(
				'label' => __( 'CRM Sync', 'tenant-crm-sync' ),
				'color' => $color,
			),
			'description' => '<p>' . esc_html( $description ) . '</p>',
			'actions'     => '',
		);
	}
}
