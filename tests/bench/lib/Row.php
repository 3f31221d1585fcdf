<?php
/**
 * One line of the table: what was measured round by round, and what it is held to.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Row {

	/** @var list<float> One value a round. */
	public array $values = [];

	/** Why there is no number, where there is none. */
	public ?string $reason = null;

	/** Whether it was not to be measured this time. */
	public bool $is_skipped = false;

	/**
	 * @param string $id     Of the comparison and the line.
	 * @param string $work   What is done.
	 * @param string $than   What it is compared with; '' where the value stands for itself.
	 * @param string $unit   "x" (ratio), "ms", "us", "ns", "MB", "share".
	 * @param bool   $higher Whether more is better.
	 */
	public function __construct(
		public readonly string $id,
		public readonly string $work,
		public readonly string $than,
		public readonly string $unit,
		public readonly bool $higher,
		public readonly ?float $floor,
		public readonly ?float $aim,
	) {}

	public function verdict(): string {
		return match ( true ) {
			$this->is_skipped                     => 'whole run only',
			[] === $this->values                  => 'not measured',
			null === $this->floor                 => '',
			! $this->reaches( $this->floor )      => 'MISSED',
			null !== $this->aim && $this->reaches( $this->aim ) => 'aim',
			default                               => 'ok',
		};
	}

	public function median(): float {
		return Statistics::median( $this->values );
	}

	private function reaches( float $bound ): bool {
		// What is printed counts: a table must not say 2.90 and "missed".
		$shown = (float) self::number( $this->median() );
		return $this->higher ? $shown >= $bound : $shown <= $bound;
	}

	/** Three digits that count. */
	public static function number( float $value ): string {
		$value = (float) sprintf( '%.3g', $value );
		$size  = abs( $value );
		return sprintf( '%.' . ( $size >= 100 ? 0 : ( $size >= 10 ? 1 : ( $size >= 1 ? 2 : 3 ) ) ) . 'f', $value );
	}

	public function bound( ?float $bound ): string {
		return null === $bound ? '-' : ( $this->higher ? '>= ' : '<= ' ) . rtrim( rtrim( number_format( $bound, 3, '.', '' ), '0' ), '.' );
	}

	/** @return array<string, mixed> */
	public function to_array(): array {
		$measured = [] === $this->values ? [] : [
			'min'    => min( $this->values ),
			'median' => $this->median(),
			'max'    => max( $this->values ),
			'rounds' => count( $this->values ),
			'values' => $this->values,
		];
		return [ 'id' => $this->id, 'work' => $this->work, 'than' => $this->than, 'unit' => $this->unit, 'better' => $this->higher ? 'more' : 'less', 'floor' => $this->floor, 'aim' => $this->aim, 'verdict' => $this->verdict(), 'reason' => $this->reason ] + $measured;
	}
}
