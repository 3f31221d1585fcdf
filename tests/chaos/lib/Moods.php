<?php
/**
 * What the proxy does to a connection in each of its moods.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

final class Moods {

	/** No mood lasts longer, nor sends more. */
	private const SECONDS = 60.0;
	private const BYTES   = 1 << 30;

	private const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

	private int $sent = 0;
	private float $end;

	/** @param resource $client */
	private function __construct( private $client ) {
		$this->end = microtime( true ) + self::SECONDS;
	}

	/** Answers that are no answers. @return list<string> */
	public static function bad_answers(): array {
		return array( 'silent', 'slow head', 'slow body', 'cut request', 'cut head', 'cut body', 'garbage', 'gzip bomb', 'endless chunks', 'huge chunk', 'header of 1 GB', 'endless headers', 'endless 103' );
	}

	/**
	 * @param resource $connection
	 * @param string   $tally      File, with the mood added, to which the number of bytes sent is appended.
	 */
	public static function serve( $connection, string $mood, string $tally ): void {
		stream_set_timeout( $connection, 10 );
		$certificate = in_array( $mood, array( 'expired', 'wrong name', 'unknown authority' ), true ) ? $mood : 'good';
		stream_context_set_option( $connection, 'ssl', 'local_cert', Authority::file( $certificate ) );
		if ( 'no TLS' === $mood ) {
			@fwrite( $connection, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" );
			return;
		}
		if ( 'reset' === $mood || true !== @stream_socket_enable_crypto( $connection, true, STREAM_CRYPTO_METHOD_TLS_SERVER ) ) {
			return;
		}
		$self    = new self( $connection );
		$request = 'cut request' === $mood ? '' : $self->request();
		$self->answer( $mood, $request );
		file_put_contents( "$tally $mood", "$self->sent\n", FILE_APPEND );
	}

	private function answer( string $mood, string $request ): void {
		$zeros = str_repeat( '0', 1 << 16 );
		match ( $mood ) {
			'silent'          => sleep( 30 ),
			'slow head'       => $this->drip( self::HEAD . 'X-Slow: ' . $zeros ),
			'slow body'       => $this->drip( "{\"data\":[" . $zeros, self::HEAD . "Content-Length: 70000\r\n\r\n" ),
			'cut request'     => null,
			'cut head'        => $this->send( substr( self::HEAD, 0, 40 ) ),
			'cut body'        => $this->send( self::HEAD . "Content-Length: 70000\r\n\r\n{\"data\":[{\"id\":1,\"na" ),
			'garbage'         => $this->send( random_bytes( 4096 ) ),
			'gzip bomb'       => $this->gzip_bomb(),
			'endless chunks'  => $this->pour( self::HEAD . "Transfer-Encoding: chunked\r\n\r\n", "10000\r\n$zeros\r\n" ),
			'huge chunk'      => $this->pour( self::HEAD . "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF0\r\n", $zeros ),
			'header of 1 GB'  => $this->pour( self::HEAD . 'X-Fill: ', $zeros ),
			'endless headers' => $this->pour( self::HEAD, str_repeat( "X-Fill: 0123456789abcdef\r\n", 2000 ) ),
			'endless 103'     => $this->pour( '', str_repeat( "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 1000 ) ),
			default           => $this->pass_on( $request ),
		};
	}

	private function request(): string {
		$request = '';
		while ( ! str_contains( $request, "\r\n\r\n" ) ) {
			$more = fread( $this->client, 8192 );
			if ( false === $more || '' === $more ) {
				return '';
			}
			$request .= $more;
		}
		list( $head, $body ) = explode( "\r\n\r\n", $request, 2 );
		$length              = preg_match( '/^content-length: *(\d+)/im', $head, $match ) ? (int) $match[1] : 0;
		while ( strlen( $body ) < $length ) {
			$more = fread( $this->client, $length - strlen( $body ) );
			if ( false === $more || '' === $more ) {
				return '';
			}
			$body .= $more;
		}
		return preg_replace( '/^connection:.*\r\n/im', '', "$head\r\n" ) . "Connection: close\r\n\r\n$body";
	}

	/** One request a connection: so a change of mood reaches everybody. */
	private function pass_on( string $request ): void {
		$crm = '' === $request ? false : stream_socket_client( 'tcp://127.0.0.1:' . getenv( 'TCS_SANDBOX_PLAIN_PORT' ), $code, $error, 5 );
		if ( false === $crm ) {
			return;
		}
		fwrite( $crm, $request );
		while ( ! feof( $crm ) ) {
			$this->send( (string) fread( $crm, 65536 ) );
		}
	}

	private function gzip_bomb(): void {
		$deflate = deflate_init( ZLIB_ENCODING_GZIP, array( 'level' => 9 ) );
		$this->send( self::HEAD . "Content-Encoding: gzip\r\nConnection: close\r\n\r\n" . deflate_add( $deflate, '{"data":["', ZLIB_SYNC_FLUSH ) );
		$megabyte = str_repeat( '0', 1 << 20 );
		// A gigabyte in a megabyte.
		for ( $number = 0; $number < 1024 && $this->send( deflate_add( $deflate, $megabyte, ZLIB_SYNC_FLUSH ) ); $number++ ) {
			continue;
		}
	}

	private function pour( string $head, string $piece ): void {
		for ( $text = $head . $piece; $this->send( $text ); $text = $piece ) {
			continue;
		}
	}

	/** A byte now and then: each resets what waits for silence. */
	private function drip( string $text, string $head = '' ): void {
		$this->send( $head );
		for ( $at = 0; $at < strlen( $text ) && $this->send( $text[ $at ] ); $at++ ) {
			usleep( 50000 );
		}
	}

	/** @return bool Whether the other side still listens. */
	private function send( string $text ): bool {
		for ( $at = 0; $at < strlen( $text ); ) {
			$written = @fwrite( $this->client, substr( $text, $at ) );
			if ( ! $written || microtime( true ) > $this->end || $this->sent > self::BYTES ) {
				return false;
			}
			$at         += $written;
			$this->sent += $written;
		}
		return true;
	}
}
