<?php
/**
 * The commands of bin/tenant-crm and of WP-CLI, as one table: from it come how arguments are read (Arguments), the help (CommandLine), what
 * WP-CLI is told (WpCli) and the reference in docs/commands.md. What a command does is in the class that it names.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Commands {

	public const FORMATS = array( 'table', 'json', 'csv', 'yaml', 'ids', 'count' );

	/** Option => what its value is called (none: it has no value), whether it may be given several times, and what it is for. */
	public const OPTIONS = array(
		'account'      => array( 'NAME', false, 'which of the CRM’s accounts is this tenant’s' ),
		'all'          => array( '', false, 'all of them' ),
		'ask'          => array( '', false, 'have the CRM itself set the webhooks up, where its API can' ),
		'auth'         => array( 'METHOD', false, 'the way of authorisation' ),
		'background'   => array( '', false, 'only queue it; a worker does it' ),
		'connector'    => array( 'NAME', false, 'which CRM it is; “connectors” lists them' ),
		'dry-run'      => array( '', false, 'only say what would be done' ),
		'endpoint'     => array( 'URL', false, 'address of the CRM' ),
		'field'        => array( 'NAME=VALUE', true, 'what the connector asks for; an empty value removes it' ),
		'fields'       => array( 'A,B', false, 'only these columns' ),
		'format'       => array( 'FORMAT', false, 'table, json, csv, yaml, ids or count' ),
		'full'         => array( '', false, 'everything, not only what changed' ),
		'id'           => array( 'RECORD', false, 'the CRM’s id of the lead' ),
		'key-file'     => array( 'FILE', false, 'file with the API key; - is standard input' ),
		'label'        => array( 'TEXT', false, 'a name for people' ),
		'mapping-file' => array( 'FILE', false, 'file with the mapping, as JSON' ),
		'new'          => array( '', false, 'make an address and print it, once; the old one ends' ),
		'outcome'      => array( 'NAME', false, 'only requests that ended so; “failed”: all that went wrong' ),
		'porcelain'    => array( '', false, 'print only numbers or ids, for scripts' ),
		'post'         => array( 'POST', false, 'the number of the lead’s post' ),
		'remove'       => array( '', false, 'take the address away' ),
		'requests'     => array( '', false, 'every request to a CRM instead of what syncs met' ),
		'seconds'      => array( 'N', false, 'how long to work; 60 where nothing is said' ),
		'secret'       => array( 'NAME=FILE', true, 'file with a secret that the connector asks for; - is standard input' ),
		'setting'      => array( 'NAME=VALUE', true, 'another setting of the tenant' ),
		'side'         => array( 'SIDE', false, 'crm or portal: whose rows' ),
		'since'        => array( 'TIME', false, 'a span such as 2h or 7d, or a time such as 2026-02-03T04:05:06Z' ),
		'tenant'       => array( 'ID', true, 'this tenant' ),
		'via'          => array( 'TENANT', false, 'let webhooks come by that tenant’s address' ),
		'watch'        => array( '', false, 'until it is told to stop; a click on any host wakes it at once where Redis is configured' ),
		'words'        => array( 'TEXT', false, 'with this part of a name or reason, or this id' ),
		'yes'          => array( '', false, 'do it' ),
	);

	/** Command => handler, arguments (`<must>`, `[<may>]`, `…` for several), options, what it does. */
	public const ALL = array(
		'connectors'     => array( array( TenantCommands::class, 'connectors' ), array(), array( 'fields', 'format' ), 'Lists the CRMs that can be synced, what they ask for and what they can do.' ),
		'tenant list'    => array( array( TenantCommands::class, 'list' ), array(), array( 'fields', 'format' ), 'Lists the tenants.' ),
		'tenant add'     => array( array( TenantCommands::class, 'add' ), array( '<id>' ), array( 'connector', 'auth', 'endpoint', 'key-file', 'field', 'secret', 'mapping-file', 'label', 'setting', 'porcelain' ), 'Adds a tenant, or changes what is named of it. Secrets come from files only, where other users of the host cannot read them.' ),
		'tenant test'    => array( array( TenantCommands::class, 'test' ), array( '<id>' ), array( 'format' ), 'Asks the CRM one small thing and says what is wrong, if anything is.' ),
		'tenant limits'  => array( array( TenantCommands::class, 'limits' ), array( '<id>' ), array( 'format' ), 'Says what is used of the CRM’s limits.' ),
		'tenant webhook' => array( array( TenantCommands::class, 'webhook' ), array( '<id>' ), array( 'new', 'ask', 'remove', 'account', 'via', 'format' ), 'Says what has come of the CRM’s webhooks, or makes, shares or removes their address.' ),
		'tenant pause'   => array( array( TenantCommands::class, 'pause' ), array( '<id>…' ), array( 'dry-run' ), 'Stops syncs of tenants until they are resumed. Nothing is lost.' ),
		'tenant resume'  => array( array( TenantCommands::class, 'resume' ), array( '<id>…' ), array( 'dry-run' ), 'Lets syncs of paused tenants go on.' ),
		'tenant delete'  => array( array( TenantCommands::class, 'delete' ), array( '<id>' ), array( 'yes', 'dry-run' ), 'Forgets ledger, jobs and credentials of a tenant; its posts stay.' ),
		'tenant rotate'  => array( array( KeyCommands::class, 'rotate' ), array(), array( 'tenant', 'all', 'dry-run' ), 'The same as “key rotate”.' ),
		'sync'           => array( array( SyncCommands::class, 'sync' ), array(), array( 'tenant', 'all', 'full', 'background', 'dry-run', 'porcelain', 'fields', 'format' ), 'Pulls now and waits until it is over. --dry-run is “preview”.' ),
		'backfill'       => array( array( SyncCommands::class, 'backfill' ), array(), array( 'tenant', 'all', 'background', 'porcelain', 'fields', 'format' ), 'Reads everything again beside the syncs, which go on. One that was cut off goes on from where it was.' ),
		'preview'        => array( array( PreviewCommands::class, 'preview' ), array(), array( 'tenant', 'all', 'full', 'fields', 'format' ), 'Says what the next sync would change, field by field and on which side, and what it would cost. Writes nothing.' ),
		'explain'        => array( array( PreviewCommands::class, 'explain' ), array(), array( 'tenant', 'id', 'post', 'fields', 'format' ), 'Says where each field of a lead has its value from: source, time (UTC) and rule. Name the lead by --tenant and --id, or by --post.' ),
		'work'           => array( array( SyncCommands::class, 'work' ), array(), array( 'seconds', 'watch', 'dry-run', 'format' ), 'Queues what is due and works the queue.' ),
		'status'         => array( array( SyncCommands::class, 'status' ), array(), array( 'fields', 'format' ), 'Says how the last sync of each tenant ended.' ),
		'queue list'     => array( array( QueueCommands::class, 'list' ), array(), array( 'fields', 'format' ), 'Lists what is queued and running.' ),
		'queue dead'     => array( array( QueueCommands::class, 'dead' ), array(), array( 'fields', 'format' ), 'Lists what failed for good, and why.' ),
		'queue retry'    => array( array( QueueCommands::class, 'retry' ), array( '<number>…' ), array( 'dry-run', 'porcelain' ), 'Tries again what failed for good.' ),
		'queue drop'     => array( array( QueueCommands::class, 'drop' ), array( '<number>…' ), array( 'dry-run' ), 'Forgets what failed for good.' ),
		'queue cancel'   => array( array( QueueCommands::class, 'cancel' ), array( '<run>…' ), array( 'dry-run' ), 'Ends runs that wait or are worked. What they have stored stays.' ),
		'conflict list'  => array( array( ConflictCommands::class, 'list' ), array(), array( 'tenant', 'fields', 'format' ), 'Lists what both sides changed and a person has to decide.' ),
		'conflict take'  => array( array( ConflictCommands::class, 'take' ), array( '<side>', '[<number>…]' ), array( 'tenant', 'all', 'dry-run' ), 'Says whose value counts, crm or portal: of the named conflicts, or of all of some tenants.' ),
		'conflict undo'  => array( array( ConflictCommands::class, 'undo' ), array( '<number>…' ), array(), 'Gives leads the other value back.' ),
		'refused list'   => array( array( RefusedCommands::class, 'list' ), array(), array( 'tenant', 'side', 'words', 'fields', 'format' ), 'Lists the rows that one side has and the other refused, and why.' ),
		'refused retry'  => array( array( RefusedCommands::class, 'retry' ), array( '[<key>…]' ), array( 'tenant', 'all', 'side', 'dry-run', 'porcelain' ), 'Tries refused rows again: those that are named, or all of some tenants.' ),
		'refused drop'   => array( array( RefusedCommands::class, 'drop' ), array( '[<key>…]' ), array( 'tenant', 'all', 'side', 'dry-run' ), 'Takes refused rows from the list: those that are named, or all of some tenants.' ),
		'log'            => array( array( LogCommands::class, 'run' ), array(), array( 'tenant', 'since', 'requests', 'outcome', 'fields', 'format' ), 'Lists what syncs met, newest first, or with --requests every request to a CRM.' ),
		'key status'     => array( array( KeyCommands::class, 'status' ), array(), array( 'fields', 'format' ), 'Says where the host key comes from, its mode, and of how many tenants it seals secrets.' ),
		'key rotate'     => array( array( KeyCommands::class, 'rotate' ), array(), array( 'tenant', 'all', 'dry-run' ), 'Seals stored API keys and other secrets anew with the newest host key.' ),
		'privacy status' => array( array( PrivacyCommands::class, 'status' ), array( '<email>' ), array( 'format' ), 'Says what the site has of a person, and whether the person was erased and is kept away.' ),
		'privacy erase'  => array( array( PrivacyCommands::class, 'erase' ), array( '<email>' ), array( 'yes', 'dry-run' ), 'Erases a person, as Tools › Erase Personal Data does, and keeps the person away.' ),
		'privacy lift'   => array( array( PrivacyCommands::class, 'lift' ), array( '<email>' ), array(), 'Lets an erased person come back, once there is consent again.' ),
		'doctor'         => array( array( DoctorCommands::class, 'run' ), array(), array( 'tenant', 'all', 'fields', 'format' ), 'Checks what Site Health checks, and with --tenant or --all the connections, too.' ),
	);

	/** What stands for a group of commands if it is said alone. */
	public const ALONE = array(
		'tenant'   => 'tenant list',
		'queue'    => 'queue list',
		'conflict' => 'conflict list',
		'refused'  => 'refused list',
		'key'      => 'key status',
	);

	/** How a command is called, without what it is called on. */
	public static function synopsis( string $command ): string {
		list( , $arguments, $options ) = self::ALL[ $command ];
		$words                         = array_merge( array( $command ), $arguments );
		foreach ( $options as $name ) {
			list( $value, $many ) = self::OPTIONS[ $name ];
			$words[]              = '[--' . $name . ( '' === $value ? '' : '=' . $value ) . ']' . ( $many ? '…' : '' );
		}
		return implode( ' ', $words );
	}
}
