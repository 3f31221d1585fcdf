<?php
/**
 * A line on the terminal that says how far a sync is. It goes to standard error, so that what is printed can be piped, and only to a terminal.
 *
 * How many rows there will be nobody knows before the end: what earlier syncs read is the guess.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class ProgressBar {

	private const WIDTH = 24;

	private bool $shown;

	private string $name = '';

	private int $expected = 0;

	private float $since = 0.0;

	public function __construct( bool $wanted ) {
		$this->shown = $wanted && defined( 'STDERR' ) && stream_isatty( STDERR );
	}

	public function is_shown(): bool {
		return $this->shown;
	}

	public function begin( string $name, int $expected ): void {
		$this->name     = Output::cell( $name );
		$this->expected = $expected;
		$this->since    = microtime( true );
		$this->show( 0, 0 );
	}

	public function show( int $rows, int $pages ): void {
		if ( $this->shown ) {
			fwrite( STDERR, "\r\x1b[K" . self::line( $this->name, $rows, $pages, $this->expected, microtime( true ) - $this->since ) );
		}
	}

	public function end(): void {
		if ( $this->shown ) {
			fwrite( STDERR, "\r\x1b[K" );
		}
	}

	/** `north [=====>      ] 3,000 rows, 30 pages, 1,200 rows/s, about 4 s left` */
	public static function line( string $name, int $rows, int $pages, int $expected, float $seconds ): string {
		$rate = $seconds > 0 ? $rows / $seconds : 0.0;
		$bar  = '';
		$left = '';
		// More than was guessed: the guess is worth nothing any more.
		if ( $expected > $rows ) {
			$full = (int) floor( self::WIDTH * $rows / $expected );
			$bar  = '[' . str_repeat( '=', $full ) . '>' . str_repeat( ' ', self::WIDTH - $full - 1 ) . '] ';
			$left = $rate >= 1 ? sprintf( ', about %d s left', ceil( ( $expected - $rows ) / $rate ) ) : '';
		}
		return sprintf( '%s %s%s rows, %s pages, %s rows/s%s', $name, $bar, number_format( $rows ), number_format( $pages ), number_format( $rate ), $left );
	}
}
