<?php
/**
 * The commands of bin/tenant-crm that are about tenants and what they can be connected to. How arguments are read is in CommandLine.
 *
 * No secret comes as an argument, where other users of the host could read it: only from files and standard input.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Hints;
use TenantCRM\Webhooks\Subscriptions;
use TenantCRM\Webhooks\Words;

final class TenantCommands {

	private const READS  = array( 'full', 'since', 'one', 'by_ids', 'deleted', 'fields' );
	private const WRITES = array( 'create', 'update', 'upsert', 'delete' );

	/** @param array<string, mixed> $options */
	public static function connectors( array $options ): int {
		$rows = array();
		foreach ( Connectors::all() as $name => $connector ) {
			$leads  = $connector['objects']['leads'] ?? $connector['objects']['*'] ?? array();
			$can    = static fn( array $names ): string => implode( ' ', array_filter( $names, static fn( string $what ): bool => ! empty( $leads[ $what ] ) ) );
			$rows[] = array(
				'connector' => $name,
				'title'     => $connector['title'],
				'auth'      => implode( ' ', array_keys( $connector['auth'] ) ),
				'objects'   => implode( ' ', array_keys( $connector['objects'] ) ),
				'reads'     => $can( self::READS ),
				'writes'    => $can( self::WRITES ),
				'webhooks'  => $connector['webhooks'],
			);
		}
		if ( Output::is_deep( $options['format'] ) ) {
			foreach ( array_values( Connectors::all() ) as $number => $connector ) {
				// For scripts: everything that is known.
				$rows[ $number ] = array( 'connector' => $rows[ $number ]['connector'] ) + $connector;
			}
		}
		Output::rows( $rows, $options );
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function add( array $options ): int {
		$data = array( 'id' => $options['arguments'][0] );
		foreach ( array( 'endpoint', 'label', 'connector' ) as $name ) {
			if ( isset( $options[ $name ] ) ) {
				$data[ $name ] = $options[ $name ];
			}
		}
		$old       = Tenants::find( (string) $data['id'] );
		$connector = (string) ( $data['connector'] ?? ( $old ? $old->connector : 'rest' ) );
		// Another CRM's fields are of no use to this one.
		$keeps      = $old && $old->connector === $connector;
		$settings   = $old ? $old->settings : array();
		$connection = $keeps ? $old->connection() : array();
		if ( ! $keeps ) {
			unset( $settings['mapping'] );
		}
		foreach ( self::fields( $options, $connector ) as $name => $value ) {
			if ( in_array( $name, Connectors::OWN, true ) ) {
				$data[ 'api_key' === $name ? 'api_key' : 'endpoint' ] = $value;
			} else {
				$connection[ $name ] = $value;
			}
		}
		if ( isset( $options['mapping-file'] ) ) {
			$settings['mapping'] = self::content( $options['mapping-file'], 'mapping' );
		}
		foreach ( $options['setting'] as $setting ) {
			list( $name, $value ) = array_pad( explode( '=', $setting, 2 ), 2, '' );
			if ( 'connection' === $name ) {
				throw new \DomainException( 'what a connection asks for is given with --field and --secret' );
			}
			$decoded = json_decode( $value, true );
			// A mapping stays JSON: PHP's arrays do not tell {} from [].
			$settings[ $name ] = 'mapping' === $name || ( null === $decoded && 'null' !== $value ) ? $value : $decoded;
		}
		$data['settings'] = array( 'connection' => $connection ) + $settings;
		$tenant           = Tenants::save( $data );
		$missing          = $tenant->missing();
		if ( $options['porcelain'] ) {
			echo Output::cell( $tenant->id ), "\n";
			return 0;
		}
		echo "Tenant \"{$tenant->id}\" is stored", $missing ? ', but its connection still lacks: ' . implode( ', ', $missing ) : '', ".\n";
		return 0;
	}

	/**
	 * What --auth, --field, --secret and --key-file give.
	 *
	 * @param array<string, mixed> $options
	 * @return array<string, string>
	 */
	private static function fields( array $options, string $connector ): array {
		$known  = Connectors::get( $connector )['fields'];
		$fields = isset( $options['auth'] ) ? array( 'auth' => $options['auth'] ) : array();
		foreach ( $options['field'] as $field ) {
			list( $name, $value ) = self::pair( $field, '--field NAME=VALUE' );
			if ( ! empty( $known[ $name ]['secret'] ) && '' !== $value ) {
				throw new \DomainException( "\"$name\" is a secret, which other users of this host could read here: give it with --secret $name=FILE, where - is standard input" );
			}
			$fields[ $name ] = $value;
		}
		$files = isset( $options['key-file'] ) ? array( 'api_key' => $options['key-file'] ) : array();
		foreach ( $options['secret'] as $secret ) {
			list( $name, $file ) = self::pair( $secret, '--secret NAME=FILE' );
			if ( empty( $known[ $name ]['secret'] ) ) {
				throw new \DomainException( "$connector has no secret \"$name\"" );
			}
			$files[ $name ] = $file;
		}
		if ( count( array_keys( $files, '-', true ) ) > 1 ) {
			throw new \DomainException( 'only one secret can come from standard input' );
		}
		foreach ( $files as $name => $file ) {
			$fields[ $name ] = self::content( $file, 'api_key' === $name ? 'API key' : $name );
		}
		return $fields;
	}

	/** @return array{0: string, 1: string} */
	private static function pair( string $text, string $usage ): array {
		$pair = explode( '=', $text, 2 );
		if ( 2 !== count( $pair ) || '' === $pair[0] ) {
			throw new \DomainException( "it is $usage" );
		}
		return $pair;
	}

	private static function content( string $file, string $what ): string {
		$text = '-' === $file || is_file( $file ) ? file_get_contents( '-' === $file ? 'php://stdin' : $file ) : false; // phpcs:ignore WordPress.WP.AlternativeFunctions -- a local file.
		if ( false === $text || '' === trim( $text ) ) {
			throw new \RuntimeException( "there is no $what in the file \"$file\"" );
		}
		return trim( $text );
	}

	/** @param array<string, mixed> $options */
	public static function test( array $options ): int {
		$tenant = CommandLine::tenant( $options['arguments'][0] );
		$result = $tenant->test_connection();
		if ( 'table' !== $options['format'] ) {
			Output::rows( array( array( 'tenant' => $tenant->id ) + $result ), $options );
		} elseif ( $result['ok'] ) {
			echo Output::cell( $result['message'] ), "\n";
		} else {
			fwrite( STDERR, 'error: ' . Output::cell( $result['message'] ) . "\n" );
		}
		return $result['ok'] ? 0 : 1;
	}

	/** @param array<string, mixed> $options */
	public static function limits( array $options ): int {
		$tenant = CommandLine::tenant( $options['arguments'][0] );
		$limits = $tenant->client()->limits();
		if ( 'table' !== $options['format'] ) {
			Output::rows( $limits, $options );
			return 0;
		}
		foreach ( $limits as $limit ) {
			echo Output::cell( Limits::words( $limit ) ), "\n";
		}
		if ( ! $limits ) {
			echo "No limits of this CRM are known. The tenant's setting \"limits\" can name some.\n";
		}
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function webhook( array $options ): int {
		$tenant = CommandLine::tenant( $options['arguments'][0] );
		if ( count( array_filter( array( $options['new'], $options['ask'], $options['remove'], isset( $options['via'] ) ) ) ) > 1 ) {
			throw new \DomainException( 'say one of --new, --ask, --remove and --via' );
		}
		if ( $options['new'] ) {
			// On its own line, for scripts; it is shown nowhere else.
			echo Addresses::make( $tenant ), "\n";
		} elseif ( $options['ask'] ) {
			Subscriptions::begin( $tenant );
		} elseif ( isset( $options['via'] ) ) {
			Addresses::share( $tenant, CommandLine::tenant( $options['via'] ) );
		} elseif ( $options['remove'] ) {
			Addresses::remove( $tenant );
		}
		if ( isset( $options['account'] ) ) {
			Addresses::set_account( $tenant, $options['account'] );
		}
		if ( 'table' !== $options['format'] ) {
			Output::rows( array( array( 'tenant' => $tenant->id ) + ( Addresses::of( $tenant->key ) ?? array() ) + Hints::counts( $tenant->key ) ), $options );
		} elseif ( ! $options['new'] ) {
			echo implode( "\n", array_map( array( Output::class, 'cell' ), Words::of( $tenant ) ) ), "\n";
		}
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function list( array $options ): int {
		$rows = array();
		foreach ( Tenants::all() as $tenant ) {
			$rows[] = array(
				'tenant'     => $tenant->id,
				'label'      => $tenant->label,
				'connector'  => $tenant->connector,
				'endpoint'   => $tenant->endpoint,
				'source'     => $tenant->source,
				'credential' => $tenant->has_credential(),
				'paused'     => $tenant->paused,
				'leads'      => Ledger::count( $tenant->key ),
			);
		}
		Output::rows( $rows, $options );
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function pause( array $options ): int {
		return self::set_paused( $options, true );
	}

	/** @param array<string, mixed> $options */
	public static function resume( array $options ): int {
		return self::set_paused( $options, false );
	}

	/** @param array<string, mixed> $options */
	private static function set_paused( array $options, bool $paused ): int {
		foreach ( array_map( array( CommandLine::class, 'tenant' ), $options['arguments'] ) as $tenant ) {
			if ( ! $options['dry-run'] ) {
				Tenants::pause( $tenant->key, $paused );
			}
			printf( "Tenant \"%s\" %s %s.\n", $tenant->id, $options['dry-run'] ? 'would be' : 'is', $paused ? 'paused' : 'resumed' );
		}
		return 0;
	}

	/** @param array<string, mixed> $options */
	public static function delete( array $options ): int {
		$tenant = CommandLine::tenant( $options['arguments'][0] );
		if ( $options['dry-run'] ) {
			echo "Tenant \"{$tenant->id}\" would be deleted: ", Ledger::count( $tenant->key ), " rows of its ledger, its jobs and its credentials. Its posts would be kept.\n";
			return 0;
		}
		if ( ! $options['yes'] ) {
			throw new \DomainException( "this forgets the credentials and the ledger of \"{$tenant->id}\"; say --yes" );
		}
		Tenants::delete( $tenant->key );
		echo "Tenant \"{$tenant->id}\" is deleted; its posts were kept.\n";
		return 0;
	}
}
