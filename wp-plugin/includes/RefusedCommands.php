<?php
/**
 * The commands about rows that one side has and the other refused: list, try again, drop. What they mean is in Refused.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class RefusedCommands {

	private const MOST = 1000;

	/** @param array<string, mixed> $options */
	public static function list( array $options ): int {
		Output::rows( array_map( array( self::class, 'row' ), Refused::list( self::filter( $options ) ) ), $options, 'Nothing is refused.', 'key' );
		return CommandLine::GOOD;
	}

	/** @param array<string, mixed> $options */
	public static function retry( array $options ): int {
		return self::each(
			$options,
			static function ( string $key ) use ( $options ): bool {
				$run = Refused::retry( $key );
				if ( null !== $run ) {
					echo $options['porcelain'] ? "$run\n" : "$key: asked for again, as run $run\n";
				}
				return null !== $run;
			}
		);
	}

	/** @param array<string, mixed> $options */
	public static function drop( array $options ): int {
		return self::each(
			$options,
			static function ( string $key ): bool {
				$done = Refused::drop( $key );
				if ( $done ) {
					echo "$key: dropped\n";
				}
				return $done;
			}
		);
	}

	/**
	 * @param array<string, mixed>   $options
	 * @param callable(string): bool $do      False: it is not refused any more.
	 */
	private static function each( array $options, callable $do ): int {
		if ( ! $options['arguments'] ) {
			CommandLine::chosen( $options );
		}
		$rows = $options['arguments'] ? array() : Refused::list( self::filter( $options ) );
		foreach ( $options['arguments'] as $key ) {
			$rows[] = Refused::get( $key ) ?? array( 'key' => $key );
		}
		if ( $options['dry-run'] ) {
			Output::rows( array_map( array( self::class, 'row' ), array_filter( $rows, static fn( array $row ): bool => isset( $row['tenant'] ) ) ), $options, 'Nothing is refused.', 'key' );
			return CommandLine::GOOD;
		}
		$code = CommandLine::GOOD;
		foreach ( $rows as $row ) {
			if ( ! $do( $row['key'] ) ) {
				fwrite( STDERR, 'error: "' . Output::cell( $row['key'] ) . "\" is not refused, or not any more; see tenant-crm refused list\n" );
				$code = CommandLine::FAILED;
			}
		}
		if ( ! $options['arguments'] && count( $rows ) >= self::MOST ) {
			fwrite( STDERR, 'note: these were the newest ' . self::MOST . "; say it again for the rest\n" );
			$code = max( $code, CommandLine::WAITS );
		}
		return $code;
	}

	/**
	 * @param array<string, mixed> $options
	 * @return array<string, mixed> What Refused::list() takes.
	 */
	private static function filter( array $options ): array {
		return array_filter(
			array(
				'tenants' => CommandLine::keys( $options ),
				'side'    => $options['side'] ?? null,
				'words'   => $options['words'] ?? null,
				'limit'   => self::MOST,
			),
			static fn( $value ): bool => null !== $value
		);
	}

	/**
	 * @param array<string, mixed> $row
	 * @return array<string, mixed>
	 */
	private static function row( array $row ): array {
		$tenant = Tenants::get( $row['tenant'] );
		return array(
			'key'    => $row['key'],
			'tenant' => $tenant ? $tenant->id : '',
			'side'   => $row['side'],
			'object' => $row['object'],
			'record' => $row['record'],
			'name'   => $row['name'],
			'reason' => $row['reason'],
			'times'  => $row['times'],
			'at'     => $row['at'],
			'post'   => $row['post_id'] ? $row['post_id'] : null,
		);
	}
}
