<?php
/**
 * Takes functions out of the article's text, which the caller names in SEED_ARTICLE: none of its code is in this repository.
 */

final class ArticleText {

	/**
	 * Defines one of the article's functions under another name, so that it can be compared with ours.
	 *
	 * @return string|null The name to call; null where no text is given.
	 */
	public static function define( string $name ): ?string {
		$path = (string) getenv( 'SEED_ARTICLE' );
		if ( '' === $path ) {
			return null;
		}
		$other = "articles_$name";
		if ( ! function_exists( $other ) ) {
			$text  = (string) file_get_contents( $path );
			$start = strpos( $text, "function $name(" );
			if ( false === $start ) {
				throw new RuntimeException( "there is no function $name() in $path" );
			}
			// phpcs:ignore Squiz.PHP.Eval -- a text that whoever runs the tests names.
			eval( preg_replace( '/^function \w+/', "function $other", self::block( substr( $text, $start ) ) ) );
		}
		return $other;
	}

	/** The text up to the brace that closes its first one. */
	private static function block( string $text ): string {
		$code  = '';
		$depth = 0;
		foreach ( array_slice( token_get_all( '<?php ' . $text ), 1 ) as $token ) {
			$code  .= is_array( $token ) ? $token[1] : $token;
			$opens  = '{' === $token || ( is_array( $token ) && in_array( $token[0], array( T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES ), true ) );
			$depth += (int) $opens - (int) ( '}' === $token );
			if ( '}' === $token && 0 === $depth ) {
				break;
			}
		}
		return $code;
	}
}
