<?php
/**
 * What is said of a tenant's webhooks, in plain words, on its screen and on the command line. Pure but for the questions to Addresses and Hints.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Words {

	/** @return list<string> Sentences, the most important first. */
	public static function of( Tenant $tenant ): array {
		$known = Addresses::of( $tenant->key );
		if ( ! $known ) {
			return array( __( 'No address yet: changes are found when the tenant is synced. With an address the CRM tells of them at once.', 'tenant-crm-sync' ) );
		}
		$words = array( self::place( $known ), self::heard( $known ) );
		if ( $known['refused'] > 0 ) {
			/* translators: 1: number, 2: for example "5 minutes", 3: why */
			$words[] = sprintf( __( '%1$s were refused, the last %2$s ago: %3$s.', 'tenant-crm-sync' ), number_format_i18n( $known['refused'] ), self::ago( $known['refused_at'] ), self::reason( (string) $known['reason'] ) );
		}
		if ( null !== $known['stranger'] ) {
			/* translators: %s: an account's name at the CRM */
			$words[] = sprintf( __( 'Proven messages name the account “%s”, which is no tenant’s here. If it is this one’s, enter it; until then they are left aside.', 'tenant-crm-sync' ), $known['stranger'] );
		}
		$counts = Hints::counts( $tenant->key );
		if ( $counts['waiting'] > 0 ) {
			/* translators: %s: number */
			$words[] = sprintf( __( '%s records are waiting to be fetched.', 'tenant-crm-sync' ), number_format_i18n( $counts['waiting'] ) );
		}
		if ( $counts['missing'] > 0 ) {
			/* translators: %s: number */
			$words[] = sprintf( __( '%s records that were named could not be found at the CRM. They are kept here: only a list of deleted records, or a full sync, shows whether they were deleted.', 'tenant-crm-sync' ), number_format_i18n( $counts['missing'] ) );
		}
		return array_values( array_filter( $words ) );
	}

	/** @return list<string> What the CRM itself was asked to send, and until when. */
	public static function subscriptions( Tenant $tenant ): array {
		$words = array();
		foreach ( Subscriptions::made( $tenant->key ) as $object => $renew_at ) {
			$words[] = $renew_at > time()
				/* translators: 1: an object type, 2: for example "2 days" */
				? sprintf( __( 'The CRM sends changes of %1$s; that is renewed in %2$s.', 'tenant-crm-sync' ), $object, human_time_diff( time(), $renew_at ) )
				/* translators: %s: an object type */
				: sprintf( __( 'The CRM sends changes of %s; that is renewed by the next worker.', 'tenant-crm-sync' ), $object );
		}
		return $words;
	}

	/** Why a message was refused. */
	public static function reason( string $reason ): string {
		$words = array(
			'missing'      => __( 'it carried no signature or secret', 'tenant-crm-sync' ),
			'unconfigured' => __( 'the tenant lacks the secret that proves it, or its connection cannot be used', 'tenant-crm-sync' ),
			'unverifiable' => __( 'this CRM’s messages prove nothing', 'tenant-crm-sync' ),
			'malformed'    => __( 'its signature was not in the form that this CRM uses', 'tenant-crm-sync' ),
			'mismatch'     => __( 'its signature is of another message or another secret; a wrong public address of this site does the same', 'tenant-crm-sync' ),
			'old'          => __( 'it was signed too long ago', 'tenant-crm-sync' ),
			'future'       => __( 'it was signed in the future: one of the two clocks is wrong', 'tenant-crm-sync' ),
			'too_large'    => __( 'it was too large', 'tenant-crm-sync' ),
			'unreadable'   => __( 'it was proven, but is not what this CRM sends', 'tenant-crm-sync' ),
			'method'       => __( 'it was no POST', 'tenant-crm-sync' ),
			'unknown'      => __( 'there is no such address', 'tenant-crm-sync' ),
		);
		return $words[ $reason ] ?? $reason;
	}

	/** @param array<string, mixed> $known As Addresses::of() gives it. */
	private static function place( array $known ): string {
		if ( $known['owner'] === $known['tenant'] ) {
			/* translators: %s: for example "2 days" */
			return sprintf( __( 'The address was made %s ago. It is not stored and cannot be shown again.', 'tenant-crm-sync' ), self::ago( $known['created_at'] ) );
		}
		$owner = Tenants::get( $known['owner'] );
		return $owner
			/* translators: %s: tenant */
			? sprintf( __( 'Messages come by the address of tenant “%s”.', 'tenant-crm-sync' ), $owner->id )
			: __( 'Messages came by the address of a tenant that is gone. Give this one an address of its own.', 'tenant-crm-sync' );
	}

	/** @param array<string, mixed> $known */
	private static function heard( array $known ): string {
		if ( $known['owner'] !== $known['tenant'] ) {
			return '';
		}
		$next = Subscriptions::next( $known['tenant'] );
		if ( null === $known['heard_at'] && null !== $next ) {
			/* translators: %s: for example "2 days" */
			return sprintf( __( 'The CRM was asked to send them; that is renewed in %s. Nothing has come yet that was accepted.', 'tenant-crm-sync' ), human_time_diff( time(), $next ) );
		}
		if ( null === $known['heard_at'] ) {
			return __( 'Nothing has come yet that was accepted.', 'tenant-crm-sync' );
		}
		/* translators: 1: for example "5 minutes", 2: number, 3: number, 4: number */
		return sprintf( __( 'The last message came %1$s ago. %2$s were accepted, %3$s came again, %4$s were not about anything that is wanted here.', 'tenant-crm-sync' ), self::ago( $known['heard_at'] ), number_format_i18n( $known['accepted'] ), number_format_i18n( $known['repeated'] ), number_format_i18n( $known['ignored'] ) );
	}

	private static function ago( ?string $utc ): string {
		return human_time_diff( (int) strtotime( "$utc UTC" ), time() );
	}
}
