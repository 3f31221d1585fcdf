<?php
/** Posts as they are compared and recorded. */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

/**
 * What the issue's promise names: title, status, type, content and all meta.
 *
 * @param array<string, list<array<string, mixed>>> $posts
 * @return array<string, list<array<string, mixed>>>
 */
function plain( array $posts ): array {
	return without( $posts, 'more', 'author', 'number' );
}

/**
 * @param array<string, list<array<string, mixed>>> $posts
 * @return array<string, list<array<string, mixed>>>
 */
function without( array $posts, string ...$fields ): array {
	return array_map( static fn( array $copies ): array => array_map( static fn( array $post ): array => array_diff_key( $post, array_flip( $fields ) ), $copies ), $posts );
}

/**
 * @param array<string, list<array<string, mixed>>> $posts
 * @return array<string, list<int>>
 */
function numbers( array $posts ): array {
	return array_map( static fn( array $copies ): array => array_column( $copies, 'number' ), $posts );
}

/**
 * One line a lead; of the second stage only the leads that differ from the first.
 *
 * @param array<string, list<array<string, mixed>>> $first
 * @param array<string, list<array<string, mixed>>> $changed
 */
function recorded( array $first, array $changed ): string {
	$changed = array_filter( $changed, static fn( array $copies, $key ): bool => $copies !== ( $first[ $key ] ?? null ), ARRAY_FILTER_USE_BOTH );
	$blocks  = [];
	foreach ( [ 'first' => $first, 'changed' => $changed ] as $stage => $posts ) {
		$lines = [];
		foreach ( $posts as $key => $copies ) {
			$lines[] = "\t\t" . json_encode( (string) $key, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES ) . ': ' . json_encode( $copies, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
		}
		$blocks[] = "\t\"$stage\": {\n" . implode( ",\n", $lines ) . "\n\t}";
	}
	return "{\n" . implode( ",\n", $blocks ) . "\n}\n";
}

/** @return array{first: array<string, list<array<string, mixed>>>, changed: array<string, list<array<string, mixed>>>} */
function recording( string $file ): array {
	$read            = json_decode( (string) file_get_contents( $file ), true, 16, JSON_THROW_ON_ERROR );
	$read['changed'] = array_replace( $read['first'], $read['changed'] );
	ksort( $read['changed'], SORT_STRING );
	return $read;
}
