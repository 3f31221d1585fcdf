<?php
/**
 * The tables and their numbered migrations. What is in them is the business of Tenants, Ledger, Jobs, Runs, Log,
 * Attempts and Counters.
 *
 * Ids of tenants and of CRM records are VARBINARY: WordPress's collation takes "Acme" and "acme" for the same, and so
 * Salesforce ids that differ only in case.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Schema {

	/** Number of the newest migration. */
	public const VERSION = 10;

	/** Option that holds the number of the last migration that ran to its end. */
	public const OPTION = 'tenant_crm_sync_schema';

	/** Longest id of a record, in bytes. */
	public const MAX_ID = 1024;

	private const TABLES = array( 'tenants', 'records', 'cursors', 'jobs', 'runs', 'log', 'tokens', 'attempts', 'counters', 'webhooks', 'webhook_messages', 'webhook_records', 'changes', 'conflicts', 'refused', 'suppressions' );

	public static function table( string $name ): string {
		global $wpdb;
		return $wpdb->prefix . 'tenant_crm_' . $name;
	}

	/** @return list<string> */
	public static function tables(): array {
		return array_map( array( self::class, 'table' ), self::TABLES );
	}

	public static function is_current(): bool {
		return self::VERSION <= (int) get_option( self::OPTION, 0 );
	}

	/** That a newer plugin has changed the tables, and this one came back, with what to do; null where it is not so. Migrations only add, so it goes on. */
	public static function newer(): ?string {
		$have = (int) get_option( self::OPTION, 0 );
		return $have <= self::VERSION ? null : sprintf(
			/* translators: 1: number, 2: number */
			__( 'A newer version of the plugin has been here: the tables are of version %1$s, this plugin knows version %2$s. Syncs go on, and what only the newer version knows rests. Install the newer version again; to stay with this one, restore the database of before the update.', 'tenant-crm-sync' ),
			$have,
			self::VERSION
		);
	}

	/**
	 * Brings the tables to the newest version. Every migration can run twice: one that was cut short is simply run again.
	 *
	 * @throws \RuntimeException In plain words where the database cannot do what is needed.
	 */
	public static function migrate(): void {
		global $wpdb;
		$have = (int) get_option( self::OPTION, 0 );
		if ( $have >= self::VERSION ) {
			return;
		}
		self::refuse_old_servers();
		self::refuse_tables_without_transactions();
		$lock = substr( self::table( 'schema' ), 0, 64 );
		// Two requests that see the new code at once must not both alter tables.
		if ( '1' !== (string) $wpdb->get_var( $wpdb->prepare( 'SELECT GET_LOCK(%s, 10)', $lock ) ) ) {
			throw new \RuntimeException( 'Another process is changing the tables of Tenant CRM Sync. Try again in a minute.' );
		}
		try {
			for ( $number = $have + 1; $number <= self::VERSION; $number++ ) {
				foreach ( Migrations::statements( $number ) as $sql ) {
					if ( false === $wpdb->query( $sql ) ) { // phpcs:ignore WordPress.DB.PreparedSQL.NotPrepared -- constants and the table prefix only.
						throw new \RuntimeException( "Migration $number of Tenant CRM Sync failed: {$wpdb->last_error}. Give the database user the rights CREATE, ALTER and INDEX and load any admin page again." );
					}
				}
				update_option( self::OPTION, $number, true );
			}
		} finally {
			$wpdb->query( $wpdb->prepare( 'SELECT RELEASE_LOCK(%s)', $lock ) );
		}
	}

	/** Removes every table. Only uninstall.php asks for that. */
	public static function drop(): void {
		global $wpdb;
		foreach ( self::tables() as $table ) {
			$wpdb->query( "DROP TABLE IF EXISTS `$table`" ); // phpcs:ignore WordPress.DB.PreparedSQL -- the table prefix only.
		}
		delete_option( self::OPTION );
	}

	/** SKIP LOCKED is what keeps two workers from waiting on one another. */
	private static function refuse_old_servers(): void {
		global $wpdb;
		$info = (string) $wpdb->get_var( 'SELECT VERSION()' );
		$ok   = false !== stripos( $info, 'mariadb' )
			? version_compare( (string) preg_replace( '/^5\.5\.5-/', '', $info ), '10.6', '>=' )
			: version_compare( $info, '8.0.1', '>=' );
		if ( ! $ok ) {
			throw new \RuntimeException( "Tenant CRM Sync needs MariaDB 10.6 or MySQL 8.0 or newer; this server is $info." );
		}
	}

	/** A batch is stored whole or not at all; posts in a table without transactions would stay. */
	private static function refuse_tables_without_transactions(): void {
		global $wpdb;
		$other = $wpdb->get_col( $wpdb->prepare( "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (%s, %s) AND ENGINE <> 'InnoDB'", $wpdb->posts, $wpdb->postmeta ) );
		if ( $other ) {
			throw new \RuntimeException( 'Tenant CRM Sync needs InnoDB. Convert to InnoDB first: ' . implode( ', ', $other ) . ' (ALTER TABLE … ENGINE=InnoDB).' );
		}
	}
}
