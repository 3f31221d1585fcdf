<?php
/**
 * An instance's metadata service, version 2, for PHP's own server: gives a role's keys from the file IMDS_STATE to whoever got a token first.
 * moto has one too, but its keys are of no user and no role, so that no signature made with them is good.
 */

declare(strict_types=1);

$path  = (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
$token = 'session-of-this-instance';
header( 'Content-Type: text/plain' );
if ( '/latest/api/token' === $path && 'PUT' === $_SERVER['REQUEST_METHOD'] && (int) ( $_SERVER['HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS'] ?? 0 ) > 0 ) {
	echo $token;
	return;
}
if ( 'GET' !== $_SERVER['REQUEST_METHOD'] || ( $_SERVER['HTTP_X_AWS_EC2_METADATA_TOKEN'] ?? '' ) !== $token ) {
	http_response_code( 401 );
	return;
}
$file  = (string) getenv( 'IMDS_STATE' );
$state = is_file( $file ) ? json_decode( (string) file_get_contents( $file ), true ) : null;
if ( null === $state ) {
	http_response_code( 404 );
} elseif ( '/latest/meta-data/iam/security-credentials/' === $path ) {
	echo 'portal-role';
} elseif ( '/latest/meta-data/iam/security-credentials/portal-role' === $path ) {
	file_put_contents( "$file.asked", "x", FILE_APPEND );
	echo json_encode( $state );
} else {
	http_response_code( 404 );
}
