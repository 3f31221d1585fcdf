<?php
/**
 * FAULTS part B, lines 1 to 9: how real CRM servers order, filter, page and report. Each title names its line.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

return static function ( Tests $tests, Sandbox $crm, array $cases ): void {
	$texts   = static fn( array $by_id ): array => array_map( 'strval', array_keys( $by_id ) );
	$subject = static fn( string $name, array $more = [] ): Subject => new Subject( $crm, $cases[ $name ], $more );
	/** One answer, byte for byte, instead of the CRM's. */
	$canned = static fn( Subject $subject, int $status, string $body, array $headers = [], array $more = [] ) => $subject->faults( [ $more + [ 'kind' => 'canned', 'times' => 1, 'status' => $status, 'headers' => (object) $headers, 'body_base64' => base64_encode( $body ) ] ] );
	$json   = [ 'content-type' => 'application/json' ];

	foreach ( array_keys( $cases ) as $name ) {
		$tests->test(
			"B1 250 rows of one second are 250 rows ($name)",
			static function () use ( $tests, $subject, $name, $texts ): void {
				$one = $subject( $name );
				$one->put( array_map( static fn( int $n ): array => [ 'name' => "Sekunde $n", 'updated_at' => '2026-05-05T05:05:05Z' ], range( 1, 250 ) ) );
				$got = $one->pull( watermark: '2026-05-05T05:00:00Z', options: [ 'page_size' => 40 ] );
				$tests->same_ids( 'ids', $one->ids(), $texts( $got['records'] ) );
			}
		);
		$tests->test(
			"B2 rows that change while changed rows are read are not lost ($name)",
			static function () use ( $tests, $subject, $name, $texts ): void {
				$one = $subject( $name );
				$one->put( array_map( static fn( int $n ): array => [ 'name' => "Wandert $n", 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', 1_780_000_000 + 300 * $n ) ], range( 1, 160 ) ) );
				$got = $one->pull(
					watermark: '2026-05-28T00:00:00Z',
					options: [ 'page_size' => 40 ],
					each: static function ( int $number ) use ( $one ): void {
						if ( $number <= 2 ) {
							$one->touch( 5 );
						}
					}
				);
				$next = $one->pull( watermark: $got['watermark'] );
				$tests->same_ids( 'ids', $one->ids(), $texts( $got['records'] + $next['records'] ) );
			}
		);
	}

	foreach ( [ -300, 330, 780 ] as $minutes ) {
		$tests->test(
			"B3 times are the organisation's, $minutes minutes from UTC (zoho)",
			static function () use ( $tests, $subject, $minutes, $texts ): void {
				$one  = $subject( 'zoho', [ 'options' => [ 'org_offset_minutes' => $minutes ] ] );
				$ids  = $one->put( array_map( static fn( int $n ): array => [ 'name' => "Stunde $n", 'created_at' => '2026-06-02T00:00:00Z', 'updated_at' => gmdate( 'Y-m-d\TH:i:s\Z', 1_780_272_000 + 3600 * $n ) ], range( 0, 23 ) ) );
				$full = $one->pull();
				$next = $one->pull( watermark: $full['watermark'] );
				$tests->same( 'only the newest is read again', [ $ids[23] ], $texts( $next['records'] ) );
			}
		);
	}
	$tests->test(
		'B3 times without a zone, with a blank instead of T, and changed before they were made (rest)',
		static function () use ( $tests, $subject, $texts ): void {
			$one  = $subject( 'rest', [ 'timestamps' => 'naive' ] );
			$ids  = $one->put( array_map( static fn( int $n ): array => [ 'name' => "Stunde $n", 'created_at' => '2030-01-01 00:00:00', 'updated_at' => gmdate( 'Y-m-d H:i:s', 1_780_272_000 + 7200 * $n ) ], range( 0, 11 ) ) );
			$full = $one->pull();
			$tests->same_ids( 'all', $ids, $texts( $full['records'] ) );
			$next = $one->pull( watermark: $full['watermark'] );
			$tests->same( 'only the newest is read again', [ $ids[11] ], $texts( $next['records'] ) );
		}
	);

	$tests->test(
		'B4 rows without a time of a change are read in full, and have it from their first update on',
		static function () use ( $tests, $subject, $texts ): void {
			$one = $subject( 'rest' );
			$ids = $one->put( [ [ 'name' => 'Nie geändert', 'updated_at' => null ], [ 'name' => 'Geändert', 'updated_at' => '2026-05-05T05:05:05Z' ] ] );
			$full = $one->pull();
			$tests->same_ids( 'both', $ids, $texts( $full['records'] ) );
			$one->touch( 1 );
			$next = $one->pull( watermark: $full['watermark'] );
			$tests->yes( 'the first', isset( $next['records'][ $ids[0] ] ), $texts( $next['records'] ) );
		}
	);

	$tests->test(
		'B5 a CRM that ignores the filter gives every row: that is noticed and nothing is lost',
		static function () use ( $tests, $subject, $canned, $json ): void {
			$one  = $subject( 'rest' );
			$rows = array_map( static fn( int $n ): array => [ 'id' => $n, 'name' => "Alt $n", 'updated_at' => '2020-01-01T00:00:00Z' ], range( 1, 30 ) );
			$canned( $one, 200, (string) json_encode( [ 'data' => $rows ] ), $json );
			$unasked = 0;
			$got     = $one->pull( watermark: '2026-01-01T00:00:00Z', each: static function ( int $number, $batch ) use ( &$unasked ): void {
				$unasked += $batch->stats()['unasked'] ?? 0;
			} );
			$tests->same( 'all are delivered', 30, $got['read'] );
			$tests->same( 'and told as not asked for', 30, $unasked );
			$after = $one->pull( watermark: $got['watermark'] );
			$tests->yes( 'the watermark does not fall back', str_contains( $one->requests()[1]['query'] ?? '', '2026-' ) || str_contains( $one->requests()[0]['query'] ?? '', '2026-' ), $after['watermark'] );
		}
	);

	$tests->test(
		'B6 an empty page is 204, 304 or 404, and no row of it is deleted',
		static function () use ( $tests, $subject, $canned ): void {
			$zoho = $subject( 'zoho' );
			$tests->same( '204', [], $zoho->pull()['records'] );
			$tests->same( '404', [], $subject( 'dolibarr' )->pull()['records'] );
			$zoho->seed( 3 );
			$full = $zoho->pull();
			$tests->same( '304', [], $zoho->pull( watermark: '2039-01-01T00:00:00Z' )['records'] );
			$tests->yes( 'the watermark is kept', '' !== $full['watermark'] );
			$mark = null;
			$tests->same( 'none is deleted', [], $zoho->pull_deleted( $mark ) );
		}
	);

	$tests->test(
		'B7 a converted lead leaves every list, and is not told as deleted (zoho)',
		static function () use ( $tests, $subject, $texts ): void {
			$one = $subject( 'zoho', [ 'options' => [ 'hide_converted' => true ] ] );
			$ids = $one->put( [ [ 'name' => 'Bleibt', 'status' => 'new' ], [ 'name' => 'Wird Kunde', 'status' => 'converted' ] ] );
			$tests->same( 'listed', [ $ids[0] ], $texts( $one->pull()['records'] ) );
			$mark = null;
			$tests->same( 'deleted', [], $one->pull_deleted( $mark ) );
			$tests->same( 'there all the same', 'Wird Kunde', $one->sync()->get_record( 'leads', $ids[1] )['name'] ?? null );
		}
	);
	$tests->test(
		'B7 an archived lead leaves the list and exists (pipedrive)',
		static function () use ( $tests, $subject, $texts ): void {
			$one = $subject( 'pipedrive' );
			$ids = $one->put( [ [ 'name' => 'Bleibt' ], [ 'name' => 'Im Archiv', 'is_archived' => true ] ] );
			$tests->same( 'listed', [ $ids[0] ], $texts( $one->pull()['records'] ) );
			$tests->same( 'there all the same', 'Im Archiv', $one->sync()->get_record( 'leads', $ids[1] )['name'] ?? null );
		}
	);

	foreach ( array_keys( $cases ) as $name ) {
		$tests->test(
			"B8 a page that is cut in silence is not the last ($name)",
			static function () use ( $tests, $subject, $name ): void {
				$one = $subject( $name, [ 'max_per_page' => 60 ] );
				$one->seed( 230 );
				// EspoCRM cuts nothing, it refuses, and says so.
				$size = 'espocrm' === $name ? 60 : 1000;
				$tests->same( 'rows', 230, count( $one->pull( options: [ 'page_size' => $size ] )['records'] ) );
				$tests->same( 'changed rows', 230, count( $one->pull( watermark: '2000-01-01T00:00:00Z', options: [ 'page_size' => $size ] )['records'] ) );
			}
		);
	}

	$tests->test(
		'B9 200 with success:false is a failure (pipedrive)',
		static function () use ( $tests, $subject, $canned, $json ): void {
			$one  = $subject( 'pipedrive' );
			$sync = $one->sync();
			$canned( $one, 200, '{"success":false,"error":"Something is wrong"}', $json );
			$tests->same( 'get', false, $sync->get_record( 'contacts', '1' ) );
			$tests->yes( 'its own words', str_contains( $sync->last_error()['message'] ?? '', 'Something is wrong' ), $sync->last_error() );
		}
	);
	$tests->test(
		'B9 403 is a quota that is used up (salesforce), or a server that is blocked (pipedrive)',
		static function () use ( $tests, $subject, $canned, $json ): void {
			$one  = $subject( 'salesforce' );
			$sync = $one->sync();
			$canned( $one, 403, '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]', $json );
			$tests->same( 'get', false, $sync->get_record( 'leads', '00Q000000000001AAA' ) );
			$tests->same( 'reason', 'quota', $sync->last_error()['reason'] ?? null );
			$one  = $subject( 'pipedrive' );
			$sync = $one->sync( [ 'timeout' => 2 ] );
			$canned( $one, 403, '<!DOCTYPE html><html><title>Access denied</title></html>', [ 'content-type' => 'text/html' ], [ 'times' => null ] );
			$tests->same( 'get', false, $sync->get_record( 'contacts', '1' ) );
			$tests->same( 'reason', 'rate_limited', $sync->last_error()['reason'] ?? null );
		}
	);
	$tests->test(
		'B9 300 is an upsert that several records match (salesforce)',
		static function () use ( $tests, $subject, $canned, $json ): void {
			$one  = $subject( 'salesforce' );
			$sync = $one->sync();
			$canned( $one, 300, '["/services/data/v62.0/sobjects/Lead/00Q000000000001AAA","/services/data/v62.0/sobjects/Lead/00Q000000000002AAA"]', $json );
			$tests->same( 'upsert', false, $sync->upsert_record( 'leads', 'email', [ 'email' => 'a@example.test', 'name' => 'A' ] ) );
			$tests->same( 'reason', 'conflict', $sync->last_error()['reason'] ?? null );
		}
	);
	$tests->test(
		'B9 500 with a page of HTML is a failure in few words',
		static function () use ( $tests, $subject, $canned ): void {
			$one  = $subject( 'hubspot' );
			$sync = $one->sync( [ 'timeout' => 2 ] );
			$canned( $one, 500, '<html>' . str_repeat( '<p>at com.example.Crm.run(Crm.java:1)</p>', 5000 ), [ 'content-type' => 'text/html' ], [ 'times' => null ] );
			$tests->same( 'get', false, $sync->get_record( 'leads', '1' ) );
			$tests->same( 'reason', 'transient', $sync->last_error()['reason'] ?? null );
			$tests->yes( 'words', strlen( $sync->last_error()['message'] ) < 300, $sync->last_error()['message'] );
		}
	);
	$tests->test(
		'B9 207 has failures inside: each is told, the others are done (hubspot)',
		static function () use ( $tests, $subject ): void {
			$one     = $subject( 'hubspot' );
			$sync    = $one->sync();
			$ids     = $one->put( [ [ 'name' => 'Da Eins', 'email' => 'eins@example.test' ], [ 'name' => 'Da Zwei', 'email' => 'zwei@example.test' ] ] );
			$results = $sync->update_records( 'leads', [ [ 'id' => $ids[0], 'phone' => '1' ], [ 'id' => '987654321', 'phone' => '2' ], [ 'id' => $ids[1], 'phone' => '3' ] ] );
			$tests->same( 'done', [ true, false, true ], array_column( $results, 'ok' ) );
			$tests->same( 'phones', [ '1', '3' ], array_values( array_column( $one->truth(), 'phone' ) ) );
		}
	);
};
