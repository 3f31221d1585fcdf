<?php
/**
 * Rows of the ledger as two-way sync writes them: whole rows, changed from what a locking read gave. What they mean is in Migrations.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\Lead;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Transaction;

final class Records {

	private const BYTES = array( 'object', 'crm_id', 'id_hash', 'fingerprint', 'crm_revision', 'seen', 'mapping', 'unique_hash' );
	private const TEXTS = array( 'base', 'name', 'email', 'state', 'owner', 'crm_created_at', 'crm_updated_at', 'origins' );
	private const INTS  = array( 'tenant', 'post_id', 'version', 'hint', 'gone', 'scan' );

	/** @var array<string, array<string, string|null>> By hash of the id. */
	private array $rows = array();

	public function __construct( private readonly Transaction $transaction, private readonly Tenant $tenant, private readonly Rules $rules, private readonly string $mapping, private readonly int $scan ) {
	}

	/**
	 * Notes a row; flush() writes it.
	 *
	 * @param array<string, string|null>|null $row  As it was read; null: a new one, of this record.
	 * @param Lead|null                       $lead What the CRM has.
	 * @param array<string, string|null>      $set
	 */
	public function put( ?array $row, ?Lead $lead, array $set ): void {
		$row ??= array(
			'id'      => null,
			'tenant'  => (string) $this->tenant->key,
			'object'  => $this->rules->object,
			'crm_id'  => $lead->id,
			'id_hash' => $lead->hash,
			'post_id' => null,
			'base'    => null,
			'version' => '0',
			'hint'    => '0',
			'gone'    => '0',
			'scan'    => (string) $this->scan,
		);
		if ( $lead ) {
			$crm = (array) json_decode( $lead->base, true );
			$row = array(
				'fingerprint'    => $lead->fingerprint,
				'crm_revision'   => $lead->revision,
				'seen'           => Projection::hash( $crm ),
				'mapping'        => $this->mapping,
				'unique_hash'    => $this->rules->unique_hash( $crm[ $this->rules->unique ] ?? null ),
				'crm_created_at' => $lead->created_at,
				'crm_updated_at' => $lead->updated_at,
			) + self::projection( $crm ) + $row;
		}
		$row['version'] = (string) ( 1 + (int) $row['version'] );
		$this->rows[ $row['id_hash'] ] = $set + $row;
	}

	/** @return array<string, string> What lists show. */
	public static function projection( array $record ): array {
		return Fields::projection( $record );
	}

	public static function json( ?array $record ): ?string {
		return null === $record ? null : (string) wp_json_encode( (object) $record, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION );
	}

	/**
	 * New leads of the portal that may be one of these persons, locked; and so are the gaps where there is none.
	 *
	 * @param list<string> $hashes
	 * @return list<array<string, string|null>> With those that are on their way and have nothing to be known by.
	 */
	public function candidates( array $hashes ): array {
		$where = sprintf( 'tenant = %d AND object = %s AND record IS NULL', $this->tenant->key, Sql::bytes( $this->rules->object ) );
		$sql   = 'SELECT * FROM `' . Schema::table( 'changes' ) . "` WHERE $where AND ";
		$found = $hashes ? $this->transaction->rows( $sql . 'unique_hash IN (' . implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) ) . ') ORDER BY id FOR UPDATE' ) : array();
		return array_merge( $found, $this->transaction->rows( $sql . 'unique_hash IS NULL AND sent_at IS NOT NULL ORDER BY id FOR UPDATE' ) );
	}

	/**
	 * Which of these persons have a lead that the CRM knows, by what the CRM has or by what the lead says now.
	 *
	 * @param list<string> $hashes
	 * @return array<string, true>
	 */
	public function known( array $hashes ): array {
		if ( ! $hashes ) {
			return array();
		}
		$own = sprintf( 'tenant = %d AND object = %s', $this->tenant->key, Sql::bytes( $this->rules->object ) );
		$in  = implode( ',', array_map( array( Sql::class, 'bytes' ), $hashes ) );
		return array_fill_keys( array_column( $this->transaction->rows( 'SELECT unique_hash AS hash FROM `' . Schema::table( 'records' ) . "` WHERE $own AND unique_hash IN ($in) AND post_id IS NOT NULL UNION SELECT person FROM `" . Schema::table( 'changes' ) . "` WHERE $own AND person IN ($in) AND record IS NOT NULL" ), 'hash' ), true );
	}

	public function flush(): void {
		$columns = array_merge( self::BYTES, self::TEXTS, self::INTS );
		$pieces  = array( '' => array(), 'id' => array() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		foreach ( $this->rows as $row ) {
			$values = array();
			foreach ( self::BYTES as $name ) {
				$values[] = Subject::literal( $row[ $name ] ?? null );
			}
			foreach ( self::TEXTS as $name ) {
				$values[] = Subject::literal( $row[ $name ] ?? null, true );
			}
			foreach ( self::INTS as $name ) {
				$values[] = null === $row[ $name ] ? 'NULL' : (string) (int) $row[ $name ];
			}
			$pieces[ null === $row['id'] ? '' : 'id' ][] = '(' . ( null === $row['id'] ? '' : (int) $row['id'] . ',' ) . implode( ',', $values ) . ',UTC_TIMESTAMP())';
		}
		$this->rows = array();
		$table      = Schema::table( 'records' );
		$set        = implode( ', ', array_map( static fn( string $name ): string => "$name = VALUES($name)", array_diff( array_merge( $columns, array( 'synced_at' ) ), array( 'tenant', 'object', 'crm_id', 'id_hash' ) ) ) );
		// Rows with an id were locked: nothing is ever inserted by it.
		$this->transaction->insert( "INSERT INTO `$table` (id, " . implode( ', ', $columns ) . ', synced_at) VALUES ', $pieces['id'], " ON DUPLICATE KEY UPDATE $set" );
		$this->transaction->insert( "INSERT INTO `$table` (" . implode( ', ', $columns ) . ', synced_at) VALUES ', $pieces[''] );
	}
}
