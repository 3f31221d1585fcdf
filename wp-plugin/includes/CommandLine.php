<?php
/**
 * Runs a command, says what went wrong, and how it ended: which commands there are is in Commands, what they do in the classes named there.
 *
 * Exit codes: 0 all well; 1 something failed; 2 the command was not understood; 3 nothing failed, but not all is over or well: a sync waits
 * for the CRM's limits and goes on by itself, or a check has a recommendation.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class CommandLine {

	public const GOOD    = 0;
	public const FAILED  = 1;
	public const UNKNOWN = 2;
	public const WAITS   = 3;

	/** @param list<string> $words Without the script's name, --path and --url. */
	public static function run( array $words ): int {
		if ( in_array( $words[0] ?? '', array( 'help', '--help' ), true ) || in_array( '--help', $words, true ) ) {
			echo self::help( implode( ' ', array_slice( array_values( array_diff( $words, array( 'help', '--help' ) ) ), 0, 2 ) ) );
			return self::GOOD;
		}
		try {
			list( $command, $options ) = Arguments::parse( $words );
		} catch ( \DomainException $e ) {
			fwrite( STDERR, "error: {$e->getMessage()}\n" . self::help( 1 === $e->getCode() ? implode( ' ', array_slice( $words, 0, 2 ) ) : '' ) );
			return self::UNKNOWN;
		}
		return self::execute( $command, $options );
	}

	/** @param array<string, mixed> $options As Arguments gives them. */
	public static function execute( string $command, array $options ): int {
		try {
			if ( ! Plugin::is_ready() ) {
				throw new \RuntimeException( (string) Extension::obstacle() );
			}
			Schema::migrate();
			return call_user_func( Commands::ALL[ $command ][0], $options );
		} catch ( \DomainException $e ) {
			fwrite( STDERR, "error: {$e->getMessage()}\n" . self::help( $command ) );
			return self::UNKNOWN;
		} catch ( \Exception $e ) {
			fwrite( STDERR, 'error: ' . Output::cell( $e->getMessage() ) . "\n" );
			return self::FAILED;
		}
	}

	/** Of one command, of a group, or of all. */
	public static function help( string $what ): string {
		$first    = strtok( $what, ' ' );
		$commands = array();
		foreach ( array( $what, $first ) as $name ) {
			$commands = $commands ? $commands : array_filter( array_keys( Commands::ALL ), static fn( string $command ): bool => $command === $name || str_starts_with( $command, "$name " ) );
		}
		if ( 1 === count( $commands ) ) {
			$command = reset( $commands );
			$text    = 'Usage: tenant-crm ' . Commands::synopsis( $command ) . "\n\n" . Commands::ALL[ $command ][3] . "\n";
			foreach ( Commands::ALL[ $command ][2] as $name ) {
				list( $value, $many, $words ) = Commands::OPTIONS[ $name ];
				$text                        .= sprintf( "  %-24s %s%s\n", "--$name" . ( '' === $value ? '' : "=$value" ), $words, $many ? '; may be said several times' : '' );
			}
			return $text;
		}
		$text = "Usage: tenant-crm COMMAND [--path=WORDPRESS] [--url=SITE]\n";
		foreach ( $commands ? $commands : array_keys( Commands::ALL ) as $command ) {
			$text .= sprintf( "  %-16s %s\n", $command, Commands::ALL[ $command ][3] );
		}
		return $text . "\n\"tenant-crm help COMMAND\" tells more. It ends with 0: well, 1: failed, 2: not understood, 3: has to wait.\n";
	}

	/**
	 * @param array<string, mixed> $options
	 * @return array<Tenant>
	 * @throws \DomainException Where it is not said which.
	 */
	public static function chosen( array $options ): array {
		if ( $options['all'] === (bool) $options['tenant'] ) {
			throw new \DomainException( 'say which: --tenant=ID or --all' );
		}
		return $options['all'] ? Tenants::all() : array_map( array( self::class, 'tenant' ), $options['tenant'] );
	}

	/**
	 * Integer keys of the tenants that are named; null where none is.
	 *
	 * @param array<string, mixed> $options
	 * @return list<int>|null
	 */
	public static function keys( array $options ): ?array {
		return $options['tenant'] ? array_map( static fn( string $id ): int => self::tenant( $id )->key, $options['tenant'] ) : null;
	}

	public static function tenant( string $id ): Tenant {
		return Tenants::find( $id ) ?? throw new \RuntimeException( "there is no tenant \"$id\"" );
	}

	/**
	 * @param list<string> $words
	 * @return list<int>
	 */
	public static function numbers( array $words, string $where ): array {
		if ( ! $words || array_filter( $words, static fn( string $word ): bool => ! ctype_digit( $word ) ) ) {
			throw new \DomainException( "say the numbers that tenant-crm $where shows" );
		}
		return array_map( 'intval', $words );
	}
}
