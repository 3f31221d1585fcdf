<?php
/**
 * The site and its CRM, as the cases see them: tenants, jobs, what is stored on either side, and what came into the logs.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Jobs;
use TenantCRM\Leases;
use TenantCRM\Schema;
use TenantCRM\Sql;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Site {

	/** @var array<string, int> Logs, and their size when the case began. */
	private array $logs = array();

	/** Empties CRM and site. What the cases left alive is stopped before. */
	public function clean(): void {
		Worker::kill_all();
		\Sandbox::reset();
		foreach ( Schema::tables() as $table ) {
			$this->change( "DELETE FROM `$table`" );
		}
		$this->change( "DELETE m FROM wp_postmeta m JOIN wp_posts p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
		$this->change( "DELETE FROM wp_posts WHERE post_type = 'crm_lead'" );
		$this->change( 'DROP TABLE IF EXISTS tcs_queue_effects' );
		delete_option( 'tenant_crm_sync_adoption' );
		wp_cache_flush();
		foreach ( array( 'php-cli.log', 'wp-debug.log', 'fpm.log', 'php-fpm.log', 'db.log' ) as $name ) {
			$file                = getenv( 'TCS_STACK' ) . "/log/$name";
			$this->logs[ $file ] = is_file( $file ) ? (int) filesize( $file ) : 0;
		}
	}

	/** @param array<string, mixed> $settings */
	public function tenant( string $id, int $leads, array $settings = array(), int $latency_ms = 0 ): Tenant {
		\Sandbox::tenant( $id, $leads );
		\Sandbox::post( '/behaviour', array( 'tenant' => $id, 'latency_ms' => $latency_ms, 'jitter_ms' => intdiv( $latency_ms, 2 ) ) );
		return Tenants::save(
			array(
				'id'       => $id,
				'endpoint' => getenv( 'TCS_SANDBOX_URL' ),
				'api_key'  => "key-of-$id",
				// Nothing is due by itself while a case runs.
				'settings' => $settings + array( 'interval' => 86400 ),
			)
		);
	}

	/** Nothing but clicks makes work: the first automatic pull of a new tenant is put off. */
	public function put_off(): void {
		$this->change( 'UPDATE ' . Schema::table( 'tenants' ) . ' SET next_due_at = UTC_TIMESTAMP() + INTERVAL 1 DAY' );
	}

	public function click( Tenant $tenant ): int {
		return Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK );
	}

	/** @return list<list<string|null>> */
	public function rows( string $sql ): array {
		global $wpdb;
		return (array) $wpdb->get_results( strtr( $sql, array( '{' => Schema::table( '' ), '}' => '' ) ), ARRAY_N );
	}

	public function number( string $sql ): int {
		return (int) ( $this->rows( $sql )[0][0] ?? 0 );
	}

	/** What these statements lock the workers lock, too: a deadlock is answered as theirs are. */
	public function change( string $sql ): int {
		return Sql::change( strtr( $sql, array( '{' => Schema::table( '' ), '}' => '' ) ) );
	}

	/** Takes the jobs of workers that said nothing for so many seconds away from them, as if leases were that short. */
	public function end_leases( float $seconds ): int {
		return $this->change( sprintf( "UPDATE {jobs} SET lease_until = '2020-01-01' WHERE state = 'running' AND lease_until > '2020-01-02' AND lease_until < UTC_TIMESTAMP(3) + INTERVAL %d MICROSECOND", 1e6 * ( Leases::SECONDS - $seconds ) ) );
	}

	/**
	 * What differs between a tenant's CRM, the ledger and the posts; empty where all three are equal and each lead has one post. The first
	 * five.
	 *
	 * @return list<string>
	 */
	public function differences( Tenant $tenant ): array {
		$crm = array();
		foreach ( \Sandbox::leads( $tenant->id ) as $lead ) {
			$crm[ (string) $lead['id'] ] = array( (string) $lead['name'], (string) $lead['email'], (string) $lead['phone'] );
		}
		$id     = esc_sql( $tenant->id );
		$ledger = array();
		foreach ( $this->rows( "SELECT crm_id, post_id FROM {records} WHERE tenant = {$tenant->key} AND object = 'leads'" ) as list( $crm_id, $post ) ) {
			$ledger[ $crm_id ] = (int) $post;
		}
		$portal = array();
		$wrong  = array();
		foreach ( $this->rows( "SELECT p.ID, p.post_title, c.meta_value AS crm_id, e.meta_value AS email, h.meta_value AS phone FROM wp_posts p JOIN wp_postmeta t ON t.post_id = p.ID AND t.meta_key = '_tenant_id' AND t.meta_value = '$id' LEFT JOIN wp_postmeta c ON c.post_id = p.ID AND c.meta_key = 'crm_lead_id' LEFT JOIN wp_postmeta e ON e.post_id = p.ID AND e.meta_key = 'email' LEFT JOIN wp_postmeta h ON h.post_id = p.ID AND h.meta_key = 'phone' WHERE p.post_type = 'crm_lead'" ) as list( $post, $title, $crm_id, $email, $phone ) ) {
			if ( isset( $portal[ $crm_id ] ) ) {
				$wrong[] = "lead $crm_id has two posts";
			}
			if ( ( $ledger[ $crm_id ] ?? 0 ) !== (int) $post ) {
				$wrong[] = "the ledger does not know post $post of lead $crm_id";
			}
			$portal[ $crm_id ] = array( html_entity_decode( (string) $title, ENT_QUOTES | ENT_HTML5 ), (string) $email, (string) $phone );
		}
		foreach ( $crm as $lead => $values ) {
			if ( ! isset( $ledger[ $lead ], $portal[ $lead ] ) ) {
				$wrong[] = "lead $lead is missing";
			} elseif ( $values !== $portal[ $lead ] ) {
				$wrong[] = "lead $lead differs: " . json_encode( array( $values, $portal[ $lead ] ) );
			}
		}
		if ( array_diff_key( $ledger, $crm ) ) {
			$wrong[] = 'the ledger has leads that the CRM has not';
		}
		return array_slice( $wrong, 0, 5 );
	}

	/** @return list<array<string, mixed>> What the CRM was asked by a tenant, in order. */
	public function requests( Tenant $tenant ): array {
		return (array) json_decode( (string) file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/requests?tenant=' . rawurlencode( $tenant->id ) ), true );
	}

	public function forget_requests(): void {
		file_get_contents( getenv( 'TCS_SANDBOX_CONTROL' ) . '/requests', false, stream_context_create( array( 'http' => array( 'method' => 'DELETE' ) ) ) );
	}

	/** @return string The beginning of what all logs of the site and of its database have got since the case began. */
	public function logged(): string {
		$text = '';
		foreach ( $this->logs as $file => $size ) {
			$text .= is_file( $file ) ? (string) file_get_contents( $file, false, null, $size ) : '';
		}
		// That a process was killed the database may say, and what it does itself.
		return substr( (string) preg_replace( '/^.*(?: Aborted connection | \[Note\] ).*\n/m', '', $text ), 0, 2000 );
	}

	/** @param callable(): bool $holds */
	public static function wait( callable $holds, float $seconds, float $pause = 0.02 ): bool {
		$end = microtime( true ) + $seconds;
		while ( ! $holds() ) {
			if ( microtime( true ) > $end ) {
				return false;
			}
			usleep( (int) ( 1e6 * $pause ) );
		}
		return true;
	}
}
