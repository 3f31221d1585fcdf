<?php
/**
 * What of WP-CLI the plugin meets, in its behaviour: commands are registered with a synopsis that is enforced, --name=value and --flag become an
 * array of which the last one counts, halt() ends with a code. Usage: wp-cli-stub.php SITE.php tenant-crm COMMAND…
 */

final class WP_CLI {

	/** @var array<string, array{0: callable, 1: array<string, mixed>}> */
	public static array $commands = array();

	public static function add_command( string $name, callable $do, array $about = array() ): void {
		self::$commands[ $name ] = array( $do, $about );
	}

	public static function error( string $message, bool $exit = true ): void {
		fwrite( STDERR, "Error: $message\n" );
		if ( $exit ) {
			exit( 1 );
		}
	}

	public static function halt( int $code ): void {
		exit( $code );
	}
}

define( 'WP_CLI', true );
require $argv[1];
$words = array_slice( $argv, 2 );
if ( '--list' === ( $words[1] ?? '' ) ) {
	$list = array();
	foreach ( WP_CLI::$commands as $name => list( , $about ) ) {
		$list[] = array( 'command' => substr( $name, strlen( 'tenant-crm ' ) ) ) + $about;
	}
	echo json_encode( $list );
	exit( 0 );
}
foreach ( array( 3, 2 ) as $count ) {
	$name = implode( ' ', array_slice( $words, 0, $count ) );
	if ( isset( WP_CLI::$commands[ $name ] ) ) {
		break;
	}
}
isset( WP_CLI::$commands[ $name ] ) || WP_CLI::error( "'$name' is not a registered wp command." );
list( $do, $about ) = WP_CLI::$commands[ $name ];
$arguments          = array();
$given              = array();
foreach ( array_slice( $words, $count ) as $word ) {
	if ( preg_match( '/^--(no-)?([^=]+)(?:=(.*))?$/s', $word, $match ) ) {
		$given[ $match[2] ] = $match[3] ?? '' === $match[1];
	} else {
		$arguments[] = $word;
	}
}
foreach ( array_diff( array_keys( $given ), array_column( $about['synopsis'], 'name' ) ) as $unknown ) {
	WP_CLI::error( "unknown --$unknown parameter" );
}
foreach ( $about['synopsis'] as $part ) {
	if ( isset( $part['default'] ) && ! isset( $given[ $part['name'] ] ) ) {
		$given[ $part['name'] ] = $part['default'];
	}
}
$do( $arguments, $given );
exit( 0 );
