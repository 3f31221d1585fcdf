<?php
/**
 * What comes from the request goes through a sanitiser, a cast or a comparison at the place where it is read.
 */

namespace WordPress\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;

final class ValidatedSanitizedInputSniff implements Sniff {

	private const READS = array( '$_GET', '$_POST', '$_REQUEST', '$_SERVER', '$_COOKIE', '$_FILES' );

	private const CLEANS = '/^(sanitize_\w+|absint|intval|is_\w+|wp_verify_nonce|in_array|isset|empty|array_key_exists|rest_sanitize_\w+|wp_parse_id_list|wp_validate_\w+|filter_var)$/';

	public function register() {
		return array( T_VARIABLE );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( ! in_array( $tokens[ $at ]['content'], self::READS, true ) || $this->is_clean( $file, $at ) ) {
			return;
		}
		$file->addError( '%s is used as it came: sanitize it, cast it or compare it.', $at, 'InputNotSanitized', array( $tokens[ $at ]['content'] ) );
	}

	private function is_clean( File $file, int $at ): bool {
		$tokens = $file->getTokens();
		foreach ( array_keys( $tokens[ $at ]['nested_parenthesis'] ?? array() ) as $open ) {
			$name = $file->findPrevious( Tokens::$emptyTokens, $open - 1, null, true );
			$cast = $file->findPrevious( Tokens::$emptyTokens, $name, null, true );
			// array_map( 'absint', … )
			if ( preg_match( self::CLEANS, $tokens[ $name ]['content'] ) || isset( Tokens::$castTokens[ $tokens[ $cast ]['code'] ] ) && T_STRING_CAST !== $tokens[ $cast ]['code'] && T_ARRAY_CAST !== $tokens[ $cast ]['code']
				|| 'array_map' === $tokens[ $name ]['content'] && preg_match( "/^\\(\\s*'(absint|intval|sanitize_\\w+)'/", $file->getTokensAsString( $open, 4 ) ) ) {
				return true;
			}
		}
		$before = $file->findPrevious( Tokens::$emptyTokens, $at - 1, null, true );
		$after  = $file->findNext( Tokens::$emptyTokens, ( $tokens[ $at + 1 ]['bracket_closer'] ?? $at ) + 1, null, true );
		if ( T_COALESCE === $tokens[ $after ]['code'] && isset( $tokens[ $at ]['nested_parenthesis'] ) ) {
			// 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' )
			$open   = array_key_last( $tokens[ $at ]['nested_parenthesis'] );
			$before = $file->findPrevious( Tokens::$emptyTokens, $open - 1, null, true );
			$after  = $file->findNext( Tokens::$emptyTokens, $tokens[ $at ]['nested_parenthesis'][ $open ] + 1, null, true );
		}
		$kinds = array( T_IS_IDENTICAL, T_IS_NOT_IDENTICAL, T_INT_CAST, T_DOUBLE_CAST, T_BOOL_CAST );
		return in_array( $tokens[ $before ]['code'], $kinds, true ) || in_array( $tokens[ $after ]['code'], $kinds, true );
	}
}
