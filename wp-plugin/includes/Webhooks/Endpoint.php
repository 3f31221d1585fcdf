<?php
/**
 * POST /wp-json/tenant-crm-sync/v1/webhook/{key}: bounds the request, has the extension prove it over the raw bytes, hands it to Inbox and
 * answers at once.
 *
 * It is served before WordPress's REST server, which would take a CRM's HTTP Basic for a person's login, answer broken JSON in words of its own,
 * and load every other route first. Whatever is wrong, the answer is the same; only the counts of the tenant tell more.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Webhooks;

use TenantCRM\Schema;
use TenantCRM\StoreException;

final class Endpoint {

	/** Bytes of a body; the extension refuses longer ones, too. */
	private const MAX_BODY = 1048576;

	private const ACCEPTED = array( 200, '{"ok":true}' );
	private const REFUSED  = array( 403, '{"ok":false}' );

	/** Proven, but it cannot be stored just now: the CRM sends it again. */
	private const LATER = array( 503, '{"ok":false}' );

	public static function register(): void {
		// Before rest_api_loaded(), which comes at 10.
		add_action( 'parse_request', array( self::class, 'serve' ), 1 );
	}

	/** @param \WP $wp */
	public static function serve( $wp ): void {
		$route = $wp->query_vars['rest_route'] ?? '';
		if ( ! is_string( $route ) || ! str_starts_with( trim( $route, '/' ) . '/', Addresses::PATH ) ) {
			return;
		}
		$key                   = substr( trim( $route, '/' ), strlen( Addresses::PATH ) );
		list( $status, $body ) = self::answer( $key, self::text( 'REQUEST_METHOD' ), self::public_url(), self::headers(), (int) self::text( 'CONTENT_LENGTH' ), array( self::class, 'body' ) );
		if ( ! headers_sent() ) {
			status_header( $status );
			nocache_headers();
			header( 'Content-Type: application/json' );
			header( 'X-Content-Type-Options: nosniff' );
			header( 'X-Robots-Tag: noindex' );
		}
		echo $body; // phpcs:ignore WordPress.Security.EscapeOutput -- one of three constants.
		exit;
	}

	/**
	 * @param array<string, string> $headers
	 * @param int                   $length Of the body, as it was announced.
	 * @param callable(): string    $body   Reads it, and one byte more than the bound at most.
	 * @return array{0: int, 1: string} Status and body.
	 */
	public static function answer( string $key, string $method, string $url, array $headers, int $length, callable $body ): array {
		try {
			return Schema::is_current() ? self::judge( $key, $method, $url, $headers, $length, $body ) : self::REFUSED;
		} catch ( StoreException $e ) {
			error_log( $e->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions -- the database fails just now, so there is no log either.
			return self::LATER;
		}
	}

	/**
	 * @param array<string, string> $headers
	 * @param callable(): string    $body
	 * @return array{0: int, 1: string}
	 * @throws StoreException
	 */
	private static function judge( string $key, string $method, string $url, array $headers, int $length, callable $body ): array {
		$tenant = Addresses::owner( $key );
		$reason = $tenant ? null : 'unknown';
		if ( $length > self::MAX_BODY ) {
			$reason ??= 'too_large';
		} elseif ( 'POST' !== $method ) {
			$reason ??= 'method';
		}
		if ( null === $reason ) {
			try {
				Inbox::take( $tenant->key, $tenant->client()->verify_webhook( $method, $url, $headers, $body() ) );
				return self::ACCEPTED;
			} catch ( StoreException $e ) {
				throw $e;
			} catch ( \TenantCRMSync\Exception $e ) {
				// A refusal has its reason there, and else the connection cannot be used.
				$reason = 'credential' === $e->kind && null !== $e->body ? $e->body : 'unconfigured';
			} catch ( \Exception $e ) {
				// The tenant's settings are missing.
				$reason = 'unconfigured';
			}
		}
		Addresses::refused( $tenant ? $tenant->key : null, $reason );
		return self::REFUSED;
	}

	public static function body(): string {
		return (string) file_get_contents( 'php://input', false, null, 0, self::MAX_BODY + 1 ); // phpcs:ignore WordPress.WP.AlternativeFunctions
	}

	/** As the CRM called it: some sign it. What a proxy in front of the site changed, the site's own address does not know. */
	private static function public_url(): string {
		$home = (array) wp_parse_url( home_url() );
		$url  = ( $home['scheme'] ?? 'https' ) . '://' . ( $home['host'] ?? '' ) . ( isset( $home['port'] ) ? ':' . $home['port'] : '' ) . self::text( 'REQUEST_URI' );
		/**
		 * The public URL of a webhook, for sites whose proxy rewrites paths.
		 *
		 * @param string $url With its query, undecoded.
		 */
		return (string) apply_filters( 'tenant_crm_sync_webhook_url', $url );
	}

	/** @return array<string, string> */
	private static function headers(): array {
		$headers = array();
		foreach ( $_SERVER as $name => $value ) { // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- headers go to the extension as they came.
			if ( is_string( $value ) && preg_match( '/^(?:HTTP_(.+)|(CONTENT_TYPE))$/D', (string) $name, $match ) ) {
				$headers[ strtr( strtolower( $match[2] ?? $match[1] ), '_', '-' ) ] = wp_unslash( $value );
			}
		}
		// Where the web server keeps it to itself, PHP or WordPress's rules for Apache may still have it.
		if ( ! isset( $headers['authorization'] ) && '' !== self::text( 'REDIRECT_HTTP_AUTHORIZATION' ) ) {
			$headers['authorization'] = self::text( 'REDIRECT_HTTP_AUTHORIZATION' );
		} elseif ( ! isset( $headers['authorization'] ) && isset( $_SERVER['PHP_AUTH_USER'] ) ) {
			$headers['authorization'] = 'Basic ' . base64_encode( self::text( 'PHP_AUTH_USER' ) . ':' . self::text( 'PHP_AUTH_PW' ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
		}
		return $headers;
	}

	private static function text( string $name ): string {
		return isset( $_SERVER[ $name ] ) && is_string( $_SERVER[ $name ] ) ? wp_unslash( $_SERVER[ $name ] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- compared and hashed as it is.
	}
}
