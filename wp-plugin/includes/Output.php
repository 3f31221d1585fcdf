<?php
/**
 * Prints rows for the command line: as a table for people, and as JSON, CSV, YAML, ids or their number for scripts.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Output {

	/** Whether a format has room for whole values, however long and deep. */
	public static function is_deep( string $format ): bool {
		return in_array( $format, array( 'json', 'yaml' ), true );
	}

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
	 * @param array<string, mixed>       $options `format`, and `fields` where the command has it.
	 * @param string                     $none    Said where there are none.
	 * @param string                     $id      The column that `ids` prints; the first one where nothing is said.
	 */
	public static function rows( array $rows, array $options, string $none = 'There are no tenants yet.', string $id = '' ): void {
		$format = $options['format'];
		if ( isset( $options['fields'] ) && $rows ) {
			$rows = self::only( $rows, array_map( 'trim', explode( ',', $options['fields'] ) ) );
		}
		switch ( $format ) {
			case 'json':
				echo wp_json_encode( $rows, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ), "\n";
				return;
			case 'yaml':
				self::yaml( $rows );
				return;
			case 'count':
				echo count( $rows ), "\n";
				return;
			case 'ids':
				foreach ( $rows as $row ) {
					echo self::cell( $row[ $id ] ?? reset( $row ) ), "\n";
				}
				return;
			case 'csv':
				self::csv( $rows );
				return;
			default:
				self::table( $rows, $none );
		}
	}

	/** @param list<array<string, mixed>> $rows */
	private static function only( array $rows, array $names ): array {
		foreach ( $names as $name ) {
			if ( ! array_key_exists( $name, $rows[0] ) ) {
				throw new \DomainException( "there is no column \"$name\"; there are: " . implode( ', ', array_keys( $rows[0] ) ) );
			}
		}
		return array_map( static fn( array $row ): array => array_merge( array_fill_keys( $names, null ), array_intersect_key( $row, array_flip( $names ) ) ), $rows );
	}

	/** @param list<array<string, mixed>> $rows */
	private static function table( array $rows, string $none ): void {
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

	/** @param list<array<string, mixed>> $rows */
	private static function csv( array $rows ): void {
		$file = fopen( 'php://output', 'w' ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- what is printed.
		foreach ( $rows ? array_merge( array( array_keys( $rows[0] ) ), $rows ) : array() as $row ) {
			fputcsv( $file, array_map( array( self::class, 'csv_cell' ), $row ), ',', '"', '' );
		}
		fclose( $file ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- as above.
	}

	/** A CRM's text must not become a formula where the file is opened. @param mixed $value */
	private static function csv_cell( $value ): string {
		$text = is_array( $value ) ? (string) wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) : ( is_bool( $value ) ? self::cell( $value ) : (string) $value );
		return ! is_numeric( $text ) && '' !== $text && str_contains( "=+-@\t\r", $text[0] ) ? "'$text" : $text;
	}

	/** A list of maps; values as JSON, which YAML can read. @param list<array<string, mixed>> $rows */
	private static function yaml( array $rows ): void {
		echo "---\n", $rows ? '' : "[]\n";
		foreach ( $rows as $row ) {
			$mark = '-';
			foreach ( $row as $name => $value ) {
				echo "$mark ", preg_match( '/^[a-z_]\w*$/i', (string) $name ) ? $name : wp_json_encode( (string) $name ), ': ', wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ), "\n";
				$mark = ' ';
			}
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
		if ( is_array( $value ) ) {
			$value = (string) wp_json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		}
		// C0, DEL and C1, whose 0x9b begins a sequence too; as UTF-8 first, else as single bytes.
		$text  = null === $value ? '' : (string) $value;
		$clean = preg_replace( '/[\x00-\x1f\x7f-\x{9f}]+/u', ' ', $text );
		return $clean ?? (string) preg_replace( '/[\x00-\x1f\x7f-\xff]+/', ' ', $text );
	}
}
