<?php
/**
 * A person asks: everything that the site has of them is exported; it is erased, snapshots, inbox, log and jobs included; and neither a pull, nor a
 * webhook, nor a form brings them back, while the CRM keeps or deletes its record by the tenant's choice.
 */

use TenantCRM\CommandLine;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Privacy\Eraser;
use TenantCRM\Privacy\Exporter;
use TenantCRM\Privacy\Suppressions;
use TenantCRM\Runs;
use TenantCRM\Schema;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Hints;
use TenantCRM\Webhooks\Inbox;
use TenantCRM\Transaction;
use TenantCRM\Worker;

final class PrivacyTest extends TwoWayCase {

	private const EMAIL = 'lead2@example.test';

	protected function tearDown(): void {
		remove_all_filters( 'query' );
	}

	/** Everything in our tables, and all leads, as text; without what is known by a keyed hash. */
	private function stored(): string {
		global $wpdb;
		$all = unserialize( $this->everything() );
		unset( $all[ Schema::table( 'suppressions' ) ] );
		$all[ $wpdb->postmeta ] = array_filter( $all[ $wpdb->postmeta ], static fn( array $row ): bool => 'crm_lead' === get_post_type( (int) $row[1] ) );
		$all[ $wpdb->posts ]    = array_filter( $all[ $wpdb->posts ], static fn( array $row ): bool => 'crm_lead' === get_post_type( (int) $row[0] ) );
		return print_r( $all, true );
	}

	/** As WordPress's tools call it. */
	private function erase( string $email = self::EMAIL ): array {
		$eraser   = apply_filters( 'wp_privacy_personal_data_erasers', array() )['tenant-crm-sync'];
		$messages = array();
		for ( $page = 1; ; $page++ ) {
			$answer   = call_user_func( $eraser['callback'], $email, $page );
			$messages = array_merge( $messages, $answer['messages'] );
			if ( $answer['done'] ) {
				return array( 'messages' => $messages ) + $answer;
			}
			$this->assertLessThan( 20, $page, 'it ends' );
		}
	}

	public function test_a_person_is_exported_with_snapshot_and_log(): void {
		$tenant = $this->pair( 'acme', 3 );
		$this->pull( $tenant );
		Log::add( $tenant->key, 'warning', 'Something about LEAD2@example.test.' );
		$export = apply_filters( 'wp_privacy_personal_data_exporters', array() )['tenant-crm-sync'];
		$data   = call_user_func( $export['callback'], 'Lead2@Example.test', 1 );
		$this->assertTrue( $data['done'] );
		$this->assertSame( array( 'tenant-crm-sync-leads', 'tenant-crm-sync-log' ), array_column( $data['data'], 'group_id' ) );
		$values = array_column( $data['data'][0]['data'], 'value', 'name' );
		$this->assertSame( array( 'acme', '2', 'Lead 2', '+49 30 2', '+49 30 2' ), array( $values['Tenant'], $values['Number at the CRM'], $values['Name'], $values['phone'], $values['phone, as the CRM has it'] ) );
		$this->assertStringNotContainsString( 'lead1@', print_r( $data, true ) );
		update_post_meta( $this->post_of( $tenant, '3' )->ID, 'email', 'moved@example.test' );
		$this->assertCount( 1, Exporter::export( 'moved@example.test' )['data'], 'an address that only the portal has' );
		$this->assertSame( array( 'data' => array(), 'done' => true ), Exporter::export( 'nobody@example.test' ) );
	}

