<?php
/**
 * Where each field of a lead has its value from: source, time and rule, from what the ledger, the notes of changes and the inbox have. Reads
 * only. For leads that go one way the ledger keeps no origins: what the CRM sent last is the CRM's, at the time of the record's last change.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\PostType;
use TenantCRM\Reason;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoredPost;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Explain {

	/** @return list<array{field: string, value: mixed, source: string, time: string, rule: string, who: int}>|null Times are UTC. Null: no such lead. */
	public static function record( Tenant $tenant, string $crm_id, string $object = 'leads' ): ?array {
		$row = self::row( sprintf( 'tenant = %d AND object = %s AND id_hash = %s', $tenant->key, Sql::bytes( $object ), Sql::bytes( hash( 'sha256', $crm_id, true ) ) ) );
		return $row ? self::fields( $tenant, $row ) : null;
	}

	/** @return list<array{field: string, value: mixed, source: string, time: string, rule: string, who: int}>|null The same for a post. */
	public static function post( int $post_id ): ?array {
		$row    = self::row( "post_id = $post_id" );
		$tenant = $row ? Tenants::get( (int) $row['tenant'] ) : null;
		return $tenant ? self::fields( $tenant, $row ) : null;
	}

	/** @return array<string, string|null>|null */
	private static function row( string $where ): ?array {
		return Sql::rows( 'SELECT * FROM `' . Schema::table( 'records' ) . "` WHERE $where" )[0] ?? null;
	}

	/**
	 * @param array<string, string|null> $row
	 * @return list<array{field: string, value: mixed, source: string, time: string, rule: string, who: int}>
	 */
	private static function fields( Tenant $tenant, array $row ): array {
		$fields = Fields::of( $tenant, (string) $row['object'] );
		$rules  = Rules::of( $tenant, (string) $row['object'] );
		$base   = (array) json_decode( (string) $row['base'], true );
		$post   = null === $row['post_id'] ? null : self::stored( (int) $row['post_id'], $fields );
		$portal = $post ? Projection::portal( $fields, $post, $base, null ) : array();
		$change = null === $row['post_id'] ? null : Sql::rows( 'SELECT who, changed_at, refused, reason FROM `' . Schema::table( 'changes' ) . '` WHERE post_id = ' . (int) $row['post_id'] )[0] ?? null;
		$asked  = array_column( Sql::rows( 'SELECT field, crm, reason, created_at FROM `' . Schema::table( 'conflicts' ) . '` WHERE state = \'open\' AND record = ' . (int) $row['id'] ), null, 'field' );
		$all    = array();
		foreach ( array_unique( array_merge( array_map( 'strval', array_keys( $fields->map() ) ), array_keys( $base ) ) ) as $field ) {
			$is_here = array_key_exists( $field, $portal );
			$value   = $is_here ? $portal[ $field ] : $base[ $field ] ?? null;
			$origin  = ( $rules->is_two_way() ? Origins::of( $row['origins'], $field ) : null ) ?? self::from_crm( $row );
			if ( isset( $asked[ $field ] ) ) {
				$origin         = self::from_portal( $post, $change, '' );
				$origin['rule'] = sprintf( 'waits for a person: %s; the CRM has %s', $asked[ $field ]['reason'], $asked[ $field ]['crm'] );
			} elseif ( $is_here && Projection::canonical( $value ) !== Projection::canonical( $base[ $field ] ?? null ) && ! self::is_on_its_way( $origin, $change ) ) {
				$origin = self::from_portal( $post, $change, $rules->is_two_way() ? self::waits( $change ) : 'changed in the portal; one way: the next change of the lead in the CRM overwrites it' );
			}
			$all[] = array( 'field' => $field, 'value' => $value ) + $origin; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $all;
	}

	/**
	 * A merge has settled it already, and only the CRM has not got it yet.
	 *
	 * @param array{source: string, time: string, rule: string, who: int} $origin
	 * @param array<string, string|null>|null                              $change
	 */
	private static function is_on_its_way( array $origin, ?array $change ): bool {
		return 'crm' !== $origin['source'] && ( null === $change || ( ! (int) $change['refused'] && $origin['time'] >= substr( (string) $change['changed_at'], 0, 19 ) ) );
	}

	/**
	 * @param array<string, string|null> $row
	 * @return array{source: string, time: string, rule: string, who: int}
	 */
	private static function from_crm( array $row ): array {
		return array( 'source' => 'crm', 'time' => (string) ( $row['crm_updated_at'] ?? $row['synced_at'] ), 'rule' => 'as the CRM sent it last', 'who' => 0 ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/**
	 * @param array<string, string|null>|null $change
	 * @return array{source: string, time: string, rule: string, who: int}
	 */
	private static function from_portal( ?StoredPost $post, ?array $change, string $rule ): array {
		$time = null !== $change ? substr( (string) $change['changed_at'], 0, 19 ) : (string) ( $post ? get_post_field( 'post_modified_gmt', $post->id ) : '' );
		return array( 'source' => 'portal', 'time' => $time, 'rule' => $rule, 'who' => (int) ( $change['who'] ?? 0 ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @param array<string, string|null>|null $change */
	private static function waits( ?array $change ): string {
		if ( null === $change ) {
			return 'changed in the portal; the next sweep finds it';
		}
		if ( Changes::SET_ASIDE === (int) $change['refused'] ) {
			return 'changed in the portal; set aside by a person until its next change: ' . Reason::plain( (string) $change['reason'] );
		}
		return (int) $change['refused'] ? 'changed in the portal; not exchanged: ' . Reason::plain( (string) $change['reason'] ) : 'changed in the portal; on its way to the CRM';
	}

	private static function stored( int $id, Fields $fields ): ?StoredPost {
		global $wpdb;
		$row = Sql::rows( "SELECT post_title, post_status FROM `$wpdb->posts` WHERE ID = $id AND post_type = '" . PostType::NAME . "'" )[0] ?? null;
		if ( ! $row ) {
			return null;
		}
		$post = new StoredPost( $id, (string) $row['post_title'], (string) $row['post_status'] );
		$keys = implode( ',', array_map( array( Sql::class, 'text' ), array_merge( array( '_tenant_id' ), $fields->meta_keys() ) ) );
		foreach ( Sql::rows( "SELECT meta_id, meta_key, meta_value FROM `$wpdb->postmeta` WHERE post_id = $id AND meta_key IN ($keys)" ) as $meta ) {
			$post->meta[ (string) $meta['meta_key'] ][ (int) $meta['meta_id'] ] = (string) $meta['meta_value'];
		}
		return $post;
	}
}
