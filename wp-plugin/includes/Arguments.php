<?php
/**
 * Reads the words of a command line by the table in Commands, or what WP-CLI made of them. A word that the command does not know is an error: a
 * mistyped option must not become "all".
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Arguments {

	/**
	 * @param list<string> $words
	 * @return array{0: string, 1: array<string, mixed>} The command and its options, see options().
	 * @throws \DomainException Where it is not understood. Its code is 1 if the command was.
	 */
	public static function parse( array $words ): array {
		$command   = self::command( $words );
		$known     = Commands::ALL[ $command ][2];
		$arguments = array();
		$given     = array();
		while ( null !== ( $word = array_shift( $words ) ) ) {
			if ( ! str_starts_with( $word, '--' ) ) {
				$arguments[] = $word;
				continue;
			}
			list( $name, $value ) = array_pad( explode( '=', substr( $word, 2 ), 2 ), 2, null );
			if ( ! in_array( $name, $known, true ) ) {
				throw new \DomainException( "\"$word\" is not understood", 1 );
			}
			if ( '' === Commands::OPTIONS[ $name ][0] ) {
				$given[ $name ] = null === $value ? true : throw new \DomainException( "--$name takes no value", 1 );
				continue;
			}
			// The value may follow as a word of its own.
			$given[ $name ][] = $value ?? array_shift( $words ) ?? throw new \DomainException( "--$name wants a value", 1 );
		}
		return array( $command, self::options( $command, $arguments, $given ) );
	}

	/** Takes the command off the words. @param list<string> $words */
	private static function command( array &$words ): string {
		foreach ( array( 2, 1 ) as $count ) {
			$command = implode( ' ', array_slice( $words, 0, $count ) );
			if ( isset( Commands::ALL[ $command ] ) ) {
				array_splice( $words, 0, $count );
				return $command;
			}
		}
		$first = array_shift( $words ) ?? throw new \DomainException( 'what is to be done?' );
		if ( isset( Commands::ALONE[ $first ] ) && str_starts_with( $words[0] ?? '--', '--' ) ) {
			return Commands::ALONE[ $first ];
		}
		throw new \DomainException( '"' . trim( $first . ' ' . ( isset( Commands::ALONE[ $first ] ) ? $words[0] : '' ) ) . '" is no command' );
	}

	/**
	 * @param list<string>                   $arguments
	 * @param array<string, true|list<string>> $given
	 * @return array<string, mixed> `arguments`; each option of the command: a flag as a bool, one that may be repeated as a list, another one as a string
	 *                              if it was given. `format` and `seconds` always.
	 * @throws \DomainException
	 */
	public static function options( string $command, array $arguments, array $given ): array {
		list( , $wanted, $known ) = Commands::ALL[ $command ];
		$least                    = count( array_filter( $wanted, static fn( string $word ): bool => '[' !== $word[0] ) );
		$has_many                 = str_contains( implode( ' ', $wanted ), '…' );
		if ( count( $arguments ) < $least ) {
			throw new \DomainException( 'say which: ' . $wanted[ count( $arguments ) ], 1 );
		}
		if ( ! $has_many && count( $arguments ) > count( $wanted ) ) {
			throw new \DomainException( '"' . $arguments[ count( $wanted ) ] . '" is not understood', 1 );
		}
		$options = array(
			'arguments' => $arguments,
			'format'    => 'table',
			'seconds'   => 60.0,
			'tenant'    => array(),
			'all'       => false,
		);
		foreach ( $known as $name ) {
			list( $value, $many ) = Commands::OPTIONS[ $name ];
			if ( '' === $value ) {
				$options[ $name ] = isset( $given[ $name ] );
			} elseif ( $many ) {
				$options[ $name ] = $given[ $name ] ?? array();
			} elseif ( isset( $given[ $name ] ) ) {
				$options[ $name ] = end( $given[ $name ] );
			}
		}
		if ( ! in_array( $options['format'], Commands::FORMATS, true ) ) {
			throw new \DomainException( '--format is one of ' . implode( ', ', Commands::FORMATS ), 1 );
		}
		if ( ! is_float( $options['seconds'] ) ) {
			$options['seconds'] = preg_match( '/^\d+(?:\.\d+)?$/D', $options['seconds'] ) ? (float) $options['seconds'] : throw new \DomainException( '--seconds wants a number', 1 );
		}
		if ( isset( $options['side'] ) && ! in_array( $options['side'], array( 'crm', 'portal' ), true ) ) {
			throw new \DomainException( '--side is crm or portal', 1 );
		}
		return $options;
	}
}