	public function test_what_is_erased_is_nowhere_and_no_pull_brings_it_back(): void {
		$tenant = $this->pair( 'acme', 3, array( 'direction' => 'from_crm' ) );
		$other  = $this->pair( 'other', 3, array( 'direction' => 'from_crm' ) );
		foreach ( array( $tenant, $other ) as $one ) {
			$this->pull( $one );
		}
		Log::add( $tenant->key, 'warning', 'Lead "2" had been edited.', array( 'fields' => array( 'phone' => '+49 30 2' ) ) );
		Log::add( $tenant->key, 'error', 'It says: no lead2@example.test here.' );
		$this->sql( 'UPDATE ' . Schema::table( 'runs' ) . " SET error = 'x lead2@example.test x'" );
		$answer = $this->erase();
		$this->assertSame( array( true, true ), array( $answer['items_removed'], $answer['items_retained'] ) );
		$this->assertStringContainsString( 'acme', $answer['messages'][0] );
		$this->assertSame( 4, $this->posts() );
		foreach ( array( 'lead2@example.test', 'Lead 2', '+49 30 2' ) as $trace ) {
			$this->assertStringNotContainsString( $trace, $this->stored() );
		}
		foreach ( array( array(), array( 'full' => true ) ) as $payload ) {
			$run = $this->pull( $tenant, $payload );
			$this->assertSame( array( 'done', 0, 0 ), array( $run['state'], $run['created'], $run['refused'] ) );
		}
		// A change in the CRM, a new record of the same person, and the same person at another tenant.
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 30 22' ) );
		foreach ( array( 'acme', 'other' ) as $id ) {
			Sandbox::post( '/rows', array( 'tenant' => $id, 'object' => 'leads', 'rows' => array( array( 'id' => 77, 'name' => 'Lead Two', 'email' => ' LEAD2@example.test ' ) ) ) );
		}
		foreach ( array( $tenant, $other ) as $one ) {
			$this->pull( $one );
		}
		$this->assertSame( array( 4, 4 ), array( $this->posts(), $this->records() ) );
		$this->assertStringNotContainsString( '30 22', $this->stored() );
		$this->assertCount( 4, Sandbox::leads( 'acme' ), 'the CRM keeps its own' );
		// Consent again.
		$this->assertSame( 0, $this->here( 'privacy', 'lift', self::EMAIL ) );
		$this->pull( $other, array( 'full' => true ) );
		$this->assertSame( 6, $this->posts(), 'the new record, and the erased one' );
	}

	private function here( string ...$words ): int {
		ob_start();
		try {
			return CommandLine::run( $words );
		} finally {
			ob_end_clean();
		}
	}

