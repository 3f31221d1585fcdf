<?php
/** Counts and prints: one check is one comparison, and a failed one shows where the two sides part. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

final class Checks {

	private int $passed = 0;
	private int $failed = 0;

	public function same( string $what, mixed $expected, mixed $actual ): void {
		if ( $expected === $actual ) {
			++$this->passed;
			return;
		}
		++$this->failed;
		echo "FAILED $what\n";
		foreach ( array_slice( self::apart( $expected, $actual ), 0, 8 ) as $line ) {
			echo "  $line\n";
		}
	}

	public function end(): int {
		echo "$this->passed passed, $this->failed failed\n";
		return $this->failed > 0 || 0 === $this->passed ? 1 : 0;
	}

	/** @return list<string> */
	private static function apart( mixed $expected, mixed $actual, string $path = '' ): array {
		if ( $expected === $actual ) {
			return [];
		}
		if ( ! is_array( $expected ) || ! is_array( $actual ) || ( $expected == $actual && array_keys( $expected ) !== array_keys( $actual ) ) ) { // phpcs:ignore Universal.Operators.StrictComparisons -- equal but for the order.
			return [ ( $path ?: 'value' ) . ': expected ' . self::text( $expected ) . ', got ' . self::text( $actual ) ];
		}
		$lines = [];
		foreach ( array_unique( [ ...array_keys( $expected ), ...array_keys( $actual ) ], SORT_REGULAR ) as $key ) {
			$lines = [ ...$lines, ...self::apart( $expected[ $key ] ?? null, $actual[ $key ] ?? null, "$path > $key" ) ];
		}
		return $lines;
	}

	private static function text( mixed $value ): string {
		return mb_strimwidth( (string) json_encode( $value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR ), 0, 400, '…' );
	}
}
