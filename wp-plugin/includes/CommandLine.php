<?php
/**
 * The commands of bin/tenant-crm. They do what screens and cron do, through the same classes; those about one tenant are in
 * TenantCommands, how results are printed is in Output.
 *
 * Exit codes: 0 all well, 1 something failed or has to wait, 2 the command was not understood.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class CommandLine {

	/** Seconds after which a worker that waits for a click looks into the queue by itself. */
	private const PATIENCE = 5.0;

	private const USAGE = 'Usage: tenant-crm COMMAND [--path=WORDPRESS] [--url=SITE]
  connectors [--format=table|json]
                             the CRMs that can be synced, what they ask for and what they can do
  tenant add ID [--connector=NAME] [--auth=METHOD] [--endpoint=URL] [--key-file=FILE] [--field NAME=VALUE]…
      [--secret NAME=FILE]… [--mapping-file=FILE] [--label=TEXT] [--setting=NAME=VALUE]…
                             adds or changes a tenant; files hold the API key (--key-file) and other secrets, - is
                             standard input; an empty VALUE removes the field
  tenant test ID             asks the CRM one small thing and says what is wrong, if anything is
  tenant limits ID           what is used of the CRM\'s limits
  tenant webhook ID [--new | --ask | --remove] [--account=NAME] [--via=TENANT] [--format=table|json]
                             what has come of its CRM\'s webhooks; --new makes an address, prints it once and ends the
                             old one, --ask has the CRM itself set them up where its API can, --via lets them come by another tenant\'s, --account says which account is its own
  tenant list [--format=table|json]
  tenant delete ID --yes     forgets ledger, jobs and credentials; posts stay
  tenant rotate --tenant=ID… | --all
                             seals the stored API keys and other secrets anew with the newest host key
  sync [--tenant=ID]… [--all] [--full] [--format=table|json]
                             pulls now and waits until it is over; --full reads everything again
  backfill --tenant=ID… | --all [--format=table|json]
                             reads everything again beside the syncs, which go on; one that was cut off goes on from where it was
  preview --tenant=ID… | --all [--full] [--format=table|json]
                             what the next sync would change, field by field and on which side, and what it would cost; writes nothing
  explain --tenant=ID --id=RECORD | --post=POST [--format=table|json]
                             where each field of a lead has its value from: source, time (UTC) and rule
  work [--seconds=N] [--watch]
                             enqueues what is due and works the queue (default 60 s); with --watch until it is told to
                             stop, and a click on any host wakes it at once where Redis is configured
  queue [list|dead] [--format=table|json]
                             what is queued and running, or what failed for good and why
  queue retry ID | drop ID   tries what failed for good again, or forgets it
  queue cancel RUN           ends a run that waits or is worked; what it has stored stays
  log [--tenant=ID]… [--since=2h|DATE] [--requests [--outcome=NAME]] [--format=table|json]
                             what syncs met, or with --requests every request to a CRM: all, or only those of one outcome
                             ("failed": all that went wrong)
  conflict [list] [--tenant=ID]… [--format=table|json]
                             what both sides changed and a person has to decide
  conflict take crm|portal NUMBER… | --tenant=ID… | --all
                             whose value counts
  conflict undo NUMBER…      gives the lead the other value back
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
				'connectors'     => TenantCommands::connectors( $options ),
				'tenant add'     => TenantCommands::add( $options ),
				'tenant test'    => TenantCommands::test( $options ),
				'tenant limits'  => TenantCommands::limits( $options ),
				'tenant webhook' => TenantCommands::webhook( $options ),
				'tenant list'    => TenantCommands::list( $options ),
				'tenant delete'  => TenantCommands::delete( $options ),
				'tenant rotate'  => TenantCommands::rotate( $options ),
				'sync'           => self::sync( $options ),
				'backfill'       => self::sync( $options, Jobs::BACKFILL ),
				'preview'        => PreviewCommands::preview( $options ),
				'explain'        => PreviewCommands::explain( $options ),
				'work'           => self::work( $options ),
				'queue'          => QueueCommands::run( $options ),
				'log'            => LogCommands::run( $options ),
				'conflict'       => ConflictCommands::run( $options ),
				'status'         => self::status( $options ),
				default          => throw new \DomainException( 'what is to be done?' ),
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
	 * @return array{words: list<string>, tenant: list<string>, setting: list<string>, field: list<string>, secret: list<string>, format: string, seconds: float, all: bool, yes: bool, full: bool, watch: bool, requests: bool, new: bool, ask: bool, remove: bool}&array<string, mixed>
	 */
	private static function options( array $arguments ): array {
		$options = array(
			'words'    => array(),
			'tenant'   => array(),
			'setting'  => array(),
			'field'    => array(),
			'secret'   => array(),
			'format'   => 'table',
			'seconds'  => 60.0,
			'all'      => false,
			'yes'      => false,
			'full'     => false,
			'watch'    => false,
			'requests' => false,
			'new'      => false,
			'ask'      => false,
			'remove'   => false,
		);
		while ( null !== ( $argument = array_shift( $arguments ) ) ) {
			if ( in_array( $argument, array( '--field', '--secret', '--setting' ), true ) ) {
				// Their value may follow as a word of its own.
				$argument .= '=' . ( array_shift( $arguments ) ?? '' );
			}
			if ( ! str_starts_with( $argument, '--' ) ) {
				$options['words'][] = $argument;
			} elseif ( in_array( $argument, array( '--all', '--yes', '--full', '--watch', '--requests', '--new', '--ask', '--remove' ), true ) ) {
				$options[ substr( $argument, 2 ) ] = true;
			} elseif ( preg_match( '/^--(tenant|setting|field|secret)=(.*)$/s', $argument, $match ) ) {
				$options[ $match[1] ][] = $match[2];
			} elseif ( preg_match( '/^--seconds=(\d+(?:\.\d+)?)$/D', $argument, $match ) ) {
				$options['seconds'] = (float) $match[1];
			} elseif ( preg_match( '/^--format=(table|json)$/D', $argument, $match ) ) {
				$options['format'] = $match[1];
			} elseif ( preg_match( '/^--(endpoint|key-file|mapping-file|label|connector|auth|since|outcome|account|via|id|post)=(.*)$/s', $argument, $match ) ) {
				$options[ $match[1] ] = $match[2];
			} else {
				throw new \DomainException( "\"$argument\" is not understood" );
			}
		}
		return $options;
	}

	/**
	 * @param array<string, mixed> $options
	 * @return array<Tenant>
	 */
	public static function chosen( array $options ): array {
		if ( $options['all'] === (bool) $options['tenant'] ) {
			throw new \DomainException( 'say which: --tenant=ID or --all' );
		}
		return $options['all'] ? Tenants::all() : array_map( array( self::class, 'tenant' ), $options['tenant'] );
	}

	/** @param array<string, mixed> $options */
	private static function sync( array $options, string $kind = 'pull' ): int {
		$tenants = self::chosen( $options );
		self::obey_signals();
		$runs = array();
		foreach ( $tenants as $tenant ) {
			// "All" are those that can be pulled; one that is named says why it cannot.
			if ( $options['all'] && ( $tenant->paused || ! $tenant->is_configured() ) ) {
				continue;
			}
			$runs[ $tenant->id ] = Jobs::BACKFILL === $kind ? Jobs::backfill( $tenant->key ) : Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK, $options['full'] ? array( 'full' => true ) : array() );
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
			if ( null === $row || ! in_array( $row['state'], array( 'queued', 'running' ), true ) || Budget::is_spent() ) {
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
		$deadline = $options['watch'] ? INF : microtime( true ) + $options['seconds'];
		$total    = array(
			'slices' => 0,
			'done'   => 0,
			'failed' => 0,
		);
		do {
			Wakers::seen( $options['watch'] ? 'work --watch' : 'work' );
			Cron::enqueue_due();
			Webhooks\Subscriptions::enqueue_due();
			Webhooks\Inbox::sweep();
			$result = Worker::run( max( 0.0, min( 30.0, $deadline - microtime( true ) ) ) );
			foreach ( $result as $name => $count ) {
				$total[ $name ] += $count;
			}
			if ( 0 === $result['slices'] ) {
				// Looking through a long queue would take the time of those that wait in it.
				Jobs::reap();
				Cron::prune();
				$left = min( self::PATIENCE, $deadline - microtime( true ) );
				if ( $left > 0 && ! Budget::is_spent() ) {
					Wakers::wait( $left );
				}
			}
		} while ( microtime( true ) + 1 < $deadline && ! Budget::is_spent() );
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

	public static function tenant( string $id ): Tenant {
		return Tenants::find( $id ) ?? throw new \RuntimeException( "there is no tenant \"$id\"" );
	}

	/** Ctrl-C and kill end the slice after its batch, so that the next worker need not wait for the lease. */
	private static function obey_signals(): void {
		if ( function_exists( 'pcntl_async_signals' ) ) {
			pcntl_async_signals( true );
			foreach ( array( SIGINT, SIGTERM ) as $signal ) {
				pcntl_signal( $signal, static fn() => Budget::stop() );
			}
		}
	}
}
