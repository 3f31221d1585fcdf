<?php
/**
 * The sandbox CRM's control interface, and the settings file through which the scripts under www/ find their tenant.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

final class Sandbox {

	public function __construct( private string $control ) {}

	/** @param array<string, mixed>|null $body */
	public function call( string $method, string $path, ?array $body = null ): mixed {
		$http = [ 'method' => $method, 'header' => 'Content-Type: application/json', 'ignore_errors' => true, 'timeout' => 30 ];
		if ( null !== $body ) {
			$http['content'] = json_encode( $body, JSON_THROW_ON_ERROR );
		}
		$got    = file_get_contents( $this->control . $path, false, stream_context_create( [ 'http' => $http ] ) );
		$status = (int) explode( ' ', $http_response_header[0] ?? 'none 0' )[1];
		if ( $status >= 300 || $status < 200 ) {
			throw new \RuntimeException( "sandbox: $method $path answered $status: $got" );
		}
		return '' === $got ? null : json_decode( (string) $got, true, 512, JSON_THROW_ON_ERROR );
	}

	/** A tenant with rows, and the settings that the scripts give to the extension for it. */
	public function tenant( string $id, int $rows = 0, ?string $key = null ): string {
		$key ??= 'key-' . bin2hex( random_bytes( 12 ) );
		$this->call( 'POST', '/tenants', [ 'id' => $id, 'key' => $key, 'paging' => 'none' ] );
		if ( $rows > 0 ) {
			$this->call( 'POST', '/seed', [ 'tenant' => $id, 'object' => 'leads', 'count' => $rows, 'seed' => 1, 'bytes' => 400 ] );
		}
		$file           = getenv( 'TCS_STACK' ) . '/settings.json';
		$settings       = is_file( $file ) ? json_decode( (string) file_get_contents( $file ), true ) : [];
		$settings[ $id ] = [ 'api_key' => $key, 'api_endpoint' => (string) getenv( 'TCS_SANDBOX_URL' ) ];
		file_put_contents( $file, json_encode( $settings ) );
		chmod( $file, 0644 );
		return $key;
	}

	public function connections(): int {
		return (int) $this->call( 'GET', '/stats' )['connections'];
	}

	/** @return array<string, int> How many leads there are with each e-mail address. */
	public function leads_by_email( string $tenant ): array {
		$got  = $this->call( 'GET', '/rows?tenant=' . rawurlencode( $tenant ) . '&object=leads' );
		$rows = $got['rows'] ?? $got['data'] ?? $got;
		return array_count_values( array_column( $rows, 'email' ) );
	}
}
