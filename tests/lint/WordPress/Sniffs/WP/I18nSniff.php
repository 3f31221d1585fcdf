<?php
/**
 * Texts can be translated: a literal, the text domain of the plugin, numbered placeholders where there are several, and a comment for translators
 * above each text that has any.
 */

namespace WordPress\Sniffs\WP;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;
use PHP_CodeSniffer\Util\Tokens;
use WordPress\Expression;

require_once dirname( __DIR__, 2 ) . '/Expression.php';

final class I18nSniff implements Sniff {

	/** Function => how many texts it begins with, and at which argument the domain is. */
	private const CALLS = array(
		'__'          => array( 1, 1 ),
		'_e'          => array( 1, 1 ),
		'esc_html__'  => array( 1, 1 ),
		'esc_html_e'  => array( 1, 1 ),
		'esc_attr__'  => array( 1, 1 ),
		'esc_attr_e'  => array( 1, 1 ),
		'_x'          => array( 2, 2 ),
		'esc_html_x'  => array( 2, 2 ),
		'esc_attr_x'  => array( 2, 2 ),
		'_n'          => array( 2, 3 ),
		'_n_noop'     => array( 2, 2 ),
		'_nx'         => array( 2, 4 ),
		'translate'   => array( 1, 1 ),
	);

	/** @var string */
	public $domain = '';

	public function register() {
		return array( T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		$name   = $tokens[ $at ]['content'];
		$open   = $file->findNext( Tokens::$emptyTokens, $at + 1, null, true );
		$before = $tokens[ $file->findPrevious( Tokens::$emptyTokens, $at - 1, null, true ) ]['code'];
		if ( ! isset( self::CALLS[ $name ] ) || false === $open || T_OPEN_PARENTHESIS !== $tokens[ $open ]['code'] || in_array( $before, array( T_OBJECT_OPERATOR, T_DOUBLE_COLON, T_FUNCTION ), true ) ) {
			return;
		}
		list( $texts, $place ) = self::CALLS[ $name ];
		$arguments             = array_map( static fn( array $a ): string => trim( $file->getTokensAsString( $a[0], $a[1] - $a[0] ) ), Expression::arguments( $file, $open ) );
		foreach ( array_slice( $arguments, 0, $texts ) as $text ) {
			if ( ! preg_match( '/^\'(?:[^\'\\\\]|\\\\.)*\'$|^"(?:[^"\\\\$]|\\\\.)*"$/s', $text ) ) {
				$file->addError( 'A text to translate is one literal.', $at, 'NonSingularStringLiteralText' );
			}
		}
		if ( ( $arguments[ $place ] ?? '' ) !== "'$this->domain'" ) {
			$file->addError( 'The text domain is \'%s\'.', $at, 'TextDomainMismatch', array( $this->domain ) );
		}
		preg_match_all( '/(?<!%)%(?:\d+\$)?[sdf]/', $arguments[0] ?? '', $places );
		if ( count( $places[0] ) > 1 && array_filter( $places[0], static fn( string $p ): bool => ! str_contains( $p, '$' ) ) ) {
			$file->addError( 'Several placeholders are numbered: translators may turn them round.', $at, 'UnorderedPlaceholders' );
		}
		if ( $places[0] && ! $this->is_explained( $file, $at ) ) {
			$file->addError( 'A text with placeholders has a comment above it: /* translators: %%s: … */', $at, 'MissingTranslatorsComment' );
		}
	}

	/** In the line of the call or the one above; in a statement of several lines above the statement. */
	private function is_explained( File $file, int $at ): bool {
		$tokens = $file->getTokens();
		for ( $i = $at - 1; $i > 0 && $tokens[ $i ]['line'] >= $tokens[ $at ]['line'] - 1; $i-- ) {
			if ( T_COMMENT === $tokens[ $i ]['code'] && str_contains( $tokens[ $i ]['content'], 'translators:' ) ) {
				return true;
			}
		}
		return false;
	}
}
