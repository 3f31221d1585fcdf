<?php
/**
 * FAULTS part B, lines 10 to 17: how real CRM servers word errors, name records, limit and link. Each title names its line.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

return static function ( Tests $tests, Sandbox $crm, array $cases ): void {
	$texts   = static fn( array $by_id ): array => array_map( 'strval', array_keys( $by_id ) );
	$subject = static fn( string $name, array $more = [] ): Subject => new Subject( $crm, $cases[ $name ], $more );
	$canned  = static fn( Subject $subject, int $status, string $body, array $headers = [], ?int $times = 1 ) => $subject->faults( [ [ 'kind' => 'canned', 'times' => $times, 'status' => $status, 'headers' => (object) $headers, 'body_base64' => base64_encode( $body ) ] ] );
	$json    = [ 'content-type' => 'application/json' ];

	foreach (
		[
			'empty'         => '',
			'HTML'          => '<html><body><h1>Oops</h1>',
			'SQL'           => "SQLSTATE[42S22]: Unknown column 'x' in SELECT api_key FROM users WHERE k='{key}'",
			'a stack trace' => "Traceback (most recent call last):\n  File \"/srv/crm/app.py\", line 1, in run\n    auth={'Authorization': 'Bearer {key}'}",
			'a megabyte'    => str_repeat( '{key} ', 50_000 ),
			'bytes'         => "\xff\xfe\x00{key}\xc3",
		] as $what => $body
	) {
		$tests->test(
			"B10 an error whose body is $what shows no secret and little else",
			static function () use ( $tests, $subject, $canned, $body ): void {
				$one  = $subject( 'rest' );
				$sync = $one->sync();
				$canned( $one, 422, strtr( $body, [ '{key}' => $one->key ] ), [ 'content-type' => 'text/html' ] );
				$tests->same( 'get', false, $sync->get_record( 'leads', '1' ) );
				$error = $sync->last_error() ?? [];
				$shown = print_r( $error, true );
				$tests->yes( 'no key', ! str_contains( $shown, $one->key ), $shown );
				$tests->yes( 'bounded', strlen( $shown ) < 2000, strlen( $shown ) );
				$tests->same( 'reason', 'invalid', $error['reason'] ?? null );
			}
		);
	}

	foreach ( array_keys( $cases ) as $name ) {
		$tests->test(
			"B11 an update that changes nothing moves the time and not the fingerprint ($name)",
			static function () use ( $tests, $subject, $cases, $name ): void {
				$one  = $subject( $name );
				$sync = $one->sync();
				$made = $sync->create_record( 'leads', ( $cases[ $name ]['record'] )( 1, $one ) );
				$id   = (string) $made['id'];
				$seen = static function ( ?string $watermark ) use ( $one, $sync ): array {
					foreach ( $sync->pull( 'leads', $watermark ) as $batch ) {
						foreach ( $batch->fingerprints() as $position => $print ) {
							return [ bin2hex( $print ), $batch->updated_at()[ $position ] ];
						}
					}
					return [];
				};
				$before = $seen( null );
				// Some CRMs' times have seconds.
				usleep( 1_100_000 );
				$sync->update_record( 'leads', $id, $cases[ $name ]['same_again'] ?? [ 'name' => ( $cases[ $name ]['record'] )( 1, $one )['name'] ] );
				$after = $seen( null );
				$tests->same( 'fingerprint', $before[0] ?? 'none', $after[0] ?? null );
				$tests->yes( 'time', ( $before[1] ?? null ) !== ( $after[1] ?? null ), $after );
			}
		);
		$tests->test(
			"B12 a new record's id is known, in whatever form the CRM tells it ($name)",
			static function () use ( $tests, $subject, $cases, $name ): void {
				$one  = $subject( $name );
				$made = $one->sync()->create_record( 'leads', ( $cases[ $name ]['record'] )( 1, $one ) );
				$tests->same( 'id', $one->ids(), [ (string) ( $made['id'] ?? '' ) ] );
				$many = $one->sync()->create_records( 'leads', [ ( $cases[ $name ]['record'] )( 2, $one ) ] );
				$tests->yes( 'of a batch', in_array( (string) ( $many[0]['id'] ?? '' ), $one->ids(), true ), $many );
			}
		);
	}
	$tests->test(
		'B12 a duplicate is told as one (hubspot)',
		static function () use ( $tests, $subject, $cases ): void {
			$one    = $subject( 'hubspot' );
			$sync   = $one->sync();
			$record = ( $cases['hubspot']['record'] )( 1, $one );
			$sync->create_record( 'leads', $record );
			$tests->same( 'create', false, $sync->create_record( 'leads', $record ) );
			$tests->same( 'reason', 'duplicate', $sync->last_error()['reason'] ?? null );
		}
	);

	foreach ( [ "a/b'c", '12x474', 'per%20cent', 'a b?c#d', '9223372036854775809', 'Ünïcode', '"quoted"', '..x' ] as $id ) {
		$tests->test(
			"B13 an id like $id is one segment of the path, as it is",
			static function () use ( $tests, $subject, $id ): void {
				$one = $subject( 'rest', [ 'ids' => 'string' ] );
				$one->put( [ [ 'id' => $id, 'name' => 'Seltsam' ], [ 'id' => 'a', 'name' => 'Falsch' ] ] );
				$sync = $one->sync();
				$tests->same( 'get', 'Seltsam', $sync->get_record( 'leads', $id )['name'] ?? $sync->last_error() );
				$tests->yes( 'update', false !== $sync->update_record( 'leads', $id, [ 'name' => 'Neu' ] ), $sync->last_error() );
				$tests->same( 'the right one', 'Neu', $one->truth()[ $id ]['name'] ?? null );
				$tests->same( 'delete', true, $sync->delete_record( 'leads', $id ) );
				$tests->same( 'only that', [ 'a' ], $one->ids() );
			}
		);
	}
	$tests->test(
		'B13 an id above 2^53 keeps its digits (zoho)',
		static function () use ( $tests, $subject ): void {
			$one = $subject( 'zoho' );
			$one->seed( 2 );
			foreach ( $one->ids() as $id ) {
				$tests->yes( 'is large', strlen( $id ) > 16, $id );
				$tests->same( 'get', $id, $one->sync()->get_record( 'leads', $id )['id'] ?? null );
			}
		}
	);
	$tests->test(
		'B13 ids that differ only in case are two (salesforce)',
		static function () use ( $tests, $subject, $texts ): void {
			$one = $subject( 'salesforce' );
			$one->seed( 60 );
			$ids = $texts( $one->pull( options: [ 'page_size' => 7 ] )['records'] );
			$tests->same_ids( 'ids', $one->ids(), $ids );
			// The last three tell cases apart for those who cannot.
			$short = array_map( static fn( string $id ): string => strtolower( substr( $id, 0, 15 ) ), $ids );
			$tests->yes( 'some differ only in case', count( array_unique( $short ) ) < count( $ids ), array_slice( $ids, 0, 4 ) );
		}
	);

	$tests->test(
		'B14 a redirect that would turn a create into a read is a failure',
		static function () use ( $tests, $subject ): void {
			$one  = $subject( 'rest' );
			$sync = $one->sync();
			$one->faults( [ [ 'kind' => 'redirect', 'status' => 301, 'location' => '/api/v1/leads/', 'times' => 1, 'method' => 'POST' ] ] );
			$made = $sync->create_record( 'leads', [ 'name' => 'Umgeleitet' ] );
			$tests->same( 'made, or refused', false !== $made, 1 === count( $one->ids() ) );
		}
	);
	$tests->test(
		'B14 a plus sign in a query is %2B',
		static function () use ( $tests, $subject ): void {
			$one = $subject( 'rest' );
			$one->pull( watermark: '2026-11-01T10:00:00+05:30' );
			$query = $one->requests()[0]['query'] ?? '';
			$tests->yes( 'is encoded', str_contains( $query, '%2B05' ) && ! str_contains( $query, '+' ), $query );
		}
	);

	foreach ( [ 'hubspot', 'pipedrive', 'salesforce' ] as $name ) {
		$tests->test(
			"B15 refresh tokens that are good for one use ($name)",
			static function () use ( $tests, $subject, $cases, $crm, $name ): void {
				$oauth                                   = $cases[ $name ]['oauth'];
				$oauth['tenant']['oauth']['rotation']    = 'single_use';
				$oauth['tenant']['oauth']['expires_in']  = false;
				$one                                     = $subject( $name, $oauth['tenant'] );
				$one->seed( 2 );
				$sync = $one->sync( $oauth['settings'] );
				for ( $round = 1; $round <= 3; ++$round ) {
					$tests->same( "round $round", 2, count( $one->pull( $sync )['records'] ) );
					$crm->call( 'POST', '/oauth/expire', [ 'tenant' => $one->tenant ] );
				}
				$state = $crm->call( 'GET', "/oauth?tenant=$one->tenant" );
				$tests->same( 'refreshes', 3, $state['refreshes'] );
				$tests->same( 'refused', 0, $state['refused'] );
			}
		);
	}

	$tests->test(
		'B16 how long to wait comes as seconds, as a date, as a duration, or not at all',
		static function () use ( $tests, $subject, $canned, $json ): void {
			foreach (
				[
					[ 'rest', 429, [ 'retry-after' => '60' ], '{}', 60.0 ],
					[ 'rest', 429, [ 'retry-after' => gmdate( 'D, d M Y H:i:s', time() + 90 ) . ' GMT' ], '{}', 90.0 ],
					[ 'pipedrive', 429, [ 'x-ratelimit-reset' => '45' ], '{"success":false,"error":"request over limit"}', 45.0 ],
					[ 'hubspot', 429, [], '{"errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING","message":"slow"}', 10.0 ],
					[ 'zoho', 429, [], '{"code":"TOO_MANY_REQUESTS","status":"error"}', 10.0 ],
				] as [ $name, $status, $headers, $body, $seconds ]
			) {
				$one  = $subject( $name );
				$sync = $one->sync( [ 'timeout' => 2 ] );
				$sync->get_record( 'leads', $cases[ $name ]['unknown_id'] ?? '1' );
				$canned( $one, $status, $body, $headers + $json, null );
				$tests->same( "$name: get", false, $sync->get_record( 'leads', '5725767000000999999' ) );
				$error = $sync->last_error() ?? [];
				$tests->same( "$name: reason", 'rate_limited', $error['reason'] ?? null );
				$tests->yes( "$name: about $seconds seconds", abs( ( $error['retry_after'] ?? -100.0 ) - $seconds ) < 4, $error );
			}
		}
	);
	$tests->test(
		'B16 a quota of the day is not waited for (hubspot)',
		static function () use ( $tests, $subject, $canned, $json ): void {
			$one  = $subject( 'hubspot' );
			$sync = $one->sync();
			$canned( $one, 429, '{"errorType":"RATE_LIMIT","policyName":"DAILY","message":"enough for today"}', $json, null );
			$start = microtime( true );
			$tests->same( 'get', false, $sync->get_record( 'leads', '1' ) );
			$tests->same( 'reason', 'quota', $sync->last_error()['reason'] ?? null );
			$tests->yes( 'at once', microtime( true ) - $start < 1.0 );
			$tests->same( 'one request', 1, count( $one->requests() ) );
		}
	);

	foreach ( [ 'link', 'relative_link' ] as $paging ) {
		$tests->test(
			"B17 next links as $paging",
			static function () use ( $tests, $subject, $paging, $texts ): void {
				$one = $subject( 'rest', [ 'paging' => $paging ] );
				$one->seed( 90 );
				$tests->same_ids( 'ids', $one->ids(), $texts( $one->pull( options: [ 'page_size' => 20 ] )['records'] ) );
			}
		);
	}
	foreach (
		[
			'pipedrive'  => '{"success":true,"data":[{"id":1,"name":"Kreis"}],"additional_data":{"next_cursor":"same"}}',
			'hubspot'    => '{"results":[{"id":"1","properties":{}}],"paging":{"next":{"after":"1"}}}',
			'rest'       => '{"data":[{"id":1}],"links":{"next":"/api/v1/leads?page=2"}}',
			'dynamics'   => '{"value":[{"leadid":"1"}],"@odata.nextLink":"{url}/api/data/v9.2/leads?$skiptoken=1"}',
			'salesforce' => '{"totalSize":1,"done":true,"records":[{"Id":"00Q000000000001AAA"}]}',
		] as $name => $body
	) {
		$tests->test(
			"B17 pages that go round in a circle end ($name)",
			static function () use ( $tests, $subject, $canned, $json, $name, $body, $crm ): void {
				$one  = $subject( $name );
				$sync = $one->sync();
				$sync->get_record( 'leads', '987654321' );
				$canned( $one, 200, strtr( $body, [ '{url}' => $crm->tls ] ), $json, null );
				$words = '';
				try {
					$one->pull( $sync, object: 'pipedrive' === $name ? 'contacts' : 'leads' );
				} catch ( \TenantCRMSync\DecodeException $thrown ) {
					$words = $thrown->getMessage();
				}
				$tests->yes( 'says so', str_contains( $words, 'circle' ), $words );
				$tests->yes( 'soon', count( $one->requests() ) < 10 );
			}
		);
	}
};
