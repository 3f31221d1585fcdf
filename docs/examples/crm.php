<?php
/**
 * A small CRM with an API in a shape of its own, to follow the README's path with: `CRM_FILE=people.json php -S 127.0.0.1:8090 crm.php`. Only for trying:
 * its token is no secret. Its connector is printed in the README.
 *
 *     GET   /rest/people?limit=2&after=P-2&changed_from=2026-11-01T10:00:00Z   {"people": […]}, by number
 *     GET   /rest/people/P-2                                                    one of them
 *     PATCH /rest/people/P-2 {"stage": "won"}                                   changes it
 */

$file   = getenv( 'CRM_FILE' );
$people = is_file( $file ) ? json_decode( file_get_contents( $file ), true ) : array();
$first  = $people ? array() : array( 'Ada Lovelace', 'Grace Hopper', 'Katherine Johnson', 'Радіа Перлман', 'Barbara Liskov' );
foreach ( $first as $index => $name ) {
	$people[ 'P-' . ++$index ] = array(
		'number' => "P-$index",
		'who'    => array_combine( array( 'first', 'last' ), explode( ' ', $name ) ),
		'mail'   => "p$index@example.com",
		'stage'  => 'new',
		'edited' => gmdate( 'Y-m-d\TH:i:s\Z', time() - 3600 + $index ),
	);
}

if ( $first ) {
	file_put_contents( $file, json_encode( $people ) );
}

function answer( int $status, array $body ): void {
	http_response_code( $status );
	header( 'Content-Type: application/json' );
	exit( json_encode( $body ) );
}

if ( 'pear' !== ( $_SERVER['HTTP_X_TOKEN'] ?? '' ) ) {
	answer( 401, array( 'problem' => 'The token is wrong.' ) );
}
$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
if ( '/rest/people' === $path ) {
	$found = array_filter( $people, static fn( array $one ): bool => strnatcmp( $one['number'], $_GET['after'] ?? '' ) > 0 && $one['edited'] >= ( $_GET['changed_from'] ?? '' ) );
	answer( 200, array( 'people' => array_slice( array_values( $found ), 0, max( 1, min( 2, (int) ( $_GET['limit'] ?? 2 ) ) ) ) ) );
}
$number = basename( $path );
if ( "/rest/people/$number" !== $path || ! isset( $people[ $number ] ) ) {
	answer( 404, array( 'problem' => 'There is nobody of this number.' ) );
}
if ( 'PATCH' === $_SERVER['REQUEST_METHOD'] ) {
	$people[ $number ] = array( 'edited' => gmdate( 'Y-m-d\TH:i:s\Z' ) ) + (array) json_decode( file_get_contents( 'php://input' ), true ) + $people[ $number ];
	file_put_contents( $file, json_encode( $people ) );
}
answer( 200, $people[ $number ] );
