<?php
/**
 * The tenants of this site: finds, saves, pauses and deletes them. One tenant's own data is in Tenant, what may be stored of it in TenantData.
 *
 * A tenant's settings have exactly one source. Where the site has its own get_tenant_crm_settings(), that function answers for
 * every tenant it knows and the table only gives the integer key; else the table answers.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Tenants {

	/** When a tenant is due whose first sync waits for a person. */
	private const HELD = '9999-01-01 00:00:00';

	private const MAX_SEALED = 8192; // width of the column
	private const MAX_CHUNK  = 5000; // rows a DELETE, so that no other query waits long

	/** Tables with rows of tenants. Jobs first: a batch of a running worker finds no lease any more and stops. */
	private const PARTS = array( 'jobs', 'runs', 'cursors', 'records', 'log', 'tokens', 'attempts', 'counters', 'webhooks', 'webhook_messages', 'webhook_records', 'changes', 'conflicts', 'refused', 'suppressions' );

	/** @return list<Tenant> In order of their keys. */
	public static function all(): array {
		global $wpdb;
		self::import_from_site();
		$table = Schema::table( 'tenants' );
		return array_map( array( self::class, 'from_row' ), $wpdb->get_results( "SELECT * FROM `$table` ORDER BY id", ARRAY_A ) );
	}

	/** Bytewise: `Acme` and `acme` are two tenants. */
	public static function find( string $id ): ?Tenant {
		global $wpdb;
		$table = Schema::table( 'tenants' );
		$row   = $wpdb->get_row( "SELECT * FROM `$table` WHERE external_id = " . Sql::bytes( $id ), ARRAY_A );
		return $row ? self::from_row( $row ) : null;
	}

	public static function get( int $key ): ?Tenant {
		global $wpdb;
		$table = Schema::table( 'tenants' );
		$row   = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM `$table` WHERE id = %d", $key ), ARRAY_A );
		return $row ? self::from_row( $row ) : null;
	}

	/**
	 * Makes or changes a tenant. What is not given stays as it is.
	 *
	 * @param array{id: string, label?: string, connector?: string, endpoint?: string, api_key?: string, settings?: array<string, mixed>, hold?: bool} $data
	 *        api_key is plain text and is sealed before it is stored; it is never returned. hold: of a new tenant, nothing is synced by itself before
	 *        somebody asked for its first sync.
	 * @throws \InvalidArgumentException In plain words.
	 * @throws \TenantCRMSync\CredentialException Where the key cannot be sealed: nothing is stored then.
	 */
	public static function save( array $data ): Tenant {
		global $wpdb;
		$id        = TenantData::id( $data['id'] ?? '' );
		$old       = self::find( $id );
		$connector = isset( $data['connector'] ) ? TenantData::connector( $data['connector'] ) : ( $old ? $old->connector : 'rest' );
		$is_other  = $old && $old->connector !== $connector;
		$endpoint  = $old ? $old->endpoint : '';
		if ( isset( $data['endpoint'] ) || '' === $endpoint ) {
			$default  = (string) ( Connectors::find( $connector )['fields']['api_endpoint']['default'] ?? '' );
			$endpoint = '' === ( $data['endpoint'] ?? '' ) && ( '' !== $default || ! isset( $data['endpoint'] ) ) ? $default : TenantData::endpoint( $data['endpoint'] );
		}
		$settings  = $data['settings'] ?? ( $old ? $old->settings : array() );
		if ( $is_other && ! isset( $data['settings'] ) ) {
			// They were another CRM's.
			unset( $settings['connection'], $settings['mapping'] );
		}
		$fields = array(
			'label'     => TenantData::text( $data['label'] ?? ( $old ? $old->label : $id ), 190 ),
			'connector' => $connector,
			'endpoint'  => $endpoint,
			'settings'  => TenantData::json( TenantData::settings( $id, $connector, $endpoint, $settings, $old ) ),
		);
		$set    = '';
		foreach ( $fields as $name => $value ) {
			$set .= ", $name = " . $wpdb->prepare( '%s', $value );
		}
		$api_key = (string) ( $data['api_key'] ?? '' );
		if ( '' !== $api_key && ! self::is_stored_envelope( $id, $api_key ) ) {
			if ( '' === $endpoint ) {
				throw new \InvalidArgumentException( "Give the endpoint of tenant \"$id\" together with its API key: a key is sealed for one address." );
			}
			$sealed = \TenantCRMSync::encrypt_credential( $id, $api_key, 'api_key', $endpoint );
			if ( strlen( $sealed ) > self::MAX_SEALED ) {
				throw new \InvalidArgumentException( "The API key of tenant \"$id\" is too long to be stored." );
			}
			$set .= ', api_key = ' . Sql::bytes( $sealed );
		} elseif ( $is_other && '' === $api_key ) {
			$set .= ', api_key = NULL';
		} elseif ( $old && 'table' === $old->source && $old->has_key() && ConnectionFields::is_moved( $old, 'api_key', $endpoint ) ) {
			$known = Connectors::get( $connector );
			if ( isset( Connectors::asked( $known, Connectors::method( $known, (string) ( $settings['connection']['auth'] ?? '' ) ) )['api_key'] ) ) {
				throw new \InvalidArgumentException( "The address of tenant \"$id\" changed. Give its API key again: the stored one is bound to the old address and is not sent to another." );
			}
			// Another way of authorisation wanted it.
			$set .= ', api_key = NULL';
		}
		$table = Schema::table( 'tenants' );
		$sql   = "INSERT INTO `$table` SET external_id = " . Sql::bytes( $id ) . ', next_due_at = ' . ( empty( $data['hold'] ) ? 'UTC_TIMESTAMP()' : "'" . self::HELD . "'" ) . ", created_at = UTC_TIMESTAMP() $set ON DUPLICATE KEY UPDATE revision = revision + 1 $set";
		if ( false === $wpdb->query( $sql ) ) { // phpcs:ignore WordPress.DB.PreparedSQL -- names are those above, values are prepared.
			throw new \InvalidArgumentException( "Tenant \"$id\" could not be stored: the database says: {$wpdb->last_error}" );
		}
		TwoWay\Rules::any( true );
		$saved = self::find( $id );
		if ( ! $saved ) {
			throw new \InvalidArgumentException( "Tenant \"$id\" could not be read back after it was stored." );
		}
		// A shorter interval counts from now on, not from the end of the longer one.
		$wpdb->query( $wpdb->prepare( "UPDATE `$table` SET next_due_at = LEAST(next_due_at, UTC_TIMESTAMP() + INTERVAL %d SECOND) WHERE id = %d AND next_due_at < %s", $saved->interval(), $saved->key, self::HELD ) );
		return $saved;
	}

	/**
	 * Seals what is stored of a tenant's secrets anew with the newest host key: its key, its connection's fields, its token.
	 *
	 * @return bool False where none is stored, or somebody entered another meanwhile: that one is sealed with the newest host key already.
	 * @throws \TenantCRMSync\CredentialException
	 */
	public static function rotate( int $key ): bool {
		$table = Schema::table( 'tenants' );
		$row   = Sql::rows( "SELECT external_id, api_key, settings FROM `$table` WHERE id = $key" )[0] ?? null;
		if ( ! $row ) {
			return false;
		}
		$id  = (string) $row['external_id'];
		$did = false;
		if ( null !== $row['api_key'] && '' !== $row['api_key'] ) {
			$did = self::exchange( $key, $id, 'api_key', $row['api_key'], \TenantCRMSync::rotate_credential( $id, $row['api_key'] ) );
		}
		$settings = json_decode( (string) $row['settings'], true );
		if ( is_array( $settings['connection'] ?? null ) ) {
			$settings['connection'] = ConnectionFields::rotated( $id, $settings['connection'] );
			$json                   = TenantData::json( $settings );
			$did                    = ( $json !== $row['settings'] && self::exchange( $key, $id, 'settings', (string) $row['settings'], $json ) ) || $did;
		}
		$did = Webhooks\Subscriptions::rotate( $key, $id ) || $did;
		return ( interface_exists( 'TenantCRMSync\TokenStore', false ) && ( new Tokens\TokenStore() )->rotate( $id ) ) || $did;
	}

	/** Replaces a value, if it is still what it was. */
	private static function exchange( int $key, string $id, string $column, string $old, string $sealed ): bool {
		global $wpdb;
		$table   = Schema::table( 'tenants' );
		$literal = static fn( string $value ): string => 'api_key' === $column ? Sql::bytes( $value ) : Sql::text( $value );
		$stored  = $wpdb->query( "UPDATE `$table` SET $column = {$literal( $sealed )} WHERE id = $key AND $column = {$literal( $old )}" ); // phpcs:ignore WordPress.DB.PreparedSQL -- $literal quotes; the column is the caller's constant.
		if ( false === $stored ) {
			throw new StoreException( "A secret of tenant \"$id\" could not be stored, the old one stays: the database says: {$wpdb->last_error}" );
		}
		return $stored > 0;
	}

	/** The integer key for a tenant that only the site's own code knows. */
	public static function ensure( string $id ): Tenant {
		return self::find( TenantData::id( $id ) ) ?? self::save( array( 'id' => $id ) );
	}

	/** A first sync was asked for: from now on the tenant is synced by itself. */
	public static function begin( int $key ): void {
		Sql::change( 'UPDATE `' . Schema::table( 'tenants' ) . "` SET next_due_at = UTC_TIMESTAMP() WHERE id = $key AND next_due_at >= '" . self::HELD . "'" );
	}

	/**
	 * Forgets every secret of a tenant's connection, and ends its open syncs. Leads, ledger and rules stay: with new credentials it goes on where it was.
	 *
	 * @throws StoreException
	 */
	public static function disconnect( int $key ): void {
		$tenant = self::get( $key );
		if ( ! $tenant || 'table' !== $tenant->source ) {
			return;
		}
		$settings = $tenant->settings;
		$known    = Connectors::find( $tenant->connector )['fields'] ?? array();
		foreach ( $tenant->connection() as $name => $value ) {
			if ( ! empty( $known[ $name ]['secret'] ) || str_starts_with( $value, ConnectionFields::ENVELOPE ) ) {
				unset( $settings['connection'][ $name ] );
			}
		}
		Sql::change( 'UPDATE `' . Schema::table( 'tenants' ) . '` SET api_key = NULL, settings = ' . Sql::text( TenantData::json( $settings ) ) . ", revision = revision + 1 WHERE id = $key" );
		Sql::change( 'DELETE FROM `' . Schema::table( 'tokens' ) . "` WHERE tenant = $key" );
		foreach ( Sql::rows( 'SELECT run FROM `' . Schema::table( 'jobs' ) . "` WHERE tenant = $key AND state <> 'dead'" ) as $job ) {
			Runs::cancel( (int) $job['run'] );
		}
		Log::add( $key, 'info', "Tenant \"{$tenant->id}\" was disconnected: its stored credentials are gone, its leads stay." );
	}

	/** Forgets the data key, ledger, jobs, runs, cursors, log and who belonged to it. Posts stay: they are the portal's. */
	public static function delete( int $key ): void {
		global $wpdb;
		$tenant = self::get( $key );
		if ( ! $tenant ) {
			return;
		}
		// Should this be cut off: first what must not stay behind, then what makes it a tenant; sweep() finds the rest.
		\TenantCRMSync::forget_tenant( $tenant->id );
		$wpdb->delete( Schema::table( 'tenants' ), array( 'id' => $key ), array( '%d' ) );
		Capabilities::forget_tenant( $tenant->id );
		Health\Clocks::forget( $key );
		self::delete_rows( $key );
		Log::add( 0, 'info', "Tenant \"{$tenant->id}\" was deleted. Its posts were kept." );
	}

	/**
	 * Removes what deleted tenants left: a deletion that was cut off, a job that was enqueued meanwhile.
	 *
	 * @throws StoreException
	 */
	public static function sweep(): void {
		$found = array();
		foreach ( self::PARTS as $name ) {
			foreach ( Sql::rows( 'SELECT DISTINCT tenant FROM `' . Schema::table( $name ) . '` WHERE tenant > 0' ) as $row ) {
				$found[ (int) $row['tenant'] ] = true;
			}
		}
		// Read last: a tenant that was added in between is among them.
		foreach ( Sql::rows( 'SELECT id FROM `' . Schema::table( 'tenants' ) . '`' ) as $row ) {
			unset( $found[ (int) $row['id'] ] );
		}
		foreach ( array_keys( $found ) as $key ) {
			self::delete_rows( $key );
		}
	}

	private static function delete_rows( int $key ): void {
		global $wpdb;
		foreach ( self::PARTS as $name ) {
			$table = Schema::table( $name );
			do {
				$gone = $wpdb->query( $wpdb->prepare( "DELETE FROM `$table` WHERE tenant = %d LIMIT %d", $key, self::MAX_CHUNK ) );
			} while ( self::MAX_CHUNK === $gone );
		}
	}

	public static function pause( int $key, bool $on ): void {
		global $wpdb;
		$wpdb->update( Schema::table( 'tenants' ), array( 'paused' => (int) $on ), array( 'id' => $key ), '%d', '%d' );
		if ( ! $on ) {
			Jobs::wake( $key );
		}
	}

	/**
	 * Tenants whose next automatic pull is due; each is given its next time, so that two callers do not both get it.
	 *
	 * @return list<Tenant>
	 */
	public static function take_due( int $limit = 500 ): array {
		global $wpdb;
		self::import_from_site( true );
		$table = Schema::table( 'tenants' );
		$rows  = $wpdb->get_results( $wpdb->prepare( "SELECT * FROM `$table` WHERE paused = 0 AND next_due_at <= UTC_TIMESTAMP() ORDER BY next_due_at LIMIT %d", $limit ), ARRAY_A );
		$due   = array();
		foreach ( $rows as $row ) {
			$tenant = self::from_row( $row );
			$taken  = Sql::change(
				$wpdb->prepare(
					"UPDATE `$table` SET next_due_at = UTC_TIMESTAMP() + INTERVAL %d SECOND WHERE id = %d AND next_due_at = %s",
					$tenant->interval(),
					$tenant->key,
					$row['next_due_at']
				)
			);
			if ( $taken && $tenant->has_credential() ) {
				$due[] = $tenant;
			}
		}
		return $due;
	}

	/**
	 * Gives a key to each tenant that the site's own get_all_configured_tenants() names.
	 *
	 * @param bool $tell Whether ids that cannot be used are logged: by the timer, not by every look at a screen.
	 */
	private static function import_from_site( bool $tell = false ): void {
		if ( ! Article::site_has( 'get_tenant_crm_settings' ) || ! Article::site_has( 'get_all_configured_tenants' ) ) {
			return;
		}
		global $wpdb;
		$table = Schema::table( 'tenants' );
		$known = array_flip( $wpdb->get_col( "SELECT external_id FROM `$table`" ) );
		foreach ( Article::site_tenants() as $id ) {
			if ( ! is_scalar( $id ) || isset( $known[ (string) $id ] ) ) {
				continue;
			}
			try {
				self::ensure( (string) $id );
			} catch ( \InvalidArgumentException $e ) {
				// One odd id of the site's own list must not keep the others from their sync.
				if ( $tell ) {
					Log::add( 0, 'error', 'get_all_configured_tenants() names a tenant that cannot be used. ' . $e->getMessage() );
				}
			}
		}
	}

	/** @param array<string, string|null> $row */
	private static function from_row( array $row ): Tenant {
		$id       = (string) $row['external_id'];
		$site     = Article::site_settings( $id );
		$settings = json_decode( (string) $row['settings'], true );
		$settings = is_array( $settings ) ? $settings : array();
		if ( null !== $site ) {
			$settings['mapping'] = $site['mapping'] ?? '';
		}
		return new Tenant(
			(int) $row['id'],
			$id,
			(string) $row['label'],
			null !== $site ? self::site_text( $site, 'connector', 'rest' ) : (string) $row['connector'],
			null !== $site ? self::site_text( $site, 'api_endpoint', '' ) : (string) $row['endpoint'],
			null !== $site ? 'function' : 'table',
			(bool) $row['paused'],
			$settings,
			$row['api_key'],
			(int) $row['revision']
		);
	}

	/**
	 * Whether code gives a key back as get_tenant_crm_settings() returned it: it stays as it is, and is not sealed a second time.
	 *
	 * @throws \InvalidArgumentException For an envelope that is not this tenant's.
	 */
	private static function is_stored_envelope( string $id, string $api_key ): bool {
		global $wpdb;
		if ( ! str_starts_with( $api_key, ConnectionFields::ENVELOPE ) ) {
			return false;
		}
		$table = Schema::table( 'tenants' );
		if ( $wpdb->get_var( "SELECT api_key FROM `$table` WHERE external_id = " . Sql::bytes( $id ) ) !== $api_key ) {
			throw new \InvalidArgumentException( "The API key of tenant \"$id\" is sealed already, and not as it is stored. Give it in plain text." );
		}
		return true;
	}

	/** @param array<string, mixed> $site */
	private static function site_text( array $site, string $name, string $default ): string {
		return is_string( $site[ $name ] ?? null ) && '' !== $site[ $name ] ? $site[ $name ] : $default;
	}
}
