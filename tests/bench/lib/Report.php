<?php
/** The tables: for a terminal, for a page in Markdown, and (content) for JSON. */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Report {

	/** @param array{mode: string, busy: bool, seconds: float, machine: array<string, string>, rows: list<array<string, mixed>>, sides: list<array<string, mixed>>} $content */
	public function __construct( public readonly array $content ) {}

	public static function of( Bench $bench, float $seconds, bool $busy ): self {
		return new self( [ 'mode' => $bench->mode, 'busy' => $busy, 'seconds' => round( $seconds ), 'machine' => Machine::describe(), 'rows' => array_map( static fn( Row $row ): array => $row->to_array(), $bench->rows ), 'sides' => $bench->sides ] );
	}

	public function text(): string {
		$text  = self::columns( [ [ 'work', 'against', 'floor', 'aim', 'min', 'median', 'max', '' ], ...array_map( [ self::class, 'cells' ], $this->content['rows'] ) ] ) . "\n";
		$lines = [ [ 'what each side took', '', 'min', 'median', 'max', '' ] ];
		foreach ( $this->content['sides'] as $table ) {
			foreach ( $table['sides'] as $side => $figures ) {
				$lines[] = [ $table['title'], $side, ...array_map( static fn( float $seconds ): string => Row::number( 1000 * $seconds ), array_values( $figures ) ), $table['unit'] ];
			}
		}
		return $text . self::columns( $lines ) . "\n" . $this->where() . "\n";
	}

	public function markdown(): string {
		$text = "| work | against | floor | aim | min | median | max | |\n|---|---|---|---|---|---|---|---|\n";
		foreach ( $this->content['rows'] as $row ) {
			$text .= '| ' . implode( ' | ', self::cells( $row ) ) . " |\n";
		}
		return "$text\n" . $this->where() . "\n";
	}

	private function where(): string {
		$machine = $this->content['machine'];
		return sprintf(
			'%s on %s, %s, PHP %s, curl %s; %s run, %d s%s.',
			$machine['date'],
			$machine['cpu'],
			$machine['system'],
			$machine['php'],
			$machine['curl'],
			[ 'full' => 'whole', 'quick' => 'quick', 'smoke' => 'smoke' ][ $this->content['mode'] ],
			$this->content['seconds'],
			$this->content['busy'] ? '; on a busy machine' : ''
		);
	}

	/**
	 * @param array<string, mixed> $row
	 * @return list<string>
	 */
	private static function cells( array $row ): array {
		$bound = static fn( ?float $bound ): string => null === $bound ? '' : ( 'more' === $row['better'] ? '>= ' : '<= ' ) . Row::number( $bound );
		$value = static fn( string $which ): string => isset( $row[ $which ] ) ? Row::number( $row[ $which ] ) . ( 'x' === $row['unit'] ? 'x' : ( 'share' === $row['unit'] ? '' : " {$row['unit']}" ) ) : '';
		return [ $row['work'], $row['than'], $bound( $row['floor'] ), $bound( $row['aim'] ), $value( 'min' ), $value( 'median' ), $value( 'max' ), $row['verdict'] . ( null === $row['reason'] ? '' : ": {$row['reason']}" ) ];
	}

	/** @param list<list<string>> $lines */
	private static function columns( array $lines ): string {
		$widths = [];
		foreach ( $lines as $line ) {
			foreach ( $line as $column => $cell ) {
				$widths[ $column ] = max( $widths[ $column ] ?? 0, mb_strlen( $cell ) );
			}
		}
		$text = '';
		foreach ( $lines as $line ) {
			$cells = array_map( static fn( string $cell, int $width ): string => $cell . str_repeat( ' ', $width - mb_strlen( $cell ) ), $line, $widths );
			$text .= rtrim( implode( '  ', $cells ) ) . "\n";
		}
		return $text;
	}
}
