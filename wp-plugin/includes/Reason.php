<?php
/**
 * What a CRM said of a row that it did not take, in plain words: the extension's message has the request, the status and the body, of which
 * people want the sentences. Pure; what is not understood stays as it is.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Reason {

	/** `CRM tenant acme: PATCH https://…: HTTP 422 Unprocessable Entity: {…}`. */
	private const REFUSAL = '~^CRM tenant .*?: (?:GET|POST|PUT|PATCH|DELETE) \S+: HTTP ([1-5]\d\d)[^:{]*(?::\s*(.+))?$~s';

	/** Keys under which CRMs write sentences, and that are no field's name. */
	private const SENTENCES = array( 'message', 'messages', 'msg', 'error', 'errors', 'error_description', 'error_message', 'errormessage', 'description', 'detail', 'details', 'reason', 'title', 'info' );

	/** Sentences that are shown, and the longest of them. */
	private const MOST    = 6;
	private const LONGEST = 300;

	/** @return string One or more sentences, without a full stop at the end. */
	public static function plain( string $reason ): string {
		if ( 1 !== preg_match( self::REFUSAL, $reason, $found ) ) {
			return $reason;
		}
		$body  = rtrim( trim( $found[2] ?? '' ), '.' );
		$json  = json_decode( $body, true, 16 );
		$words = is_array( $json ) ? self::sentences( $json ) : array_filter( array( str_starts_with( $body, '{' ) || str_starts_with( $body, '[' ) ? '' : $body ) );
		return self::status( (int) $found[1] ) . ( $words ? ': ' . implode( '; ', $words ) : '' );
	}

	private static function status( int $status ): string {
		switch ( $status ) {
			case 400:
			case 422:
				return __( 'the CRM does not accept it', 'tenant-crm-sync' );
			case 401:
			case 403:
				return __( 'the CRM does not allow it', 'tenant-crm-sync' );
			case 404:
			case 410:
				return __( 'the CRM does not have it', 'tenant-crm-sync' );
			case 409:
			case 412:
				return __( 'the CRM has another one that stands in its way', 'tenant-crm-sync' );
			case 413:
				return __( 'it is too large for the CRM', 'tenant-crm-sync' );
		}
		/* translators: %d: an HTTP status */
		return sprintf( __( 'the CRM refused it (HTTP %d)', 'tenant-crm-sync' ), $status );
	}

	/**
	 * The texts of an error's body; those about a field after its name, and before those about nothing in particular.
	 *
	 * @param array<mixed> $body
	 * @return list<string>
	 */
	private static function sentences( array $body ): array {
		$fields  = array();
		$general = array();
		$walk    = static function ( array $node, string $name ) use ( &$walk, &$fields, &$general ): void {
			foreach ( $node as $key => $value ) {
				$is_field = is_string( $key ) && ! in_array( strtolower( $key ), self::SENTENCES, true );
				if ( is_array( $value ) ) {
					$walk( $value, $is_field ? $key : $name );
				} elseif ( is_string( $value ) && str_contains( $value, ' ' ) ) {
					// Codes and links have no blanks.
					$text  = mb_strimwidth( rtrim( trim( $value ), '.' ), 0, self::LONGEST, '…' );
					$about = $is_field ? $key : $name;
					'' === $about ? $general[] = $text : $fields[] = "$about: $text";
				}
			}
		};
		$walk( $body, '' );
		return array_slice( array_values( array_unique( $fields ? $fields : $general ) ), 0, self::MOST );
	}
}
