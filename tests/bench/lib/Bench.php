<?php
/**
 * What a comparison (a file in cases/) is given: rounds in which every side has its turn, lines for the table, the sandbox CRM, and
 * sizes that fit the time there is.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Bench {

	/** @var list<Row> */
	public array $rows = [];

	/** @var list<array{title: string, what: string, unit: string, sides: array<string, array<string, float>>}> Times of all sides, for the second table. */
	public array $sides = [];

	public readonly Crm $crm;

	/** @param string $mode full, quick or smoke. */
	public function __construct( public readonly string $mode, private readonly bool $may_be_busy ) {
		$this->crm = new Crm( $may_be_busy );
	}

	/** What fits: the whole size, that of the quick run, or just enough to see that the script works. */
	public function pick( int $full, int $quick, int $smoke ): int {
		return [ 'full' => $full, 'quick' => $quick, 'smoke' => $smoke ][ $this->mode ];
	}

	/** At least five rounds where figures count. */
	public function rounds( int $full = 7, int $quick = 5 ): int {
		return $this->pick( $full, $quick, 1 );
	}

	/**
	 * A line of the table; without floor and aim it is there to be read.
	 *
	 * @param list<float>|string $values One a round, or why there are none.
	 */
	public function row( string $id, string $work, string $than, string $unit, bool $higher, ?float $floor, ?float $aim, array|string $values ): Row {
		$row = new Row( $id, $work, $than, $unit, $higher, $floor, $aim );
		if ( is_string( $values ) ) {
			$row->reason = $values;
		} elseif ( count( $values ) > 1 && ! $this->may_be_busy && Statistics::is_unsteady( $values ) ) {
			$row->reason = sprintf( 'the rounds do not agree: %s to %s', Row::number( min( $values ) ), Row::number( max( $values ) ) );
		} else {
			$row->values = $values;
		}
		$this->rows[] = $row;
		return $row;
	}

	/** A line that this run has no time for. */
	public function skip( string $id, string $work, string $than, string $unit, bool $higher, ?float $floor, ?float $aim ): void {
		$this->row( $id, $work, $than, $unit, $higher, $floor, $aim, 'it takes the whole run: make bench' )->is_skipped = true;
	}

	/**
	 * Rounds in which each side has one turn, in an order that moves on by one each round. All must have seen the same data.
	 *
	 * @param array<string, callable(): array<string, mixed>> $sides  Each gives its sample: wall (s), perhaps cpu (s), and data, a hash of what it got.
	 * @param list<string>                                    $once   Sides that are too slow for every round: one turn, which is paired with all.
	 * @param array<string, string>                           $show   Samples' members for the table of times, with their unit.
	 */
	public function compare( string $title, int $rounds, array $sides, array $once = [], array $show = [ 'wall' => 'ms' ] ): Series {
		$this->quiet();
		$samples = [];
		$names   = array_keys( $sides );
		for ( $round = 0; $round < $rounds; $round++ ) {
			$first = $round % count( $names );
			foreach ( [ ...array_slice( $names, $first ), ...array_slice( $names, 0, $first ) ] as $name ) {
				$is_known                    = in_array( $name, $once, true ) && isset( $samples[ $name ] );
				$samples[ $name ][ $round ] = $is_known ? end( $samples[ $name ] ) : $sides[ $name ]();
			}
		}
		$this->must_agree( $samples );
		foreach ( $show as $what => $unit ) {
			$medians = [];
			foreach ( $names as $name ) {
				$values           = array_map( 'floatval', array_column( $samples[ $name ], $what ) );
				$medians[ $name ] = [] === $values ? null : [ 'min' => min( $values ), 'median' => Statistics::median( $values ), 'max' => max( $values ) ];
			}
			$this->sides[] = [ 'title' => $title, 'what' => $what, 'unit' => $unit, 'sides' => array_filter( $medians ) ];
		}
		return new Series( $samples );
	}

	/** @throws Unmeasurable */
	public function quiet(): void {
		if ( ! $this->may_be_busy ) {
			Machine::must_be_quiet();
		}
	}

	/** @param array<string, list<array<string, mixed>>> $samples */
	private function must_agree( array $samples ): void {
		$seen = [];
		foreach ( $samples as $name => $list ) {
			foreach ( $list as $sample ) {
				if ( isset( $sample['data'] ) ) {
					$seen[ $sample['data'] ][ $name ] = true;
				}
			}
		}
		if ( count( $seen ) > 1 ) {
			throw new \RuntimeException( 'the sides did not get the same data: ' . json_encode( array_map( 'array_keys', $seen ) ) );
		}
	}
}
