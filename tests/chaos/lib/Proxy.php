<?php
/**
 * The CRM behind a proxy that has moods: well, it passes requests on to the sandbox CRM; else it does to each connection what its mood says. A
 * process a connection, so that some may never end. The moods are in Moods.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

require_once __DIR__ . '/Moods.php';

final class Proxy {

	private static int $pid  = 0;
	private static int $port = 0;

	public static function url( string $name = 'localhost' ): string {
		self::start();
		return "https://$name:" . self::$port;
	}

	/** From the next connection on. */
	public static function mood( string $mood ): void {
		file_put_contents( self::file() . '.new', $mood );
		rename( self::file() . '.new', self::file() );
	}

	/** The most bytes that one connection took in a mood since the last time it was asked. */
	public static function sent( string $mood ): int {
		$file = self::file() . " $mood";
		$sent = is_file( $file ) ? max( array_map( 'intval', file( $file ) ) ) : 0;
		@unlink( $file );
		return (int) $sent;
	}

	public static function end(): void {
		if ( self::$pid ) {
			posix_kill( -self::$pid, SIGKILL );
			pcntl_waitpid( self::$pid, $status );
			self::$pid = 0;
		}
	}

	private static function file(): string {
		return getenv( 'TCS_STACK' ) . '/chaos/mood';
	}

	private static function start(): void {
		if ( self::$pid ) {
			return;
		}
		$server     = stream_socket_server( 'tcp://127.0.0.1:0', $code, $error, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, stream_context_create( array( 'socket' => array( 'backlog' => 256 ) ) ) );
		self::$port = (int) substr( (string) strrchr( (string) stream_socket_get_name( $server, false ), ':' ), 1 );
		self::$pid  = pcntl_fork();
		if ( 0 === self::$pid ) {
			posix_setpgid( 0, 0 );
			pcntl_signal( SIGCHLD, SIG_IGN );
			for ( ;; ) {
				$connection = @stream_socket_accept( $server, 60.0 );
				if ( $connection && 0 === pcntl_fork() ) {
					Moods::serve( $connection, (string) file_get_contents( self::file() ), self::file() );
					posix_kill( getmypid(), SIGKILL );
				}
				$connection = null;
			}
		}
		posix_setpgid( self::$pid, self::$pid );
		fclose( $server );
	}
}
