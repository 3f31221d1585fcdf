<?php
/**
 * The Log screen and `tenant-crm log`: both lists with their filters, and nothing of tenants that are not the user's.
 */

use TenantCRM\Admin\LogPage;
use TenantCRM\Capabilities;
use TenantCRM\Log;
use TenantCRM\Schema;
use TenantCRM\Tenant;

final class LogScreenTest extends ScreenCase {

	/** @var int */
	private $user;

	protected function setUp(): void {
		parent::setUp();
		$this->user = $this->account( 'syncer' );
		( new WP_User( $this->user ) )->add_cap( Capabilities::SYNC );
		foreach ( array( 'mine' => 503, 'theirs' => 401 ) as $id => $status ) {
			$tenant = $this->tenant( $id );
			$this->sent( $tenant, "https://$id.example/leads", 200, 'ok', null );
			$this->sent( $tenant, "https://$id.example/leads", $status, 503 === $status ? 'transient' : 'expired', "<b onclick=\"x()\">$id says no</b>" );
			Log::add( $tenant->key, 'error', "Something about $id." );
		}
		Log::add( 0, 'info', 'Something about nobody.' );
		Capabilities::assign( $this->user, array( 'mine' ) );
	}

	protected function tearDown(): void {
		parent::tearDown();
		wp_delete_user( $this->user );
	}

