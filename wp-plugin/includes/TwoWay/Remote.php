<?php
/**
 * The CRM as a push sees it: one record by its id, a record by the field that people are known by, and single writes with what is known of
 * their outcome. What to do about an outcome is Push's business.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\ArrayRows;
use TenantCRM\BadValue;
use TenantCRM\Connectors;
use TenantCRM\Cursors;
use TenantCRM\Fields;
use TenantCRM\Incoming;
use TenantCRM\Lead;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;

final class Remote {

	/** Pages of recent changes that are looked through for a person; more of them are a pull's business. */
	private const PAGES = 50;

	/** Records that are read one by one to find a person. */
	private const COMPARED = 20;

	private ?\TenantCRMSync $client = null;

	/** @var array<string, Lead>|null Records that changed since the last pull, by id. */
	private ?array $recent = null;

	private float $asked = 0.0;

	/** Requests that were made to read. */
	public int $reads = 0;

	public function __construct( private readonly Tenant $tenant, private readonly string $object, private readonly Fields $fields, private readonly Rules $rules ) {
	}

	/** @return Lead|null Null: there is no such record. */
	public function get( string $id ): ?Lead {
		++$this->reads;
		try {
			return $this->lead( (array) $this->client()->get_record( $this->object, $id ) );
		} catch ( \TenantCRMSync\HttpException $e ) {
			if ( 'missing' === $e->reason ) {
				return null;
			}
			throw $e;
		}
	}

	/**
	 * Writes once.
	 *
	 * @param array<string, mixed> $data
	 * @return array{0: Lead|null, 1: string} What the CRM has now, null after a deletion; `answered`, or `done` where it had to be read behind it.
	 * @throws \TenantCRMSync\Exception See outcome().
	 */
	public function write( string $verb, string $id, array $data ): array {
		if ( 'delete' === $verb ) {
			$this->client()->delete_record( $this->object, $id );
			return array( null, 'done' );
		}
		$answer = 'create' === $verb ? $this->create( $data ) : $this->client()->update_record( $this->object, $id, $data );
		$id = is_array( $answer ) && is_scalar( $answer['id'] ?? null ) ? (string) $answer['id'] : $id;
		if ( '' !== $id && $this->is_whole( $answer ) ) {
			return array( $this->lead( $answer ), 'answered' );
		}
		try {
			return array( '' === $id ? null : $this->get( $id ), 'done' );
		} catch ( \TenantCRMSync\Exception | BadValue $e ) {
			// It was done all the same: nothing that went wrong behind it says otherwise.
			unset( $e );
			return array( null, 'done' );
		}
	}

	/** Whether an answer is the whole record: many CRMs answer with what was changed alone, and the rest of it is not empty for that. */
	private function is_whole( $answer ): bool {
		foreach ( is_array( $answer ) ? array_keys( $this->fields->map() ) : array( '' ) as $field ) {
			if ( ! isset( $answer[ $field ] ) ) {
				return false;
			}
		}
		return true;
	}

	/** @return mixed */
	private function create( array $data ) {
		$unique = $this->rules->unique;
		if ( isset( $data[ $unique ] ) && $this->can( 'upsert' ) ) {
			try {
				return $this->client()->upsert_record( $this->object, $unique, $data );
			} catch ( \TenantCRMSync\ConfigException $e ) {
				// This CRM makes or changes records by other fields only; nothing was sent.
				unset( $e );
			}
		}
		return $this->client()->create_record( $this->object, $data );
	}

	/**
	 * What is known of a write, or a look, that failed.
	 *
	 * @return string unknown: nobody knows whether it was done. undone: surely not, and the CRM or the connection is the reason. missing,
	 *                duplicate, refused: surely not, because of this record.
	 */
	public static function outcome( \TenantCRMSync\Exception $e ): string {
		$status = (int) $e->status;
		if ( 'encode' === $e->kind ) {
			return 'refused';
		}
		if ( $e instanceof \TenantCRMSync\RateLimitException || in_array( $e->kind, array( 'config', 'credential', 'egress', 'rate_limited', 'connect', 'tls' ), true ) ) {
			return 'undone';
		}
		if ( 'http' !== $e->kind || $status >= 500 || $status < 400 || 408 === $status ) {
			return 'unknown';
		}
		if ( in_array( $status, array( 401, 423, 425, 429 ), true ) || in_array( $e->reason, array( 'expired', 'unauthorized', 'rate_limited', 'quota', 'busy', 'transient' ), true ) ) {
			return 'undone';
		}
		return 'missing' === $e->reason ? 'missing' : ( in_array( $e->reason, array( 'duplicate', 'conflict' ), true ) ? 'duplicate' : 'refused' );
	}

	/**
	 * The records of a person: those the ledger knows, and those that changed since the last pull, each read anew.
	 *
	 * @param float $since The list is asked again if it was asked before this moment.
	 * @return array<string, Lead>|null By id. Null: there was no pull yet, so nobody knows.
	 */
	public function find( string $hash, float $since = 0.0 ): ?array {
		$recent = $this->recent( $since );
		if ( null === $recent ) {
			return null;
		}
		$ids = array();
		foreach ( Sql::rows( sprintf( 'SELECT crm_id FROM `%s` WHERE tenant = %d AND object = %s AND unique_hash = %s AND gone <> 1 ORDER BY id', Schema::table( 'records' ), $this->tenant->key, Sql::bytes( $this->object ), Sql::bytes( $hash ) ) ) as $row ) {
			$ids[] = (string) $row['crm_id'];
		}
		foreach ( $recent as $id => $lead ) {
			if ( $hash === $this->rules->unique_hash( json_decode( $lead->base, true )[ $this->rules->unique ] ?? null ) ) {
				$ids[] = (string) $id;
			}
		}
		$found = array();
		foreach ( array_slice( array_unique( $ids ), 0, self::COMPARED ) as $id ) {
			$lead = $this->get( $id );
			if ( $lead && $hash === $this->rules->unique_hash( json_decode( $lead->base, true )[ $this->rules->unique ] ?? null ) ) {
				$found[ $id ] = $lead;
			}
		}
		return $found;
	}

	/**
	 * The same for a record that has nothing to be known by: one that has all that was sent and belongs to no lead.
	 *
	 * @param array<string, mixed> $sent
	 * @return array<string, Lead>|null
	 */
	public function find_same( array $sent, float $since ): ?array {
		$recent = $this->recent( $since );
		if ( null === $recent ) {
			return null;
		}
		$table = Schema::table( 'records' );
		$own   = sprintf( 'tenant = %d AND object = %s', $this->tenant->key, Sql::bytes( $this->object ) );
		$found = array();
		foreach ( Sql::rows( "SELECT crm_id FROM `$table` WHERE $own AND hint = 1 AND post_id IS NULL AND base IS NULL ORDER BY id DESC LIMIT " . self::COMPARED ) as $row ) {
			$lead = $this->get( (string) $row['crm_id'] );
			if ( $lead && self::is_same( $sent, (array) json_decode( $lead->base, true ) ) ) {
				$found[ $lead->id ] = $lead;
			}
		}
		foreach ( $recent as $lead ) {
			if ( self::is_same( $sent, (array) json_decode( $lead->base, true ) ) && ! Sql::rows( "SELECT id FROM `$table` WHERE $own AND id_hash = " . Sql::bytes( $lead->hash ) . ' AND post_id IS NOT NULL' ) ) {
				$found[ $lead->id ] = $lead;
			}
		}
		return $found;
	}

	/** Whether a record has all that was sent. */
	public static function is_same( array $sent, array $crm ): bool {
		foreach ( $sent as $field => $value ) {
			if ( ! \TenantCRMSync::same( $value, $crm[ $field ] ?? null, array( 'trim', 'case' ) ) ) {
				return false;
			}
		}
		return (bool) $sent;
	}

	public function can( string $what ): bool {
		$objects = Connectors::find( $this->tenant->connector )['objects'] ?? array();
		return ! empty( ( $objects[ $this->object ] ?? $objects['*'] ?? array() )[ $what ] );
	}

	public function client(): \TenantCRMSync {
		return $this->client ??= $this->tenant->client();
	}

	/**
	 * @param array<mixed> $record As the extension gave it.
	 * @throws BadValue
	 */
	private function lead( array $record ): Lead {
		$incoming = new Incoming( new ArrayRows( array( $record ), $this->fields ), $this->fields );
		if ( ! $incoming->items ) {
			throw new BadValue( 'what the CRM gave cannot be read: ' . ( $incoming->refused[0]['reason'] ?? 'it is no record' ) );
		}
		return $incoming->lead( reset( $incoming->items ) );
	}

	/**
	 * What a pull has just read and nobody stored.
	 *
	 * @param array<string, Lead> $leads By id.
	 */
	public function know( array $leads ): void {
		$this->recent = $leads;
		$this->asked  = microtime( true );
	}

	/** @return array<string, Lead>|null */
	private function recent( float $since ): ?array {
		if ( null !== $this->recent && $this->asked >= $since ) {
			return $this->recent;
		}
		$cursor = Cursors::read( $this->tenant->key, $this->object, $this->fields->hash() );
		if ( null === $cursor ) {
			return null;
		}
		$asked = microtime( true );
		$found = array();
		$pages = 0;
		foreach ( $this->client()->pull( $this->object, $cursor, array( 'fields' => $this->fields->crm_fields() ) ) as $batch ) {
			$incoming = new Incoming( $batch, $this->fields );
			foreach ( $incoming->items as $item ) {
				$found[ $item['id'] ] = $incoming->lead( $item );
			}
			++$this->reads;
			if ( ++$pages >= self::PAGES && ! $batch->is_last() ) {
				return null;
			}
		}
		$this->asked = $asked;
		return $this->recent = $found;
	}
}
