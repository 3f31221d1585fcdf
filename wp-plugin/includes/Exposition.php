<?php
/**
 * Prometheus's text format, version 0.0.4: families of samples with their HELP and TYPE. What is counted is for others to say.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Exposition {

	public const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

	private string $text = '';

	/**
	 * A family; all of its samples follow by sample() before the next one begins.
	 *
	 * @param string $type counter, gauge or histogram.
	 */
	public function family( string $name, string $type, string $help ): void {
		$this->text .= "# HELP $name " . strtr( $help, array( '\\' => '\\\\', "\n" => '\\n' ) ) . "\n# TYPE $name $type\n"; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @param array<string, string|int> $labels */
	public function sample( string $name, array $labels, int|float $value ): void {
		$parts = array();
		foreach ( $labels as $label => $text ) {
			// phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			$parts[] = $label . '="' . strtr( mb_scrub( (string) $text, 'UTF-8' ), array( '\\' => '\\\\', '"' => '\\"', "\n" => '\\n' ) ) . '"';
		}
		$this->text .= $name . ( $parts ? '{' . implode( ',', $parts ) . '}' : '' ) . ' ' . self::number( $value ) . "\n";
	}

	public function text(): string {
		return $this->text;
	}

	/** Not in the words of a locale, nor with an exponent. */
	private static function number( int|float $value ): string {
		return is_int( $value ) ? (string) $value : rtrim( rtrim( sprintf( '%.6F', $value ), '0' ), '.' );
	}
}
