<?php
/**
 * Values that say who wrote them: each names its tenant, its person and its edit, in whatever form its field has. So whoever finds one
 * knows what became of which edit, and whose it is.
 */

final class Value {

	/** What names look like in life. */
	private const NAMES = array( 'Zoë', "Siobhán O'Hara", 'Müller & Söhne', 'back\\slash', '名前', "\u{1F600} smile", 'quote "Q"', 'a < b' );

	public static function of( string $person, string $field, int $edit ): string {
		preg_match( '/^s(\d+)t(\d+)p(\d+)$/D', $person, $match );
		return match ( $field ) {
			'name'  => self::NAMES[ $edit % count( self::NAMES ) ] . " {$person}e$edit",
			// Some CRMs write it in small letters.
			'email' => "{$person}e$edit@Example.test",
			'phone' => sprintf( '+49 %d %d %03d %04d', 1000000 + (int) $match[1], $match[2], $match[3], $edit ),
			'tags'  => "{$person}e$edit",
		};
	}

	/** @return array{0: string, 1: int}|null Person and edit. */
	public static function read( mixed $value ): ?array {
		if ( ! is_string( $value ) ) {
			return null;
		}
		if ( preg_match( '/(s\d+t\d+p\d+)e(\d+)/', $value, $match ) ) {
			return array( $match[1], (int) $match[2] );
		}
		if ( preg_match( '/^\+49(\d{7})(\d)(\d{3})(\d{4})$/D', str_replace( ' ', '', $value ), $match ) ) {
			return array( sprintf( 's%dt%dp%d', (int) $match[1] - 1000000, $match[2], $match[3] ), (int) $match[4] );
		}
		return null;
	}

	/** Whether two are the same, however a server writes them. */
	public static function is_same( mixed $a, mixed $b ): bool {
		$plain = static fn( mixed $value ): string => str_starts_with( (string) $value, '+49' ) ? str_replace( ' ', '', (string) $value ) : trim( (string) $value );
		return $plain( $a ) === $plain( $b ) || ( str_contains( (string) $a, '@' ) && 0 === strcasecmp( trim( (string) $a ), trim( (string) $b ) ) );
	}

	/** 0: no edit's. */
	public static function edit( mixed $value ): int {
		return self::read( $value )[1] ?? 0;
	}

	/** The person of a record by what its fields say; null: none, '?': more than one. @param array<string, mixed> $record */
	public static function person( array $record ): ?string {
		$people = array();
		foreach ( Schedule::FIELDS as $field ) {
			$read = self::read( $record[ $field ] ?? null );
			if ( $read ) {
				$people[ $read[0] ] = true;
			}
		}
		return count( $people ) > 1 ? '?' : array_key_first( $people );
	}

	/** @param array<string, mixed> $record @return array<string, int> Edits by field. */
	public static function edits( array $record ): array {
		$edits = array();
		foreach ( Schedule::FIELDS as $field ) {
			$edits[ $field ] = self::edit( $record[ $field ] ?? null );
		}
		return $edits;
	}
}
