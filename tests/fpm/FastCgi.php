<?php
/**
 * A FastCGI client for one request at a time: unlike a web server it tells a worker's death from an answer.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

final class FastCgi {

	private const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7;

	/**
	 * @param array<string, string> $query
	 * @return array{answered: bool, body: string, stderr: string, json: mixed} answered is false if the worker went away first.
	 */
	public static function get( string $pool, string $script, array $query = [] ): array {
		$stack = (string) getenv( 'TCS_STACK' );
		$got   = [ 'answered' => false, 'body' => '', 'stderr' => '', 'json' => null ];
		$to    = @stream_socket_client( "unix://$stack/run/$pool.sock", $code, $error, 30 );
		if ( false === $to ) {
			$got['stderr'] = (string) $error;
			return $got;
		}
		stream_set_timeout( $to, 60 );
		$path   = "$stack/www/$script";
		$params = [
			'SCRIPT_FILENAME'   => $path,
			'SCRIPT_NAME'       => "/$script",
			'REQUEST_URI'       => "/$script?" . http_build_query( $query ),
			'QUERY_STRING'      => http_build_query( $query ),
			'REQUEST_METHOD'    => 'GET',
			'SERVER_PROTOCOL'   => 'HTTP/1.1',
			'GATEWAY_INTERFACE' => 'CGI/1.1',
			'REMOTE_ADDR'       => '127.0.0.1',
		];
		$block  = '';
		foreach ( $params as $name => $value ) {
			$block .= pack( 'N', strlen( $name ) | 0x80000000 ) . pack( 'N', strlen( $value ) | 0x80000000 ) . $name . $value;
		}
		fwrite(
			$to,
			self::record( self::BEGIN, pack( 'nCx5', 1, 0 ) ) . self::record( self::PARAMS, $block ) . self::record( self::PARAMS, '' ) . self::record( self::STDIN, '' )
		);
		$raw = '';
		while ( 8 === strlen( $head = self::read( $to, 8 ) ) ) {
			[ 'type' => $type, 'length' => $length, 'padding' => $padding ] = unpack( 'Cversion/Ctype/nid/nlength/Cpadding', $head );
			$content = self::read( $to, $length + $padding );
			if ( strlen( $content ) < $length + $padding ) {
				break;
			}
			$content = substr( $content, 0, $length );
			if ( self::STDOUT === $type ) {
				$raw .= $content;
			} elseif ( self::STDERR === $type ) {
				$got['stderr'] .= $content;
			} elseif ( self::END === $type ) {
				$got['answered'] = true;
				break;
			}
		}
		fclose( $to );
		$parts       = explode( "\r\n\r\n", $raw, 2 );
		$got['body'] = $parts[1] ?? '';
		$got['json'] = json_decode( $got['body'], true );
		return $got;
	}

	private static function record( int $type, string $content ): string {
		return pack( 'CCnnCx', 1, $type, 1, strlen( $content ), 0 ) . $content;
	}

	/** @param resource $from */
	private static function read( $from, int $length ): string {
		$got = '';
		while ( strlen( $got ) < $length ) {
			$more = fread( $from, $length - strlen( $got ) );
			if ( false === $more || '' === $more ) {
				break;
			}
			$got .= $more;
		}
		return $got;
	}
}
