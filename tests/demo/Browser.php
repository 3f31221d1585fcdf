<?php
/**
 * A person at wp-admin, without the pixels: logs in with a form, keeps cookies, takes the nonce from the page and calls what the page's script calls.
 */

declare(strict_types=1);

namespace TenantCRM\Demo;

final class Browser {

	private \CurlHandle $curl;
	private string $nonce = '';
	private string $rest  = '';

	public function __construct( private string $site ) {
		$this->curl = curl_init();
		// An empty name turns the cookie jar on, in memory.
		curl_setopt_array( $this->curl, [ CURLOPT_COOKIEFILE => '', CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60 ] );
	}

	public function log_in( string $user, string $password ): void {
		$this->fetch( 'GET', "{$this->site}/wp-login.php" );
		[ $status ] = $this->fetch( 'POST', "{$this->site}/wp-login.php", http_build_query( [ 'log' => $user, 'pwd' => $password, 'testcookie' => 1 ] ) );
		if ( 302 !== $status ) {
			throw new \RuntimeException( "wp-login.php did not let $user in (status $status)" );
		}
	}

	/** Opens the plugin's screen, and reads from it what its own script is given: the REST address and the nonce. */
	public function open_screen(): string {
		[ $status, $page ] = $this->fetch( 'GET', "{$this->site}/wp-admin/admin.php?page=tenant-crm-sync" );
		$found             = preg_match( '/createNonceMiddleware\(\s*"([0-9a-f]+)"/', $page, $nonce ) && preg_match( '/createRootURLMiddleware\(\s*("[^"]+")/', $page, $rest );
		if ( 200 !== $status || ! $found ) {
			throw new \RuntimeException( "the plugin's screen does not work (status $status)" );
		}
		$this->nonce = $nonce[1];
		$this->rest  = (string) json_decode( $rest[1] );
		return $page;
	}

	/**
	 * @param array<string, mixed> $data
	 * @return array<string, mixed>
	 */
	public function rest( string $method, string $path, array $data ): array {
		[ $status, $body ] = $this->fetch(
			$method,
			$this->rest . ltrim( $path, '/' ),
			(string) json_encode( $data ),
			[ 'Content-Type: application/json', "X-WP-Nonce: {$this->nonce}" ]
		);
		$answer            = json_decode( $body, true );
		if ( $status >= 300 || ! is_array( $answer ) ) {
			throw new \RuntimeException( "$method $path: status $status, " . ( $answer['message'] ?? substr( $body, 0, 500 ) ) );
		}
		return $answer;
	}

	/** Presses the button of one of the plugin's forms on its screen, as a browser without JavaScript does. */
	public function press( string $action, int $id ): void {
		$page  = $this->open_screen();
		$forms = preg_match_all( '~<form method="post".*?</form>~s', $page, $found ) ? $found[0] : [];
		foreach ( $forms as $form ) {
			preg_match_all( '~<input type="hidden"[^>]* name="(\w+)" value="([^"]*)"~', $form, $inputs );
			$fields = array_combine( $inputs[1], array_map( 'html_entity_decode', $inputs[2] ) );
			if ( [ "tenant_crm_$action", (string) $id ] === [ $fields['action'] ?? '', $fields['tenant'] ?? $fields['letter'] ?? '' ] ) {
				[ $status ] = $this->fetch( 'POST', "{$this->site}/wp-admin/admin-post.php", http_build_query( $fields ) );
				if ( 302 !== $status ) {
					throw new \RuntimeException( "the form \"$action\" was answered with status $status" );
				}
				return;
			}
		}
		throw new \RuntimeException( "the screen has no form \"$action\" for $id" );
	}

	/**
	 * @param list<string> $headers
	 * @return array{int, string}
	 */
	private function fetch( string $method, string $url, ?string $body = null, array $headers = [] ): array {
		curl_setopt_array(
			$this->curl,
			[ CURLOPT_URL => $url, CURLOPT_HTTPHEADER => $headers ] + ( null === $body
				? [ CURLOPT_HTTPGET => true, CURLOPT_CUSTOMREQUEST => null ]
				: [ CURLOPT_POSTFIELDS => $body, CURLOPT_CUSTOMREQUEST => $method ] )
		);
		$got = curl_exec( $this->curl );
		if ( false === $got ) {
			throw new \RuntimeException( "$method $url: " . curl_error( $this->curl ) );
		}
		return [ (int) curl_getinfo( $this->curl, CURLINFO_RESPONSE_CODE ), (string) $got ];
	}
}
