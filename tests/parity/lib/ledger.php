<?php
/**
 * The ledger's files: ledger/GROUP.json, one entry a case: `guzzle` is what the article's class was seen to do, `ours` what ours does where
 * that differs, `why` the reason.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

const LEDGER = __DIR__ . '/../ledger';

/** @return array<string, array<string, mixed>> */
function ledger(): array {
	$all = [];
	foreach ( glob( LEDGER . '/*.json' ) as $file ) {
		$all += json_decode( (string) file_get_contents( $file ), true, 16, JSON_THROW_ON_ERROR );
	}
	return $all;
}

/**
 * What does not hold of one side of a case; '' if all does.
 *
 * @param array<string, mixed> $case
 * @param array<string, mixed> $entry
 * @param array<string, mixed> $seen
 */
function problem( array $case, array $entry, string $side, array $seen ): string {
	if ( ! isset( $entry['guzzle'] ) ) {
		return 'it is not in the ledger: run with --record; seen: ' . line( $seen );
	}
	if ( ( $case['why'] ?? null ) !== ( $entry['why'] ?? null ) || isset( $entry['why'] ) !== isset( $entry['ours'] ) ) {
		return 'a difference and its reason go together; the ledger has ' . line( $entry );
	}
	$expected = 'guzzle' === $side ? $entry['guzzle'] : $entry['ours'] ?? $entry['guzzle'];
	$wire     = $expected['wire'] ?? [];
	// How often a request is repeated before the time is up depends on chance.
	if ( is_array( $wire ) && 'and again' === end( $wire ) ) {
		$expected['wire'] = $wire;
		$seen['wire']     = repeated( $seen['wire'] ?? [] );
	}
	return $expected === $seen ? '' : "\n  expected " . line( $expected ) . "\n  seen     " . line( $seen );
}

/**
 * @param list<string> $wire
 * @return list<string>
 */
function repeated( array $wire ): array {
	return count( $wire ) > 1 && 1 === count( array_unique( $wire ) ) ? [ $wire[0], 'and again' ] : $wire;
}

/** @param array<string, mixed> $value */
function line( array $value ): string {
	return json_encode( $value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
}

/**
 * @param array<string, array<string, mixed>>                $cases
 * @param array<string, array<string, array<string, mixed>>> $seen
 */
function record( array $cases, array $seen ): void {
	$all = array_intersect_key( ledger(), cases() );
	foreach ( array_keys( $cases ) as $name ) {
		[ $guzzle, $ours ] = [ $seen['guzzle'][ $name ], $seen['ours'][ $name ] ];
		$all[ $name ]      = [ 'guzzle' => $guzzle ];
		if ( isset( $cases[ $name ]['slow'] ) ) {
			$ours['wire'] = repeated( $ours['wire'] );
		}
		// A difference without a reason is a fault, not an entry.
		if ( isset( $cases[ $name ]['why'] ) ) {
			$all[ $name ]['why'] = $cases[ $name ]['why'];
			if ( $guzzle !== $ours ) {
				$all[ $name ]['ours'] = $ours;
			}
		}
	}
	foreach ( groups() as $group ) {
		$entries = [];
		foreach ( cases() as $name => $case ) {
			if ( $group === $case['group'] && isset( $all[ $name ] ) ) {
				$parts     = array_map( static fn( $key, $value ) => "\t\t\"$key\": " . json_encode( $value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ), array_keys( $all[ $name ] ), $all[ $name ] );
				$entries[] = "\t" . json_encode( (string) $name, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) . ": {\n" . implode( ",\n", $parts ) . "\n\t}";
			}
		}
		file_put_contents( LEDGER . "/$group.json", "{\n" . implode( ",\n", $entries ) . "\n}\n" );
	}
}
