<?php
/**
 * The statements of each numbered migration. They are never changed once released: a change is a new number.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Migrations {

	/** @return list<string> Statements that may each run twice without harm. */
	public static function statements( int $number ): array {
		return match ( $number ) {
			1       => self::first(),
			2       => self::tokens(),
			3       => self::queue(),
			4       => self::attempts(),
			5       => self::webhooks(),
			6       => self::two_way(),
			7       => self::refused(),
			8       => self::edits(),
			default => array(),
		};
	}

	/** @return list<string> */
	private static function first(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array(
			// settings: JSON. next_due_at: UTC. api_key: an envelope, never plain text.
			"CREATE TABLE IF NOT EXISTS {$name('tenants')} (
				id INT UNSIGNED NOT NULL AUTO_INCREMENT,
				external_id VARBINARY(190) NOT NULL,
				label VARCHAR(190) NOT NULL DEFAULT '',
				connector VARCHAR(64) NOT NULL DEFAULT 'rest',
				endpoint VARCHAR(2048) NOT NULL DEFAULT '',
				api_key VARBINARY(8192) NULL,
				settings LONGTEXT NOT NULL,
				paused TINYINT UNSIGNED NOT NULL DEFAULT 0,
				next_due_at DATETIME NOT NULL,
				created_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY external_id (external_id),
				KEY due (paused, next_due_at)
			) $end",
			// The ledger (what was last agreed with the CRM) and the projection that lists read: an index for each order of a list, with the
			// primary key as its last part, so that a page of a long list is read without sorting all of it.
			"CREATE TABLE IF NOT EXISTS {$name('records')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL,
				id_hash BINARY(32) NOT NULL,
				post_id BIGINT UNSIGNED NULL,
				fingerprint BINARY(16) NOT NULL,
				base LONGTEXT NULL,
				crm_revision VARBINARY(190) NOT NULL DEFAULT '',
				name VARCHAR(190) NOT NULL DEFAULT '',
				email VARCHAR(190) NOT NULL DEFAULT '',
				state VARCHAR(64) NOT NULL DEFAULT '',
				owner VARCHAR(190) NOT NULL DEFAULT '',
				crm_created_at DATETIME NULL,
				crm_updated_at DATETIME NULL,
				synced_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				UNIQUE KEY post_id (post_id),
				KEY by_name (tenant, object, name),
				KEY by_email (tenant, object, email),
				KEY by_state (tenant, object, state),
				KEY by_time (tenant, object, crm_updated_at)
			) $end",
			// mapping: hash of the mapped fields; another mapping wants a full pull.
			"CREATE TABLE IF NOT EXISTS {$name('cursors')} (
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				watermark BLOB NULL,
				mapping BINARY(16) NOT NULL,
				updated_at DATETIME NOT NULL,
				PRIMARY KEY (tenant, object)
			) $end",
			// dedupe: NULL or what may be there only once. touched: post ids whose caches the last batch still owes. batches: commits so far.
			"CREATE TABLE IF NOT EXISTS {$name('jobs')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				run BIGINT UNSIGNED NOT NULL,
				tenant INT UNSIGNED NOT NULL,
				kind VARBINARY(16) NOT NULL,
				object VARBINARY(32) NOT NULL,
				dedupe VARBINARY(96) NULL,
				priority TINYINT UNSIGNED NOT NULL DEFAULT 50,
				state VARBINARY(8) NOT NULL DEFAULT 'queued',
				available_at DATETIME(3) NOT NULL,
				held TINYINT UNSIGNED NOT NULL DEFAULT 0,
				attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
				lease VARBINARY(32) NULL,
				lease_until DATETIME(3) NULL,
				batches INT UNSIGNED NOT NULL DEFAULT 0,
				touched MEDIUMTEXT NULL,
				payload TEXT NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY dedupe (dedupe),
				KEY claim (state, priority, available_at, id),
				KEY lease_until (state, lease_until),
				KEY run (run),
				KEY tenant (tenant)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('runs')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				kind VARBINARY(16) NOT NULL,
				object VARBINARY(32) NOT NULL,
				state VARBINARY(10) NOT NULL DEFAULT 'queued',
				fetched BIGINT UNSIGNED NOT NULL DEFAULT 0,
				created BIGINT UNSIGNED NOT NULL DEFAULT 0,
				updated BIGINT UNSIGNED NOT NULL DEFAULT 0,
				unchanged BIGINT UNSIGNED NOT NULL DEFAULT 0,
				refused BIGINT UNSIGNED NOT NULL DEFAULT 0,
				pages BIGINT UNSIGNED NOT NULL DEFAULT 0,
				error TEXT NULL,
				retry_at DATETIME NULL,
				queued_at DATETIME NOT NULL,
				started_at DATETIME NULL,
				finished_at DATETIME NULL,
				PRIMARY KEY (id),
				KEY tenant (tenant, id),
				KEY state (state, id),
				KEY finished_at (finished_at)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('log')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL DEFAULT 0,
				level VARBINARY(8) NOT NULL,
				message TEXT NOT NULL,
				context MEDIUMTEXT NULL,
				created_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				KEY tenant (tenant, id),
				KEY level (level, id)
			) $end",
		);
	}

	/** @return list<string> */
	private static function tokens(): array {
		$table = Schema::table( 'tokens' );
		return array(
			// version: counts the commits. envelope: sealed by the extension. expires_at: seconds since 1970. lease: whoever renews it now.
			"CREATE TABLE IF NOT EXISTS `$table` (
				tenant INT UNSIGNED NOT NULL,
				version BIGINT UNSIGNED NOT NULL DEFAULT 0,
				envelope MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
				expires_at BIGINT NULL,
				state VARBINARY(16) NOT NULL DEFAULT 'ok',
				reason TEXT NULL,
				lease VARBINARY(32) NULL,
				lease_until DATETIME(3) NULL,
				changed_at DATETIME NULL,
				PRIMARY KEY (tenant)
			) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		);
	}

	/** @return list<string> */
	private static function queue(): array {
		$jobs = Schema::table( 'jobs' );
		return array_merge(
			// deaths: workers that died over the job. failing_since: the first failure after the last stored batch. reason, died_at: of a dead letter.
			self::columns(
				'jobs',
				array(
					'deaths'        => 'SMALLINT UNSIGNED NOT NULL DEFAULT 0',
					'queued_at'     => 'DATETIME NULL',
					'failing_since' => 'DATETIME NULL',
					'died_at'       => 'DATETIME NULL',
					'reason'        => 'TEXT NULL',
				)
			),
			// Counts the changes of what a pull depends on: one that began before a change ends, the next one uses the new settings.
			self::columns( 'tenants', array( 'revision' => 'INT UNSIGNED NOT NULL DEFAULT 0' ) ),
			array( "UPDATE `$jobs` SET queued_at = UTC_TIMESTAMP() WHERE queued_at IS NULL" )
		);
	}

	/** @return list<string> */
	private static function attempts(): array {
		$end     = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$buckets = '';
		foreach ( array_keys( Counters::BUCKETS ) as $column ) {
			$buckets .= "$column BIGINT UNSIGNED NOT NULL DEFAULT 0, ";
		}
		return array_merge(
			array(
				// at: UTC. attempt: from 1 within a call. sent, received: bytes. run: 0 outside of one. An index for each filter, with the primary key as
				// its last part: the newest rows come first, and are found without sorting.
				'CREATE TABLE IF NOT EXISTS `' . Schema::table( 'attempts' ) . "` (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					run BIGINT UNSIGNED NOT NULL DEFAULT 0,
					at DATETIME(3) NOT NULL,
					method VARBINARY(16) NOT NULL,
					operation VARCHAR(1000) NOT NULL,
					status SMALLINT UNSIGNED NULL,
					micros BIGINT UNSIGNED NOT NULL,
					attempt INT UNSIGNED NOT NULL,
					sent BIGINT UNSIGNED NOT NULL,
					received BIGINT UNSIGNED NOT NULL,
					outcome VARBINARY(24) NOT NULL,
					excerpt VARCHAR(1000) NULL,
					trace_id BINARY(16) NULL,
					span_id BINARY(8) NULL,
					PRIMARY KEY (id),
					KEY tenant (tenant, id),
					KEY tenant_outcome (tenant, outcome, id),
					KEY outcome (outcome, id),
					KEY status (status, id),
					KEY at (at),
					KEY run (run, id),
					KEY trace_id (trace_id)
				) $end",
				// Sums since the beginning, which outlive the rows that they count.
				'CREATE TABLE IF NOT EXISTS `' . Schema::table( 'counters' ) . "` (
					tenant INT UNSIGNED NOT NULL,
					outcome VARBINARY(24) NOT NULL,
					requests BIGINT UNSIGNED NOT NULL DEFAULT 0,
					micros BIGINT UNSIGNED NOT NULL DEFAULT 0,
					sent BIGINT UNSIGNED NOT NULL DEFAULT 0,
					received BIGINT UNSIGNED NOT NULL DEFAULT 0,
					$buckets
					changed_at DATETIME NOT NULL,
					PRIMARY KEY (tenant, outcome)
				) $end",
			),
			// The trace that the calls of a run are part of, as a W3C traceparent.
			self::columns( 'runs', array( 'trace' => 'VARBINARY(55) NULL' ) )
		);
	}

	/** @return list<string> */
	private static function webhooks(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array(
			// owner: whose address is called. account: the CRM's name for this tenant's part of it. Tenant 0: what came for no
			// address. address, subscriptions, renew_at: of webhooks that the CRM's API made; the address is an envelope.
			"CREATE TABLE IF NOT EXISTS {$name('webhooks')} (
				tenant INT UNSIGNED NOT NULL,
				owner INT UNSIGNED NOT NULL,
				key_hash BINARY(32) NULL,
				account VARBINARY(190) NULL,
				accepted BIGINT UNSIGNED NOT NULL DEFAULT 0,
				repeated BIGINT UNSIGNED NOT NULL DEFAULT 0,
				ignored BIGINT UNSIGNED NOT NULL DEFAULT 0,
				refused BIGINT UNSIGNED NOT NULL DEFAULT 0,
				reason VARBINARY(16) NULL,
				stranger VARBINARY(190) NULL,
				created_at DATETIME NOT NULL,
				heard_at DATETIME NULL,
				refused_at DATETIME NULL,
				address VARBINARY(8192) NULL,
				subscriptions TEXT NULL,
				renew_at DATETIME NULL,
				PRIMARY KEY (tenant),
				UNIQUE KEY key_hash (key_hash),
				KEY owner (owner),
				KEY renew_at (renew_at)
			) $end",
			"CREATE TABLE IF NOT EXISTS {$name('webhook_messages')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				replay_key BINARY(32) NOT NULL,
				heard_at DATETIME NOT NULL,
				PRIMARY KEY (id),
				UNIQUE KEY message (tenant, replay_key),
				KEY heard_at (heard_at)
			) $end",
			// version: how often it was named. missing_at: the CRM does not give it any more.
			"CREATE TABLE IF NOT EXISTS {$name('webhook_records')} (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL,
				id_hash BINARY(32) NOT NULL,
				version INT UNSIGNED NOT NULL DEFAULT 1,
				is_deleted TINYINT UNSIGNED NOT NULL DEFAULT 0,
				heard_at DATETIME NOT NULL,
				missing_at DATETIME NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				KEY waiting (missing_at, tenant, object, id)
			) $end",
		);
	}

	/** @return list<string> */
	private static function two_way(): array {
		$end  = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC';
		$name = static fn( string $table ): string => '`' . Schema::table( $table ) . '`';
		$id   = Schema::MAX_ID;
		return array_merge(
			// version: counts settlements. hint: 1 the CRM may have something else, 2 it is gone there and waits for the others, 3 and may go.
			// gone: 1 from the CRM, 2 not wanted in the portal, 3 not wanted in the CRM. seen: hash of what the CRM had when it was settled.
			// mapping: Fields::hash() of the base. unique_hash: of the field by which a person is known. scan: the run that saw it in a full list.
			// origins: JSON of where its fields' values come from, see Origins.
			self::columns(
				'records',
				array(
					'version'     => 'INT UNSIGNED NOT NULL DEFAULT 0',
					'hint'        => 'TINYINT UNSIGNED NOT NULL DEFAULT 0',
					'gone'        => 'TINYINT UNSIGNED NOT NULL DEFAULT 0',
					'seen'        => 'BINARY(16) NULL',
					'mapping'     => 'BINARY(16) NULL',
					'unique_hash' => 'BINARY(16) NULL',
					'scan'        => 'BIGINT UNSIGNED NOT NULL DEFAULT 0',
					'origins'     => 'TEXT NULL',
				)
			),
			self::keys(
				'records',
				array(
					'hinted'      => '(tenant, object, hint)',
					'unique_hash' => '(tenant, object, unique_hash)',
				)
			),
			array(
				// A post that may differ from what was agreed on. marks: hooks that said so. record: in the ledger, where it is known. refused: until the
				// next mark, see Changes. decision, allowed: what a person said of a deletion. verb, sent, sent_id, sent_at: a write to the CRM that is not settled.
				"CREATE TABLE IF NOT EXISTS {$name('changes')} (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					object VARBINARY(32) NOT NULL,
					post_id BIGINT UNSIGNED NOT NULL,
					record BIGINT UNSIGNED NULL,
					unique_hash BINARY(16) NULL,
					marks INT UNSIGNED NOT NULL DEFAULT 1,
					who BIGINT UNSIGNED NOT NULL DEFAULT 0,
					changed_at DATETIME(3) NOT NULL,
					available_at DATETIME(3) NOT NULL,
					attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
					refused TINYINT UNSIGNED NOT NULL DEFAULT 0,
					reason TEXT NULL,
					decision VARBINARY(8) NULL,
					allowed TINYINT UNSIGNED NOT NULL DEFAULT 0,
					verb VARBINARY(8) NULL,
					sent MEDIUMTEXT NULL,
					sent_id VARBINARY($id) NULL,
					sent_at DATETIME(3) NULL,
					PRIMARY KEY (id),
					UNIQUE KEY post_id (post_id),
					KEY due (tenant, object, refused, available_at),
					KEY unique_hash (tenant, object, unique_hash),
					KEY record (record)
				) $end",
				// base, crm, portal: JSON of the values. open_key: while it waits, so that it waits once. undo: what taking it replaced.
				"CREATE TABLE IF NOT EXISTS {$name('conflicts')} (
					id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
					tenant INT UNSIGNED NOT NULL,
					object VARBINARY(32) NOT NULL,
					record BIGINT UNSIGNED NOT NULL,
					post_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
					kind VARBINARY(8) NOT NULL DEFAULT 'field',
					field VARBINARY(190) NOT NULL DEFAULT '',
					base LONGTEXT NULL,
					crm LONGTEXT NULL,
					portal LONGTEXT NULL,
					reason VARCHAR(400) NOT NULL DEFAULT '',
					who BIGINT UNSIGNED NOT NULL DEFAULT 0,
					crm_at VARBINARY(190) NOT NULL DEFAULT '',
					portal_at DATETIME NULL,
					state VARBINARY(8) NOT NULL DEFAULT 'open',
					open_key BINARY(16) NULL,
					choice VARBINARY(8) NULL,
					decided_by BIGINT UNSIGNED NULL,
					decided_at DATETIME NULL,
					created_at DATETIME NOT NULL,
					PRIMARY KEY (id),
					UNIQUE KEY open_key (open_key),
					KEY state (state, tenant, id),
					KEY record (record, state),
					KEY tenant (tenant, id)
				) $end",
			)
		);
	}

	/** @return list<string> */
	private static function refused(): array {
		$table = Schema::table( 'refused' );
		$id    = Schema::MAX_ID;
		return array(
			// Records of the CRM that could not be stored. by_id: whether the CRM can be asked for it by this id. retry_at: somebody asked for it again.
			"CREATE TABLE IF NOT EXISTS `$table` (
				id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
				tenant INT UNSIGNED NOT NULL,
				object VARBINARY(32) NOT NULL,
				crm_id VARBINARY($id) NOT NULL DEFAULT '',
				id_hash BINARY(32) NOT NULL,
				by_id TINYINT UNSIGNED NOT NULL DEFAULT 1,
				reason TEXT NOT NULL,
				run BIGINT UNSIGNED NOT NULL DEFAULT 0,
				times INT UNSIGNED NOT NULL DEFAULT 1,
				first_at DATETIME NOT NULL,
				last_at DATETIME NOT NULL,
				retry_at DATETIME NULL,
				PRIMARY KEY (id),
				UNIQUE KEY record (tenant, object, id_hash),
				KEY tenant (tenant, id)
			) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		);
	}

	/** @return list<string> */
	private static function edits(): array {
		return array_merge(
			// times: JSON, see FieldTimes. person: by what the lead is known now, also where the CRM knows it by something else still.
			self::columns(
				'changes',
				array(
					'times'  => 'TEXT NULL',
					'person' => 'BINARY(16) NULL',
				)
			),
			self::keys( 'changes', array( 'person' => '(tenant, object, person)' ) )
		);
	}

	/**
	 * Indexes that are not there yet.
	 *
	 * @param array<string, string> $keys Name => columns.
	 * @return list<string>
	 */
	private static function keys( string $name, array $keys ): array {
		global $wpdb;
		$table = Schema::table( $name );
		$have  = $wpdb->get_col( $wpdb->prepare( 'SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) );
		$add   = array();
		foreach ( array_diff_key( $keys, array_flip( $have ) ) as $key => $columns ) {
			$add[] = "ADD KEY $key $columns";
		}
		return $add ? array( "ALTER TABLE `$table` " . implode( ', ', $add ) ) : array();
	}

	/**
	 * Columns that are not there yet: MySQL has no ADD COLUMN IF NOT EXISTS.
	 *
	 * @param array<string, string> $columns Name => definition.
	 * @return list<string>
	 */
	private static function columns( string $name, array $columns ): array {
		global $wpdb;
		$table = Schema::table( $name );
		$have  = $wpdb->get_col( $wpdb->prepare( 'SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $table ) );
		$add   = array();
		foreach ( array_diff_key( $columns, array_flip( $have ) ) as $column => $definition ) {
			$add[] = "ADD COLUMN $column $definition";
		}
		return $add ? array( "ALTER TABLE `$table` " . implode( ', ', $add ) ) : array();
	}
}
