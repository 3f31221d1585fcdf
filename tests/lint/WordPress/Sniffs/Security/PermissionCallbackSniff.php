<?php
/**
 * Each route of REST says who may ask, and none says "everybody" without a reason in a comment of phpcs:ignore.
 */

namespace WordPress\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;

final class PermissionCallbackSniff implements Sniff {

	public function register() {
		return array( T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( 'register_rest_route' !== $tokens[ $at ]['content'] ) {
			return;
		}
		$open = $file->findNext( T_OPEN_PARENTHESIS, $at );
		$call = $file->getTokensAsString( $open, $tokens[ $open ]['parenthesis_closer'] - $open );
		// One for each callback; where the arguments come from elsewhere, there is none to count.
		$callbacks = preg_match_all( "/(?<!permission_)(?<=')callback'\\s*=>/", $call );
		if ( preg_match_all( "/'permission_callback'\\s*=>/", $call ) < $callbacks || str_contains( $call, '__return_true' ) ) {
			$file->addError( 'Each route needs a permission_callback that asks something.', $at, 'Missing' );
		}
	}
}
