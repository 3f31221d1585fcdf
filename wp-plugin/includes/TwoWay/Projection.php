<?php
/**
 * A lead as a post has it, in the words of the CRM: what both sides are compared by. Pure.
 *
 * A post cannot hold all that a CRM sends (a number becomes text, a title is cleaned). So a value of the post that is what the base, or the
 * CRM's record, looks like in a post, is that value; only another one is the portal's own.
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Fields;
use TenantCRM\StoredPost;
use TenantCRM\Title;

final class Projection {

	/**
	 * @param array<string, mixed>|null $base What was last agreed on.
	 * @param array<string, mixed>|null $crm  What the CRM has.
	 * @return array<string, mixed> By field; fields that the post says nothing of are not in it.
	 */
	public static function portal( Fields $fields, StoredPost $post, ?array $base, ?array $crm ): array {
		$meta  = $post->first_meta();
		$forms = array();
		foreach ( array( $base, $crm ) as $known ) {
			if ( null !== $known ) {
				$forms[] = array( $known, $fields->portal( $known ) );
			}
		}
		$portal = array();
		foreach ( $fields->map() as $field => $target ) {
			$has = 'title' === $target ? $post->title : $meta[ $target ] ?? null;
			if ( null === $has && ( null === $base || ! array_key_exists( $field, $base ) ) ) {
				continue;
			}
			foreach ( $forms as list( $known, $form ) ) {
				$looks = 'title' === $target ? $form['title'] : $form['meta'][ $target ] ?? '';
				if ( array_key_exists( $field, $known ) && $looks === (string) $has ) {
					$portal[ $field ] = $known[ $field ];
					continue 2;
				}
			}
			$portal[ $field ] = 'title' === $target ? self::name( (string) $has ) : self::value( (string) $has );
		}
		return $portal;
	}

	/** @return string 16 bytes, equal for equal records. */
	public static function hash( array $record ): string {
		return substr( hash( 'sha256', self::canonical( $record ), true ), 0, 16 );
	}

	/** @param mixed $value */
	public static function canonical( $value ): string {
		if ( is_array( $value ) && ! array_is_list( $value ) ) {
			ksort( $value, SORT_STRING );
		}
		return is_array( $value ) ? '[' . implode( ',', array_map( static fn( $key, $item ): string => $key . '=' . self::canonical( $item ), array_keys( $value ), $value ) ) . ']' : serialize( $value ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	}

	/** A title is HTML; the CRM gets its text. */
	private static function name( string $title ): ?string {
		$text = trim( html_entity_decode( $title, ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
		return '' === $text || Title::UNKNOWN === $text ? null : $text;
	}

	/** @return mixed What get_post_meta() would give, but no objects. */
	private static function value( string $stored ) {
		if ( '' === $stored ) {
			return null;
		}
		$value = is_serialized( $stored ) ? @unserialize( trim( $stored ), array( 'allowed_classes' => false ) ) : $stored; // phpcs:ignore WordPress.PHP, Generic.PHP -- no objects are made.
		return is_string( $value ) || is_int( $value ) || is_float( $value ) || is_bool( $value ) || ( is_array( $value ) && ! str_contains( $stored, 'O:' ) ) ? $value : $stored;
	}
}
