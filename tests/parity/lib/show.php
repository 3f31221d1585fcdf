<?php
/**
 * Writes what was seen so that it can be read, compared and kept in a JSON file: types are told apart, bytes that are no text are escaped,
 * long texts become a length and a digest.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

function show( mixed $value, int $depth = 0 ): string {
	if ( $depth > 20 ) {
		return '… deeper: ' . sha1( serialize( $value ) );
	}
	if ( is_array( $value ) ) {
		$parts = [];
		foreach ( $value as $key => $member ) {
			$parts[] = ( array_is_list( $value ) ? '' : show( $key ) . ': ' ) . show( $member, $depth + 1 );
		}
		$text = '[' . implode( ', ', $parts ) . ']';
		return strlen( $text ) > 600 ? 'an array of ' . count( $value ) . ', sha1 ' . sha1( serialize( $value ) ) : $text;
	}
	return match ( true ) {
		is_string( $value )             => show_text( $value ),
		is_object( $value )             => 'object ' . ( str_contains( get_class( $value ), '@anonymous' ) ? 'class@anonymous' : get_class( $value ) ),
		default                         => var_export( $value, true ),
	};
}

function show_text( string $text ): string {
	if ( strlen( $text ) > 400 ) {
		return 'text of ' . strlen( $text ) . ' bytes, sha1 ' . sha1( $text );
	}
	if ( 1 !== preg_match( '//u', $text ) ) {
		return '"' . preg_replace_callback( '/[^\x20-\x7e]/', static fn( $byte ) => sprintf( '\x%02X', ord( $byte[0] ) ), $text ) . '"';
	}
	return (string) json_encode( $text, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR );
}

function show_throwable( \Throwable $thrown ): string {
	// Where it was called is not what is compared.
	$message = preg_replace( '~(passed|called) in \S+ on line \d+~', '$1 there', $thrown->getMessage() );
	return 'throws ' . get_class( $thrown ) . ': ' . show_text( $message );
}

/**
 * @param array<string, mixed> $request One entry of the sandbox's record.
 * @return string Method, target, headers where they are not the article's, body.
 */
function show_request( array $request, string $key ): string {
	$headers = $request['headers'];
	$usual   = [ 'authorization' => "Bearer $key", 'accept' => 'application/json', 'content-type' => 'application/json' ];
	$odd     = [];
	foreach ( $usual as $name => $value ) {
		if ( $value !== ( $headers[ $name ] ?? null ) ) {
			$odd[] = "$name: " . ( $headers[ $name ] ?? 'none' );
		}
	}
	$target = $request['path'] . ( ( $request['query'] ?? '' ) === '' ? '' : '?' . $request['query'] );
	$body   = base64_decode( $request['body_base64'] ?? '' );
	return trim( "{$request['method']} $target" . ( $odd ? ' (' . implode( ', ', $odd ) . ')' : '' ) . ( '' === $body ? '' : ' ' . ( strlen( $body ) > 300 ? show_text( $body ) : $body ) ) );
}
