<?php
/**
 * Every block of commands in README.md, CONTRIBUTING.md, SECURITY.md and docs/ is run here, in its order, on a site and a CRM of its own; or it says which other suite runs it, and
 * that suite's file has the words that it claims. A comment above the block says which:
 *
 *     <!-- run -->   <!-- run, ends with 1 -->   <!-- tested by tests/package/run: install DESTDIR -->
 *
 * Blocks of `text`, `ini`, `yaml`, `json` are no commands. /etc is a folder of the test's, https://crm.example.com the sandbox CRM. Commands that are only
 * mentioned must exist, and so must files that are linked to or named by their path.
 */

use TenantCRM\Commands;

$root   = dirname( __DIR__, 2 );
$prefix = getenv( 'TCS_STACK' ) . '/tmp/docs';
$passed = 0;
$failed = 0;

function is( string $what, bool $good, string $details = '' ): void {
	global $passed, $failed;
	$good ? ++$passed : ++$failed;
	echo $good ? '  ok      ' : '  FAILED  ', $what, $good ? '' : "\n          " . str_replace( "\n", "\n          ", $details ), "\n";
}

/** @return array{0: int, 1: string} */
function start( array $words, string $input = '' ): array {
	$process = proc_open( $words, array( array( 'pipe', 'r' ), array( 'pipe', 'w' ), array( 'redirect', 1 ) ), $pipes, getenv( 'TCS_WWW' ) );
	fwrite( $pipes[0], $input );
	fclose( $pipes[0] );
	$output = stream_get_contents( $pipes[1] );
	return array( proc_close( $process ), $output );
}

require $root . '/wp-plugin/includes/Commands.php';
is( 'docs/commands.md is made of the commands that there are', 0 === start( array( PHP_BINARY, __DIR__ . '/commands', '--check' ) )[0] );

$makefile = file_get_contents( "$root/Makefile" );
foreach ( array_merge( array( "$root/README.md", "$root/CONTRIBUTING.md", "$root/SECURITY.md" ), glob( "$root/docs/*.md" ), array( "$root/wp-plugin/readme.txt" ) ) as $file ) {
	$name = substr( $file, strlen( $root ) + 1 );
	$text = file_get_contents( $file );

	// What is mentioned.
	preg_match_all( '/`[^`\n]*\btenant-crm ((?!COMMAND)[a-z]+(?: [a-z]+)?)[^`\n]*`/', $text, $mentioned );
	foreach ( array_unique( $mentioned[1] ) as $command ) {
		$first = strtok( $command, ' ' );
		is( "$name: there is a command \"$command\"", isset( Commands::ALL[ $command ] ) || isset( Commands::ALL[ $first ] ) || isset( Commands::ALONE[ $command ] ) || 'help' === $first );
	}
	preg_match_all( '/\]\((?!https?:|#)([^)#]+)/', $text, $links );
	foreach ( array_unique( $links[1] ) as $link ) {
		is( "$name: there is $link", file_exists( dirname( $file ) . "/$link" ) );
	}

	preg_match_all( '#`((?:src|tests|wp-plugin|docs|php-stubs|\.github|\.ci)/[A-Za-z0-9_./-]*)[^`]*`#', $text, $paths );
	foreach ( array_unique( $paths[1] ) as $path ) {
		is( "$name: there is $path", file_exists( "$root/$path" ) );
	}

	preg_match_all( '/`make ([a-z-]+)/', $text, $targets );
	foreach ( array_unique( $targets[1] ) as $target ) {
		is( "$name: there is make $target", 1 === preg_match( "/^$target:.* ## /m", $makefile ) );
	}

	// What is to be typed. A fresh site for each document.
	preg_match_all( '/^[ ]*(?:<!-- ([^\n]*?) -->\n[ ]*)?```([a-z]*)\n(.*?)^[ ]*```$/ms', $text, $blocks, PREG_SET_ORDER );
	$is_fresh = false;
	foreach ( $blocks as $number => list( , $claim, $language, $code ) ) {
		if ( in_array( $language, array( 'text', 'ini', 'yaml', 'json' ), true ) ) {
			continue;
		}
		$what = "$name, block " . ( $number + 1 ) . ' (' . trim( strtok( $code, "\n" ) ) . ')';
		if ( preg_match( '/^tested by (.+)$/', $claim, $match ) ) {
			foreach ( explode( '; ', $match[1] ) as $one ) {
				list( $suite, $words ) = explode( ': ', $one, 2 );
				is( "$what is tested by $suite", is_file( "$root/$suite" ) && str_contains( (string) file_get_contents( "$root/$suite" ), $words ), "\"$words\" is not in $suite" );
			}
			continue;
		}
		if ( ! preg_match( '/^run(?:, ends with (\d))?$/', $claim, $match ) ) {
			is( $what, false, 'nothing says that it is run, or where it is tested' );
			continue;
		}
		if ( ! $is_fresh ) {
			list( $bad, $output ) = start( array( PHP_BINARY, __DIR__ . '/fresh.php', $prefix ) );
			$is_fresh             = true;
			if ( 0 !== $bad ) {
				is( "$name: a fresh site", false, $output );
			}
		}
		$code = strtr( preg_replace( '/^ +(?=\S)/m', '', $code ), array( '/etc/' => "$prefix/etc/", 'https://crm.example.com' => getenv( 'TCS_SANDBOX_URL' ) ) );
		if ( 'php' === $language ) {
			file_put_contents( "$prefix/block.php", "<?php require '" . __DIR__ . "/prelude.php';\n$code" );
			list( $end, $output ) = start( array( PHP_BINARY, "$prefix/block.php" ) );
		} else {
			list( $end, $output ) = start( array( 'bash', '-euo', 'pipefail' ), $code );
		}
		is( $what, (int) ( $match[1] ?? 0 ) === $end && ! preg_match( '/^(PHP )?(Fatal|Warning|Notice|Deprecated)/m', $output ), "it ended with $end and said:\n" . trim( $output ) );
	}
}

echo "$passed passed, $failed failed\n";
exit( $failed || ! $passed ? 1 : 0 );
