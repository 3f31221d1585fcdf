<?php
/**
 * The commands of bin/tenant-crm. They do what screens and cron do, through the same classes; how results are printed is in Output.
 *
 * Exit codes: 0 all well, 1 something failed or has to wait, 2 the command was not understood.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class CommandLine {

	private const USAGE = 'Usage: tenant-crm COMMAND [--path=WORDPRESS] [--url=SITE]
  tenant add ID --endpoint=URL --key-file=FILE [--label=TEXT] [--connector=NAME] [--setting=NAME=VALUE]…
                             adds or changes a tenant; FILE holds the API key, - is standard input
  tenant list [--format=table|json]
  tenant delete ID --yes     forgets ledger, jobs and credential; posts stay
  tenant rotate --tenant=ID… | --all
                             seals the stored API keys anew with the newest host key
  sync [--tenant=ID]… [--all] [--full] [--format=table|json]
                             pulls now and waits until it is over; --full reads everything again
  work [--seconds=N]         enqueues what is due and works the queue (default 60 s)
  status [--format=table|json]
';

	/** @param list<string> $arguments Without the script's name, --path and --url. */
	public static function run( array $arguments ): int {
		try {
			$options = self::options( $arguments );
			if ( ! Plugin::is_ready() ) {
				throw new \RuntimeException( 'the PHP extension tenant_crm_sync is not loaded; see Site Health' );
			}
			Schema::migrate();
			return match ( implode( ' ', array_slice( $options['words'], 0, 'tenant' === ( $options['words'][0] ?? '' ) ? 2 : 1 ) ) ) {
				'tenant add'    => self::tenant_add( $options ),
				'tenant list'   => self::tenant_list( $options ),
				'tenant delete' => self::tenant_delete( $options ),
				'tenant rotate' => self::tenant_rotate( $options ),
				'sync'          => self::sync( $options ),
				'work'          => self::work( $options ),
				'status'        => self::status( $options ),
				default         => throw new \DomainException( 'what is to be done?' ),
			};
		} catch ( \DomainException $e ) {
			fwrite( STDERR, "error: {$e->getMessage()}\n" . self::USAGE );
			return 2;
		} catch ( \Exception $e ) {
			fwrite( STDERR, "error: {$e->getMessage()}\n" );
			return 1;
		}
	}

	/**
	 * @param list<string> $arguments
	 * @return array{words: list<string>, tenant: list<string>, setting: list<string>, format: string, seconds: float, all: bool, yes: bool, full: bool}&array<string, mixed>
	 */
	private static function options( array $arguments ): array {
		$options = array(
			'words'   => array(),
			'tenant'  => array(),
			'setting' => array(),
			'format'  => 'table',
			'seconds' => 60.0,
			'all'     => false,
			'yes'     => false,
			'full'    => false,
		);
		foreach ( $arguments as $argument ) {
			if ( ! str_starts_with( $argument, '--' ) ) {
				$options['words'][] = $argument;
			} elseif ( in_array( $argument, array( '--all', '--yes', '--full' ), true ) ) {
				$options[ substr( $argument, 2 ) ] = true;
			} elseif ( preg_match( '/^--(tenant|setting)=(.*)$/s', $argument, $match ) ) {
				$options[ $match[1] ][] = $match[2];
			} elseif ( preg_match( '/^--seconds=(\d+(?:\.\d+)?)$/D', $argument, $match ) ) {
				$options['seconds'] = (float) $match[1];
			} elseif ( preg_match( '/^--format=(table|json)$/D', $argument, $match ) ) {
				$options['format'] = $match[1];
			} elseif ( preg_match( '/^--(endpoint|key-file|label|connector)=(.*)$/s', $argument, $match ) ) {
				$options[ $match[1] ] = $match[2];
			} else {
				throw new \DomainException( "\"$argument\" is not understood" );
			}
		}
		return $options;
	}

	/** @param array<string, mixed> $options */
	private static function tenant_add( array $options ): int {
		$data = array( 'id' => $options['words'][2] ?? throw new \DomainException( 'name the tenant' ) );
		foreach ( array( 'endpoint', 'label', 'connector' ) as $name ) {
			if ( isset( $options[ $name ] ) ) {
				$data[ $name ] = $options[ $name ];
			}
		}
		if ( isset( $options['key-file'] ) ) {
			$key = file_get_contents( '-' === $options['key-file'] ? 'php://stdin' : $options['key-file'] ); // phpcs:ignore WordPress.WP.AlternativeFunctions -- a local file.
			if ( false === $key || '' === trim( $key ) ) {
				throw new \RuntimeException( 'there is no API key in the file of --key-file' );
			}
			$data['api_key'] = trim( $key );
		}
		if ( $options['setting'] ) {
			$old              = Tenants::find( (string) $data['id'] );
			$data['settings'] = $old ? $old->settings : array();
			foreach ( $options['setting'] as $setting ) {
				list( $name, $value )       = array_pad( explode( '=', $setting, 2 ), 2, '' );
				$decoded                    = json_decode( $value, true );
				$data['settings'][ $name ] = null === $decoded && 'null' !== $value ? $value : $decoded;
			}
		}
		$tenant = Tenants::save( $data );
		echo "Tenant \"{$tenant->id}\" is stored", $tenant->has_credential() ? '' : ', still without an API key', ".\n";
		return 0;
	}

	/** @param array<string, mixed> $options */
	private static function tenant_list( array $options ): int {
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
		Output::rows( $rows, $options['format'] );
		return 0;
	}

	/** @param array<string, mixed> $options */
	private static function tenant_delete( array $options ): int {
		$tenant = self::tenant( $options['words'][2] ?? throw new \DomainException( 'name the tenant' ) );
		if ( ! $options['yes'] ) {
			throw new \DomainException( "this forgets the credential and the ledger of \"{$tenant->id}\"; say --yes" );
		}
		Tenants::delete( $tenant->key );
		echo "Tenant \"{$tenant->id}\" is deleted; its posts were kept.\n";
		return 0;
	}

	/** @param array<string, mixed> $options */
	private static function tenant_rotate( array $options ): int {
		$good = true;
		foreach ( self::chosen( $options ) as $tenant ) {
			try {
				echo "Tenant \"{$tenant->id}\": ", Tenants::rotate( $tenant->key ) ? 'sealed with the newest host key' : 'has no stored API key', ".\n";
			} catch ( \Exception $e ) {
				// The others' keys are sealed all the same; the old host key must stay until this says 0.
				fwrite( STDERR, "error: {$e->getMessage()}\n" );
				$good = false;
			}
		}
		return $good ? 0 : 1;
	}

	/**
	 * @param array<string, mixed> $options
	 * @return array<Tenant>
	 */
	private static function chosen( array $options ): array {
		if ( $options['all'] === (bool) $options['tenant'] ) {
			throw new \DomainException( 'say which: --tenant=ID or --all' );
		}
		return $options['all'] ? Tenants::all() : array_map( array( self::class, 'tenant' ), $options['tenant'] );
	}

	/** @param array<string, mixed> $options */
	private static function sync( array $options ): int {
		$tenants = self::chosen( $options );
		self::obey_signals();
		$runs = array();
		foreach ( $tenants as $tenant ) {
			// "All" are those that can be pulled; one that is named says why it cannot.
			if ( $options['all'] && ( $tenant->paused || ! $tenant->has_credential() || '' === $tenant->endpoint ) ) {
				continue;
			}
			$runs[ $tenant->id ] = Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK, $options['full'] ? array( 'full' => true ) : array() );
			if ( $options['full'] && ! Jobs::is_full( $runs[ $tenant->id ] ) ) {
				fwrite( STDERR, "note: a sync of tenant \"{$tenant->id}\" had begun already and goes on without --full; say it again when that one is over\n" );
			}
		}
		$rows = array();
		$good = true;
		foreach ( $runs as $id => $run ) {
			$row    = self::until_over( $run );
			$good   = $good && 'done' === $row['state'];
			$rows[] = Output::run( (string) $id, $row );
		}
		Output::rows( $rows, $options['format'] );
		return $good ? 0 : 1;
	}

	/**
	 * Works a run, or watches whoever else does.
	 *
	 * @return array<string, mixed>
	 */
	private static function until_over( int $run ): array {
		while ( true ) {
			$result = Worker::run( 5.0, $run );
			$row    = Runs::get( $run );
			if ( null === $row || ! in_array( $row['state'], array( 'queued', 'running' ), true ) || Worker::is_stopped() ) {
				return $row ?? array( 'state' => 'gone' );
			}
			if ( 0 === $result['slices'] ) {
				usleep( 300000 );
			}
		}
	}

	/** @param array<string, mixed> $options */
	private static function work( array $options ): int {
		self::obey_signals();
		$deadline = microtime( true ) + $options['seconds'];
		$total    = array(
			'slices' => 0,
			'done'   => 0,
			'failed' => 0,
		);
		do {
			Cron::enqueue_due();
			Jobs::reap();
			$result = Worker::run( max( 0.0, min( 30.0, $deadline - microtime( true ) ) ) );
			foreach ( $result as $name => $count ) {
				$total[ $name ] += $count;
			}
			if ( 0 === $result['slices'] && microtime( true ) + 1 < $deadline ) {
				sleep( 1 );
			}
		} while ( microtime( true ) + 1 < $deadline && ! Worker::is_stopped() );
		Runs::prune();
		Log::prune();
		printf( "%d slices, %d runs done, %d failed\n", $total['slices'], $total['done'], $total['failed'] );
		return $total['failed'] ? 1 : 0;
	}

	/** @param array<string, mixed> $options */
	private static function status( array $options ): int {
		$rows = array();
		foreach ( Tenants::all() as $tenant ) {
			$rows[] = Output::run( $tenant->id, Runs::latest( $tenant->key ) ?? array( 'state' => 'never run' ) );
		}
		Output::rows( $rows, $options['format'] );
		$extension = \TenantCRMSync::status();
		if ( 'table' === $options['format'] ) {
			$next = wp_next_scheduled( Cron::EVENT );
			printf( "extension %s, host keys %d%s, next cron event %s\n", $extension['version'], $extension['keys'], $extension['key_error'] ? " ({$extension['key_error']})" : '', $next ? gmdate( 'Y-m-d H:i:s', $next ) . ' UTC' : 'not scheduled' );
		}
		return $extension['key_error'] ? 1 : 0;
	}

	private static function tenant( string $id ): Tenant {
		return Tenants::find( $id ) ?? throw new \RuntimeException( "there is no tenant \"$id\"" );
	}

	/** Ctrl-C and kill end the slice after its batch, so that the next worker need not wait for the lease. */
	private static function obey_signals(): void {
		if ( function_exists( 'pcntl_async_signals' ) ) {
			pcntl_async_signals( true );
			foreach ( array( SIGINT, SIGTERM ) as $signal ) {
				pcntl_signal( $signal, static fn() => Worker::stop() );
			}
		}
	}
}
