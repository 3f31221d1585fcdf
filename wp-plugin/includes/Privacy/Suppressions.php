<?php
/**
 * People and records that were erased: only a keyed hash of each is kept, by which syncs, webhooks and forms know what must not come back.
 *
 * A record is known by tenant, object and id; a person by the e-mail address, of any tenant of the site. The key is the site's own, random, and
 * in its database: it makes the hashes worthless anywhere else, and lists of well-known addresses useless against a dump of the table alone.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Privacy;

use TenantCRM\Schema;
use TenantCRM\Sql;

final class Suppressions {

	private const KEY = 'tenant_crm_sync_suppression_key';

	/** Hashes asked for in one query. */
	private const PIECE = 1000;

	/** @param bool $people Whether there are any people: then every record has to be looked into. */
	private function __construct( private readonly int $tenant, private readonly string $object, private readonly bool $people ) {
	}

	/** Those that a batch of this tenant can meet; null where there are none, which is the usual case and costs one query. */
	public static function of( int $tenant, string $object ): ?self {
		$rows = Sql::rows( sprintf( 'SELECT DISTINCT tenant FROM `%s` WHERE tenant IN (0, %d)', Schema::table( 'suppressions' ), $tenant ) );
		return $rows ? new self( $tenant, $object, in_array( '0', array_map( 'strval', array_column( $rows, 'tenant' ) ), true ) ) : null;
	}

	/**
	 * Which of these records were erased, or are of people who were.
	 *
	 * @param array<string, string>          $ids   CRM ids by any key.
	 * @param callable(string): string|null $email The address of a record, by its key.
	 * @return array<string, true> By key.
	 */
	public function among( array $ids, callable $email ): array {
		$hashes = array();
		foreach ( $ids as $key => $id ) {
			$hashes[ self::of_record( $this->tenant, $this->object, $id ) ][] = $key;
			$address = $this->people ? (string) $email( (string) $key ) : '';
			if ( '' !== trim( $address ) ) {
				$hashes[ self::of_person( $address ) ][] = $key;
			}
		}
		$gone = array();
		foreach ( array_chunk( array_map( 'strval', array_keys( $hashes ) ), self::PIECE ) as $some ) {
			foreach ( Sql::rows( sprintf( 'SELECT hash FROM `%s` WHERE hash IN (%s)', Schema::table( 'suppressions' ), implode( ',', array_map( array( Sql::class, 'bytes' ), $some ) ) ) ) as $row ) {
				$gone += array_fill_keys( $hashes[ $row['hash'] ], true );
			}
		}
		return $gone;
	}

	public static function has_person( string $email ): bool {
		return '' !== trim( $email ) && array() !== Sql::rows( sprintf( 'SELECT 1 FROM `%s` WHERE hash = %s', Schema::table( 'suppressions' ), Sql::bytes( self::of_person( $email ) ) ) );
	}

	public static function add_person( string $email ): void {
		self::add( 0, '', self::of_person( $email ), self::of_person( $email ), null );
	}

	/** @param bool $delete Whether the CRM is to delete it, too. */
	public static function add_record( string $email, int $tenant, string $object, string $crm_id, bool $delete ): void {
		self::add( $tenant, $object, self::of_record( $tenant, $object, $crm_id ), self::of_person( $email ), $delete ? $crm_id : null );
	}

	/** Lets a person come back with all records: somebody has consented again. @return bool Whether the person was kept away. */
	public static function lift( string $email ): bool {
		return Sql::change( sprintf( 'DELETE FROM `%s` WHERE person = %s', Schema::table( 'suppressions' ), Sql::bytes( self::of_person( $email ) ) ) ) > 0;
	}

	/** Only uninstalling may do this: with the key every erasure is forgotten. */
	public static function forget(): void {
		delete_option( self::KEY );
	}

	private static function add( int $tenant, string $object, string $hash, string $person, ?string $crm_id ): void {
		Sql::change( sprintf( 'INSERT INTO `%s` (tenant, object, hash, person, crm_id, created_at) VALUES (%d, %s, %s, %s, %s, UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE person = VALUES(person), crm_id = COALESCE(VALUES(crm_id), crm_id)', Schema::table( 'suppressions' ), $tenant, Sql::bytes( $object ), Sql::bytes( $hash ), Sql::bytes( $person ), null === $crm_id ? 'NULL' : Sql::bytes( $crm_id ) ) );
	}

	private static function of_record( int $tenant, string $object, string $crm_id ): string {
		return hash_hmac( 'sha256', "record\0$tenant\0$object\0$crm_id", self::key(), true );
	}

	private static function of_person( string $email ): string {
		return hash_hmac( 'sha256', "person\0" . mb_strtolower( trim( $email ), 'UTF-8' ), self::key(), true );
	}

	private static function key(): string {
		$key = get_option( self::KEY );
		if ( ! is_string( $key ) || 64 !== strlen( $key ) ) {
			// Of two requests that come here at once the first one's stays.
			add_option( self::KEY, bin2hex( random_bytes( 32 ) ), '', false );
			$key = (string) get_option( self::KEY );
		}
		return $key;
	}
}
