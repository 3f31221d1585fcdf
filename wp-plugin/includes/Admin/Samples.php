<?php
/**
 * The first few leads of a tenant's CRM, to choose fields by: read when somebody asks, shown once, and stored nowhere.
 */

namespace TenantCRM\Admin;

use TenantCRM\Connectors;
use TenantCRM\Tenant;

final class Samples {

	const LEADS       = 3;
	const MOST_FIELDS = 300;
	const MAX_VALUE   = 60;

	/** @var string Why there are none; empty where there are. */
	public $trouble = '';

	/** @var list<array<mixed>> Records in the neutral shape. */
	private $records = array();

	/** @var array<string, array{label: string, type: string, samples: list<string>}> By path, as the mapping writes it. */
	private $fields = array();

	public function __construct( Tenant $tenant ) {
		if ( $tenant->missing() ) {
			/* translators: %s: list of fields, for example "endpoint, API key" */
			$this->trouble = sprintf( __( 'Its connection lacks: %s.', 'tenant-crm-sync' ), implode( ', ', $tenant->missing() ) );
			return;
		}
		try {
			$client = $tenant->client();
			$this->describe( $tenant, $client );
			foreach ( $client->pull( 'leads', null, array( 'page_size' => self::LEADS ) ) as $batch ) {
				for ( $nth = 0; $nth < min( self::LEADS, count( $batch ) ); $nth++ ) {
					$this->records[] = $batch->record( $nth );
					$this->flatten( $batch->row( $nth ), array() );
				}
				break;
			}
		} catch ( \Exception $error ) {
			$this->trouble = $error->getMessage();
		}
	}

	/** @return array<string, array{label: string, type: string, samples: list<string>}> */
	public function fields(): array {
		return $this->fields;
	}

	/** @return list<string> What the leads have in a field of the neutral shape. */
	public function of( string $field ): array {
		return array_values( array_filter( array_map( static fn( array $record ): string => self::text( $record[ $field ] ?? '' ), $this->records ), 'strlen' ) );
	}

	private function describe( Tenant $tenant, \TenantCRMSync $client ): void {
		if ( empty( Connectors::find( $tenant->connector )['objects']['leads']['fields'] ) ) {
			return;
		}
		foreach ( array_slice( (array) $client->describe( 'leads' ), 0, self::MOST_FIELDS ) as $field ) {
			$this->fields[ (string) $field['name'] ] = array(
				'label'   => (string) $field['label'],
				'type'    => (string) ( $field['type'] ?? '' ),
				'samples' => array(),
			);
		}
	}

	/**
	 * @param array<mixed> $values
	 * @param list<string> $steps  Where they are.
	 */
	private function flatten( array $values, array $steps ): void {
		foreach ( $values as $name => $value ) {
			$path = array_merge( $steps, array( (string) $name ) );
			if ( is_array( $value ) && ! array_is_list( $value ) && $value && count( $path ) < 4 ) {
				$this->flatten( $value, $path );
				continue;
			}
			$key = 1 === count( $path ) ? $path[0] : (string) wp_json_encode( $path, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
			if ( ! isset( $this->fields[ $key ] ) && count( $this->fields ) >= self::MOST_FIELDS ) {
				continue;
			}
			$this->fields[ $key ] ??= array(
				'label'   => '',
				'type'    => '',
				'samples' => array(),
			);
			if ( '' !== self::text( $value ) ) {
				$this->fields[ $key ]['samples'][] = self::text( $value );
			}
		}
	}

	/** @param mixed $value */
	private static function text( $value ): string {
		if ( is_bool( $value ) ) {
			return $value ? 'true' : 'false';
		}
		$text = is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
		return mb_strimwidth( (string) preg_replace( '/\s+/u', ' ', $text ), 0, self::MAX_VALUE, '…' );
	}
}
