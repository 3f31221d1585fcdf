<?php
/**
 * Takes the article's class out of the article's text: its `use` lines and the class up to the matching brace. The text is read at run
 * time and never becomes part of the repository.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

function article_class( string $file ): string {
	$text = file_get_contents( $file );
	if ( false === $text ) {
		throw new \RuntimeException( "cannot read the article's text at '$file'" );
	}
	// A page that was saved from a browser may have typographic quotes and entities.
	$text  = strtr( $text, [ '“' => '"', '”' => '"', '‘' => "'", '’' => "'", '&gt;' => '>', '&lt;' => '<', '&amp;' => '&', '&#8217;' => "'", "\u{a0}" => ' ' ] );
	$class = strpos( $text, 'class TenantCRMSync {' );
	if ( false === $class ) {
		throw new \RuntimeException( "there is no class TenantCRMSync in '$file'" );
	}
	preg_match_all( '/^\s*use GuzzleHttp\\\\[\w\\\\]+;/m', substr( $text, 0, $class ), $uses );
	$depth = 0;
	$code  = '';
	foreach ( token_get_all( '<?php ' . substr( $text, $class ) ) as $token ) {
		$code .= is_array( $token ) ? $token[1] : $token;
		$opens = '{' === $token || ( is_array( $token ) && in_array( $token[0], [ T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES ], true ) );
		$depth += $opens ? 1 : ( '}' === $token ? -1 : 0 );
		if ( '}' === $token && 0 === $depth ) {
			return "<?php\n" . implode( "\n", array_map( 'trim', $uses[0] ) ) . substr( $code, strlen( '<?php' ) ) . "\n";
		}
	}
	throw new \RuntimeException( "the class in '$file' does not end" );
}
