<?php
/**
 * The text that is stored as a post's title. the_title() does not escape, so what a CRM sent must not be able to run anywhere it is
 * printed: as text, in an attribute, or after a screen decoded its entities. What was sent stays whole in the ledger's base.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Title {

	public const UNKNOWN = 'Unknown Lead';

	/** TEXT holds 65,535 bytes, and an escaped character takes up to six. */
	private const MAX_BYTES = 10000;

	/** Control characters, also those of U+0080 to U+009F, and the ones that turn the direction of what follows. */
	private const CONTROL = '/[\x{00}-\x{1F}\x{7F}-\x{9F}\x{2028}\x{2029}\x{202A}-\x{202E}\x{2066}-\x{2069}]+/u';

	/** What makes a name worth a closer look: markup, entities, attributes, and in bytes what CONTROL names. Quotes alone make none. */
	private const SUSPECT = '/[<>&=\x00-\x1F\x7F]|\xC2[\x80-\x9F]|\xE2\x80[\xA8-\xAE]|\xE2\x81[\xA6-\xA9]/';

	/** @param mixed $name As the CRM sent it. */
	public static function from( $name ): string {
		if ( ! is_scalar( $name ) || is_bool( $name ) ) {
			return self::UNKNOWN;
		}
		$text = (string) $name;
		if ( isset( $text[ self::MAX_BYTES ] ) || preg_match( self::SUSPECT, $text ) || ! mb_check_encoding( $text, 'UTF-8' ) ) {
			$text = self::filtered( $text );
		}
		$text = trim( $text );
		return '' === $text ? self::UNKNOWN : $text;
	}

	private static function filtered( string $text ): string {
		$text = (string) preg_replace( self::CONTROL, ' ', mb_scrub( mb_strcut( $text, 0, self::MAX_BYTES, 'UTF-8' ), 'UTF-8' ) );
		// Tags may be hidden in entities, or appear when inner ones are gone.
		for ( $round = 0; $round < 10; $round++ ) {
			$before = $text;
			$text   = html_entity_decode( $text, ENT_QUOTES | ENT_HTML5, 'UTF-8' );
			$text   = (string) preg_replace( '#<(script|style)\b[^>]*>.*?</\1\s*>#is', '', $text );
			$text   = (string) preg_replace( '#<[a-z/!?][^>]*(?:>|$)#iD', '', $text );
			if ( $before === $text ) {
				break;
			}
		}
		$text = (string) preg_replace( self::CONTROL, ' ', $text );
		// Quotes of a name stay as they are, unless there is something that could become an attribute.
		return htmlspecialchars( $text, ( str_contains( $text, '=' ) ? ENT_QUOTES : ENT_NOQUOTES ) | ENT_SUBSTITUTE, 'UTF-8' );
	}
}