	private function sent( Tenant $tenant, string $url, int $status, string $outcome, ?string $excerpt ): void {
		global $wpdb;
		$wpdb->insert( Schema::table( 'attempts' ), array( 'tenant' => $tenant->key, 'run' => 7, 'at' => gmdate( 'Y-m-d H:i:s' ), 'method' => 'GET', 'operation' => "GET $url", 'status' => $status, 'micros' => 1234567, 'attempt' => 2, 'sent' => 1, 'received' => 4321, 'outcome' => $outcome, 'excerpt' => $excerpt ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	/** @param array<string, string|int> $get */
	private function screen( int $user, array $get ): string {
		return self::render( LogPage::class, 'crm-sync_page_tenant-crm-sync-log', $user, $get );
	}

	/** @return array{0: int, 1: string, 2: string} Exit code, output, errors. */
	private function command( string ...$arguments ): array {
		$process = proc_open( array( PHP_BINARY, 'wp-content/plugins/tenant-crm-sync/bin/tenant-crm', 'log', ...$arguments ), array( array( 'file', '/dev/null', 'r' ), array( 'pipe', 'w' ), array( 'pipe', 'w' ) ), $pipes, getenv( 'TCS_WWW' ) );
		$output  = stream_get_contents( $pipes[1] );
		$errors  = stream_get_contents( $pipes[2] );
		return array( proc_close( $process ), $output, $errors );
	}

	public function test_a_user_sees_requests_and_events_of_the_own_tenants_only(): void {
		$theirs = TenantCRM\Tenants::find( 'theirs' )->key;
		foreach ( array( array(), array( 'tenant' => $theirs ), array( 'run' => 7 ), array( 's' => 'theirs' ), array( 's' => 'nobody' ), array( 'outcome' => 'expired' ) ) as $get ) {
			foreach ( array( 'requests', '' ) as $view ) {
				$html = $this->screen( $this->user, $get + array( 'view' => $view ) );
				$this->assertStringNotContainsString( 'theirs.example', $html );
				$this->assertStringNotContainsString( 'about theirs', $html );
				$this->assertStringNotContainsString( 'about nobody', $html );
				$this->assertStringNotContainsString( ">theirs<", $html );
			}
		}
		$this->assertStringContainsString( 'mine.example', $this->screen( $this->user, array( 'view' => 'requests' ) ) );
		Capabilities::assign( $this->user, array() );
		$this->assertStringNotContainsString( 'mine.example', $this->screen( $this->user, array( 'view' => 'requests' ) ) );
		$all = $this->screen( 1, array( 'view' => 'requests' ) );
		$this->assertStringContainsString( 'theirs.example', $all );
		$this->assertStringContainsString( 'mine.example', $all );
	}

	public function test_requests_are_shown_with_what_is_known_and_nothing_of_a_crm_is_markup(): void {
		$html = $this->screen( 1, array( 'view' => 'requests', 'outcome' => 'failed', 'status' => '5xx', 'since' => 3600, 'method' => 'GET', 's' => 'SAYS' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( 1, substr_count( $html, '<code>GET https://mine.example/leads</code>' ) );
		$this->assertStringNotContainsString( 'theirs.example', $html );
		$this->assertStringContainsString( '&lt;b onclick=&quot;x()&quot;&gt;mine says no', $html );
		$this->assertStringNotContainsString( '<b onclick', $html );
		foreach ( array( 'transient', 'HTTP 503', '1,235 ms', '1 sent, 4,321 received', 'Attempt 2', 'All requests of sync 7' ) as $part ) {
			$this->assertStringContainsString( $part, $html );
		}
		foreach ( array( 'value="failed" selected', 'value="5xx" selected', 'value="3600" selected', 'value="GET" selected', 'value="SAYS"', 'name="view" value="requests"' ) as $part ) {
			$this->assertMatchesRegularExpression( '/' . str_replace( '" ', '"\s+', preg_quote( $part, '/' ) ) . '/', $html, 'the filter stays as it was set' );
		}
		$this->assertStringContainsString( 'No requests that fit', $this->screen( 1, array( 'view' => 'requests', 'status' => '4xx', 'outcome' => 'ok' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( 4, substr_count( $this->screen( 1, array( 'view' => 'requests', 'outcome' => '"><script>', 'status' => "1' OR", 'since' => '9', 'run' => 'x' ) ), '<code>GET ' ), 'what makes no sense filters nothing' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}

	public function test_events_are_found_by_level_words_and_time(): void {
		global $wpdb;
		$mine = TenantCRM\Tenants::find( 'mine' )->key;
		Log::add( $mine, 'warning', 'Ändern 100% <b>' );
		Log::add( $mine, 'error', 'Long ago.' );
		$wpdb->query( 'UPDATE ' . Schema::table( 'log' ) . " SET created_at = UTC_TIMESTAMP() - INTERVAL 2 DAY WHERE message = 'Long ago.'" );
		$count = fn( array $get ): int => substr_count( $this->screen( $this->user, $get ), '<span class="tcs-level"' );
		$this->assertSame( array( 3, 2, 1, 1, 1, 0 ), array( $count( array() ), $count( array( 'level' => 'error' ) ), $count( array( 'level' => 'warning' ) ), $count( array( 's' => 'andern' ) ), $count( array( 's' => '100%' ) ), $count( array( 's' => '100_' ) ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertSame( array( 2, 2, 3, 3 ), array_map( static fn( string $since ): int => $count( array( 'since' => $since ) ), array( '3600', '86400', '604800', '5' ) ) );
		$html = $this->screen( $this->user, array( 'since' => '86400', 'level' => 'warning' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		$this->assertMatchesRegularExpression( '/value="86400"\s+selected/', $html );
		$this->assertStringContainsString( '&lt;b&gt;', $html );
	}

	public function test_the_command_line(): void {
		list( $code, $out, $err ) = $this->command( '--requests', '--outcome=failed', '--tenant=mine', '--since=1h', '--format=json' );
		$this->assertSame( array( 0, '' ), array( $code, $err ) );
		$rows = json_decode( $out, true );
		$this->assertCount( 1, $rows );
		$this->assertSame( array( 'mine', 'GET https://mine.example/leads', 503, 'transient', 1234.6, 2, 7, 4321 ), array_map( static fn( string $name ) => $rows[0][ $name ], array( 'tenant', 'operation', 'status', 'outcome', 'ms', 'attempt', 'run', 'received' ) ) );
		list( , $out ) = $this->command( '--requests' );
		$this->assertSame( 5, substr_count( $out, "\n" ) );
		list( , $out ) = $this->command( '--tenant=theirs' );
		$this->assertMatchesRegularExpression( '/^\S+ \S+ +theirs +error +Something about theirs\.$/m', $out );
		$this->assertStringNotContainsString( 'mine', $out );
		list( , $out ) = $this->command( '--since=2099-01-01T00:00:00Z', '--requests' );
		$this->assertSame( "Nothing in the log that fits.\n", $out );
		foreach ( array( array( '--requests', '--outcome=good' ), array( '--outcome=ok' ), array( '--since=soon' ), array( '--since=2026-13-99' ) ) as $wrong ) {
			list( $code ) = $this->command( ...$wrong );
			$this->assertSame( 2, $code, implode( ' ', $wrong ) );
		}
		list( $code, , $err ) = $this->command( '--tenant=nobody' );
		$this->assertSame( 1, $code );
		$this->assertStringContainsString( 'there is no tenant "nobody"', $err );
	}
}
