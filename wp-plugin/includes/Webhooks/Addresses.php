<?php
/**
 * The addresses that CRMs call: one row a tenant, which says by whose address its webhooks come, for which account of the CRM, and what
 * has come of them so far.
 *
 * An address ends in a random key of 256 bits. Only its hash is stored: the address is shown once, when it is made. What a message must
 * prove beyond that is the connector's business; who may call an address at all, nobody can say.
 *
 * One app of a CRM may call one address for several accounts, each a tenant's: then one tenant owns the address, and its secret proves
 * the messages; the others come by it. Each of them gets only what names its own account.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Connectors;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Addresses {

	/** Where the address stands below the site's REST root, before its key. */
	public const PATH = 'tenant-crm-sync/v1/webhook/';

	/** Bytes of an account's name at the CRM. */
	public const MAX_ACCOUNT = 190;

	/**
	 * Gives a tenant an address of its own, in place of one that it has.
	 *
	 * @return string The address, which nobody can find out again.
	 * @throws \InvalidArgumentException Where the CRM's webhooks prove nothing.
	 * @throws \TenantCRM\StoreException
	 */
	public static function make( Tenant $tenant ): string {
		$connector = Connectors::find( $tenant->connector );
		if ( empty( $connector['webhooks'] ) ) {
			$note = (string) ( $connector['webhook_note'] ?? '' );
			throw new \InvalidArgumentException( trim( "Tenant \"{$tenant->id}\" cannot get webhooks. $note" ) );
		}
		// What the CRM was asked to send comes to the old one.
		Subscriptions::end( $tenant );
		$key = rtrim( strtr( base64_encode( random_bytes( 32 ) ), '+/', '-_' ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		self::put( $tenant->key, $tenant->key, hash( 'sha256', $key, true ) );
		return rest_url( self::PATH . $key );
	}

	/**
	 * Lets a tenant's webhooks come by another's address.
	 *
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRM\StoreException
	 */
	public static function share( Tenant $tenant, Tenant $owner ): void {
		$known = self::of( $owner->key );
		if ( $tenant->key === $owner->key || ! $known || $known['owner'] !== $owner->key ) {
			throw new \InvalidArgumentException( "Tenant \"{$owner->id}\" has no address of its own that \"{$tenant->id}\" could share. Make one there first." );
		}
		if ( $tenant->connector !== $owner->connector || empty( Connectors::find( $tenant->connector )['webhook_accounts'] ) ) {
			throw new \InvalidArgumentException( 'An address can be shared by tenants of one CRM whose webhooks name the account that they are about.' );
		}
		self::put( $tenant->key, $owner->key, null );
	}

	/** From now on the address is unknown; those who shared it get nothing more either. What the CRM was asked to send is ended there. */
	public static function remove( Tenant $tenant ): bool {
		Subscriptions::end( $tenant );
		return Sql::change( sprintf( 'DELETE FROM `%s` WHERE tenant = %d', Schema::table( 'webhooks' ), $tenant->key ) ) > 0;
	}

	/**
	 * Says which account of the CRM is this tenant's.
	 *
	 * @throws \InvalidArgumentException Where the tenant has no webhooks, or it is too long.
	 * @throws \TenantCRM\StoreException
	 */
	public static function set_account( Tenant $tenant, string $account ): void {
		if ( strlen( $account ) > self::MAX_ACCOUNT || preg_match( '/[\x00-\x1f\x7f]/', $account ) ) {
			throw new \InvalidArgumentException( 'The account is what the CRM calls it in its webhooks: up to 190 bytes without control characters.' );
		}
		$known = self::of( $tenant->key );
		if ( ! $known ) {
			throw new \InvalidArgumentException( "Tenant \"{$tenant->id}\" has no address for webhooks yet. Make one first." );
		}
		$table = Schema::table( 'webhooks' );
		Sql::change( sprintf( 'UPDATE `%s` SET account = %s WHERE tenant = %d', $table, '' === $account ? 'NULL' : Sql::bytes( $account ), $tenant->key ) );
		// It is somebody's now.
		Sql::change( sprintf( 'UPDATE `%s` SET stranger = NULL WHERE tenant = %d AND stranger = %s', $table, $known['owner'], Sql::bytes( $account ) ) );
	}

	/**
	 * What is known of a tenant's webhooks; null where it has none.
	 *
	 * @return array{tenant: int, owner: int, account: ?string, accepted: int, repeated: int, ignored: int, refused: int, reason: ?string, stranger: ?string, created_at: string, heard_at: ?string, refused_at: ?string}|null
	 *         reason: of the last refusal. stranger: an account that proven messages named and that is nobody's.
	 */
	public static function of( int $tenant ): ?array {
		$row = Sql::rows( sprintf( 'SELECT * FROM `%s` WHERE tenant = %d', Schema::table( 'webhooks' ), $tenant ) )[0] ?? null;
		return $row ? self::typed( $row ) : null;
	}

	/** @return list<array<string, mixed>> As of() gives them; that of tenant 0 counts what came for no address. */
	public static function all(): array {
		return array_map( array( self::class, 'typed' ), Sql::rows( 'SELECT * FROM `' . Schema::table( 'webhooks' ) . '` ORDER BY tenant' ) );
	}

	/** The tenant that owns the address with this key. */
	public static function owner( string $key ): ?Tenant {
		$row = Sql::rows( sprintf( 'SELECT tenant FROM `%s` WHERE key_hash = %s', Schema::table( 'webhooks' ), Sql::bytes( hash( 'sha256', $key, true ) ) ) )[0] ?? null;
		return $row ? Tenants::get( (int) $row['tenant'] ) : null;
	}

	/** @return array<int, ?string> Tenants whose webhooks come by this one's address: key => account. */
	public static function members( int $owner ): array {
		return array_column( Sql::rows( sprintf( 'SELECT tenant, account FROM `%s` WHERE owner = %d', Schema::table( 'webhooks' ), $owner ) ), 'account', 'tenant' );
	}

	/** Counts a message that was refused, and why; for an address that is not there, all together. */
	public static function refused( ?int $tenant, string $reason ): void {
		$table = Schema::table( 'webhooks' );
		$set   = 'refused = refused + 1, refused_at = UTC_TIMESTAMP(), reason = ' . Sql::bytes( substr( $reason, 0, 16 ) );
		Sql::change( null !== $tenant ? "UPDATE `$table` SET $set WHERE tenant = $tenant" : "INSERT INTO `$table` SET tenant = 0, owner = 0, created_at = UTC_TIMESTAMP(), $set ON DUPLICATE KEY UPDATE $set" );
	}

	/**
	 * The statement that counts a proven message.
	 *
	 * @param string  $what     accepted, repeated or ignored.
	 * @param ?string $stranger An account that it named and that is nobody's.
	 */
	public static function count_sql( int $tenant, string $what, ?string $stranger ): string { // phpcs:ignore WordPress.DB.PreparedSQL -- names of columns are the caller's constants.
		$set = "$what = $what + 1" . ( 'ignored' === $what ? '' : ', heard_at = UTC_TIMESTAMP()' ) . ( null === $stranger ? '' : ', stranger = ' . Sql::bytes( $stranger ) );
		return sprintf( 'UPDATE `%s` SET %s WHERE tenant = %d', Schema::table( 'webhooks' ), $set, $tenant );
	}

	/** The account stays, and so do the counts: they tell of the tenant, not of the key. */
	private static function put( int $tenant, int $owner, ?string $hash ): void {
		$set = sprintf( 'owner = %d, key_hash = %s', $owner, null === $hash ? 'NULL' : Sql::bytes( $hash ) );
		Sql::change( sprintf( 'INSERT INTO `%s` SET tenant = %d, %s, created_at = UTC_TIMESTAMP() ON DUPLICATE KEY UPDATE %3$s, created_at = UTC_TIMESTAMP()', Schema::table( 'webhooks' ), $tenant, $set ) );
	}

	/**
	 * @param array<string, string|null> $row
	 * @return array<string, mixed>
	 */
	private static function typed( array $row ): array {
		foreach ( array( 'tenant', 'owner', 'accepted', 'repeated', 'ignored', 'refused' ) as $name ) {
			$row[ $name ] = (int) $row[ $name ];
		}
		unset( $row['key_hash'], $row['address'], $row['subscriptions'], $row['renew_at'] );
		return $row;
	}
}
