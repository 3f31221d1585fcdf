<?php
/**
 * WordPress's tools for privacy: which exporter, eraser and text for the policy this plugin has.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\Schema;

final class Privacy {

	public static function register(): void {
		add_filter( 'wp_privacy_personal_data_exporters', array( self::class, 'exporters' ) );
		add_filter( 'wp_privacy_personal_data_erasers', array( self::class, 'erasers' ) );
		add_action( 'admin_init', array( self::class, 'policy' ) );
		add_filter( 'tenant_crm_sync_job_kinds', array( Deletion::class, 'add_kind' ) );
	}

	/**
	 * @param mixed $all
	 * @return array<string, array<string, mixed>>
	 */
	public static function exporters( $all ): array {
		$all = (array) $all;
		if ( Schema::is_current() ) {
			$all['tenant-crm-sync'] = array(
				'exporter_friendly_name' => __( 'CRM Sync', 'tenant-crm-sync' ),
				'callback'               => array( Exporter::class, 'export' ),
			);
		}
		return $all;
	}

	/**
	 * @param mixed $all
	 * @return array<string, array<string, mixed>>
	 */
	public static function erasers( $all ): array {
		$all = (array) $all;
		if ( Schema::is_current() ) {
			$all['tenant-crm-sync'] = array(
				'eraser_friendly_name' => __( 'CRM Sync', 'tenant-crm-sync' ),
				'callback'             => array( Eraser::class, 'erase' ),
			);
		}
		return $all;
	}

	public static function policy(): void {
		wp_add_privacy_policy_content( __( 'CRM Sync', 'tenant-crm-sync' ), wp_kses_post( wpautop( self::text() ) ) );
	}

	private static function text(): string {
		return implode(
			"\n\n",
			array(
				__( 'This site keeps leads of customer relationship management systems (CRMs) in step with them: names, e-mail addresses, telephone numbers and what else the site has chosen to sync. They come from those CRMs, and from forms and accounts of this site where it sends them there. Changes that are made here may be sent to the CRM that the lead belongs to.', 'tenant-crm-sync' ),
				__( 'A log of the last 20,000 events of syncs is kept; it can hold values that were overwritten. Requests to CRMs are noted for 30 days without their content. Where the host writes a log file of requests, it is kept as long as the host says.', 'tenant-crm-sync' ),
				__( 'On request we export or erase what this site has of a person. What was erased is not brought back by later syncs: for that, only a keyed hash of the e-mail address and of the record’s number is kept. The CRM that a lead came from has its own records, and its own duty to erase them.', 'tenant-crm-sync' ),
			)
		);
	}
}
