<?php
/**
 * One connector and one fresh tenant of the sandbox that speaks its dialect: seeding, what the CRM really holds, connections to it.
 * What a CRM needs for that is in cases/.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

final class Subject {

	private static int $number = 0;
	public string $tenant;
	public string $key;

	/**
	 * @param array<string, mixed> $case A file of cases/.
	 * @param array<string, mixed> $more How the sandbox's tenant behaves.
	 */
	public function __construct( public Sandbox $crm, public array $case, array $more = [] ) {
		$number       = ++self::$number;
		$this->tenant = $case['connector'] . "-$number";
		$this->key    = "k3y-of+the/tenant=$number";
		$crm->tenant( $this->tenant, $this->key, array_replace_recursive( [ 'dialect' => $case['connector'] ], $this->filled( array_replace_recursive( $case['tenant'] ?? [], $more ) ) ) );
	}

	/**
	 * Settings of a connection, `{tenant}`, `{key}` and `{url}` filled in. The CRM's own limits would only take time here: suite `limits` is about them.
	 *
	 * @param array<string, mixed> $more
	 */
	public function settings( array $more = [] ): array {
		return $this->filled( $more + $this->case['settings'] ) + [ 'connector' => $this->case['connector'], 'api_endpoint' => $this->crm->tls, 'limits' => '[]' ];
	}

	/** @param array<string, mixed> $more */
	public function sync( array $more = [] ): \TenantCRMSync {
		return \TenantCRMSync::with_settings( $this->tenant, $this->settings( $more ) );
	}

	/** The sandbox's table of an object type. */
	public function table( string $object ): string {
		return $this->case['tables'][ $object ] ?? $object;
	}

	public function seed( int $count, string $object = 'leads' ): void {
		$this->crm->call( 'POST', '/seed', [ 'tenant' => $this->tenant, 'object' => $this->table( $object ), 'count' => $count, 'seed' => 1, 'bytes' => 300 ] );
	}

	/** @return list<string> Ids of the rows that changed. */
	public function touch( int $count, string $object = 'leads' ): array {
		return array_map( 'strval', $this->crm->call( 'POST', '/touch', [ 'tenant' => $this->tenant, 'object' => $this->table( $object ), 'count' => $count ] )['ids'] );
	}

	/** @param list<array<string, mixed>> $rows @return list<string> Their ids. */
	public function put( array $rows, string $object = 'leads' ): array {
		return array_map( 'strval', $this->crm->call( 'POST', '/rows', [ 'tenant' => $this->tenant, 'object' => $this->table( $object ), 'rows' => $rows ] )['ids'] );
	}

	/** @param list<int|string> $ids As the sandbox has them. */
	public function remove( array $ids, string $object = 'leads' ): void {
		$this->crm->call( 'DELETE', '/rows', [ 'tenant' => $this->tenant, 'object' => $this->table( $object ), 'ids' => $ids ] );
	}

	/** What the CRM holds. @return array<string, array<string, mixed>> By id. */
	public function truth( string $object = 'leads' ): array {
		$rows = [];
		foreach ( $this->crm->call( 'GET', "/rows?tenant=$this->tenant&object=" . $this->table( $object ) ) as $row ) {
			$rows[ (string) $row['id'] ] = $row;
		}
		return $rows;
	}

	/** @return list<string> */
	public function ids( string $object = 'leads' ): array {
		return array_map( 'strval', array_keys( $this->truth( $object ) ) );
	}

	/** @param list<array<string, mixed>> $faults */
	public function faults( array $faults ): void {
		$this->crm->faults( $this->tenant, $faults );
	}

	/** @param array<string, mixed> $behaviour */
	public function behaviour( array $behaviour ): void {
		$this->crm->call( 'POST', '/behaviour', [ 'tenant' => $this->tenant ] + $behaviour );
	}

	/** @return list<array<string, mixed>> This tenant's requests since the last time. */
	public function requests(): array {
		return array_values( array_filter( $this->crm->requests(), fn( $one ) => $one['tenant'] === $this->tenant ) );
	}

	/**
	 * @param array<string, mixed> $options
	 * @param ?callable            $each    Gets the number of the batch, from 1, and the batch.
	 * @return array{records: array<string, array<string, mixed>>, read: int, watermark: string, batches: int, refused: list<array<string, mixed>>}
	 */
	public function pull( ?\TenantCRMSync $sync = null, ?string $watermark = null, string $object = 'leads', array $options = [], ?callable $each = null ): array {
		$got = [ 'records' => [], 'read' => 0, 'watermark' => (string) $watermark, 'batches' => 0, 'refused' => [] ];
		foreach ( ( $sync ?? $this->sync() )->pull( $object, $watermark, $options ) as $batch ) {
			foreach ( $batch->records() as $record ) {
				$got['records'][ (string) $record['id'] ] = $record;
				++$got['read'];
			}
			array_push( $got['refused'], ...$batch->refused() );
			$got['watermark'] = $batch->watermark();
			++$got['batches'];
			if ( null !== $each ) {
				$each( $got['batches'], $batch );
			}
		}
		return $got;
	}

	/** @return list<string> Ids of the feed of deleted records, and the watermark behind it. */
	public function pull_deleted( ?string &$watermark, string $object = 'leads' ): array {
		$ids = [];
		foreach ( $this->sync()->pull_deleted( $object, $watermark ) as $batch ) {
			array_push( $ids, ...$batch->ids() );
			$watermark = $batch->watermark();
		}
		return array_values( array_unique( $ids ) );
	}

	/** Why this CRM cannot do it; null if it can. */
	public function cannot( string $capability, string $object = 'leads' ): ?string {
		$objects = $this->known()['objects'];
		return ( $objects[ $object ] ?? $objects['*'] )['cannot'][ $capability ] ?? null;
	}

	/** What the connector says of itself. @return array<string, mixed> */
	public function known(): array {
		return \TenantCRMSync::connectors()[ $this->case['connector'] ];
	}

	private function filled( mixed $value ): mixed {
		if ( is_array( $value ) ) {
			return array_map( $this->filled( ... ), $value );
		}
		return is_string( $value ) ? strtr( $value, [ '{tenant}' => $this->tenant, '{key}' => $this->key, '{url}' => $this->crm->tls ] ) : $value;
	}
}
