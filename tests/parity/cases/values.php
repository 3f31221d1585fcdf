<?php
/** Values inside a list of leads: texts in every encoding, and numbers that do not fit. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$documents = [
	'invalid UTF-8'                     => "[\"a\xff\"]",
	'invalid UTF-8 in a key'            => "[{\"a\xff\":1}]",
	'half a character'                  => "[\"\xe2\x82\"]",
	'an overlong slash'                 => "[\"\xc0\xaf\"]",
	'a surrogate in UTF-8'              => "[\"\xed\xa0\x80\"]",
	'beyond Unicode'                    => "[\"\xf4\x90\x80\x80\"]",
	'Latin-1'                           => "[\"Zo\xeb\"]",
	'a lone high surrogate'             => '["\ud83d"]',
	'a lone low surrogate'              => '["\ude00"]',
	'surrogates the wrong way round'    => '["\ude00\ud83d"]',
	'a high surrogate and a letter'     => '["\ud83d\u0041"]',
	'a surrogate pair'                  => '["\ud83d\ude00"]',
	'an astral character'               => '["😀"]',
	'\u0000 in a text'                  => '["a\u0000b"]',
	'NFC and NFD stay apart'            => "[\"\u{e9}\",\"e\u{301}\"]",
	'every escape'                      => '["\"\\\\\/\b\f\n\r\t\u00e9\u00E9"]',
	'an unknown escape'                 => '["\x41"]',
	'DEL and C1 characters'             => "[\"\x7f\u{80}\u{9f}\u{2028}\"]",
	'a control character'               => "[\"\x01\"]",
	'big integers'                      => '[9223372036854775807,-9223372036854775808,9007199254740993]',
	'integers that do not fit'          => '[9223372036854775808,-9223372036854775809,18446744073709551615,123456789012345678901234567890]',
	'floats'                            => '[1.0,1.5,-0.0,0.1,1e3,1E+3,1e-7,123456789.123456789]',
	'minus zero'                        => '[-0,-0.0,-0e0]',
	'floats of 17 and 18 digits'        => '[0.12345678901234567,0.123456789012345678,179769313486231570e291,2.2250738585072011e-308]',
	'1e400 and 1e-400'                  => '[1e400,-1e400,1e-400,4.9e-324]',
	'a leading zero'                    => '[01]',
	'a plus sign'                       => '[+1]',
	'no digit before the point'         => '[.5]',
	'no digit after the point'          => '[1.]',
	'hexadecimal'                       => '[0x10]',
	'NaN'                               => '[NaN]',
	'Infinity'                          => '[Infinity]',
];
$cases = [];
foreach ( $documents as $name => $document ) {
	$cases[ "value: $name" ] = [ 'crm' => answer( "{\"data\":$document}" ) ];
}
$cases['value: invalid UTF-8 beside data'] = [ 'crm' => answer( "{\"data\":[1],\"x\":\"\xff\"}" ) ];
$cases['value: the same in a created lead'] = [
	'crm'  => answer( '{"id":9223372036854775808,"score":1.0,"name":"\ud83d\ude00","empty":{},"1":-0}', 201 ),
	'call' => create( ... ),
];
return $cases;
