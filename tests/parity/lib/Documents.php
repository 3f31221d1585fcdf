<?php
/** Random JSON texts by a seed: values of all shapes, and documents that are broken, strange or nearly right. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

final class Documents {

	public function __construct( int $seed ) {
		mt_srand( $seed );
	}

	/** A value, mostly small. */
	public function value( int $depth = 0 ): string {
		$kind = mt_rand( 0, $depth > 5 ? 69 : 99 );
		return match ( true ) {
			$kind < 35 => $this->number(),
			$kind < 60 => $this->text(),
			$kind < 70 => [ 'true', 'false', 'null', '[]', '{}', '""', '0', '[ ]', "{\n}", '{"":0}' ][ mt_rand( 0, 9 ) ],
			$kind < 85 => '[' . $this->joined( fn() => $this->value( $depth + 1 ) ) . ']',
			default    => '{' . $this->joined( fn() => $this->name() . $this->space() . ':' . $this->space() . $this->value( $depth + 1 ) ) . '}',
		};
	}

	public function number(): string {
		$sign   = [ '', '', '-' ][ mt_rand( 0, 2 ) ];
		$digits = fn( int $least, int $most ): string => substr( (string) mt_rand( 1, 9 ) . mt_rand( 100_000_000, 999_999_999 ) . mt_rand( 100_000_000, 999_999_999 ) . mt_rand( 100_000_000, 999_999_999 ), 0, mt_rand( $least, $most ) );
		return $sign . match ( mt_rand( 0, 9 ) ) {
			0       => (string) mt_rand( 0, 99 ),
			1       => $digits( 1, 25 ),
			2       => $digits( 17, 20 ),
			// Around the largest integer.
			3       => '92233720368547758' . sprintf( '%02d', mt_rand( 0, 99 ) ) . [ '', '', '0', '7', '.0', 'e0' ][ mt_rand( 0, 5 ) ],
			4       => $digits( 1, 9 ) . '.' . str_repeat( '0', mt_rand( 0, 6 ) ) . $digits( 1, 18 ),
			5       => '0.' . $digits( 15, 19 ),
			6       => $digits( 1, 3 ) . ( mt_rand( 0, 1 ) ? '.' . $digits( 1, 17 ) : '' ) . [ 'e', 'E' ][ mt_rand( 0, 1 ) ] . [ '', '+', '-' ][ mt_rand( 0, 2 ) ] . mt_rand( 0, 330 ),
			// Subnormal, huge, and halfway between two floats.
			7       => $digits( 1, 20 ) . 'e-3' . mt_rand( 0, 3 ) . mt_rand( 0, 9 ),
			8       => [ '0', '0.0', '0e0', '0.0e-0', '0E+1', '1.0', '10e-1', '9007199254740993', '4503599627370496.5', '2.2250738585072011e-308', '4.9e-324', '2.4703282292062327e-324', '1.7976931348623159e308', '1e400', '0.1', '123456789012345678' ][ mt_rand( 0, 15 ) ],
			default => rtrim( sprintf( '%.17g', mt_rand() / max( 1, mt_rand() ) ), '.' ),
		};
	}

	public function text(): string {
		$parts = '';
		for ( $length = mt_rand( 0, 12 ); $length > 0; --$length ) {
			$parts .= match ( mt_rand( 0, 9 ) ) {
				0       => [ '\"', '\\\\', '\/', '\b', '\f', '\n', '\r', '\t' ][ mt_rand( 0, 7 ) ],
				1       => sprintf( mt_rand( 0, 1 ) ? '\u%04x' : '\u%04X', mt_rand( 0, 0xd7ff ) ),
				2       => sprintf( '\ud8%02x\udc%02X', mt_rand( 0, 255 ), mt_rand( 0, 255 ) ),
				3       => mb_chr_of( mt_rand( 0x80, 0x7ff ) ),
				4       => mb_chr_of( mt_rand( 0xe000, 0xffff ) ),
				5       => mb_chr_of( mt_rand( 0x10000, 0x10ffff ) ),
				6       => [ "\x7f", '/', '\u0000', "e\u{301}", '{}', '[', ',', ':' ][ mt_rand( 0, 7 ) ],
				default => substr( 'The quick brown fox jumps over 13 lazy dogs; ', mt_rand( 0, 30 ), mt_rand( 1, 15 ) ),
			};
		}
		return "\"$parts\"";
	}

	private function name(): string {
		return match ( mt_rand( 0, 5 ) ) {
			0       => '"' . [ '0', '1', '01', '-1', '-0', '1.5', ' 1', '9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809', '12345678901234567890', '', 'a', '\u0000a', '\u0031', '-', '-E', '-u1', '--1', '-1.0', '-9223372036854775807', '/', ':', '1 ', '+1', '1e1' ][ mt_rand( 0, 26 ) ] . '"',
			1       => $this->text(),
			default => '"' . [ 'id', 'name', 'email', 'tags', 'data', 'updated_at' ][ mt_rand( 0, 5 ) ] . '"',
		};
	}

	private function joined( callable $each ): string {
		$parts = [];
		for ( $number = mt_rand( 0, 5 ); $number > 0; --$number ) {
			$parts[] = $this->space() . $each() . $this->space();
		}
		return implode( ',', $parts );
	}

	private function space(): string {
		return mt_rand( 0, 4 ) ? '' : [ ' ', "\n", "\t", "\r", "\r\n  " ][ mt_rand( 0, 4 ) ];
	}

	/** A document with some bytes changed, or nested to the limit. */
	public function hostile(): string {
		if ( 0 === mt_rand( 0, 19 ) ) {
			$levels = mt_rand( 505, 516 );
			$open   = [ '[', '{"a":', '[1,' ][ mt_rand( 0, 2 ) ];
			return str_repeat( $open, $levels ) . [ '1', '[]', '{}', '' ][ mt_rand( 0, 3 ) ] . str_repeat( '[' === $open[0] ? ']' : '}', max( 0, $levels - ( mt_rand( 0, 9 ) ? 0 : 1 ) ) );
		}
		$text = $this->space() . $this->value() . $this->space();
		for ( $changes = mt_rand( 1, 2 ); $changes > 0; --$changes ) {
			$at   = mt_rand( 0, strlen( $text ) );
			$byte = mt_rand( 0, 1 ) ? chr( mt_rand( 0, 255 ) ) : '{}[],:"\\0123456789.eE+-tfnu/ ud8dc00'[ mt_rand( 0, 35 ) ];
			$text = match ( mt_rand( 0, 4 ) ) {
				0       => substr( $text, 0, $at ),
				1       => substr( $text, 0, $at ) . $byte . substr( $text, $at ),
				2       => substr( $text, 0, $at ) . substr( $text, $at + 1 ),
				3       => '' === $text ? $byte : substr_replace( $text, $byte, min( $at, strlen( $text ) - 1 ), 1 ),
				default => substr( $text, 0, $at ) . [ "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", '\ud800', '\udc00', '\ud800\u0041', "\0", "\u{feff}", '\u12', 'TRUE', 'nuLL', 'NaN', '//', "\x0b", "\u{a0}" ][ mt_rand( 0, 16 ) ] . substr( $text, $at ),
			};
		}
		return $text;
	}

	/** @return list<string> What each implementation of JSON gets wrong sooner or later. */
	public static function traps(): array {
		$deep = static fn( int $levels ): string => str_repeat( '[', $levels ) . str_repeat( ']', $levels );
		return [
			'', ' ', "\0", "\u{feff}[]", '[]x', '[]]', '{}{}', '[1,]', '[,1]', '{"a":1,}', '{,}', '{"a"}', '{"a":}', '{a:1}', "{'a':1}", '01', '-', '-01', '1.', '.5', '1e', '1e+', '+1', '0x10', '1_000', 'NaN', '-Infinity', 'Infinity',
			'TRUE', 'True', 'NULL', 'nul', 'nulll', 'truefalse', '-0', '-0.0', '-0e5', '1e400', '-1e400', '1e-400', '"', '"\\', '"\\u', '"\\u12"', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800\\u0041"', '"\\x41"', "\"\t\"", "\"\x1f\"", "\"\x7f\"",
			"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82", "[\"a\",\xff]", "\xff", "\"a\xff", "[1,\"\n\",\"\xff\"]", "[1}\xff", '{"\u0000a":1}', '{"":1}', '{"a":1,"a":2}', '[1]/**/', '#', "\f[]", "\x0b1", "\u{a0}1", "\u{2028}1",
			$deep( 511 ), $deep( 512 ), $deep( 513 ), str_repeat( '[', 600 ), str_repeat( '[', 100_000 ), str_repeat( '{"a":', 100_000 ),
		];
	}
}

/** One character of UTF-8 by its number, without the extension mbstring. */
function mb_chr_of( int $code ): string {
	return html_entity_decode( "&#$code;", ENT_HTML5, 'UTF-8' ) ?: '?';
}
