<?php
/**
 * Stores batches through wp_insert_post() and wp_update_post(), for sites whose plugins need those hooks: a switch of each tenant.
 *
 * Hooks may do anything, so posts cannot be part of a transaction. The order makes up for it: posts, then their ledger rows and the
 * counters in one transaction, the watermark with the last of them. A post whose ledger row was never written is found by Adoption.
 *
 * wpdb answers a lost connection by sending the statement once more, though it may have taken effect, and the lock went with the connection.
 * So the chunk begins anew then, and of a post that is there twice one goes.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class HookStore {

	/** Records between two signs of life. */
	private const CHUNK = 25;

	/** What was made and abandoned is looked for among so many of the newest posts, when it is so many minutes old. */
	private const NEWEST    = 5000;
	private const ABANDONED = 10;

	/** The connection that holds the lock. */
	private ?\mysqli $lock = null;

	/** @var array<string, int> Posts of this chunk that are not yet in the ledger, by name. */
	private array $made = array();

	public function __construct( private readonly Tenant $tenant, private readonly Job $job, private readonly Fields $fields ) {
	}

	/**
	 * @param \TenantCRMSync\Batch|ArrayRows|Webhooks\Named $batch
	 * @return array{fetched: int, created: int, updated: int, unchanged: int, refused: int, pages: int}
	 * @throws LeaseLost
	 * @throws TenantChanged
	 * @throws StoreException
	 */
	public function batch( object $batch ): array {
		$incoming  = new Incoming( $batch, $this->fields, Privacy\Suppressions::of( $this->tenant->key, $this->job->object ) );
		$total     = new Progress();
		$watermark = $batch->watermark();
		$chunks    = array_chunk( $incoming->items, self::CHUNK );
		$chunks    = $chunks ? $chunks : array( array() );
		foreach ( $chunks as $number => $items ) {
			$progress          = new Progress();
			$progress->fetched = count( $items );
			$progress->seen    = array_column( $items, 'hash' );
			$sql               = null;
			if ( array_key_last( $chunks ) === $number ) {
				$progress->fetched  += $incoming->repeated + count( $incoming->refused );
				$progress->unchanged = $incoming->repeated;
				$progress->refused   = $incoming->refused;
				$progress->pages     = 1;
				$sql                 = '' !== $watermark ? Cursors::write_sql( $this->tenant->key, $this->job->cursor(), $this->fields->hash(), $watermark ) : null;
			}
			$this->alone( fn() => $this->chunk( $incoming, $items, $progress, $sql ) );
			$total->add( $progress );
		}
		/** This action is documented in Store. */
		do_action( 'tenant_crm_sync_batch_stored', $this->tenant, $this->job->object, array( 'created' => $total->created, 'updated' => $total->updated ), $total->counts() ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		return $total->counts();
	}

	/**
	 * From the look at the ledger to the ledger's rows no other process may store leads of this tenant: both would make the same posts.
	 */
	private function alone( callable $work ): void {
		global $wpdb;
		if ( ! StoreLock::take( $this->tenant->key ) ) {
			throw new StoreException( 'Another process has been storing leads of this tenant for too long. The sync goes on when it is done.' );
		}
		$this->made = array();
		$this->lock = $wpdb->dbh instanceof \mysqli ? $wpdb->dbh : null;
		try {
			$work();
		} finally {
			StoreLock::leave( $this->tenant->key );
		}
	}

	/** @param list<array{position: int, id: string, hash: string, fingerprint: string}> $items */
	private function chunk( Incoming $incoming, array $items, Progress $progress, ?string $watermark ): void {
		Leases::renew( $this->job );
		$known   = $items ? array_column( Sql::rows( Ledger::lookup_sql( $this->tenant->key, $this->job->object, array_column( $items, 'hash' ), Ledger::STATE ) ), null, 'id_hash' ) : array();
		$inserts = array();
		$updates = array();
		foreach ( $items as $item ) {
			$row = $known[ $item['hash'] ] ?? null;
			if ( $row && null !== $row['post_id'] && ( $row['fingerprint'] === $item['fingerprint'] || Ledger::is_ahead( $this->job, $row, $incoming->revision( $item ) ) ) ) {
				++$progress->unchanged;
				continue;
			}
			if ( $row && $incoming->is_overtaken( $item['hash'], self::base( (int) $row['id'] ) ) ) {
				++$progress->unchanged;
				continue;
			}
			$lead = $incoming->lead( $item );
			$post = $row && $row['post_id'] ? self::post( (int) $row['post_id'] ) : null;
			$this->stop_if_lost();
			$id   = $post && PostType::NAME === $post->post_type ? $this->update( $post, $lead, (int) $row['id'], $progress ) : $this->insert( $lead, $progress );
			if ( $id && $row ) {
				$updates[] = Ledger::values( $this->tenant, $this->job->object, $lead, $id, (int) $row['id'] );
			} elseif ( $id ) {
				$inserts[] = Ledger::values( $this->tenant, $this->job->object, $lead, $id );
			}
		}
		$this->stop_if_lost();
		foreach ( $this->made as $name => $id ) {
			// Whoever lost the lock while making it may have made it, too.
			self::unfinished( (string) $name, $id );
		}
		Transaction::run(
			function ( Transaction $transaction ) use ( $inserts, $updates, $progress, $watermark ): void {
				if ( null !== Leases::lock( $transaction, $this->job ) ) {
					return;
				}
				$transaction->insert( Ledger::insert_head(), $inserts, Ledger::update_tail() );
				$transaction->insert( Ledger::update_head(), $updates, Ledger::update_tail() );
				$progress->write( $transaction, $this->tenant, $this->job, $watermark );
			}
		);
		$this->made = array();
		++$this->job->batches;
		$this->job->progressed = true;
	}

	/** @return int The post's id; 0 where it was refused. */
	private function insert( Lead $lead, Progress $progress ): int {
		$date = $lead->post_date( gmdate( 'Y-m-d H:i:s' ) );
		$meta = array_map( 'maybe_unserialize', $lead->post_meta( $this->tenant ) );
		$name = $this->name( $lead );
		$id   = $this->insert_post(
			wp_slash(
				array(
					'ID'            => self::unfinished( $name ),
					'post_type'     => PostType::NAME,
					'post_status'   => 'publish',
					'post_author'   => 0,
					'post_title'    => $lead->title,
					'post_name'     => $name,
					'post_date'     => Times::local( $date, wp_timezone() ),
					'post_date_gmt' => $date,
					'meta_input'    => $meta,
				)
			)
		);
		if ( is_wp_error( $id ) ) {
			return $this->refuse( $lead, $id, $progress );
		}
		try {
			$error = self::missing_meta( $id, $meta );
		} catch ( StoreException $e ) {
			// Nobody would find it again without the meta that says whose it is.
			wp_delete_post( $id, true );
			throw $e;
		}
		if ( $error ) {
			wp_delete_post( $id, true );
			return $this->refuse( $lead, $error, $progress );
		}
		$progress->created[]  = $id;
		$this->made[ $name ] = $id;
		if ( ! $this->is_locked() && self::is_known_elsewhere( $this->tenant->key, $this->job->object, $lead->id, $id ) ) {
			wp_delete_post( $id, true );
		}
		return $id;
	}

	/**
	 * WordPress takes the date of a new post for that of its last change, too. It is changed now, and sweep() must see that.
	 *
	 * @param array<string, mixed> $values
	 * @return int|\WP_Error
	 */
	private function insert_post( array $values ) {
		$now      = (string) Sql::rows( 'SELECT UTC_TIMESTAMP() AS now' )[0]['now'];
		$modified = static function ( array $post ) use ( $now, $values ): array {
			$is_it = PostType::NAME === $post['post_type'] && str_starts_with( $post['post_name'], $values['post_name'] );
			return $is_it ? array( 'post_modified' => Times::local( $now, wp_timezone() ), 'post_modified_gmt' => $now ) + $post : $post; // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		};
		add_filter( 'wp_insert_post_data', $modified );
		try {
			return wp_insert_post( $values, true );
		} finally {
			remove_filter( 'wp_insert_post_data', $modified );
		}
	}

	/** @throws StoreException Where the lock is gone: others may be storing by now. */
	private function stop_if_lost(): void {
		if ( ! $this->is_locked() ) {
			throw new StoreException( 'The database was away while leads were being stored. The sync goes on with them.' );
		}
	}

	private function is_locked(): bool {
		try {
			return ! $this->lock || mysqli_query( $this->lock, 'DO 1' );
		} catch ( \mysqli_sql_exception $e ) {
			return false;
		}
	}

	/** Whether others have stored the record meanwhile, as another post. */
	private static function is_known_elsewhere( int $tenant, string $object, string $crm_id, int $post ): bool {
		$rows = Sql::rows( Ledger::lookup_sql( $tenant, $object, array( hash( 'sha256', $crm_id, true ) ) ) );
		return isset( $rows[0]['post_id'] ) && (int) $rows[0]['post_id'] !== $post;
	}

	/** The same for the same record each time, and nobody can guess it. */
	private function name( Lead $lead ): string {
		return 'lead-' . substr( wp_hash( "{$this->tenant->key}:{$this->job->object}:{$lead->id}" ), 0, 20 );
	}

	/**
	 * A post that a worker made and died over before it could say whose it is. Where there are several, one stays.
	 *
	 * @param int $stays Which; else the last one, which has the meta, if any has.
	 */
	private static function unfinished( string $name, int $stays = 0 ): int {
		global $wpdb;
		$table = Schema::table( 'records' );
		$posts = array_map( 'intval', array_column( Sql::rows( $wpdb->prepare( "SELECT p.ID FROM `$wpdb->posts` p LEFT JOIN `$table` r ON r.post_id = p.ID WHERE (p.post_name = %s OR p.post_name LIKE %s) AND p.post_type = %s AND r.id IS NULL ORDER BY p.ID", $name, "$name-_", PostType::NAME ) ), 'ID' ) );
		$stays = $stays ? $stays : (int) end( $posts );
		foreach ( array_diff( $posts, array( $stays ) ) as $post ) {
			wp_delete_post( $post, true );
		}
		return $stays;
	}

	/** Posts of workers that died before they could say whose they are, of records that others have stored since. */
	public static function sweep(): void {
		global $wpdb;
		$table = Schema::table( 'records' );
		$last  = (int) ( Sql::rows( "SELECT MAX(ID) AS id FROM `$wpdb->posts`" )[0]['id'] ?? 0 );
		$posts = Sql::rows( $wpdb->prepare( "SELECT p.ID FROM `$wpdb->posts` p LEFT JOIN `$table` r ON r.post_id = p.ID LEFT JOIN `$wpdb->postmeta` m ON m.post_id = p.ID AND m.meta_key = '_tenant_id' WHERE p.ID > %d AND p.post_type = %s AND p.post_name REGEXP '^lead-[0-9a-f]{20}(-[0-9])?\$' AND p.post_modified_gmt < UTC_TIMESTAMP() - INTERVAL %d MINUTE AND r.id IS NULL AND m.meta_id IS NULL", $last - self::NEWEST, PostType::NAME, self::ABANDONED ) );
		foreach ( $posts as $post ) {
			wp_delete_post( (int) $post['ID'], true );
		}
	}

	/** @return int The post's id; 0 where the change was refused. */
	private function update( \WP_Post $post, Lead $lead, int $ledger_id, Progress $progress ): int {
		$base  = self::base( $ledger_id );
		$meta  = array_map( static fn( array $values ): string => (string) reset( $values ), (array) get_post_meta( $post->ID ) );
		$check = new Comparison( $this->tenant, $lead, $this->fields, $base, $post->post_title, $meta );
		if ( $check->post_differs() ) {
			$values = array_map( 'maybe_unserialize', $check->meta );
			$id     = wp_update_post(
				wp_slash(
					array(
						'ID'         => $post->ID,
						'post_title' => $lead->title,
						'meta_input' => $values,
					)
				),
				true
			);
			if ( is_wp_error( $id ) ) {
				return $this->refuse( $lead, $id, $progress );
			}
			$error = self::missing_meta( $post->ID, $values );
			if ( $error ) {
				return $this->refuse( $lead, $error, $progress );
			}
			$progress->updated[] = $post->ID;
		} elseif ( $check->same_base ) {
			++$progress->unchanged;
		} else {
			++$progress->updated_ledger;
		}
		if ( $check->edits ) {
			$progress->log[] = $check->log_entry( $this->tenant, $lead, $post->ID );
		}
		return $post->ID;
	}

	private static function base( int $ledger_id ): ?string {
		$table = Schema::table( 'records' );
		return Sql::rows( "SELECT base FROM `$table` WHERE id = $ledger_id" )[0]['base'] ?? null;
	}

	/** @throws StoreException Where it cannot be said whether the post is there. */
	private static function post( int $id ): ?\WP_Post {
		global $wpdb;
		$post = get_post( $id );
		if ( ! $post && '' !== $wpdb->last_error ) {
			throw new StoreException( "The database did not answer ({$wpdb->last_error}). The sync goes on when it does." );
		}
		return $post;
	}

	/**
	 * WordPress does not say when it could not store meta of a post, or stored it twice: what differs is written again, with an eye on the error.
	 *
	 * @param array<string, mixed> $meta
	 * @throws StoreException
	 */
	private static function missing_meta( int $id, array $meta ): ?\WP_Error {
		global $wpdb;
		foreach ( $meta as $key => $value ) {
			$has = (array) get_post_meta( $id, $key );
			if ( array( $value ) === $has ) {
				continue;
			}
			$wpdb->last_error = '';
			if ( count( $has ) > 1 && ! array_filter( $has, static fn( $one ): bool => $one !== $value ) ) {
				delete_post_meta( $id, $key );
			} elseif ( ( $has[0] ?? null ) === $value ) {
				// What else is there, other code wrote.
				continue;
			}
			update_post_meta( $id, $key, wp_slash( $value ) );
			if ( '' !== $wpdb->last_error ) {
				Transaction::stop_if_transient();
				return new \WP_Error( 'meta', "WordPress could not store its field \"$key\": {$wpdb->last_error}" );
			}
		}
		return null;
	}

	/** @throws StoreException Where the database failed and not the lead. */
	private function refuse( Lead $lead, \WP_Error $error, Progress $progress ): int {
		if ( str_starts_with( (string) $error->get_error_code(), 'db_' ) ) {
			Transaction::stop_if_transient();
		}
		$progress->refused[] = array(
			'id'     => $lead->id,
			'reason' => wp_strip_all_tags( $error->get_error_message() ),
		);
		return 0;
	}
}
