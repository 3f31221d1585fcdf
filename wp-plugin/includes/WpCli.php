<?php
/**
 * `wp tenant-crm …`: tells WP-CLI of the commands in Commands, and hands what it has read over to CommandLine.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class WpCli {

	public static function register(): void {
		if ( ! defined( 'WP_CLI' ) || ! WP_CLI || ! class_exists( 'WP_CLI', false ) ) {
			return;
		}
		foreach ( Commands::ALL as $command => list( , , , $words ) ) {
			\WP_CLI::add_command(
				"tenant-crm $command",
				static fn( array $arguments, array $given ) => self::run( $command, $arguments, $given ),
				array(
					'shortdesc' => $words,
					'synopsis'  => self::synopsis( $command ),
				)
			);
		}
	}

	/**
	 * @param list<string>                $arguments
	 * @param array<string, string|bool> $given
	 */
	private static function run( string $command, array $arguments, array $given ): void {
		$options = array();
		foreach ( $given as $name => $value ) {
			if ( ! isset( Commands::OPTIONS[ $name ] ) ) {
				continue;
			}
			list( $kind, $many ) = Commands::OPTIONS[ $name ];
			if ( '' === $kind ) {
				// --no-all is false.
				if ( $value ) {
					$options[ $name ] = true;
				}
			} else {
				$options[ $name ] = $many ? self::every( $name, (string) $value ) : array( (string) $value );
			}
		}
		try {
			$code = CommandLine::execute( $command, Arguments::options( $command, $arguments, $options ) );
		} catch ( \DomainException $e ) {
			\WP_CLI::error( $e->getMessage(), false );
			$code = CommandLine::UNKNOWN;
		}
		\WP_CLI::halt( $code );
	}

	/**
	 * WP-CLI keeps the last one of an option that is said several times. The others are taken from the words that it was called with.
	 *
	 * @return list<string>
	 */
	private static function every( string $name, string $last ): array {
		$all = array();
		foreach ( (array) ( $GLOBALS['argv'] ?? array() ) as $word ) {
			if ( str_starts_with( (string) $word, "--$name=" ) ) {
				$all[] = substr( $word, strlen( "--$name=" ) );
			}
		}
		return end( $all ) === $last ? $all : array( $last );
	}

	/** @return list<array<string, mixed>> */
	private static function synopsis( string $command ): array {
		list( , $arguments, $options ) = Commands::ALL[ $command ];
		$synopsis                      = array();
		foreach ( $arguments as $argument ) {
			$synopsis[] = array(
				'type'        => 'positional',
				'name'        => trim( $argument, '<>[]…' ),
				'optional'    => '[' === $argument[0],
				'repeating'   => str_contains( $argument, '…' ),
				'description' => '',
			);
		}
		foreach ( $options as $name ) {
			list( $value, , $words ) = Commands::OPTIONS[ $name ];
			$synopsis[]              = array(
				'type'        => '' === $value ? 'flag' : 'assoc',
				'name'        => $name,
				'optional'    => true,
				'description' => $words,
			) + ( 'format' === $name ? array( 'options' => Commands::FORMATS, 'default' => 'table' ) : array() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		}
		return $synopsis;
	}
}
