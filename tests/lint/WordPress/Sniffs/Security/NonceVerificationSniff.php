<?php
/**
 * A function that reads $_GET, $_POST, $_REQUEST or $_FILES has checked a nonce, itself or by a helper that the ruleset names; and the handler of
 * admin-post.php or admin-ajax.php, which is in the same file as its hook, checks nonce and capability.
 */

namespace WordPress\Sniffs\Security;

use PHP_CodeSniffer\Files\File;
use PHP_CodeSniffer\Sniffs\Sniff;

final class NonceVerificationSniff implements Sniff {

	private const CHECKS = '/\b(check_admin_referer|check_ajax_referer|wp_verify_nonce)\s*\(/';

	private const MAY = '/\b(current_user_can|user_can|user_may|may|refuse_others)\s*\(/';

	public function register() {
		return array( T_VARIABLE, T_STRING );
	}

	public function process( File $file, $at ) {
		$tokens = $file->getTokens();
		if ( T_STRING === $tokens[ $at ]['code'] ) {
			if ( 'add_action' === $tokens[ $at ]['content'] ) {
				$this->handler( $file, $at );
			}
			return;
		}
		if ( ! in_array( $tokens[ $at ]['content'], array( '$_GET', '$_POST', '$_REQUEST', '$_FILES' ), true ) ) {
			return;
		}
		$function = $this->enclosing( $file, $at );
		if ( null === $function || ! preg_match( self::CHECKS, $this->body( $file, $function ) ) ) {
			$file->addError( '%s is read where no nonce is checked.', $at, 'Missing', array( $tokens[ $at ]['content'] ) );
		}
	}

	private function handler( File $file, int $at ): void {
		$tokens = $file->getTokens();
		$open   = $file->findNext( T_OPEN_PARENTHESIS, $at );
		$call   = $file->getTokensAsString( $open, $tokens[ $open ]['parenthesis_closer'] - $open );
		if ( ! preg_match( "/^\\(\\s*'(?:admin_post_|wp_ajax_).*(?:__CLASS__|self::class), '(\\w+)'/s", $call, $match ) ) {
			return;
		}
		for ( $i = $file->findNext( T_FUNCTION, 0 ); false !== $i; $i = $file->findNext( T_FUNCTION, $i + 1 ) ) {
			if ( $file->getDeclarationName( $i ) !== $match[1] ) {
				continue;
			}
			$body = $this->body( $file, $i );
			if ( ! preg_match( self::CHECKS, $body ) || ! preg_match( self::MAY, $body ) ) {
				$file->addError( 'The handler %s() of a form must check its nonce and a capability.', $i, 'Handler', array( $match[1] ) );
			}
		}
	}

	private function enclosing( File $file, int $at ): ?int {
		$function = null;
		foreach ( $file->getTokens()[ $at ]['conditions'] as $place => $kind ) {
			$function = T_FUNCTION === $kind ? $place : $function;
		}
		return $function;
	}

	private function body( File $file, int $function ): string {
		$token = $file->getTokens()[ $function ];
		return isset( $token['scope_opener'] ) ? $file->getTokensAsString( $token['scope_opener'], $token['scope_closer'] - $token['scope_opener'] ) : '';
	}
}
