<?php
/**
 * When each field of a lead was changed in the portal, for the policy `newest`: JSON in the note of its change, by `title` or meta key. A
 * hook before the write puts a token in the time's place, the hook behind it puts the time of the first there if the token still is. So
 * whoever dies in between, or is overtaken by another editor, leaves a field without a time, and merge() asks a person.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\Sql;

final class FieldTimes {

	/** The time of what has no own: when the lead was made. */
	private const ALL = '*';

	/** @var array<string, array{0: string, 1: string}> Token and time of what was begun in this process, by post and target. */
	private static array $begun = array();

	/**
	 * What a mark says of times.
	 *
	 * @param string|null $first SQL: what a new note has.
	 * @param string      $next  SQL: what one has that is there already.
	 */
	private function __construct( public readonly ?string $first, public readonly string $next ) {
	}

	/** Nothing. */
	public static function none(): self {
		return new self( null, 'times' );
	}

	/** A tenant that never asks for times needs none. @param string $settings As they are stored. */
	public static function are_wanted( string $settings ): bool {
		return str_contains( $settings, '"newest"' );
	}

	/**
	 * A write is about to begin, or is done.
	 *
	 * @param string|null $target `title` or a meta key; null: no field changes.
	 * @param bool        $is_new Whether the ledger does not know the lead.
	 */
	public static function of_edit( int $post, ?string $target, bool $is_done, bool $is_new ): self {
		$first = $is_new ? array( self::ALL => self::now() ) : array();
		if ( null === $target ) {
			return self::from( $first );
		}
		$path = self::path( $target );
		if ( ! $is_done ) {
			$begun = array( 'by ' . bin2hex( random_bytes( 8 ) ), self::now() );
			self::$begun[ "$post $target" ] = $begun;
			return self::from( $first + array( $target => $begun[0] ), array( $target => $begun[0] ) );
		}
		$begun = self::$begun[ "$post $target" ] ?? null;
		unset( self::$begun[ "$post $target" ] );
		return $begun
			? new self( self::json( $first ), sprintf( "IF(JSON_UNQUOTE(JSON_EXTRACT(times, $path)) = %s, JSON_SET(times, $path, %s), times)", Sql::text( $begun[0] ), Sql::text( $begun[1] ) ) )
			: self::from( $first );
	}

	/** In the transaction that writes them. @param list<string> $targets */
	public static function of_fields( array $targets, bool $is_new = false ): self {
		$times = array_fill_keys( $targets, self::now() );
		return self::from( $times + ( $is_new ? array( self::ALL => self::now() ) : array() ), $times );
	}

	/** @return array<string, string> By field of the mapping. */
	public static function read( ?string $json, Fields $fields ): array {
		$known = array_filter( (array) json_decode( (string) $json, true ), 'is_string' );
		$times = array();
		foreach ( $known ? $fields->map() : array() as $field => $target ) {
			$time = $known[ self::name( $target ) ] ?? $known[ self::ALL ] ?? '';
			if ( '' !== $time && ! str_starts_with( $time, 'by ' ) ) {
				$times[ $field ] = $time;
			}
		}
		return $times;
	}

	/**
	 * @param array<string, string> $first
	 * @param array<string, string> $next
	 */
	private static function from( array $first, array $next = array() ): self {
		$pairs = '';
		foreach ( $next as $target => $value ) {
			$pairs .= ', ' . self::path( (string) $target ) . ', ' . Sql::text( $value );
		}
		return new self( self::json( $first ), '' === $pairs ? 'times' : "JSON_SET(COALESCE(times, '{}')$pairs)" );
	}

	/** @param array<string, string> $times */
	private static function json( array $times ): ?string {
		return $times ? Sql::text( (string) wp_json_encode( array_combine( array_map( array( self::class, 'name' ), array_map( 'strval', array_keys( $times ) ) ), $times ) ) ) : null;
	}

	private static function path( string $target ): string {
		return Sql::text( '$."' . self::name( $target ) . '"' );
	}

	/** Any meta key as a name that needs no escape in a path of JSON. */
	private static function name( string $target ): string {
		return preg_match( '/^[A-Za-z0-9_*-]{1,64}$/D', $target ) ? $target : 'key ' . md5( $target );
	}

	private static function now(): string {
		return ( new \DateTimeImmutable() )->setTimezone( new \DateTimeZone( 'UTC' ) )->format( 'Y-m-d\TH:i:s.v\Z' );
	}
}
