<?php
/**
 * What all tests of the plugin's core share: an empty plugin before each test, a tenant, a claimed job, and questions to the database.
 *
 * Store commits, so tests cannot be rolled back: each one starts by emptying what the plugin and the article's code store.
 */

use PHPUnit\Framework\TestCase;
use TenantCRM\Fields;
use TenantCRM\HookStore;
use TenantCRM\Job;
use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Store;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

abstract class PluginCase extends TestCase {

	protected function setUp(): void {
		// Where code of WordPress gave this process a minute (it does so for pings), the tests behind it would end with it.
		set_time_limit( 0 );
		self::wipe();
	}

	public static function tearDownAfterClass(): void {
		self::wipe();
	}

	protected static function wipe(): void {
		global $wpdb;
		Schema::migrate();
		foreach ( Schema::tables() as $table ) {
			$wpdb->query( "DELETE FROM `$table`" ); // TRUNCATE takes ten times as long
		}
		$wpdb->query( "DELETE m FROM `$wpdb->postmeta` m JOIN `$wpdb->posts` p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
		$wpdb->query( "DELETE FROM `$wpdb->posts` WHERE post_type = 'crm_lead'" );
		delete_option( 'tenant_crm_sync_adoption' );
		foreach ( array( 'tenant_crm_sync_fields', 'query', 'tenant_crm_sync_batch_stored' ) as $hook ) {
			remove_all_filters( $hook );
		}
		wp_cache_flush();
	}

	protected function tenant( string $id = 'acme', array $settings = array() ): Tenant {
		return Tenants::save(
			array(
				'id'       => $id,
				'settings' => $settings,
			)
		);
	}

	/**
	 * A tenant of the article's API, whose CRM is the sandbox's.
	 *
	 * @param array<string, mixed> $settings The tenant's.
	 * @param array<string, mixed> $crm      What the sandbox is told beyond its defaults.
	 */
	protected function connected( string $id, int $leads = 5, array $settings = array(), array $crm = array() ): Tenant {
		Sandbox::tenant( $id, $leads, $crm );
		return Tenants::save(
			array(
				'id'       => $id,
				'endpoint' => getenv( 'TCS_SANDBOX_URL' ),
				'api_key'  => $crm['key'] ?? "key-of-$id",
				'settings' => $settings,
			)
		);
	}

	/** A user of the site; whoever makes one deletes it. */
	protected function account( string $name, string $role = 'subscriber' ): int {
		require_once ABSPATH . 'wp-admin/includes/user.php';
		return wp_insert_user(
			array(
				'user_login' => uniqid( $name ),
				'user_pass'  => 'x',
				'role'       => $role,
			)
		);
	}

	/** A job as a worker has it. */
	protected function job( Tenant $tenant ): Job {
		return Jobs::claim( Jobs::enqueue( $tenant->key ) );
	}

	/** Stores rows as one batch of a job of its own, which is ended then. */
	protected function store( Tenant $tenant, array $rows, string $watermark = '' ): array {
		$job    = $this->job( $tenant );
		$fields = Fields::of( $tenant, 'leads' );
		$store  = $tenant->uses_hooks() ? new HookStore( $tenant, $job, $fields ) : new Store( $tenant, $job, $fields );
		$counts = $store->batch( new Rows( $rows, $watermark ) );
		Jobs::finish( $job );
		return $counts;
	}

	/** @return list<array<string, mixed>> */
	protected function leads( int $count, int $from = 1 ): array {
		$leads = array();
		for ( $number = $from; $number < $from + $count; $number++ ) {
			$leads[] = array(
				'id'         => (string) $number,
				'name'       => "Lead $number",
				'email'      => "lead$number@example.test",
				'phone'      => "+49 30 $number",
				'status'     => 'open',
				'created_at' => '2026-01-02T03:04:05Z',
				'updated_at' => '2026-02-03T04:05:06Z',
			);
		}
		return $leads;
	}

	protected function assertCounts( int $created, int $updated, int $unchanged, array $counts, int $refused = 0 ): void {
		$this->assertSame( array( $created, $updated, $unchanged, $refused ), array( $counts['created'], $counts['updated'], $counts['unchanged'], $counts['refused'] ), 'created, updated, unchanged, refused' );
	}

	protected function sql( string $query ) {
		global $wpdb;
		return $wpdb->get_var( $query );
	}

	protected function records(): int {
		return (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'records' ) );
	}

	protected function posts(): int {
		global $wpdb;
		return (int) $this->sql( "SELECT COUNT(*) FROM $wpdb->posts WHERE post_type = 'crm_lead'" );
	}

	protected function post_of( Tenant $tenant, string $crm_id ): WP_Post {
		global $wpdb;
		$id = $this->sql( $wpdb->prepare( 'SELECT post_id FROM ' . Schema::table( 'records' ) . ' WHERE tenant = %d AND id_hash = UNHEX(%s)', $tenant->key, hash( 'sha256', $crm_id ) ) );
		$this->assertNotNull( $id, "no post of lead $crm_id" );
		return get_post( (int) $id );
	}

	/** Everything that a batch writes, as text: equal before and after means that nothing was stored. */
	protected function everything(): string {
		global $wpdb;
		$all = array();
		foreach ( array_merge( array( $wpdb->posts, $wpdb->postmeta ), Schema::tables() ) as $table ) {
			$all[ $table ] = $wpdb->get_results( "SELECT * FROM `$table` ORDER BY 1, 2", ARRAY_N );
		}
		return serialize( $all );
	}

	/** Runs a script in a process of its own, as a request of its own; it loads WordPress with `require $argv[1]`. */
	protected function php( string $script, bool $survives = true, string $ini = 'memory_limit=512M' ): string {
		$process = proc_open( array( PHP_BINARY, '-d', $ini, '-r', $script, '--', __DIR__ . '/site.php' ), array( 1 => array( 'pipe', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		$output  = stream_get_contents( $pipes[1] );
		$status  = proc_close( $process );
		$this->assertSame( $survives, 0 === $status, "exit status $status: $output" );
		return $output;
	}

	/** A second connection, as another process would have it. */
	protected function other_connection(): mysqli {
		return new mysqli( '127.0.0.1', getenv( 'TCS_DB_USER' ), getenv( 'TCS_DB_PASSWORD' ), getenv( 'TCS_DB_NAME' ), (int) getenv( 'TCS_DB_PORT' ) );
	}
}
