<?php
/** The two secrets managers as their administrators see them. */

declare(strict_types=1);

namespace TenantCRM\Tests;

final class Managers {

	public function __construct( private string $bao, private string $token, private string $ca, private string $moto ) {}

	/** @param array<string, mixed>|null $body @return array<string, mixed> */
	public function bao( string $method, string $path, ?array $body = null, string $namespace = '', ?string $token = null ): array {
		$headers = [ 'X-Vault-Token: ' . ( $token ?? $this->token ), 'Content-Type: application/json' ];
		if ( '' !== $namespace ) {
			$headers[] = "X-Vault-Namespace: $namespace";
		}
		return self::http( $method, "$this->bao/v1/$path", $headers, null === $body ? null : json_encode( $body, JSON_THROW_ON_ERROR ), [ 'ssl' => [ 'cafile' => $this->ca ] ] );
	}

	/** @param array<string, mixed> $values */
	public function put( string $path, array $values, string $namespace = '' ): void {
		$this->bao( 'POST', "secret/data/$path", [ 'data' => $values ], $namespace );
	}

	/** Unsigned: only while signatures are not looked at. @param array<string, mixed> $body @return array<string, mixed> */
	public function secretsmanager( string $action, array $body ): array {
		return $this->unsigned( 'secretsmanager', [ "X-Amz-Target: secretsmanager.$action", 'Content-Type: application/x-amz-json-1.1' ], json_encode( $body, JSON_THROW_ON_ERROR ) );
	}

	/** @param array<string, string> $parameters @return string XML. */
	public function query( string $service, string $version, string $action, array $parameters ): string {
		$body = http_build_query( [ 'Action' => $action, 'Version' => $version ] + $parameters );
		return $this->unsigned( $service, [ 'Content-Type: application/x-www-form-urlencoded' ], $body, true )['text'];
	}

	/** From now on signatures and rights count, or do not. */
	public function check_signatures( bool $on ): void {
		self::http( 'POST', "$this->moto/moto-api/reset-auth", [ 'Content-Type: text/plain' ], $on ? '0' : '1000000' );
	}

	/** Changes a secret in AWS. */
	public function rotate( string $name, string $value ): void {
		$this->check_signatures( false );
		$this->secretsmanager( 'PutSecretValue', [ 'SecretId' => $name, 'SecretString' => $value ] );
		$this->check_signatures( true );
	}

	/** @param list<string> $headers @return array<string, mixed> */
	private function unsigned( string $service, array $headers, string $body, bool $is_text = false ): array {
		$headers[] = "Authorization: AWS4-HMAC-SHA256 Credential=admin/20260101/eu-central-1/$service/aws4_request, SignedHeaders=host, Signature=0";
		$got       = self::http( 'POST', "$this->moto/", $headers, $body, [], $is_text );
		return $got;
	}

	/** @param list<string> $headers @param array<string, mixed> $context @return array<string, mixed> */
	private static function http( string $method, string $url, array $headers, ?string $body, array $context = [], bool $is_text = false ): array {
		$http = [ 'method' => $method, 'header' => $headers, 'ignore_errors' => true, 'timeout' => 30 ] + ( null === $body ? [] : [ 'content' => $body ] );
		$got  = (string) file_get_contents( $url, false, stream_context_create( [ 'http' => $http ] + $context ) );
		if ( ! preg_match( '/^HTTP\S+ 2/', $http_response_header[0] ?? '' ) ) {
			throw new \RuntimeException( "$method $url: " . ( $http_response_header[0] ?? 'no answer' ) . " $got" );
		}
		return $is_text ? [ 'text' => $got ] : (array) json_decode( '' === $got ? '{}' : $got, true );
	}
}
