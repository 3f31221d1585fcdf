<?php
/**
 * Both halves of tests/fuzz/json: `serve` answers /api/v1/leads?filter[updated_at_gt]=N with the document of number N, `compare` asks for one after
 * the other and holds the extension's arrays against json_decode's. Both make the document of a number themselves, from the seed.
 */

declare(strict_types=1);

[ , $role, $place, $seed ] = $argv;
$corpus = array_map( 'file_get_contents', glob( __DIR__ . '/corpus/json/*' ) );

/** The body of the answer with this number. @param list<string> $corpus */
function body( array $corpus, int $seed, int $number ): string {
	mt_srand( $seed * 1000003 + $number, MT_RAND_MT19937 );
	$pick  = static fn( array $list ): string => $list[ mt_rand( 0, count( $list ) - 1 ) ];
	$words = [ '{"id":1}', '[]', '{}', 'null', 'true', '1E400', '-0', '-0.0', '0.1', '1e22', '123456789012345678901', '9223372036854775807', '9223372036854775808', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\u0000a"', ' ', "\n", "\t", "\0", '"', '\\', ',', ':', '[', ']', '{', '}', str_repeat( '[', 600 ), str_repeat( '{"a":', 130 ), "\xff", "\xc3\xa9", "\xed\xa0\x80", '"5":', '"05":', '"-7":', '"":', '5e-324', '1.7976931348623157e308', '0x1', '+1', '01', '.5', '5.', '1e', 'NULL', '/*x*/', "\xef\xbb\xbf" ];
	$text  = $pick( $corpus );
	for ( $changes = mt_rand( 0, 1 << mt_rand( 0, 3 ) ); $changes > 0; --$changes ) {
		$at = mt_rand( 0, strlen( $text ) );
		switch ( mt_rand( 0, 6 ) ) {
			case 0:
				$text = substr( $text, 0, $at ) . chr( mt_rand( 0, 255 ) ) . substr( $text, $at + 1 );
				break;
			case 1:
				$text = substr( $text, 0, $at ) . $pick( $words ) . substr( $text, $at );
				break;
			case 2:
				$text = substr( $text, 0, $at ) . substr( $text, $at + mt_rand( 1, 8 ) );
				break;
			case 3:
				$other = $pick( $corpus );
				$text  = substr( $text, 0, $at ) . substr( $other, mt_rand( 0, strlen( $other ) ) );
				break;
			case 4:
				// A number of random digits, as long as doubles are exact and longer.
				$number = mt_rand( 0, 1 ) ? mt_rand( 1, PHP_INT_MAX ) . '.' . mt_rand( 0, PHP_INT_MAX ) . 'e' . mt_rand( -330, 310 ) : (string) mt_rand( 1, PHP_INT_MAX ) . mt_rand( 0, 99 );
				$text   = substr( $text, 0, $at ) . $number . substr( $text, $at );
				break;
			case 5:
				$text = substr( $text, 0, $at ) . substr( $text, max( 0, $at - mt_rand( 1, 30 ) ) );
				break;
			default:
				$text = preg_replace_callback( '/\d+/', static fn( array $digits ): string => (string) mt_rand( 0, 99 ), $text, 1 ) ?? $text;
		}
		$text = substr( $text, 0, 20000 );
	}
	// Mostly whole documents in the place of the rows; sometimes the answer itself is what is broken.
	return mt_rand( 0, 9 ) ? '{"data":' . $text . '}' : $text;
}

if ( 'serve' === $role ) {
	$server = stream_socket_server( 'tcp://127.0.0.1:0' );
	file_put_contents( $place, substr( strrchr( stream_socket_get_name( $server, false ), ':' ), 1 ) );
	while ( true ) {
		$client = @stream_socket_accept( $server, 3600 );
		while ( $client && false !== ( $line = fgets( $client ) ) ) {
			while ( "\r\n" !== ( $header = fgets( $client ) ) && false !== $header ) {
				continue;
			}
			preg_match( '/updated_at_gt%5D=(\d+)/', $line, $match );
			$body = body( $corpus, (int) $seed, (int) ( $match[1] ?? 0 ) );
			fwrite( $client, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . strlen( $body ) . "\r\n\r\n$body" );
		}
	}
}

$port  = trim( (string) file_get_contents( $place ) );
$sync  = TenantCRMSync::with_settings( 'fuzz', [ 'api_key' => 'key-of-fuzz', 'api_endpoint' => "http://127.0.0.1:$port" ] );
$end   = microtime( true ) + (float) $argv[4];
$count = $good = $failed = 0;
for ( $number = 1; microtime( true ) < $end && $failed < 5; ++$number ) {
	$body    = body( $corpus, (int) $seed, $number );
	$decoded = json_decode( $body, true );
	$broken  = JSON_ERROR_NONE !== json_last_error();
	// What the article's code makes of it: false where it cannot be decoded, no rows where there is no data, or what was decoded has no members.
	$expected = $broken ? false : ( is_array( $decoded ) ? $decoded['data'] ?? [] : [] );
	$got      = $sync->fetch_leads( (string) $number );
	++$count;
	$good += false === $expected ? 0 : 1;
	// serialize() tells int from float, -0.0 from 0.0, and every digit.
	if ( serialize( $expected ) !== serialize( $got ) ) {
		++$failed;
		echo "DIFFERS at number $number of seed $seed: ", substr( bin2hex( $body ), 0, 400 ), "\n  json_decode: ", substr( serialize( $expected ), 0, 300 ), "\n  extension:   ", substr( serialize( $got ), 0, 300 ), ' ', $sync->last_error()['message'] ?? '', "\n";
	}
}
echo "figure: $count documents read as json_decode reads them, $good of them whole\n";
// Half of nothing but refusals would show nothing.
$failed += $count > 100 && $good > $count / 10 ? 0 : 1;
echo $failed ? "0 passed, $failed failed\n" : "1 passed, 0 failed\n";
exit( $failed ? 1 : 0 );
