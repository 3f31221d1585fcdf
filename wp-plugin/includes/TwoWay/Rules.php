<?php
/**
 * A tenant's rules of two-way sync: which way each object goes, who counts where both sides changed something, what becomes of deletions.
 * They are settings of the tenant:
 *
 * - direction: from_crm (default), to_crm or both; or an array of them by object.
 * - policy: crm (default), portal, newest or ask; policies: the same by field, in place of it.
 * - delete_policy: crm, portal or ask (default), where one side deleted what the other changed.
 * - portal_deletes: ask (default), delete or keep: what a lead that goes to the bin of the portal means for the CRM.
 * - crm_deletes: bin (default) or keep: what a record that is deleted in the CRM means for the portal.
 * - unique: the field by which one person is known on both sides; email by default, empty for none.
 * - same: what servers may write differently, by field, as \TenantCRMSync::merge() takes it.
 * - forms: which forms bring leads in; see Forms.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Schema;
use TenantCRM\Tenant;

final class Rules {

	public const FROM_CRM = 'from_crm';
	public const TO_CRM   = 'to_crm';
	public const BOTH     = 'both';

	private const CHOICES = array(
		'policy'         => array( 'crm', 'portal', 'newest', 'ask' ),
		'delete_policy'  => array( 'ask', 'crm', 'portal' ),
		'portal_deletes' => array( 'ask', 'delete', 'keep' ),
		'crm_deletes'    => array( 'bin', 'keep' ),
	);

	private const DIRECTIONS = array( self::FROM_CRM, self::TO_CRM, self::BOTH );

	/** Servers trim texts, write telephone numbers in their own way, and e-mail addresses in small letters. */
	private const SAME = array(
		'*'     => array( 'trim' ),
		'email' => array( 'email', 'trim' ),
		'phone' => array( 'phone', 'trim' ),
	);

	public readonly string $direction;

	/** Field by which a person is known; empty: none. */
	public readonly string $unique;

	/** @param array<string, mixed> $settings Of the tenant. */
	public function __construct( private readonly array $settings, public readonly string $object ) {
		$this->direction = self::direction( $settings, $object );
		$this->unique    = is_string( $settings['unique'] ?? null ) ? $settings['unique'] : 'email';
	}

	public static function of( Tenant $tenant, string $object ): self {
		return new self( $tenant->settings, $object );
	}

	/** @param array<string, mixed> $settings */
	public static function direction( array $settings, string $object ): string {
		$given = $settings['direction'] ?? self::FROM_CRM;
		$given = is_array( $given ) ? $given[ $object ] ?? self::FROM_CRM : $given;
		// What cannot be read must not write to a CRM.
		return in_array( $given, self::DIRECTIONS, true ) && empty( $settings['hooks'] ) ? $given : self::FROM_CRM;
	}

	/** The same from settings as they are stored. */
	public static function direction_is_two_way( string $json, string $object ): bool {
		return str_contains( $json, '"direction"' ) && self::FROM_CRM !== self::direction( (array) json_decode( $json, true ), $object );
	}

	/** Whether changes of the portal go to the CRM. */
	public function is_two_way(): bool {
		return self::FROM_CRM !== $this->direction;
	}

	public function is_mirror(): bool {
		return self::TO_CRM === $this->direction;
	}

	public function get( string $name ): string {
		$given = $this->settings[ $name ] ?? null;
		return in_array( $given, self::CHOICES[ $name ], true ) ? $given : self::CHOICES[ $name ][0];
	}

	/**
	 * Options for \TenantCRMSync::merge().
	 *
	 * @param list<string>         $asked  Fields that wait for a person already.
	 * @param array<string, mixed> $values Fields of all sides together: lists among them are sets.
	 * @return array<string, mixed>
	 */
	public function options( array $asked, array $values ): array {
		$policies = $this->is_mirror() ? array() : array_fill_keys( $asked, 'ask' ) + (array) ( $this->settings['policies'] ?? array() );
		$same     = array_merge( self::SAME, (array) ( $this->settings['same'] ?? array() ) );
		return array(
			'policy'   => $this->is_mirror() ? 'portal' : $this->get( 'policy' ),
			'policies' => $policies,
			'delete'   => $this->is_mirror() ? 'portal' : $this->get( 'delete_policy' ),
			'same'     => $same,
			'sets'     => array_keys( array_filter( $values, static fn( $value ): bool => is_array( $value ) && array_is_list( $value ) ) ),
		);
	}

	/** @param mixed $value Of the unique field. @return string|null 16 bytes; null where nobody can be known by it. */
	public function unique_hash( $value ): ?string {
		$text = is_scalar( $value ) ? mb_strtolower( trim( (string) $value ), 'UTF-8' ) : '';
		return '' === $this->unique || '' === $text ? null : substr( hash( 'sha256', $text, true ), 0, 16 );
	}

	/** Whether any tenant of the site goes two ways; remembered for a moment, since hooks of every edit ask. */
	public static function any( bool $forget = false ): bool {
		static $any = array(), $until = array();
		global $wpdb;
		$table = Schema::table( 'tenants' );
		if ( $forget || microtime( true ) > ( $until[ $table ] ?? 0.0 ) ) {
			// A site of a network that was switched to may have no tables yet.
			$any[ $table ]   = Schema::is_current() && null !== $wpdb->get_var( "SELECT id FROM `$table` WHERE settings LIKE '%\"direction\":%' LIMIT 1" );
			$until[ $table ] = microtime( true ) + 2.0;
		}
		return $any[ $table ];
	}

	/**
	 * @param array<string, mixed> $settings
	 * @throws \InvalidArgumentException In plain words.
	 */
	public static function check( array $settings ): void {
		foreach ( self::CHOICES as $name => $choices ) {
			if ( isset( $settings[ $name ] ) && ! in_array( $settings[ $name ], $choices, true ) ) {
				throw new \InvalidArgumentException( "The setting \"$name\" is one of: " . implode( ', ', $choices ) . '.' );
			}
		}
		$directions = (array) ( $settings['direction'] ?? array() );
		if ( array_diff( $directions, self::DIRECTIONS ) ) {
			throw new \InvalidArgumentException( 'The setting "direction" is one of: ' . implode( ', ', self::DIRECTIONS ) . '.' );
		}
		if ( ! empty( $settings['hooks'] ) && array_diff( $directions, array( self::FROM_CRM ) ) ) {
			throw new \InvalidArgumentException( 'Leads that are stored one by one through wp_insert_post() go one way only: set "direction" to from_crm, or store them in sets.' );
		}
		foreach ( (array) ( $settings['policies'] ?? array() ) as $field => $policy ) {
			if ( ! in_array( $policy, self::CHOICES['policy'], true ) ) {
				throw new \InvalidArgumentException( "The policy of the field \"$field\" is one of: " . implode( ', ', self::CHOICES['policy'] ) . '.' );
			}
		}
		if ( isset( $settings['same'] ) || isset( $settings['policies'] ) ) {
			try {
				\TenantCRMSync::merge( array(), array(), array(), ( new self( $settings, 'leads' ) )->options( array(), array() ) );
			} catch ( \TenantCRMSync\Exception $e ) {
				throw new \InvalidArgumentException( 'The settings "policies" and "same" cannot be used: ' . $e->getMessage(), 0, $e );
			}
		}
	}
}
