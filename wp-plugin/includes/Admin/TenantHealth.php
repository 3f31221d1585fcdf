<?php
/**
 * How a tenant is, in one word and one sentence, from what Standings found. Pure: no query, no markup.
 */

namespace TenantCRM\Admin;

use TenantCRM\Tenant;

final class TenantHealth {

	const GOOD      = 'good';
	const NEW       = 'new';
	const ATTENTION = 'attention';
	const WAITING   = 'waiting';
	const FAILING   = 'failing';
	const PAUSED    = 'paused';
	const UNSET     = 'unset';

	/** A sync that nobody has begun so long after it was due will not begin by itself. */
	const LATE_SECONDS = 1800;

	/** @return array<string, string> What each is called, the most urgent first. */
	public static function names(): array {
		return array(
			self::FAILING   => __( 'Failing', 'tenant-crm-sync' ),
			self::WAITING   => __( 'Waiting', 'tenant-crm-sync' ),
			self::ATTENTION => __( 'Needs a look', 'tenant-crm-sync' ),
			self::UNSET     => __( 'Not set up', 'tenant-crm-sync' ),
			self::NEW       => __( 'New', 'tenant-crm-sync' ),
			self::PAUSED    => __( 'Paused', 'tenant-crm-sync' ),
			self::GOOD      => __( 'Healthy', 'tenant-crm-sync' ),
		);
	}

	/** @param array<string, mixed> $figures Of Standings. */
	public static function of( Tenant $tenant, array $figures ): string {
		$run = $figures['run'];
		if ( 'unset' === Words::obstacle( $tenant ) ) {
			return self::UNSET;
		}
		if ( $tenant->paused ) {
			return self::PAUSED;
		}
		if ( $figures['dead'] > 0 || 'failed' === ( $run['state'] ?? '' ) ) {
			return self::FAILING;
		}
		if ( 'waiting' === ( $run['state'] ?? '' ) || self::is_late( $figures ) ) {
			return self::WAITING;
		}
		if ( $figures['conflicts'] + $figures['refused'] > 0 ) {
			return self::ATTENTION;
		}
		return null === $run ? self::NEW : self::GOOD;
	}

	/**
	 * What a person should know or do about it; empty where the state of the last sync says it all.
	 *
	 * @param array<string, mixed> $figures Of Standings.
	 */
	public static function why( Tenant $tenant, array $figures ): string {
		switch ( self::of( $tenant, $figures ) ) {
			case self::UNSET:
				/* translators: %s: list of fields, for example "endpoint, API key" */
				return sprintf( __( 'Its connection lacks: %s.', 'tenant-crm-sync' ), implode( ', ', $tenant->missing() ) );
			case self::WAITING:
				return self::is_late( $figures ) ? __( 'A sync is due, and nobody works it: see Health and settings. “Sync now” works all the same.', 'tenant-crm-sync' ) : '';
			case self::ATTENTION:
				return self::asks( $figures );
		}
		return '';
	}

	/** @param array<string, mixed> $figures Of Standings. */
	private static function asks( array $figures ): string {
		$parts = array();
		if ( $figures['conflicts'] ) {
			/* translators: %s: number of conflicts */
			$parts[] = sprintf( _n( '%s conflict waits for a decision.', '%s conflicts wait for a decision.', $figures['conflicts'], 'tenant-crm-sync' ), number_format_i18n( $figures['conflicts'] ) );
		}
		if ( $figures['refused'] ) {
			/* translators: %s: number of rows */
			$parts[] = sprintf( _n( '%s row was refused.', '%s rows were refused.', $figures['refused'], 'tenant-crm-sync' ), number_format_i18n( $figures['refused'] ) );
		}
		return implode( ' ', $parts );
	}

	/** @param array<string, mixed> $figures Of Standings. */
	private static function is_late( array $figures ): bool {
		$due = null === $figures['next_at'] ? false : strtotime( $figures['next_at'] . ' UTC' );
		return null !== $figures['run'] && Words::is_final( $figures['run']['state'] ) && false !== $due && time() - $due > self::LATE_SECONDS;
	}
}
