<?php
/**
 * Chance that a seed repeats.
 */

final class Dice {

	private \Random\Randomizer $random;

	public function __construct( int $seed ) {
		$this->random = new \Random\Randomizer( new \Random\Engine\Xoshiro256StarStar( $seed ) );
	}

	/** From 0 to one less than this. */
	public function below( int $count ): int {
		return $this->random->getInt( 0, $count - 1 );
	}

	public function once_in( int $count ): bool {
		return 0 === $this->below( $count );
	}

	public function one( array $choices ): mixed {
		return $choices[ $this->below( count( $choices ) ) ];
	}

	/** @param array<string, int> $weights */
	public function weighed( array $weights ): string {
		$point = $this->below( array_sum( $weights ) );
		foreach ( $weights as $choice => $weight ) {
			$point -= $weight;
			if ( $point < 0 ) {
				return $choice;
			}
		}
	}
}
