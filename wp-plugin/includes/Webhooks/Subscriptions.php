<?php
/**
 * Webhooks that the CRM's own API makes: asked for once by a person, made and renewed by jobs.
 *
 * A subscription needs the address again when it is renewed, so the address is stored here, sealed with the tenant's data key: only the extension
 * can read it. A new one is made before the old one is ended; for a moment messages come twice, which does nothing.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Connectors;
use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Subscriptions {

	/** Kind of the jobs that make and renew them; and what stands for their object. */
	public const KIND   = 'subscribe';
	private const WHOLE = 'webhooks';

	/** Seconds after which one without an end is made anew: CRMs drop those whose address did not answer for some days. */
	private const RENEW = 7 * DAY_IN_SECONDS;

	/** Seconds after which one that could not be renewed is tried again, beside the job's own attempts. */
	private const AGAIN = HOUR_IN_SECONDS;

	public static function can( Tenant $tenant ): bool {
		return null !== ( Connectors::find( $tenant->connector )['webhook_secrets'] ?? null );
	}

	/**
	 * Asks for webhooks: with an address and secrets that nobody sees. A job makes them.
	 *
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRM\StoreException
	 * @throws \TenantCRMSync\CredentialException Where the secrets cannot be sealed.
	 */
	public static function begin( Tenant $tenant ): void {
		if ( ! self::can( $tenant ) || 'table' !== $tenant->source ) {
			throw new \InvalidArgumentException( "The CRM of tenant \"{$tenant->id}\" cannot be asked for webhooks from here: make an address and enter it there." );
		}
		$missing = $tenant->missing();
		if ( $missing ) {
			throw new \InvalidArgumentException( "The connection of tenant \"{$tenant->id}\" still lacks: " . implode( ', ', $missing ) . '.' );
		}
		$secrets = array();
		foreach ( Connectors::find( $tenant->connector )['webhook_secrets'] as $name ) {
			$secrets[ $name ] = bin2hex( random_bytes( 20 ) );
		}
		$tenant  = Tenants::save(
			array(
				'id'       => $tenant->id,
				'settings' => array( 'connection' => $secrets + $tenant->connection() ) + $tenant->settings,
			)
		);
		$sealed = \TenantCRMSync::encrypt_credential( $tenant->id, Addresses::make( $tenant ), 'webhook_url', $tenant->endpoint );
		Sql::change( sprintf( "UPDATE `%s` SET address = %s, subscriptions = '[]', renew_at = UTC_TIMESTAMP() WHERE tenant = %d", Schema::table( 'webhooks' ), Sql::bytes( $sealed ), $tenant->key ) );
		self::ask( $tenant->key );
	}

	/** Ends what the CRM was asked for, as far as it can be reached. */
	public static function end( Tenant $tenant ): void {
		$known = self::stored( $tenant->key );
		foreach ( $known['subscriptions'] ?? array() as $subscription ) {
			self::drop( $tenant, (string) $subscription['id'] );
		}
		if ( $known ) {
			Sql::change( sprintf( 'UPDATE `%s` SET address = NULL, subscriptions = NULL, renew_at = NULL WHERE tenant = %d', Schema::table( 'webhooks' ), $tenant->key ) );
		}
	}

	/**
	 * Asks for jobs for what is to be made anew by now.
	 *
	 * @throws \TenantCRM\StoreException
	 */
	public static function enqueue_due(): void {
		foreach ( Sql::rows( 'SELECT tenant FROM `' . Schema::table( 'webhooks' ) . '` WHERE renew_at <= UTC_TIMESTAMP()' ) as $row ) {
			self::ask( (int) $row['tenant'] );
		}
	}

	/**
	 * Makes what a tenant's choice wants and what is to be made anew, and ends what is in its place. May be cut off anywhere.
	 *
	 * @throws \Throwable What Failure knows how to settle.
	 */
	public static function work( Job $job ): void {
		$tenant = Tenants::get( $job->tenant );
		$known  = self::stored( $job->tenant );
		if ( ! $tenant || ! $known || $tenant->paused ) {
			return;
		}
		$client = $tenant->client();
		$made   = $known['subscriptions'];
		$wanted = Selection::of( $tenant )->objects;
		foreach ( $wanted as $object ) {
			$old = $made[ $object ] ?? null;
			if ( $old && $old['renew_at'] > time() ) {
				continue;
			}
			$new             = $client->subscribe_webhook( $object, $known['address'] );
			$made[ $object ] = array(
				'id'       => $new['id'],
				'renew_at' => null === $new['expires_at'] ? time() + self::RENEW : time() + intdiv( max( 0, $new['expires_at'] - time() ), 2 ),
			);
			self::store( $tenant->key, $made );
			if ( null !== $new['account'] && null === ( Addresses::of( $tenant->key )['account'] ?? null ) ) {
				Addresses::set_account( $tenant, $new['account'] );
			}
			if ( $old ) {
				self::drop( $tenant, (string) $old['id'] );
			}
		}
		foreach ( array_diff_key( $made, array_flip( $wanted ) ) as $object => $old ) {
			self::drop( $tenant, (string) $old['id'] );
			unset( $made[ $object ] );
			self::store( $tenant->key, $made );
		}
	}

	/** @return array<string, int> When each of a tenant's subscriptions is renewed, by object type. */
	public static function made( int $tenant ): array {
		return array_map( static fn( array $one ): int => (int) $one['renew_at'], self::stored( $tenant )['subscriptions'] ?? array() );
	}

	/** @return int|null When the first of a tenant's subscriptions is renewed; null where it has none. */
	public static function next( int $tenant ): ?int {
		$made = self::made( $tenant );
		return $made ? min( $made ) : null;
	}

	/** The address sealed anew with the newest host key; false where there is none. */
	public static function rotate( int $tenant, string $id ): bool {
		$known = self::stored( $tenant );
		return $known && Sql::change( sprintf( 'UPDATE `%s` SET address = %s WHERE tenant = %d AND address = %s', Schema::table( 'webhooks' ), Sql::bytes( \TenantCRMSync::rotate_credential( $id, $known['address'], 'webhook_url' ) ), $tenant, Sql::bytes( $known['address'] ) ) ) > 0;
	}

	/** Not before its time again, whatever becomes of the job. */
	private static function ask( int $tenant ): void {
		Sql::change( sprintf( 'UPDATE `%s` SET renew_at = UTC_TIMESTAMP() + INTERVAL %d SECOND WHERE tenant = %d', Schema::table( 'webhooks' ), self::AGAIN, $tenant ) );
		Jobs::enqueue( $tenant, self::KIND, self::WHOLE, Jobs::PRIORITY_CLICK );
	}

	private static function drop( Tenant $tenant, string $id ): void {
		try {
			$tenant->client()->unsubscribe_webhook( $id );
		} catch ( \Exception $e ) {
			// It calls an address that is known no more, or one whose messages do nothing twice.
			Log::add( $tenant->key, 'warning', "A webhook of tenant \"{$tenant->id}\" could not be ended at the CRM; it can be removed there. {$e->getMessage()}" );
		}
	}

	/** @return array{address: string, subscriptions: array<string, array{id: string, renew_at: int}>}|null */
	private static function stored( int $tenant ): ?array {
		$row = Sql::rows( sprintf( 'SELECT address, subscriptions FROM `%s` WHERE tenant = %d AND address IS NOT NULL', Schema::table( 'webhooks' ), $tenant ) )[0] ?? null;
		return $row ? array(
			'address'       => (string) $row['address'],
			'subscriptions' => (array) json_decode( (string) $row['subscriptions'], true ),
		) : null;
	}

	/** @param array<string, array{id: string, renew_at: int}> $made */
	private static function store( int $tenant, array $made ): void {
		$next = $made ? "'" . gmdate( 'Y-m-d H:i:s', min( array_column( $made, 'renew_at' ) ) ) . "'" : 'NULL';
		Sql::change( sprintf( 'UPDATE `%s` SET subscriptions = %s, renew_at = %s WHERE tenant = %d AND address IS NOT NULL', Schema::table( 'webhooks' ), Sql::text( (string) wp_json_encode( $made ) ), $next, $tenant ) );
	}
}
