<?php
/** The portal's database between two samples: what a sample left behind is taken away, indexes come and go. */

declare(strict_types=1);

namespace TenantCRM\Bench;

final class Database {

	private const INDEX = 'bench_meta';

	private \mysqli $link;

	public function __construct() {
		$this->link = new \mysqli( '127.0.0.1', (string) getenv( 'TCS_DB_USER' ), (string) getenv( 'TCS_DB_PASSWORD' ), (string) getenv( 'TCS_DB_NAME' ), (int) getenv( 'TCS_DB_PORT' ) );
	}

	public function query( string $sql ): mixed {
		$result = $this->link->query( $sql );
		return $result instanceof \mysqli_result ? ( $result->fetch_row()[0] ?? null ) : null;
	}

	public function leads(): int {
		return (int) $this->query( "SELECT COUNT(*) FROM wp_posts WHERE post_type = 'crm_lead'" );
	}

	/** The index that the article's tables lack. */
	public function index( bool $is_there ): void {
		$this->query( 'ALTER TABLE wp_postmeta DROP INDEX IF EXISTS ' . self::INDEX );
		if ( $is_there ) {
			$this->query( 'ALTER TABLE wp_postmeta ADD INDEX ' . self::INDEX . ' (meta_key(32), meta_value(32))' );
		}
		$this->query( 'ANALYZE TABLE wp_posts, wp_postmeta, wp_tenant_crm_records' );
	}

	public function last_post(): int {
		return (int) $this->query( 'SELECT MAX(ID) FROM wp_posts' );
	}

	/** Posts after this one, and what belongs to them. */
	public function forget_after( int $post ): void {
		$this->query( "DELETE FROM wp_tenant_crm_records WHERE post_id > $post" );
		$this->query( "DELETE FROM wp_postmeta WHERE post_id > $post" );
		$this->query( "DELETE FROM wp_posts WHERE ID > $post" );
	}

	/** All leads, and the state of all syncs; the tenants stay. */
	public function forget_leads(): void {
		foreach ( [ 'records', 'cursors', 'jobs', 'runs', 'log', 'attempts', 'changes' ] as $table ) {
			$this->query( "TRUNCATE wp_tenant_crm_$table" );
		}
		// A million rows are put aside faster than deleted: the few others are kept.
		$this->query( "CREATE TEMPORARY TABLE kept_posts AS SELECT * FROM wp_posts WHERE post_type <> 'crm_lead'" );
		$this->query( 'CREATE TEMPORARY TABLE kept_postmeta AS SELECT m.* FROM wp_postmeta m JOIN kept_posts p ON p.ID = m.post_id' );
		foreach ( [ 'posts', 'postmeta' ] as $table ) {
			$this->query( "TRUNCATE wp_$table" );
			$this->query( "INSERT INTO wp_$table SELECT * FROM kept_$table" );
			$this->query( "DROP TEMPORARY TABLE kept_$table" );
		}
	}
}
