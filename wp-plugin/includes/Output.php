<?php
/**
 * Prints rows for the command line, as a table or as JSON.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Output {

	/**
	 * @param array<string, mixed> $run As Runs gives it.
	 * @return array<string, mixed>
	 */
	public static function run( string $tenant, array $run ): array {
		$seconds = null;
		if ( isset( $run['started_at'], $run['finished_at'] ) ) {
			$seconds = strtotime( $run['finished_at'] . ' UTC' ) - strtotime( $run['started_at'] . ' UTC' );
		}
		return array(
			'tenant'    => $tenant,
			'run'       => $run['id'] ?? null,
			'state'     => $run['state'],
			'fetched'   => $run['fetched'] ?? 0,
			'created'   => $run['created'] ?? 0,
			'updated'   => $run['updated'] ?? 0,
			'unchanged' => $run['unchanged'] ?? 0,
			'refused'   => $run['refused'] ?? 0,
			'seconds'   => $seconds,
			'error'     => $run['error'] ?? null,
		);
	}

	/**
	 * @param list<array<string, mixed>> $rows
	 * @param string                     $none Said where there are none.
	 */
	public static function rows( array $rows, string $format, string $none = 'There are no tenants yet.' ): void {
		if ( 'json' === $format ) {
			echo wp_json_encode( $rows, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ), "\n";
			return;
		}
		if ( ! $rows ) {
			echo $none, "\n";
			return;
		}
		$lines  = array_map( static fn( array $row ): array => array_map( array( self::class, 'cell' ), $row ), $rows );
		$widths = array();
		array_unshift( $lines, array_combine( array_keys( $rows[0] ), array_keys( $rows[0] ) ) );
		foreach ( $lines as $line ) {
			foreach ( $line as $name => $cell ) {
				$widths[ $name ] = max( $widths[ $name ] ?? 0, mb_strwidth( $cell ) );
			}
		}
		foreach ( $lines as $number => $line ) {
			$text = '';
			foreach ( $line as $name => $cell ) {
				$fill  = str_repeat( ' ', $widths[ $name ] - mb_strwidth( $cell ) );
				$text .= is_int( $rows[ max( 0, $number - 1 ) ][ $name ] ) ? "$fill$cell  " : "$cell$fill  ";
			}
			echo rtrim( $text ), "\n";
		}
	}

	/**
	 * Text of a CRM must not steer the terminal.
	 *
	 * @param mixed $value
	 */
	public static function cell( $value ): string {
		if ( is_bool( $value ) ) {
			return $value ? 'yes' : 'no';
		}
		return (string) preg_replace( '/[\x00-\x1f\x7f]+/', ' ', null === $value ? '' : (string) $value );
	}
}
