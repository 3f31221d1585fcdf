<?php
/**
 * The endpoint of webhooks: what proves nothing acts on nothing and is told nothing, what is proven acts once, and only on the tenant whose
 * account it names. Names of tests begin with the line of FAULTS.md that they show.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Tenants;
use TenantCRM\Webhooks\Addresses;

final class WebhookTest extends WebhookCase {

	/** @return array<string, array{0: array<string, mixed>}> What the CRMs themselves published. */
	public function vectors(): array {
		$known   = array( 'hubspot', 'espocrm', 'rest' );
		$vectors = json_decode( (string) file_get_contents( __DIR__ . '/../core/webhook-vectors.json' ), true );
		$vectors = array_filter( $vectors, static fn( array $vector ): bool => in_array( $vector['block'], $known, true ) );
		return array_column( array_map( static fn( array $vector ): array => array( $vector['id'], array( $vector ) ), $vectors ), 1, 0 );
	}

	/** @dataProvider vectors */
	public function test_a23_published_messages_are_proven_and_old_ones_are_not( array $vector ): void {
		$tenant = Tenants::save( array( 'id' => 'vector', 'connector' => $vector['block'], 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'k', 'settings' => array( 'connection' => $vector['secrets'] ) ) );
		$key    = $this->key_of( Addresses::make( $tenant ) );
		$answer = TenantCRM\Webhooks\Endpoint::answer( $key, $vector['method'], $vector['url'], $vector['headers'], strlen( $vector['body'] ), static fn(): string => $vector['body'] );
		// Those that sign a time are years old; a CRM has no reason to send a GET.
		$is_good = ! $vector['stamped'] && 'POST' === $vector['method'];
		$this->assertSame( $is_good ? self::ACCEPTED : self::REFUSED, $answer );
		$this->assertSame( $is_good ? null : ( 'POST' === $vector['method'] ? 'old' : 'method' ), Addresses::of( $tenant->key )['reason'] );
		if ( '' !== $vector['body'] ) {
			$flipped    = $vector['body'];
			$flipped[0] = $flipped[0] ^ "\x01";
			$this->assertSame( self::REFUSED, TenantCRM\Webhooks\Endpoint::answer( $key, $vector['method'], $vector['url'], $vector['headers'], strlen( $flipped ), static fn(): string => $flipped ) );
		}
	}

	public function test_secrets_that_are_only_sent_along(): void {
		$cases = array(
			'dynamics'  => array( array( 'directory' => 'd', 'client_id' => 'c', 'client_secret' => 's', 'webhook_secret' => 'sent along' ), array( 'X-Webhook-Secret' => 'sent along' ), '', '{"MessageName":"Update","PrimaryEntityName":"lead","PrimaryEntityId":"6d81","OrganizationId":"4ef5"}', '4ef5' ),
			'pipedrive' => array( array( 'webhook_user' => 'crm', 'webhook_password' => 'pässword:1' ), array( 'Authorization' => 'Basic ' . base64_encode( 'crm:pässword:1' ) ), '', '{"previous":{"title":"x"},"meta":{"action":"change","entity":"lead","entity_id":"a-b","id":"e1","company_id":123}}', '123' ),
			'zoho'      => array( array( 'client_id' => 'c', 'client_secret' => 's', 'refresh_token' => 'r', 'webhook_secret' => 'fifty' ), array(), '', '{"module":"Leads","ids":["41","42"],"operation":"update","token":"fifty"}', '' ),
			'espocrm'   => array( array( 'webhook_id' => 'w1', 'webhook_secret' => 'shh' ), array(), '?event=Lead.update', '[{"id":"abc","name":"Zoë"}]', '' ),
		);
		foreach ( $cases as $connector => list( $fields, $headers, $query, $body, $account ) ) {
			$settings = array( 'connection' => $fields );
			$tenant   = Tenants::save( array( 'id' => $connector, 'connector' => $connector, 'endpoint' => getenv( 'TCS_SANDBOX_URL' ), 'api_key' => 'k', 'settings' => $settings ) );
			$url      = Addresses::make( $tenant ) . $query;
			Addresses::set_account( $tenant, $account );
			if ( 'espocrm' === $connector ) {
				$headers['Signature'] = base64_encode( 'w1:' . hash_hmac( 'sha256', $body, 'shh' ) );
			}
			// WordPress itself would take Basic for a person's password, and answer for the REST server.
			$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $headers ), $connector );
			$this->assertSame( array( 1, 0, 0, 0 ), $this->counts( $tenant ), $connector );
			$this->assertNotSame( array(), $this->waiting( $tenant ), $connector );
			$bad = array_map( static fn( string $value ): string => $value . 'x', $headers );
			$this->assertSame( self::REFUSED, $this->send( $url, str_replace( 'fifty', 'sixty', $body ), $bad ), $connector );
			$this->assertSame( array( 1, 0, 0, 1 ), $this->counts( $tenant ), $connector );
		}
	}

	public function test_a23_the_same_answer_whatever_is_wrong_and_nothing_happens(): void {
		$tenant = $this->signing( 'acme', 3 );
		$other  = $this->signing( 'other', 3, 'whsec_' . base64_encode( random_bytes( 24 ) ) );
		$gone   = $this->signing( 'gone' );
		$off    = $this->signing( 'off' );
		$bare   = $this->tenant( 'bare' );
		$url    = Addresses::make( $tenant );
		$urls   = array();
		foreach ( array( $other, $gone, $off, $bare ) as $one ) {
			$urls[ $one->id ] = Addresses::make( $one );
		}
		Tenants::delete( $gone->key );
		Addresses::remove( $off );
		$body   = $this->body( 1 );
		$good   = $this->signed( $body );
		$before = $this->everything_but_counts();
		$large  = str_pad( $body, 1048577 );
		$cases  = array(
			'missing'                     => array( $url, $body, array() ),
			'malformed'                   => array( $url, $body, array( 'webhook-signature' => 'v1;' ) + $good ),
			'no time'                     => array( $url, $body, array( 'webhook-timestamp' => 'now' ) + $good ),
			'old'                         => array( $url, $body, $this->signed( $body, 'msg_2', time() - 3600 ) ),
			'from tomorrow'               => array( $url, $body, $this->signed( $body, 'msg_2', time() + 86400 ) ),
			'another id, to come again'   => array( $url, $body, array( 'webhook-id' => 'msg_3' ) + $good ),
			'another time, to come again' => array( $url, $body, array( 'webhook-timestamp' => (string) ( time() - 1 ) ) + $good ),
			'reordered JSON'              => array( $url, (string) json_encode( array_reverse( json_decode( $body, true ) ) ), $good ),
			'unicode, written otherwise'  => array( $url, '{"type":"lead.updated","data":{"id":"1","name":"Zo\u00eb"}}', $this->signed( '{"type":"lead.updated","data":{"id":"1","name":"Zoë"}}' ) ),
			'bytes that are no UTF-8'     => array( $url, "{\"type\":\"\xff\"}", $this->signed( "{\"type\":\"\xff\"}" ) ),
			'not JSON'                    => array( $url, '{"type":', $this->signed( '{"type":' ) ),
			'nothing'                     => array( $url, '', $good ),
			'too large, though signed'    => array( $url, $large, $this->signed( $large ) ),
			'another tenant\'s secret'    => array( $urls['other'], $body, $good ),
			'a deleted tenant'            => array( $urls['gone'], $body, $good ),
			'switched off'                => array( $urls['off'], $body, $good ),
			'no secret'                   => array( $urls['bare'], $body, $good ),
			'no such key'                 => array( str_repeat( 'A', 43 ), $body, $good ),
			'no key'                      => array( '', $body, $good ),
			'much for a key'              => array( str_repeat( 'a/', 500 ), $body, $good ),
			'a key that is another type'  => array( '%ff', $body, $good ),
		);
		foreach ( $cases as $name => list( $to, $text, $headers ) ) {
			$to = str_starts_with( $to, 'http' ) ? $to : rest_url( Addresses::PATH ) . $to;
			$this->assertSame( self::REFUSED, $this->send( $to, $text, $headers ), $name );
		}
		foreach ( array( 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD' ) as $method ) {
			$this->assertSame( array( 403, 'HEAD' === $method ? '' : '{"ok":false}' ), $this->send( $url, $body, $good, $method ), $method );
		}
		$this->assertSame( $before, $this->everything_but_counts(), 'none acts' );
		$this->assertSame( array( 0, 0, 0, 18 ), $this->counts( $tenant ) );
		$this->assertSame( array( 0, 0, 0, 1 ), $this->counts( $other ) );
		$this->assertSame( array( 'unknown', 6 ), array( Addresses::of( 0 )['reason'], Addresses::of( 0 )['refused'] ) );
		$this->assertSame( array( 'unconfigured', 1 ), array( Addresses::of( $bare->key )['reason'], Addresses::of( $bare->key )['refused'] ) );
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'log' ) . " WHERE message NOT LIKE '%was deleted%'" ), 'only counted' );
		$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $good ), 'and the good one is' );
		$this->assertSame( array( '1' ), $this->waiting( $tenant ) );
	}

	/** What a webhook may touch, without what is counted. */
	private function everything_but_counts(): string {
		global $wpdb;
		$all = array();
		foreach ( array( 'jobs', 'runs', 'records', 'cursors', 'webhook_messages', 'webhook_records' ) as $name ) {
			$all[ $name ] = $wpdb->get_results( 'SELECT * FROM ' . Schema::table( $name ), ARRAY_N );
		}
		return serialize( $all );
	}

	public function test_a23_a_message_that_comes_again_acts_once(): void {
		$tenant = $this->signing( 'acme', 3 );
		$url    = Addresses::make( $tenant );
		$body   = $this->body( 2 );
		$good   = $this->signed( $body );
		// The CRM has not got the answer, or somebody else has seen it: either way it is told the same.
		$this->assertSame( array_fill( 0, 8, self::ACCEPTED ), $this->send_at_once( 8, $url, $body, $good ) );
		$this->assertSame( array( 1, 7, 0, 0 ), $this->counts( $tenant ) );
		$this->assertSame( array( array( '1', '1' ) ), $GLOBALS['wpdb']->get_results( 'SELECT version, COUNT(*) FROM ' . Schema::table( 'webhook_records' ) . ' GROUP BY version', ARRAY_N ) );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed( $body, 'msg_2' ) ), 'the same again, as a message of its own' );
		$this->assertSame( array( 2, 7, 0, 0 ), $this->counts( $tenant ) );
		$this->assertSame( '1', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) ), 'one job, whatever comes' );
	}

	public function test_what_the_site_is_called_by_is_signed(): void {
		$tenant = $this->hubspot( 'hub', '62515' );
		$url    = Addresses::make( $tenant ) . '?x=%2F%20a+b';
		Addresses::set_account( $tenant, '62515' );
		$body = $this->hubspot_body( array( 1 ), '62515' );
		$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		$this->assertSame( self::REFUSED, $this->send( $url, $body, $this->signed_by_hubspot( "$url&y=1", $body ) ) );
	}

	public function test_an_event_for_one_account_never_reaches_another_tenant(): void {
		$first  = $this->hubspot( 'first', '100' );
		$second = $this->hubspot( 'second', '200' );
		$third  = $this->hubspot( 'third', '300' );
		$url    = Addresses::make( $first );
		Addresses::set_account( $first, '100' );
		$send = fn( array $ids, string $account ): array => $this->deliver( $url, $body = $this->hubspot_body( $ids, $account ), $this->signed_by_hubspot( $url, $body ) );

		// Only those that were put there come by the address.
		$this->assertSame( self::ACCEPTED, $send( array( 1 ), '200' ) );
		$this->assertSame( array( array(), array() ), array( $this->waiting( $first ), $this->waiting( $second ) ) );
		$this->assertSame( '200', Addresses::of( $first->key )['stranger'], 'a person can see whose it was' );

		Addresses::share( $second, $first );
		Addresses::share( $third, $first );
		Addresses::set_account( $second, '200' );
		$this->assertNull( Addresses::of( $first->key )['stranger'] );
		$mixed = array_merge( json_decode( $this->hubspot_body( array( 11, 12 ), '100' ), true ), json_decode( $this->hubspot_body( array( 21 ), '200' ), true ), json_decode( $this->hubspot_body( array( 99 ), '999' ), true ) );
		$body  = (string) json_encode( $mixed );
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		$this->assertSame( array( array( '11', '12' ), array( '21' ), array() ), array( $this->waiting( $first ), $this->waiting( $second ), $this->waiting( $third ) ), 'the third has not said which is its account' );
		$jobs = $GLOBALS['wpdb']->get_col( 'SELECT tenant FROM ' . Schema::table( 'jobs' ) . ' ORDER BY tenant' );
		$this->assertSame( array( (string) $first->key, (string) $second->key ), $jobs );

		// An event that names no account is nobody's where several come by the address.
		$body = (string) json_encode( array( array( 'eventId' => 7, 'subscriptionType' => 'contact.creation', 'objectId' => 77 ) ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed_by_hubspot( $url, $body ) ) );
		$this->assertNotContains( '77', array_merge( $this->waiting( $first ), $this->waiting( $second ), $this->waiting( $third ) ) );

		// Without the owner's address there is none.
		Addresses::remove( $first );
		$this->assertSame( self::REFUSED, $send( array( 22 ), '200' ) );
		$this->assertSame( array( '21' ), $this->waiting( $second ) );
	}

	public function test_addresses_are_shared_only_where_events_name_accounts(): void {
		$one = $this->signing( 'one' );
		$two = $this->signing( 'two' );
		Addresses::make( $one );
		foreach ( array( array( $two, $one ), array( $one, $one ), array( $one, $two ) ) as list( $tenant, $owner ) ) {
			try {
				Addresses::share( $tenant, $owner );
				$this->fail( 'it was shared' );
			} catch ( InvalidArgumentException $e ) {
				$this->assertStringContainsString( 'address', $e->getMessage() );
			}
		}
		$this->expectExceptionMessage( 'cannot get webhooks' );
		Addresses::make( Tenants::save( array( 'id' => 'force', 'connector' => 'salesforce' ) ) );
	}

	public function test_the_key_is_stored_nowhere_and_a_new_one_ends_the_old(): void {
		global $wpdb;
		$tenant = $this->signing( 'acme', 1 );
		$old    = Addresses::make( $tenant );
		$new    = Addresses::make( $tenant );
		$this->assertMatchesRegularExpression( '~/wp-json/tenant-crm-sync/v1/webhook/[A-Za-z0-9_-]{43}$~', $new );
		$this->assertNotSame( $old, $new );
		$body = $this->body( 1 );
		$this->assertSame( self::REFUSED, $this->deliver( $old, $body, $this->signed( $body ) ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $new, $body, $this->signed( $body ) ) );
		foreach ( array_merge( Schema::tables(), array( $wpdb->options ) ) as $table ) {
			$this->assertStringNotContainsString( $this->key_of( $new ), serialize( $wpdb->get_results( "SELECT * FROM `$table`", ARRAY_N ) ), $table );
		}
		$this->assertStringNotContainsString( $this->key_of( $new ), serialize( array( Addresses::of( $tenant->key ), Addresses::all() ) ) );
	}

	public function test_a_proven_message_that_cannot_be_stored_is_sent_again(): void {
		$tenant = $this->signing( 'acme', 1 );
		$url    = Addresses::make( $tenant );
		$body   = $this->body( 1 );
		$fail   = static fn( string $sql ): string => str_contains( $sql, 'webhook_records' ) ? 'SELECT nothing' : $sql;
		add_filter( 'query', $fail );
		$quiet = $GLOBALS['wpdb']->suppress_errors( true );
		$log   = ini_set( 'error_log', '/dev/null' );
		$this->assertSame( array( 503, '{"ok":false}' ), $this->deliver( $url, $body, $this->signed( $body ) ) );
		ini_set( 'error_log', (string) $log );
		remove_filter( 'query', $fail );
		$GLOBALS['wpdb']->suppress_errors( $quiet );
		$this->assertSame( array(), $this->waiting( $tenant ) );
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed( $body ) ) );
		$this->assertSame( array( '1' ), $this->waiting( $tenant ), 'it is not taken for one that was there before' );
	}

	public function test_a24_no_route_tells_an_anonymous_visitor_anything(): void {
		$tenant = $this->signing( 'canary', 2 );
		$url    = Addresses::make( $tenant );
		$body   = $this->body( 1 );
		$this->deliver( $url, $body, $this->signed( $body ) );
		wp_set_current_user( 0 );
		$routes = array_filter( array_keys( rest_get_server()->get_routes() ), static fn( string $route ): bool => str_contains( $route, 'tenant-crm' ) );
		$paths  = array_map( static fn( string $route ): string => (string) preg_replace( '/\(\?P<\w+>[^)]*\)/', '1', $route ), $routes );
		$paths  = array_merge( $paths, array( '/' . Addresses::PATH, '/' . Addresses::PATH . '1', '/' . Addresses::PATH . $this->key_of( $url ), '/' . Addresses::PATH . $this->key_of( $url ) . '/1' ) );
		$this->assertGreaterThan( 6, count( $paths ) );
		foreach ( $paths as $path ) {
			foreach ( array( 'GET', 'POST', 'DELETE' ) as $method ) {
				list( $status, $text ) = $this->send( rtrim( rest_url(), '/' ) . $path, '{"tenant":"canary"}', array(), $method );
				// The namespace's own index has what is registered, and nothing of what is stored.
				$is_index = '/tenant-crm-sync/v1' === $path && 'GET' === $method;
				$this->assertContains( $status, $is_index ? array( 200 ) : array( 400, 401, 403, 404, 405 ), "$method $path" );
				$this->assertDoesNotMatchRegularExpression( '/canary|whsec|key-of|Lead/', $text, "$method $path" );
			}
		}
		$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( 'jobs' ) . " WHERE kind <> 'fetch'" ) );
	}

	public function test_more_messages_than_are_written_down_become_a_pull(): void {
		$tenant = $this->signing( 'busy', 3 );
		$url    = Addresses::make( $tenant );
		$body   = $this->body( 1 );
		while ( 0.0 === TenantCRMSync::limiter( "webhooks of tenant {$tenant->key}", 1200, 60.0, 600 )->admit() ) {
			continue;
		}
		$this->assertSame( self::ACCEPTED, $this->deliver( $url, $body, $this->signed( $body ) ) );
		$this->assertSame( array(), $this->waiting( $tenant ) );
		$this->assertSame( 'queued', Jobs::state( $tenant->key, 'pull', 'leads' ) );
	}
}
