<?php
/**
 * Where the extension keeps OAuth tokens: one row a tenant, on a database connection of its own.
 *
 * Of its own, because a token must be stored for good the moment the CRM gives it: a batch that is rolled back on the site's
 * connection must not take it along. Envelopes are sealed by the extension; here nobody can read them. Times are the database's.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tokens;

use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\StoreException;

final class TokenStore implements \TenantCRMSync\TokenStore {

	/** The longest text for people that is kept. */
	private const MAX_REASON = 500;

	private Connection $connection;

	public function __construct( ?Connection $connection = null ) {
		$this->connection = $connection ?? new Connection();
	}

	/** @return array{version: int, envelope: string, expires_at: ?int, state: string}|null */
	public function load( string $tenant ): ?array {
		$row = $this->row( $tenant );
		if ( ! $row || 0 === (int) $row['version'] ) {
			return null;
		}
		return array(
			'version'    => (int) $row['version'],
			'envelope'   => (string) $row['envelope'],
			'expires_at' => null === $row['expires_at'] ? null : (int) $row['expires_at'],
			'state'      => (string) $row['state'],
		);
	}

	/** Why a person must connect again, in the CRM's words; null where nobody must. */
	public function reason( string $tenant ): ?string {
		$row = $this->row( $tenant );
		return $row && 'reconnect' === $row['state'] ? (string) $row['reason'] : null;
	}

	public function lease( string $tenant, int $version, float $seconds ): ?string {
		$key   = $this->key( $tenant );
		$table = Schema::table( 'tokens' );
		if ( 0 === $version ) {
			$this->connection->change( "INSERT IGNORE INTO `$table` (tenant, version, envelope, state) VALUES ($key, 0, '', 'ok')" );
		}
		$lease = bin2hex( random_bytes( 16 ) );
		$until = sprintf( 'UTC_TIMESTAMP(3) + INTERVAL %d MICROSECOND', (int) round( $seconds * 1e6 ) );
		// "lease = ours": where the connection broke after the statement took effect, it is sent a second time.
		$taken = $this->connection->change( "UPDATE `$table` SET lease = '$lease', lease_until = $until WHERE tenant = $key AND version = $version AND (lease IS NULL OR lease_until <= UTC_TIMESTAMP(3) OR lease = '$lease')" );
		return $taken > 0 ? $lease : null;
	}

	public function commit( string $tenant, string $lease, int $version, string $envelope, ?int $expires_at ): bool {
		$key    = $this->key( $tenant );
		$table  = Schema::table( 'tokens' );
		$values = 'version = version + 1, envelope = ' . Sql::bytes( $envelope ) . ', expires_at = ' . ( $expires_at ?? 'NULL' );
		return $this->connection->change( "UPDATE `$table` SET $values, state = 'ok', reason = '', lease = NULL, lease_until = NULL, changed_at = UTC_TIMESTAMP() WHERE tenant = $key AND version = $version AND lease = " . Sql::bytes( $lease ) ) > 0;
	}

	public function release( string $tenant, string $lease ): void {
		$key   = $this->key( $tenant );
		$table = Schema::table( 'tokens' );
		$this->connection->change( "UPDATE `$table` SET lease = NULL, lease_until = NULL WHERE tenant = $key AND lease = " . Sql::bytes( $lease ) );
	}

	public function refuse( string $tenant, int $version, string $reason ): void {
		$key    = $this->key( $tenant );
		$table  = Schema::table( 'tokens' );
		$reason = $this->connection->text( mb_substr( wp_check_invalid_utf8( $reason, true ), 0, self::MAX_REASON ) );
		$this->connection->change( "UPDATE `$table` SET state = 'reconnect', reason = $reason, lease = NULL, lease_until = NULL, changed_at = UTC_TIMESTAMP() WHERE tenant = $key AND version = $version" ); // phpcs:ignore WordPress.DB.PreparedSQL -- text() quotes.
	}

	/**
	 * Seals the stored token anew with the newest host key; the version stays.
	 *
	 * @return bool False where none is stored, or a newer one came meanwhile: that is sealed with the newest host key already.
	 */
	public function rotate( string $tenant ): bool {
		$row = $this->load( $tenant );
		if ( ! $row ) {
			return false;
		}
		$sealed = \TenantCRMSync::rotate_credential( $tenant, $row['envelope'], 'token' );
		$table  = Schema::table( 'tokens' );
		return $this->connection->change( "UPDATE `$table` SET envelope = " . Sql::bytes( $sealed ) . ' WHERE tenant = ' . $this->key( $tenant ) . " AND version = {$row['version']}" ) > 0;
	}

	/** @return array<string, string|null>|null */
	private function row( string $tenant ): ?array {
		$tokens  = Schema::table( 'tokens' );
		$tenants = Schema::table( 'tenants' );
		return $this->connection->row( "SELECT k.version, k.envelope, k.expires_at, k.state, k.reason FROM `$tokens` k JOIN `$tenants` t ON t.id = k.tenant WHERE t.external_id = " . Sql::bytes( $tenant ) );
	}

	/** Asked for on its own: a change that read it from the other table would wait for whoever changes that. */
	private function key( string $tenant ): int {
		$tenants = Schema::table( 'tenants' );
		$row     = $this->connection->row( "SELECT id FROM `$tenants` WHERE external_id = " . Sql::bytes( $tenant ) );
		if ( ! $row ) {
			throw new StoreException( "Tenant \"$tenant\" is not known to Tenant CRM Sync, so its token cannot be stored: add the tenant first." );
		}
		return (int) $row['id'];
	}
}
