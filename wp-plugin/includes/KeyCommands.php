<?php
/**
 * The commands about the host key: where it comes from, whose secrets it seals, and sealing them anew. No key is ever printed.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class KeyCommands {

	/** @param array<string, mixed> $options */
	public static function status( array $options ): int {
		$status = \TenantCRMSync::status();
		$mode   = '' !== (string) $status['key_file'] && is_file( $status['key_file'] ) ? sprintf( '%04o', fileperms( $status['key_file'] ) & 07777 ) : '';
		Output::rows(
			array(
				array(
					'keys'     => $status['keys'],
					'key_file' => $status['key_file'],
					'mode'     => $mode,
					'key_dir'  => $status['key_dir'],
					'sealed'   => count( array_filter( Tenants::all(), array( self::class, 'is_sealed' ) ) ),
					'error'    => $status['key_error'],
				),
			),
			$options
		);
		return $status['key_error'] || $status['keys'] < 1 ? CommandLine::FAILED : CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function rotate( array $options ): int {
		$code = CommandLine::GOOD;
		foreach ( CommandLine::chosen( $options ) as $tenant ) {
			if ( $options['dry-run'] ) {
				echo "Tenant \"{$tenant->id}\": ", self::is_sealed( $tenant ) ? 'would be sealed with the newest host key' : 'has no stored API key or other secret', ".\n";
				continue;
			}
			try {
				echo "Tenant \"{$tenant->id}\": ", Tenants::rotate( $tenant->key ) ? 'sealed with the newest host key' : 'has no stored API key or other secret', ".\n";
			} catch ( \Exception $e ) {
				// The others' keys are sealed all the same; the old host key must stay until this says 0.
				fwrite( STDERR, "error: {$e->getMessage()}\n" );
				$code = CommandLine::FAILED;
			}
		}
		return $code;
	}

	private static function is_sealed( Tenant $tenant ): bool {
		return $tenant->has_key() || array() !== array_filter( $tenant->connection(), static fn( $value ): bool => is_string( $value ) && str_starts_with( $value, ConnectionFields::ENVELOPE ) );
	}
}
