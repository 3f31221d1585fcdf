<?php
/**
 * Makes a plugin of the article's text: its functions as they stand, with or without its class. The text is read at run time and what is
 * made of it lies in the stack's folder: none of it becomes part of the repository.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

use function TenantCRM\Tests\Parity\article_class;

require_once __DIR__ . '/../../parity/lib/article.php';

final class ArticlePlugin {

	private string $text;

	public function __construct( private string $file ) {
		$text = (string) file_get_contents( $file );
		// A page that was saved from a browser may have typographic quotes and entities.
		$this->text = strtr( $text, [ '“' => '"', '”' => '"', '‘' => "'", '’' => "'", '&gt;' => '>', '&lt;' => '<', '&amp;' => '&', "\u{a0}" => ' ' ] );
	}

	/** @param string $folder To be made, in wp-content/plugins. */
	public function write( string $folder, bool $with_class ): void {
		mkdir( $folder );
		$class = $with_class ? article_class( $this->file ) . "require_once '/usr/share/php/GuzzleHttp/autoload.php';\n" : "<?php\n";
		$parts = [
			preg_replace( '/^<\?php\n/', "<?php\n/** Plugin Name: The article's */\n", $class ),
			"require __DIR__ . '/surroundings.php';\n",
			$this->between( 'function save_tenant_crm_settings(' ),
			$this->between( 'function get_tenant_crm_settings(' ),
			// One piece of the article, from the first hook to the last function.
			$this->between( 'register_activation_hook( __FILE__', 'function my_plugin_unschedule_crm_sync(' ),
		];
		$this->save( "$folder/" . basename( $folder ) . '.php', implode( "\n\n", $parts ) . "\n" );
		$this->save( "$folder/on-demand.php", "<?php\n" . $this->between( '$current_tenant_id = get_current_tenant_id();', 'if ( $current_tenant_id ) {' ) . "\n" );
		copy( __DIR__ . '/../site/surroundings.php', "$folder/surroundings.php" );
	}

	/** The text from one place to the brace that closes the first one at or after another place. */
	private function between( string $from, ?string $to = null ): string {
		$start = strpos( $this->text, $from );
		$last  = false === $start || null === $to ? $start : strpos( $this->text, $to, $start );
		if ( false === $start || false === $last ) {
			throw new \RuntimeException( "there is no \"$from\" in $this->file, or no \"$to\" after it" );
		}
		$code  = substr( $this->text, $start, $last - $start );
		$depth = 0;
		foreach ( array_slice( token_get_all( '<?php ' . substr( $this->text, $last ) ), 1 ) as $token ) {
			$code .= is_array( $token ) ? $token[1] : $token;
			$opens = '{' === $token || ( is_array( $token ) && in_array( $token[0], [ T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES ], true ) );
			$depth += $opens ? 1 : ( '}' === $token ? -1 : 0 );
			if ( '}' === $token && 0 === $depth ) {
				return $code;
			}
		}
		throw new \RuntimeException( "what begins with \"$from\" in $this->file does not end" );
	}

	private function save( string $file, string $code ): void {
		// A text that was cut or changed is better found here than in four sites.
		token_get_all( $code, TOKEN_PARSE );
		file_put_contents( $file, $code );
	}
}
