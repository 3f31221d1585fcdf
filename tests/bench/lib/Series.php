<?php
/**
 * What the rounds of one comparison gave: of each side one sample a round, in pairs with the other sides' of the same round.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Series {

	/** @param array<string, list<array<string, float|int|string>>> $samples By side, one a round. */
	public function __construct( public readonly array $samples ) {}

	/** @return list<float> */
	public function of( string $side, string $what = 'wall' ): array {
		return array_map( static fn( array $sample ): float => (float) $sample[ $what ], $this->samples[ $side ] );
	}

	/** @return list<float> How many times as much $side took as $than, round by round. */
	public function times( string $side, string $than = 'ours', string $what = 'wall' ): array {
		return array_map( static fn( float $a, float $b ): float => $a / $b, $this->of( $side, $what ), $this->of( $than, $what ) );
	}
}
