<?php
/**
 * The commands of bin/tenant-crm that are about the inbox of conflicts: what waits for a person, and what the person says.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\TwoWay\Conflicts;
use TenantCRM\TwoWay\Decisions;

final class ConflictCommands {

	private const MOST = 1000;

	/** @param array<string, mixed> $options */
	public static function run( array $options ): int {
		$words = $options['words'];
		return match ( $words[1] ?? 'list' ) {
			'list'  => self::list( $options ),
			'take'  => self::take( $options ),
			'undo'  => self::undo( self::ids( array_slice( $words, 2 ) ) ),
			default => throw new \DomainException( "\"{$words[1]}\" is nothing that can be done about conflicts" ),
		};
	}

	/** @param array<string, mixed> $options */
	private static function list( array $options ): int {
		$rows = array();
		foreach ( Conflicts::list( array( 'state' => 'open', 'tenants' => self::tenants( $options ), 'limit' => self::MOST ) ) as $row ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$tenant = Tenants::get( $row['tenant'] );
			$short  = static fn( $value ): string => mb_strimwidth( is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ), 0, 'json' === $options['format'] ? 100000 : 40, '…' );
			$rows[] = array(
				'id'     => $row['id'],
				'tenant' => $tenant ? $tenant->id : '',
				'kind'   => $row['kind'],
				'record' => (string) $row['crm_id'],
				'field'  => $row['field'],
				'base'   => $short( $row['base'] ),
				'crm'    => $short( $row['crm'] ),
				'portal' => $short( $row['portal'] ),
				'reason' => $row['reason'],
			);
		}
		Output::rows( $rows, $options['format'], 'Nothing waits for a decision.' );
		return 0;
	}

	/** @param array<string, mixed> $options */
	private static function take( array $options ): int {
		$side = $options['words'][2] ?? '';
		if ( ! in_array( $side, array( 'crm', 'portal' ), true ) ) {
			throw new \DomainException( 'whose value counts: crm or portal?' );
		}
		$named = array_slice( $options['words'], 3 );
		if ( ! $named ) {
			CommandLine::chosen( $options );
		}
		$ids  = $named ? self::ids( $named ) : array_column( Conflicts::list( array( 'state' => 'open', 'tenants' => self::tenants( $options ), 'limit' => self::MOST ) ), 'id' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$good = true;
		foreach ( $ids as $id ) {
			$result = Decisions::take( $id, $side );
			$good   = $good && 'taken' === $result;
			echo "$id: ", array( 'taken' => "taken, $side counts", 'asked' => 'one side has another value by now; it is asked again', 'gone' => 'it is not in question' )[ $result ], "\n"; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $good ? 0 : 1;
	}

	/** @param list<int> $ids */
	private static function undo( array $ids ): int {
		$good = true;
		foreach ( $ids as $id ) {
			$result = Decisions::undo( $id );
			$good   = $good && 'undone' === $result;
			echo "$id: ", array( 'undone' => 'undone', 'changed' => 'the lead has another value by now', 'not' => 'it cannot be undone' )[ $result ], "\n"; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $good ? 0 : 1;
	}

	/**
	 * @param list<string> $words
	 * @return list<int>
	 */
	private static function ids( array $words ): array {
		if ( ! $words || array_filter( $words, static fn( string $word ): bool => ! ctype_digit( $word ) ) ) {
			throw new \DomainException( 'say the numbers that tenant-crm conflict list shows' );
		}
		return array_map( 'intval', $words );
	}

	/**
	 * @param array<string, mixed> $options
	 * @return list<int>|null
	 */
	private static function tenants( array $options ): ?array {
		return $options['tenant'] ? array_map( static fn( string $id ): int => CommandLine::tenant( $id )->key, $options['tenant'] ) : null;
	}
}
