<?php
/** Medians, and whether the rounds of a comparison agree well enough to say anything. */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Statistics {

	/** The middle half of the rounds may differ by so much of the median. */
	private const UNSTEADY = 0.5;

	/** @param non-empty-list<float> $values */
	public static function median( array $values ): float {
		return self::quantile( $values, 0.5 );
	}

	/** @param non-empty-list<float> $values */
	public static function quantile( array $values, float $part ): float {
		sort( $values );
		$at    = $part * ( count( $values ) - 1 );
		$below = (int) floor( $at );
		$above = (int) ceil( $at );
		return $values[ $below ] + ( $values[ $above ] - $values[ $below ] ) * ( $at - $below );
	}

	/** @param non-empty-list<float> $values */
	public static function is_unsteady( array $values ): bool {
		$median = self::median( $values );
		return 0.0 !== $median && ( self::quantile( $values, 0.75 ) - self::quantile( $values, 0.25 ) ) / abs( $median ) > self::UNSTEADY;
	}
}
