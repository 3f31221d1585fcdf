<?php
/**
 * Certificates of every kind, each in a file with its key: good, expired, of another name, of an authority that nobody trusts.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

final class Authority {

	public static function file( string $name ): string {
		return getenv( 'TCS_STACK' ) . "/chaos/$name.pem";
	}

	/** Makes them, and what the site trusts: ours and the sandbox's. */
	public static function prepare(): void {
		$ours   = self::certificate( 'ours', null, 30, 'basicConstraints = critical,CA:TRUE' );
		$theirs = self::certificate( 'theirs', null, 30, 'basicConstraints = critical,CA:TRUE' );
		$names  = 'subjectAltName = DNS:localhost,DNS:crm.chaos.test';
		self::certificate( 'good', $ours, 30, $names );
		self::certificate( 'wrong name', $ours, 30, 'subjectAltName = DNS:elsewhere.chaos.test' );
		self::certificate( 'unknown authority', $theirs, 30, $names );
		// It ends with the second in which it begins.
		self::certificate( 'expired', $ours, 0, $names );
		openssl_x509_export( $ours[0], $pem );
		file_put_contents( self::file( 'authorities' ), file_get_contents( (string) getenv( 'TCS_CA_FILE' ) ) . $pem );
		chmod( self::file( 'authorities' ), 0644 );
	}

	/**
	 * @param array{0: \OpenSSLCertificate, 1: \OpenSSLAsymmetricKey}|null $by Null: itself.
	 * @return array{0: \OpenSSLCertificate, 1: \OpenSSLAsymmetricKey}
	 */
	private static function certificate( string $name, ?array $by, int $days, string $extension ): array {
		$settings = self::file( "$name settings" );
		file_put_contents( $settings, "[req]\ndistinguished_name = dn\n[dn]\n[own]\n$extension\n" );
		$options = array( 'config' => $settings, 'x509_extensions' => 'own', 'digest_alg' => 'sha256', 'private_key_bits' => 2048 );
		$key     = openssl_pkey_new( array( 'private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1' ) + $options );
		$request = openssl_csr_new( array( 'commonName' => "chaos, $name" ), $key, $options );
		$made    = openssl_csr_sign( $request, $by[0] ?? null, $by[1] ?? $key, $days, $options, random_int( 1, PHP_INT_MAX ) );
		openssl_x509_export( $made, $pem );
		openssl_pkey_export( $key, $private, null, $options );
		file_put_contents( self::file( $name ), $pem . $private );
		return array( $made, $key );
	}
}
