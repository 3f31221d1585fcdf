<?php
/**
 * The table of what each connector can do, from TenantCRMSync::connectors(). Started by ./table, whose head says how.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

const BEGIN = '<!-- connectors: made by tests/connectors/table -->';
const END   = '<!-- connectors: end -->';
/** In this order; others behind them. */
const FIRST = [ 'leads', 'contacts', 'companies', 'deals', 'tickets' ];
const CAN   = [ 'full', 'since', 'one', 'by_ids', 'deleted', 'fields', 'create', 'update', 'upsert', 'delete' ];

/** @param list<string> $cells */
function line( array $cells ): string {
	return '| ' . implode( ' | ', $cells ) . " |\n";
}

/** What one object type can do, a cell for each capability. @param array<string, mixed> $object @return list<string> */
function cells( array $object, bool $webhooks ): array {
	$cells   = array_map( static fn( string $name ): string => $object[ $name ] ? 'yes' : '–', CAN );
	$cells[] = [] === $object['batch'] ? '–' : implode( ', ', $object['batch'] );
	// An event about a record is worth nothing if the record cannot be read.
	$cells[] = $webhooks && $object['one'] && ! isset( $object['cannot']['webhooks'] ) ? 'yes' : '–';
	return $cells;
}

/** @param array<string, array<string, mixed>> $connectors */
function table( array $connectors ): string {
	$head = [ 'CRM', 'objects', ...str_replace( '_', ' ', CAN ), 'batch', 'webhooks', 'auth' ];
	$text = line( $head ) . line( array_fill( 0, count( $head ), '---' ) );
	foreach ( $connectors as $connector ) {
		// Object types that can do the same share a line.
		$alike = [];
		$objects = array_replace( array_intersect_key( array_flip( FIRST ), $connector['objects'] ), $connector['objects'] );
		uksort( $objects, static fn( $a, $b ): int => ( '*' === $a ) <=> ( '*' === $b ) );
		foreach ( $objects as $name => $object ) {
			$cells                      = line( cells( $object, $connector['webhooks'] ) );
			$alike[ $cells ]['cells']   = cells( $object, $connector['webhooks'] );
			$alike[ $cells ]['names'][] = '*' === $name ? 'any other' : $name;
		}
		foreach ( $alike as [ 'cells' => $cells, 'names' => $names ] ) {
			$text .= line( [ $connector['title'], implode( ', ', $names ), ...$cells, implode( ', ', array_keys( $connector['auth'] ) ) ] );
		}
	}
	return $text;
}

/** The file with the table between its markers. */
function renewed( string $file, string $table ): string {
	$text  = is_file( $file ) ? (string) file_get_contents( $file ) : '';
	$begin = strpos( $text, BEGIN );
	$end   = strpos( $text, END );
	if ( false === $begin || false === $end || $end < $begin ) {
		fwrite( STDERR, "$file has no place for the table: write " . BEGIN . ' and ' . END . ", each on a line\n" );
		exit( 2 );
	}
	return substr( $text, 0, $begin ) . BEGIN . "\n$table" . substr( $text, $end );
}

$table = table( \TenantCRMSync::connectors() );
match ( [ $argc, $argv[1] ?? null ] ) {
	[ 1, null ] => print $table,
	[ 3, '--write' ] => file_put_contents( $argv[2], renewed( $argv[2], $table ) ),
	[ 3, '--check' ] => renewed( $argv[2], $table ) === file_get_contents( $argv[2] ) || (static function () use ( $argv ): never {
		fwrite( STDERR, "the table in {$argv[2]} is not current: tests/connectors/table --write {$argv[2]}\n" );
		exit( 1 );
	})(),
	default => (static function (): never {
		fwrite( STDERR, "usage: tests/connectors/table [--check FILE | --write FILE]\n" );
		exit( 2 );
	})(),
};
