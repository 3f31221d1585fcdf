<?php
/**
 * An exception names its sniff, and says why if the sniff is one of security or of SQL: `phpcs:ignore WordPress.Security.EscapeOutput -- why`. No
 * file is left out as a whole. To be run with --ignore-annotations: an exception without a name would except itself.
 */

namespace WordPress\Sniffs\PHP;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;

final class IgnoreSniff implements Sniff {

	public function register() {
		return array( T_COMMENT, T_PHPCS_IGNORE, T_PHPCS_DISABLE, T_PHPCS_IGNORE_FILE );
	}

	public function process( File $file, $at ) {
		$text = $file->getTokens()[ $at ]['content'];
		if ( ! preg_match( '/phpcs:(ignore|disable|ignoreFile)\b\s*(.*)/', $text, $match ) ) {
			return;
		}
		$is_named = preg_match( '/^[A-Z]\w+\.\w+/', $match[2] );
		$needs    = preg_match( '/WordPress\.(Security|DB)/', $match[2] );
		if ( 'ignoreFile' === $match[1] || ! $is_named || $needs && ! preg_match( '/ -- \S/', $match[2] ) ) {
			$file->addError( 'An exception names its sniff and says why: phpcs:ignore WordPress.Security.EscapeOutput -- why.', $at, 'Why' );
		}
	}
}
