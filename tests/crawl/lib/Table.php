<?php
/**
 * The table of what each visitor was shown: a line a target, a column a visitor. Of WordPress's own ways only those have a line that show something to
 * somebody, so that another version of WordPress, with other ways that show nothing, has the same table.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

final class Table {

	/** @var array<string, array<string, string>> Cells by line and visitor. */
	private array $lines = array();

	/** @var array<string, bool> */
	private array $ours = array();

	/**
	 * @param string $file What is expected.
	 * @param string $got  Where to write what was seen.
	 */
	public function __construct( private readonly string $file, private readonly string $got ) {
	}

	public function put( Target $target, string $visitor, string $cell ): void {
		if ( isset( $this->lines[ $target->name ][ $visitor ] ) ) {
			throw new \LogicException( "There are two targets of the name \"{$target->name}\"." );
		}
		$this->lines[ $target->name ][ $visitor ] = $cell;
		$this->ours[ $target->name ]              = $target->is_ours;
	}

	/** @return array<string, string> The lines by their first column, sorted. */
	public function got(): array {
		$text = array();
		foreach ( $this->lines as $name => $cells ) {
			if ( $this->ours[ $name ] || array_diff( $cells, array( 'nothing' ) ) ) {
				$text[ $name ] = implode( "\t", array_map( static fn( string $visitor ): string => $cells[ $visitor ] ?? '-', Visitors::NAMES ) );
			}
		}
		ksort( $text, SORT_STRING );
		return $text;
	}

	/** @return array<string, string> */
	public function expected(): array {
		$text = array();
		foreach ( array_slice( (array) file( $this->file, FILE_IGNORE_NEW_LINES ), 1 ) as $line ) {
			list( $name, $cells ) = explode( "\t", (string) $line, 2 );
			$text[ $name ]        = $cells;
		}
		return $text;
	}

	public function write(): void {
		$lines = array( "what\t" . implode( "\t", Visitors::NAMES ) );
		foreach ( $this->got() as $name => $cells ) {
			$lines[] = "$name\t$cells";
		}
		file_put_contents( $this->got, implode( "\n", $lines ) . "\n" );
	}

	public function show(): void {
		$width = max( array_map( 'mb_strlen', array_keys( $this->got() ) ) );
		foreach ( $this->got() as $name => $cells ) {
			echo '  ', mb_str_pad( $name, $width ), '  ', implode( '  ', array_map( static fn( string $cell ): string => str_pad( $cell, 13 ), explode( "\t", $cells ) ) ), "\n";
		}
	}
}

/** Strings are bytes to str_pad(). */
function mb_str_pad( string $text, int $width ): string {
	return $text . str_repeat( ' ', max( 0, $width - mb_strlen( $text ) ) );
}
