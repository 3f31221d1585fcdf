<?php
/**
 * What is printed is escaped where it is printed: echo, print, printf, <?=, and die() with words.
 */

namespace WordPress\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;
use WordPress\Expression;

require_once dirname( __DIR__, 2 ) . '/Expression.php';

final class EscapeOutputSniff implements Sniff {

	/** WordPress's own that escape, or print nothing but safe HTML. */
	private const SAFE = array( 'esc_html', 'esc_html__', 'esc_html_x', 'esc_attr', 'esc_attr__', 'esc_attr_x', 'esc_url', 'esc_url_raw', 'esc_js', 'esc_textarea', 'esc_xml', 'wp_kses', 'wp_kses_post', 'wp_kses_data', 'number_format_i18n', 'wp_json_encode', 'wp_nonce_field', 'selected', 'checked', 'disabled', 'get_submit_button', 'size_format' );

	private const PRINTS = array( 'printf', 'vprintf', 'wp_die', 'print_r', 'var_export' );

	/** @var list<string> What else makes safe HTML. */
	public $safe = array();

	public function register() {
		return array( T_ECHO, T_PRINT, T_EXIT, T_OPEN_TAG_WITH_ECHO, T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		$next   = $file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		$pieces = array();
		if ( in_array( $tokens[ $at ]['code'], array( T_ECHO, T_OPEN_TAG_WITH_ECHO ), true ) ) {
			$pieces = $this->commas( $file, $at + 1, $file->findNext( array( T_SEMICOLON, T_CLOSE_TAG ), $at ) );
		} elseif ( T_PRINT === $tokens[ $at ]['code'] ) {
			$pieces = array( array( $at + 1, $file->findEndOfStatement( $at + 1 ) ) );
		} elseif ( false === $next || T_OPEN_PARENTHESIS !== $tokens[ $next ]['code'] ) {
			return;
		} elseif ( T_EXIT === $tokens[ $at ]['code'] ) {
			$pieces = Expression::arguments( $file, $next );
		} elseif ( in_array( $tokens[ $at ]['content'], self::PRINTS, true ) && ! in_array( $tokens[ $at - 1 ]['code'], array( T_OBJECT_OPERATOR, T_DOUBLE_COLON ), true ) ) {
			$pieces = Expression::arguments( $file, $next );
			if ( 'wp_die' === $tokens[ $at ]['content'] ) {
				$pieces = array_slice( $pieces, 0, 2 );
			}
			$first = $pieces ? $file->findNext( Tokens::$emptyTokens, $pieces[0][0], $pieces[0][1], true ) : false;
			if ( 'printf' === $tokens[ $at ]['content'] && false !== $first && T_CONSTANT_ENCAPSED_STRING === $tokens[ $first ]['code'] ) {
				if ( ! $this->expression( $file )->is_harmless_format( $pieces ) ) {
					$this->complain( $file, $at );
				}
				return;
			}
			if ( in_array( $tokens[ $at ]['content'], array( 'print_r', 'var_export' ), true ) && count( $pieces ) > 1 ) {
				return;
			}
		}
		foreach ( $pieces as $piece ) {
			if ( ! $this->expression( $file )->is_harmless( ...$piece ) ) {
				$this->complain( $file, $at );
				return;
			}
		}
	}

	private function expression( File $file ): Expression {
		return new Expression( $file, array_merge( self::SAFE, $this->safe ), '/^$/' );
	}

	private function complain( File $file, int $at ): void {
		$file->addError( 'This prints something that is not escaped: wrap it in esc_html(), esc_attr() or esc_url().', $at, 'OutputNotEscaped' );
	}

	/** The pieces between an echo's commas. */
	private function commas( File $file, int $start, int $end ): array {
		$tokens = $file->getTokens();
		$pieces = array();
		for ( $i = $from = $start; $i < $end; $i++ ) {
			if ( T_COMMA === $tokens[ $i ]['code'] ) {
				$pieces[] = array( $from, $i );
				$from     = $i + 1;
			}
			$i = $tokens[ $i ]['parenthesis_closer'] ?? $tokens[ $i ]['bracket_closer'] ?? $i;
		}
		$pieces[] = array( $from, $end );
		return $pieces;
	}
}
