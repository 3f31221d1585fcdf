<?php
/**
 * A strict reader of Prometheus's text format, version 0.0.4, for tests: what it does not understand, or what Prometheus would refuse, is a
 * failure. Written from the format's description, not from the code that writes it.
 */

final class Exposed {

	/** @var array<string, string> Type of each family. */
	public array $types = array();

	/** @var array<string, int|float> By name and sorted labels: `name{a="x",b="y"}`, the values as they are, not escaped. */
	public array $samples = array();

	public function __construct( string $text ) {
		if ( ! str_ends_with( $text, "\n" ) || str_contains( $text, "\r" ) || ! mb_check_encoding( $text, 'UTF-8' ) ) {
			throw new RuntimeException( 'not UTF-8 in lines' );
		}
		$family = '';
		foreach ( explode( "\n", substr( $text, 0, -1 ) ) as $line ) {
			if ( 1 === preg_match( '/^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\\]|\\\\[\\\\n])+)$/D', $line, $match ) ) {
				$family = $this->begin( $match[1] );
			} elseif ( 1 === preg_match( '/^# TYPE (\S+) (counter|gauge|histogram)$/D', $line, $match ) ) {
				if ( $match[1] !== $family || isset( $this->types[ $family ] ) ) {
					throw new RuntimeException( "type in the wrong place: $line" );
				}
				$this->types[ $family ] = $match[2];
			} else {
				$this->sample( $family, $line );
			}
		}
		$this->check_histograms();
	}

	/** @param array<string, string> $labels */
	public function value( string $name, array $labels = array() ): int|float|null {
		return $this->samples[ self::key( $name, $labels ) ] ?? null;
	}

	/** @return array<string, int|float> Of all that must never shrink. */
	public function counters(): array {
		return array_filter( $this->samples, fn( string $key ): bool => 'gauge' !== ( $this->types[ self::family( strtok( $key, '{' ) ) ] ?? $this->types[ strtok( $key, '{' ) ] ), ARRAY_FILTER_USE_KEY );
	}

	private function begin( string $family ): string {
		if ( array_key_exists( $family, $this->types ) ) {
			throw new RuntimeException( "$family comes twice" );
		}
		return $family;
	}

	private function sample( string $family, string $line ): void {
		$label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\["\\\\n])*"';
		if ( 1 !== preg_match( '/^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:' . $label . ')(?:,' . $label . ')*)\})? (-?(?:\d+(?:\.\d+)?|Inf)|NaN)$/D', $line, $match ) ) {
			throw new RuntimeException( "no sample: $line" );
		}
		list( , $name, $inner, $value ) = $match;
		$type = $this->types[ $family ] ?? throw new RuntimeException( "a sample without a type: $line" );
		if ( $name !== $family && ! ( 'histogram' === $type && self::family( $name ) === $family ) ) {
			throw new RuntimeException( "a sample of another family than $family: $line" );
		}
		if ( 'gauge' !== $type && str_starts_with( $value, '-' ) ) {
			throw new RuntimeException( "counts nothing: $line" );
		}
		if ( 'counter' === $type && ! str_ends_with( $name, '_total' ) ) {
			throw new RuntimeException( "a counter's name ends with _total: $line" );
		}
		preg_match_all( '/([a-zA-Z0-9_]+)="((?:[^"\\\\]|\\\\["\\\\n])*)"/', $inner, $found, PREG_SET_ORDER );
		$labels = array();
		foreach ( $found as list( , $label_name, $text ) ) {
			if ( isset( $labels[ $label_name ] ) ) {
				throw new RuntimeException( "a label twice: $line" );
			}
			$labels[ $label_name ] = strtr( $text, array( '\\\\' => '\\', '\\"' => '"', '\\n' => "\n" ) );
		}
		$key = self::key( $name, $labels );
		if ( isset( $this->samples[ $key ] ) ) {
			throw new RuntimeException( "the same series twice: $line" );
		}
		$this->samples[ $key ] = $value + 0;
	}

	/** Buckets grow to the last one, which is all. */
	private function check_histograms(): void {
		$last = array();
		foreach ( $this->samples as $key => $value ) {
			if ( 1 === preg_match( '/^(\w+)_bucket\{le="([^"]+)",?(.*)\}$/sD', $key, $match ) ) {
				$series = "{$match[1]} {$match[3]}";
				if ( $value < ( $last[ $series ] ?? 0 ) ) {
					throw new RuntimeException( "a bucket with less than the one before: $key" );
				}
				$last[ $series ] = $value;
				if ( '+Inf' === $match[2] && ( $this->samples[ "{$match[1]}_count{{$match[3]}}" ] ?? null ) !== $value ) {
					throw new RuntimeException( "the last bucket is not all: $key" );
				}
			}
		}
	}

	private static function family( string $name ): string {
		return (string) preg_replace( '/_(bucket|sum|count)$/D', '', $name );
	}

	/** @param array<string, string> $labels */
	private static function key( string $name, array $labels ): string {
		ksort( $labels );
		$parts = array();
		foreach ( $labels as $label => $text ) {
			$parts[] = "$label=\"$text\"";
		}
		return $name . ( $parts ? '{' . implode( ',', $parts ) . '}' : '' );
	}
}
