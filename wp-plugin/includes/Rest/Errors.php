<?php
/**
 * The errors of the REST routes, each made in one place: a stable code, plain words with the remedy, a status, never a secret.
 *
 * Codes begin with `tenant_crm_`; the browser script does not repeat a request that got one.
 */

namespace TenantCRM\Rest;

final class Errors {

	public static function forbidden(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_forbidden',
			__( 'You are not allowed to sync CRM tenants.', 'tenant-crm-sync' ),
			array( 'status' => rest_authorization_required_code() )
		);
	}

	/** Who is logged in, but may not do this. */
	public static function may_not(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_forbidden',
			is_user_logged_in() ? __( 'You are not allowed to do this. Ask whoever manages the CRM tenants of this site.', 'tenant-crm-sync' ) : __( 'Log in first.', 'tenant-crm-sync' ),
			array( 'status' => rest_authorization_required_code() )
		);
	}

	/** @param int $seconds After which it is worth asking again. */
	public static function too_many( int $seconds ): \WP_Error {
		return new \WP_Error(
			'tenant_crm_too_many_requests',
			/* translators: %s: number of seconds */
			sprintf( _n( 'Too many requests. Try again in %s second.', 'Too many requests. Try again in %s seconds.', $seconds, 'tenant-crm-sync' ), number_format_i18n( $seconds ) ),
			array(
				'status'      => 429,
				'retry_after' => $seconds,
			)
		);
	}

	/** What was given cannot be used; the words say why, and never what a secret was. */
	public static function refused( string $message, int $status = 400 ): \WP_Error {
		return new \WP_Error( 'tenant_crm_refused', $message, array( 'status' => $status ) );
	}

	public static function tenant_exists(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_tenant_exists',
			__( 'There is a tenant with this id already. Change that one, or choose another id.', 'tenant-crm-sync' ),
			array( 'status' => 409 )
		);
	}

	public static function no_bin(): \WP_Error {
		return new \WP_Error(
			'rest_trash_not_supported',
			__( 'A tenant has no trash: its data key is destroyed. Set force to true to delete it.', 'tenant-crm-sync' ),
			array( 'status' => 501 )
		);
	}

	/** Also the answer for a lead of another tenant. */
	public static function unknown_lead(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_unknown_lead',
			__( 'There is no such lead.', 'tenant-crm-sync' ),
			array( 'status' => 404 )
		);
	}

	public static function not_editable(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_one_way',
			__( 'Leads of this tenant come from the CRM, which would overwrite the change. Change the lead in the CRM, or set the tenant’s direction to both ways.', 'tenant-crm-sync' ),
			array( 'status' => 409 )
		);
	}

	/** Also the answer for a conflict of another tenant. */
	public static function unknown_conflict(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_unknown_conflict',
			__( 'There is no such conflict. Its tenant may have been deleted.', 'tenant-crm-sync' ),
			array( 'status' => 404 )
		);
	}

	public static function not_decided( string $message ): \WP_Error {
		return new \WP_Error( 'tenant_crm_not_decided', $message, array( 'status' => 409 ) );
	}

	public static function no_metrics(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_forbidden',
			__( 'Only who manages CRM tenants may read these figures.', 'tenant-crm-sync' ),
			array( 'status' => rest_authorization_required_code() )
		);
	}

	/** Also the answer for a tenant that exists but is not the user's: that it exists is not told. */
	public static function unknown_tenant(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_unknown_tenant',
			__( 'There is no such tenant. Reload the Overview to see which there are.', 'tenant-crm-sync' ),
			array( 'status' => 404 )
		);
	}

	public static function unknown_run(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_unknown_run',
			__( 'There is no such sync. Its tenant may have been deleted.', 'tenant-crm-sync' ),
			array( 'status' => 404 )
		);
	}

	public static function paused(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_paused',
			__( 'This tenant is paused. Resume it first.', 'tenant-crm-sync' ),
			array( 'status' => 409 )
		);
	}

	public static function not_set_up(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_not_set_up',
			__( 'This tenant has no CRM address, API key or other field of its connection yet. Edit it first.', 'tenant-crm-sync' ),
			array( 'status' => 409 )
		);
	}

	public static function no_extension(): \WP_Error {
		return new \WP_Error(
			'tenant_crm_no_extension',
			__( 'The PHP extension tenant_crm_sync is not loaded, so nothing can be synced. Ask your host to install it; Site Health says more.', 'tenant-crm-sync' ),
			array( 'status' => 503 )
		);
	}

	/** For a failure nobody foresaw: details go to PHP's error log, not to the browser. */
	public static function unexpected( \Throwable $error ): \WP_Error {
		error_log( sprintf( 'tenant-crm-sync: %s in %s:%d: %s', get_class( $error ), $error->getFile(), $error->getLine(), $error->getMessage() ) ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
		return new \WP_Error(
			'unexpected_error',
			__( 'The site met an unexpected error. PHP’s error log has the details.', 'tenant-crm-sync' ),
			array( 'status' => 500 )
		);
	}
}
