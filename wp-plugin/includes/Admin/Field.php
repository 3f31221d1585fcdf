<?php
/**
 * Rows of a form table in WordPress's look, each control tied to its label, description and error for screen readers. Everything is escaped
 * here; callers give plain values.
 */

namespace TenantCRM\Admin;

final class Field {

	/**
	 * @param array<string, scalar> $attributes Of the input: type, value, required, autocomplete, min, max, readonly…
	 */
	public static function input( string $name, string $label, array $attributes, string $description, string $error ): void {
		$attributes += array(
			'type'  => 'text',
			'class' => 'regular-text',
		);
		self::open( $name, $label );
		printf( '<input name="%1$s" id="tcs-%1$s"%2$s%3$s>', esc_attr( $name ), self::attributes( $attributes ), self::described( $name, $description, $error ) );
		self::close( $name, $description, $error );
	}

	/** @param array<string, scalar> $attributes Of the textarea: rows, placeholder, required… */
	public static function textarea( string $name, string $label, array $attributes, string $value, string $description, string $error ): void {
		self::open( $name, $label );
		printf( '<textarea name="%1$s" id="tcs-%1$s" class="large-text code"%2$s%3$s>%4$s</textarea>', esc_attr( $name ), self::attributes( $attributes ), self::described( $name, $description, $error ), esc_textarea( $value ) );
		self::close( $name, $description, $error );
	}

	/** @param array<int|string, string> $options Value => name. */
	public static function select( string $name, string $label, array $options, string $value, string $description, string $error ): void {
		self::open( $name, $label );
		printf( '<select name="%1$s" id="tcs-%1$s"%2$s>', esc_attr( $name ), self::described( $name, $description, $error ) );
		foreach ( $options as $key => $text ) {
			printf( '<option value="%s"%s>%s</option>', esc_attr( (string) $key ), selected( (string) $key, $value, false ), esc_html( $text ) );
		}
		echo '</select>';
		self::close( $name, $description, $error );
	}

	/** @param array<string, array{0: string, 1: string}> $options Value => name and description. */
	public static function radios( string $name, string $legend, array $options, string $value ): void {
		printf( '<tr><th scope="row">%1$s</th><td><fieldset><legend class="screen-reader-text">%1$s</legend>', esc_html( $legend ) );
		foreach ( $options as $key => list( $text, $description ) ) {
			printf(
				'<p><label><input type="radio" name="%1$s" value="%2$s" aria-describedby="tcs-%1$s-%2$s"%3$s> %4$s</label></p><p class="description" id="tcs-%1$s-%2$s">%5$s</p>',
				esc_attr( $name ),
				esc_attr( $key ),
				checked( $key, $value, false ),
				esc_html( $text ),
				esc_html( $description )
			);
		}
		echo '</fieldset></td></tr>';
	}

	public static function checkbox( string $name, string $legend, string $text, bool $on, string $description ): void {
		printf(
			'<tr><th scope="row">%1$s</th><td><label for="tcs-%2$s"><input type="checkbox" name="%2$s" id="tcs-%2$s" value="1" aria-describedby="tcs-%2$s-help"%3$s> %4$s</label><p class="description" id="tcs-%2$s-help">%5$s</p></td></tr>',
			esc_html( $legend ),
			esc_attr( $name ),
			checked( $on, true, false ),
			esc_html( $text ),
			esc_html( $description )
		);
	}

	/** Something that cannot be changed here. $literal: it is an id or an address, not words. */
	public static function text( string $label, string $value, string $description, bool $literal ): void {
		printf(
			$literal ? '<tr><th scope="row">%s</th><td><code>%s</code>%s</td></tr>' : '<tr><th scope="row">%s</th><td>%s%s</td></tr>',
			esc_html( $label ),
			esc_html( $value ),
			'' === $description ? '' : '<p class="description">' . esc_html( $description ) . '</p>'
		);
	}

	private static function open( string $name, string $label ): void {
		printf( '<tr><th scope="row"><label for="tcs-%s">%s</label></th><td>', esc_attr( $name ), esc_html( $label ) );
	}

	private static function close( string $name, string $description, string $error ): void {
		if ( '' !== $error ) {
			printf( '<p class="tcs-field-error" id="tcs-%s-error">%s</p>', esc_attr( $name ), esc_html( $error ) );
		}
		if ( '' !== $description ) {
			printf( '<p class="description" id="tcs-%s-help">%s</p>', esc_attr( $name ), esc_html( $description ) );
		}
		echo '</td></tr>';
	}

	private static function described( string $name, string $description, string $error ): string {
		$ids = array();
		if ( '' !== $error ) {
			$ids[] = "tcs-$name-error";
		}
		if ( '' !== $description ) {
			$ids[] = "tcs-$name-help";
		}
		$html = $ids ? sprintf( ' aria-describedby="%s"', esc_attr( implode( ' ', $ids ) ) ) : '';
		return '' === $error ? $html : $html . ' aria-invalid="true"';
	}

	/** @param array<string, scalar> $attributes True prints the bare name, false leaves it out. */
	private static function attributes( array $attributes ): string {
		$html = '';
		foreach ( $attributes as $name => $value ) {
			if ( true === $value ) {
				$html .= ' ' . esc_attr( $name );
			} elseif ( false !== $value ) {
				$html .= sprintf( ' %s="%s"', esc_attr( $name ), esc_attr( (string) $value ) );
			}
		}
		return $html;
	}
}