	public function test_a_pull_that_read_the_person_before_does_not_store_them_after(): void {
		$tenant = $this->pair( 'acme', 3, array( 'direction' => 'from_crm' ) );
		$this->pull( $tenant );
		$this->crm_edit( $tenant, '2', array( 'phone' => '+49 30 22' ) );
		$script = 'require $argv[1]; $n = 0; add_filter( "query", static function ( $sql ) use ( &$n ) {
			if ( str_contains( $sql, "tenant_crm_suppressions" ) && 0 === $n++ ) {
				TenantCRM\Privacy\Eraser::erase( "lead2@example.test" );
				// As the pull saw it, a moment before.
				return "SELECT 1 FROM DUAL WHERE 1 = 0";
			}
			return $sql;
		} ); $run = TenantCRM\Jobs::enqueue( ' . $tenant->key . ' ); TenantCRM\Worker::run( 20.0, $run ); echo $n, TenantCRM\Runs::get( $run )["state"];';
		$this->assertStringEndsWith( 'done', $this->php( $script ) );
		$this->assertSame( array( 2, 2 ), array( $this->posts(), $this->records() ) );
		$this->assertStringNotContainsString( '30 22', $this->stored() );
	}

	public function test_webhooks_and_forms_do_not_bring_the_person_back(): void {
		$tenant = $this->pair( 'acme', 3 );
		$this->settle( $tenant );
		$this->erase();
		$this->assertSame( 0, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'changes' ) ), 'the CRM is told nothing' );
		Transaction::run( static fn( Transaction $transaction ) => Hints::add( $transaction, $tenant->key, 'leads', array( '2' => false ) ) );
		Worker::run( 20.0, Jobs::enqueue( $tenant->key, Inbox::KIND, 'leads' ) );
		$this->settle( $tenant );
		$this->assertSame( array( 2, 2, 3 ), array( $this->posts(), $this->records(), count( Sandbox::leads( 'acme' ) ) ) );
		$error = tenant_crm_sync_push( 'acme', 'leads', array( 'name' => 'Again', 'email' => 'Lead2@example.test' ) );
		$this->assertInstanceOf( WP_Error::class, $error );
		$this->assertStringContainsString( 'was erased', $error->get_error_message() );
		Suppressions::lift( self::EMAIL );
		$this->assertIsInt( tenant_crm_sync_push( 'acme', 'leads', array( 'name' => 'Again', 'email' => 'Lead2@example.test' ) ) );
	}

	public function test_the_crm_deletes_too_where_the_tenant_says_so(): void {
		$tenant = $this->pair( 'acme', 3, array( 'erase' => 'crm' ) );
		$this->settle( $tenant );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array( array( 'kind' => 'status', 'status' => 503, 'times' => 20, 'method' => 'DELETE' ) ) ) );
		$answer = $this->erase();
		$this->assertSame( array( true, false, array() ), array( $answer['items_removed'], $answer['items_retained'], $answer['messages'] ) );
		Worker::run( 20.0 );
		$this->assertCount( 3, Sandbox::leads( 'acme' ) );
		Sandbox::post( '/faults', array( 'tenant' => 'acme', 'faults' => array() ) );
		$deadline = time() + 90;
		do {
			$this->sql( 'UPDATE ' . Schema::table( 'jobs' ) . ' SET available_at = UTC_TIMESTAMP(3), held = 0' );
			Worker::run( 5.0 );
		} while ( count( Sandbox::leads( 'acme' ) ) > 2 && time() < $deadline );
		$this->assertSame( array( 1, 3 ), array_map( 'intval', array_column( Sandbox::leads( 'acme' ), 'id' ) ) );
		$this->assertSame( 0, (int) $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'suppressions' ) . ' WHERE crm_id IS NOT NULL' ), 'no number is kept' );
		$this->settle( $tenant );
		$this->assertSame( 2, $this->posts() );
		$this->expectException( InvalidArgumentException::class );
		Tenants::save( array( 'id' => 'acme', 'settings' => array( 'erase' => 'maybe' ) ) );
	}

	public function test_many_leads_of_one_person_go_page_by_page(): void {
		$tenant = $this->pair( 'acme', 0, array( 'direction' => 'from_crm' ) );
		$this->store( $tenant, array_map( static fn( array $lead ): array => array( 'email' => self::EMAIL ) + $lead, $this->leads( 120 ) ) );
		$this->assertSame( 120, $this->posts() );
		$this->assertFalse( Eraser::erase( self::EMAIL )['done'] );
		$this->erase();
		$this->assertSame( array( 0, 0 ), array( $this->posts(), $this->records() ) );
	}

	public function test_only_hashes_are_kept_and_no_other_person_goes(): void {
		global $wpdb;
		$tenant = $this->pair( 'acme', 3 );
		$this->settle( $tenant );
		$this->erase( 'nobody@example.test' );
		$this->assertSame( 3, $this->posts() );
		$this->erase();
		$table = print_r( $wpdb->get_results( 'SELECT * FROM ' . Schema::table( 'suppressions' ), ARRAY_A ), true );
		$this->assertStringNotContainsString( 'example.test', $table );
		$this->assertStringNotContainsString( hash( 'sha256', self::EMAIL, true ), $table, 'a plain hash could be guessed' );
		$this->assertTrue( Suppressions::has_person( ' LEAD2@EXAMPLE.TEST' ) );
		$this->assertFalse( Suppressions::has_person( 'lead1@example.test' ) );
		$this->assertFalse( Eraser::erase( 'not an address' )['items_removed'] );
	}

	public function test_the_policy_has_a_text(): void {
		$this->assertNotFalse( has_action( 'admin_init', array( TenantCRM\Privacy\Privacy::class, 'policy' ) ) );
		// Alone: WordPress's own actions ask WordPress.org for updates.
		$text = $this->php( 'define( "WP_ADMIN", true ); require $argv[1]; require_once ABSPATH . "wp-admin/includes/admin.php"; remove_all_actions( "admin_init" ); add_action( "admin_init", array( TenantCRM\Privacy\Privacy::class, "policy" ) ); do_action( "admin_init" ); echo json_encode( WP_Privacy_Policy_Content::get_suggested_policy_text() );' );
		$this->assertStringContainsString( 'keyed hash', array_column( json_decode( $text, true ), 'policy_text', 'plugin_name' )['CRM Sync'] );
	}
}
