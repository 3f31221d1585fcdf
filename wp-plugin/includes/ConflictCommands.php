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
	public static function list( array $options ): int {
		$rows = array();
		foreach ( Conflicts::list( array( 'state' => 'open', 'tenants' => CommandLine::keys( $options ), 'limit' => self::MOST ) ) as $row ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$tenant = Tenants::get( $row['tenant'] );
			$short  = static fn( $value ): string => mb_strimwidth( is_scalar( $value ) || null === $value ? (string) $value : (string) wp_json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ), 0, Output::is_deep( $options['format'] ) ? 100000 : 40, '…' );
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
		Output::rows( $rows, $options, 'Nothing waits for a decision.' );
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function take( array $options ): int {
		$side = $options['arguments'][0];
		if ( ! in_array( $side, array( 'crm', 'portal' ), true ) ) {
			throw new \DomainException( 'whose value counts: crm or portal?' );
		}
		$named = array_slice( $options['arguments'], 1 );
		if ( ! $named ) {
			CommandLine::chosen( $options );
		}
		$ids  = $named ? CommandLine::numbers( $named, 'conflict list' ) : array_column( Conflicts::list( array( 'state' => 'open', 'tenants' => CommandLine::keys( $options ), 'limit' => self::MOST ) ), 'id' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$good = true;
		foreach ( $ids as $id ) {
			if ( $options['dry-run'] ) {
				echo "$id: $side would count\n";
				continue;
			}
			$result = Decisions::take( $id, $side );
			$good   = $good && 'taken' === $result;
			echo "$id: ", array( 'taken' => "taken, $side counts", 'asked' => 'one side has another value by now; it is asked again', 'gone' => 'it is not in question' )[ $result ], "\n"; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $good ? 0 : 1;
	}

	/** @param array<string, mixed> $options */
	public static function undo( array $options ): int {
		$good = true;
		foreach ( CommandLine::numbers( $options['arguments'], 'conflict list' ) as $id ) {
			$result = Decisions::undo( $id );
			$good   = $good && 'undone' === $result;
			echo "$id: ", array( 'undone' => 'undone', 'changed' => 'the lead has another value by now', 'not' => 'it cannot be undone' )[ $result ], "\n"; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $good ? 0 : 1;
	}
}
