<?php
/**
 * Where the values of a lead come from: what the ledger keeps of the decisions of merges, field by field, in the row that it writes anyway.
 * '*' stands for the fields that nobody has changed since the lead was first seen. Pure.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Lead;
use TenantCRM\Times;

final class Origins {

	/** What merge() says of a field on which both agree already, or about which a person is asked. */
	private const NO_NEWS = array( 'equal', 'base' );

	/** A record that becomes a lead. */
	public static function arrived( Lead $lead ): string {
		return self::json( array( '*' => array( 'crm', self::crm_time( $lead ), 'first read from the CRM' ) ) );
	}

	/**
	 * @param string|null               $known What the ledger has.
	 * @param array<string, mixed>      $merge As \TenantCRMSync::merge() gives it.
	 * @param array<string, mixed>|null $sent  Fields of a write that is settled: where they come from is known since it was decided.
	 */
	public static function merged( ?string $known, array $merge, Subject $subject, Lead $lead, ?array $sent ): string {
		$origins = self::all( $known );
		$portal  = array( 'portal', self::portal_time( $subject ) );
		$who     = (int) ( $subject->change['who'] ?? 0 );
		if ( ! $origins ) {
			$origins['*'] = null === $sent ? array( 'crm', self::crm_time( $lead ), 'first read from the CRM' ) : array( ...$portal, 'made in the portal', $who );
		}
		foreach ( array_diff_key( $merge['decisions'] ?? array(), (array) $sent ) as $field => $decision ) {
			if ( in_array( $decision['from'], self::NO_NEWS, true ) || ( $origins[ $field ][4] ?? null ) === self::mark( $merge['record'][ $field ] ?? null ) ) {
				// The value on its way to the CRM is still the one that was decided on.
				continue;
			}
			$origins[ $field ] = match ( $decision['from'] ) {
				'portal' => array( ...$portal, $decision['rule'], $who, self::mark( $merge['record'][ $field ] ?? null ) ),
				'crm'    => array( 'crm', self::crm_time( $lead ), $decision['rule'] ),
				default  => array( 'merge', gmdate( 'Y-m-d H:i:s' ), $decision['rule'], 0, self::mark( $merge['record'][ $field ] ?? null ) ),
			};
		}
		return self::json( $origins );
	}

	/** @param mixed $value That was chosen. */
	public static function decided( ?string $known, string $field, string $side, $value ): string {
		$origins           = self::all( $known );
		$origins[ $field ] = array( $side, gmdate( 'Y-m-d H:i:s' ), 'decided by a person', get_current_user_id(), self::mark( $value ) );
		return self::json( $origins );
	}

	/** @return array{source: string, time: string, rule: string, who: int}|null */
	public static function of( ?string $known, string $field ): ?array {
		$origins = self::all( $known );
		$origin  = $origins[ $field ] ?? $origins['*'] ?? null;
		return is_array( $origin ) ? array( 'source' => (string) ( $origin[0] ?? '' ), 'time' => (string) ( $origin[1] ?? '' ), 'rule' => (string) ( $origin[2] ?? '' ), 'who' => (int) ( $origin[3] ?? 0 ) ) : null; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @param mixed $value */
	private static function mark( $value ): string {
		return substr( hash( 'sha256', Projection::canonical( $value ) ), 0, 12 );
	}

	private static function crm_time( Lead $lead ): string {
		return $lead->updated_at ?? Times::utc( $lead->revision ) ?? gmdate( 'Y-m-d H:i:s' );
	}

	private static function portal_time( Subject $subject ): string {
		return substr( $subject->change['changed_at'] ?? gmdate( 'Y-m-d H:i:s' ), 0, 19 );
	}

	/** @return array<string, array<mixed>> */
	private static function all( ?string $known ): array {
		return array_filter( (array) json_decode( (string) $known, true ), 'is_array' );
	}

	/** @param array<string, array<mixed>> $origins */
	private static function json( array $origins ): string {
		return (string) wp_json_encode( $origins, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	}
}
