<?php
/**
 * Who asks, and how: each visitor has its cookies and nonce; requests go out several at once.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

final class Visitors {

	public const NAMES = array( 'nobody', 'subscriber', 'a', 'b', 'admin' );

	public const AT_ONCE = 6;

	/** @var array<string, array{cookie: string, nonce: string}> */
	private array $known = array();

	public function __construct( private readonly string $site ) {
		$this->known['nobody'] = array(
			'cookie' => '',
			'nonce'  => '',
		);
	}

	public function know( string $name, int $user ): void {
		$until = time() + 3600;
		$token = \WP_Session_Tokens::get_instance( $user )->create( $until );
		$login = wp_generate_auth_cookie( $user, $until, 'logged_in', $token );
		// The nonce depends on the session.
		$_COOKIE[ LOGGED_IN_COOKIE ] = $login;
		wp_set_current_user( $user );
		$this->known[ $name ] = array(
			'cookie' => LOGGED_IN_COOKIE . '=' . rawurlencode( $login ) . '; ' . AUTH_COOKIE . '=' . rawurlencode( wp_generate_auth_cookie( $user, $until, 'auth', $token ) ),
			'nonce'  => wp_create_nonce( 'wp_rest' ),
		);
		wp_set_current_user( 0 );
		unset( $_COOKIE[ LOGGED_IN_COOKIE ] );
	}

	/**
	 * @param list<array{0: string, 1: Target}> $asked   Visitor and target.
	 * @param int                               $at_once 1: one after another.
	 * @return list<Answer> In the same order.
	 */
	public function ask( array $asked, int $at_once = self::AT_ONCE ): array {
		$answers = array();
		$multi   = curl_multi_init();
		$open    = array();
		$next    = 0;
		do {
			while ( count( $open ) < $at_once && $next < count( $asked ) ) {
				$handle = $this->request( ...$asked[ $next ] );
				curl_multi_add_handle( $multi, $handle );
				$open[ spl_object_id( $handle ) ] = array( $next++, $handle );
			}
			curl_multi_exec( $multi, $running );
			while ( $done = curl_multi_info_read( $multi ) ) {
				list( $number ) = $open[ spl_object_id( $done['handle'] ) ];
				unset( $open[ spl_object_id( $done['handle'] ) ] );
				$answers[ $number ] = new Answer( $asked[ $number ][1], curl_getinfo( $done['handle'], CURLINFO_RESPONSE_CODE ), (string) curl_multi_getcontent( $done['handle'] ), curl_error( $done['handle'] ) );
				curl_multi_remove_handle( $multi, $done['handle'] );
			}
			if ( $open ) {
				curl_multi_select( $multi, 0.2 );
			}
		} while ( $open || $next < count( $asked ) );
		ksort( $answers );
		return array_values( $answers );
	}

	private function request( string $name, Target $target ): \CurlHandle {
		$visitor = $this->known[ $name ];
		$headers = $target->headers;
		if ( '' !== $visitor['nonce'] && $target->is_rest() ) {
			$headers[] = 'X-WP-Nonce: ' . $visitor['nonce'];
		}
		$handle = curl_init( $this->site . $target->path );
		curl_setopt_array(
			$handle,
			array(
				CURLOPT_CUSTOMREQUEST  => $target->method,
				CURLOPT_NOBODY         => 'HEAD' === $target->method,
				CURLOPT_RETURNTRANSFER => true,
				CURLOPT_HEADER         => true,
				CURLOPT_TIMEOUT        => 120,
				CURLOPT_COOKIE         => $visitor['cookie'],
				CURLOPT_HTTPHEADER     => $headers,
			)
		);
		if ( null !== $target->body ) {
			curl_setopt( $handle, CURLOPT_POSTFIELDS, $target->body );
		}
		return $handle;
	}
}
