<?php
/**
 * For tests of bin/tenant-crm: starts it as an operator does.
 */

trait Commanding {

	/** @return array{0: int, 1: string, 2: string} Exit code, output, errors. */
	private function command( array $arguments, string $input = '' ): array {
		return $this->process( array_merge( array( PHP_BINARY, 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm' ), $arguments ), $input );
	}

	/** @return array{0: int, 1: string, 2: string} */
	private function process( array $words, string $input = '' ): array {
		$process = proc_open(
			$words,
			array( array( 'pipe', 'r' ), array( 'pipe', 'w' ), array( 'pipe', 'w' ) ),
			$pipes,
			getenv( 'TCS_WWW' )
		);
		fwrite( $pipes[0], $input );
		fclose( $pipes[0] );
		$output = stream_get_contents( $pipes[1] );
		$errors = stream_get_contents( $pipes[2] );
		return array( proc_close( $process ), $output, $errors );
	}
}
