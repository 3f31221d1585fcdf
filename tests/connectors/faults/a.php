<?php
/**
 * FAULTS part A, as far as reading goes: what users of such systems complain of. Each title names its line.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

return static function ( Tests $tests, Sandbox $crm, array $cases ): void {
	$each = static function ( string $title, callable $body ) use ( $tests, $cases ): void {
		foreach ( $cases as $name => $case ) {
			$tests->test( "$title ($name)", static fn() => $body( $case ) );
		}
	};
	$texts = static fn( array $by_id ): array => array_map( 'strval', array_keys( $by_id ) );

	/** Takes one batch at a time, each in a pull of its own: as if every process died after storing one. */
	$in_pieces = static function ( Subject $subject, ?string $watermark, array $options ) use ( $tests ): array {
		$ids  = [];
		$sync = $subject->sync();
		for ( $pieces = 0; $pieces < 400; ++$pieces ) {
			foreach ( $sync->pull( 'leads', $watermark, $options ) as $batch ) {
				array_push( $ids, ...$batch->ids() );
				$watermark = $batch->watermark();
				if ( $batch->is_last() ) {
					return $ids;
				}
				break;
			}
		}
		$tests->yes( 'it ends', false );
		return $ids;
	};

	$same_time = static fn( int $count, string $time ): array => array_map( static fn( int $n ): array => [ 'name' => "Gleich $n", 'email' => "gleich.$n@example.test", 'status' => 'new', 'created_at' => $time, 'updated_at' => $time ], range( 1, $count ) );

	$each(
		'A1 5,000 rows with one time arrive, in pages of any size, whatever dies in between',
		static function ( array $case ) use ( $tests, $crm, $same_time, $in_pieces, $texts ): void {
			$subject = new Subject( $crm, $case );
			$subject->put( $same_time( 5000, '2026-03-29T01:00:00Z' ) );
			$ids = $subject->ids();
			$tests->same( 'rows', 5000, count( $ids ) );
			$tests->same_ids( 'pages of 177', $ids, $texts( $subject->pull( options: [ 'page_size' => 177 ] )['records'] ) );
			$tests->same_ids( 'pages as the CRM likes, one a process', $ids, array_values( array_unique( $in_pieces( $subject, null, [] ) ) ) );
			$tests->same_ids( 'changed since', $ids, $texts( $subject->pull( watermark: '2026-03-29T00:59:59Z' )['records'] ) );
			$tests->same_ids( 'changed since, one page a process', $ids, array_values( array_unique( $in_pieces( $subject, '2026-03-29T00:59:59Z', [ 'page_size' => 400 ] ) ) ) );
		}
	);

	$each(
		'A2 what changes while page 2 is served is in the next run',
		static function ( array $case ) use ( $tests, $crm, $texts ): void {
			$subject = new Subject( $crm, $case );
			$subject->seed( 130 );
			$changed = [];
			$full    = $subject->pull(
				options: [ 'page_size' => 50 ],
				each: static function ( int $number ) use ( $subject, &$changed ): void {
					if ( 2 === $number ) {
						$changed = $subject->touch( 3 );
					}
				}
			);
			$tests->same_ids( 'the run itself', $subject->ids(), $texts( $full['records'] ) );
			$next = $subject->pull( watermark: $full['watermark'] );
			$tests->same( 'the changed ones', [], array_values( array_diff( $changed, $texts( $next['records'] ) ) ) );
			$phones = array_column( $subject->truth(), 'phone', 'id' );
			foreach ( isset( $case['same']['phone'] ) ? $changed : [] as $id ) {
				$tests->same( "phone of $id", $phones[ $id ], $next['records'][ $id ]['phone'] );
			}
		}
	);

	$each(
		'A3 a row that becomes visible 90 seconds late, with an older time, arrives',
		static function ( array $case ) use ( $tests, $crm, $texts ): void {
			$subject = new Subject( $crm, $case );
			$at      = static fn( int $seconds ): string => gmdate( 'Y-m-d\TH:i:s\Z', 1_790_000_000 + $seconds );
			$subject->put( [ [ 'name' => 'Früh', 'updated_at' => $at( 0 ) ], [ 'name' => 'Spät', 'updated_at' => $at( 100 ) ] ] );
			$full = $subject->pull();
			$tests->same( 'what is visible', 2, count( $full['records'] ) );
			$late = $subject->put( [ [ 'name' => 'Nachzügler', 'updated_at' => $at( 10 ) ] ] );
			$next = $subject->pull( watermark: $full['watermark'] );
			$tests->same( 'the late one', [], array_values( array_diff( $late, $texts( $next['records'] ) ) ) );
		}
	);

	$tests->test(
		'A3 what HubSpot\'s search shows seconds late arrives with a later run',
		static function () use ( $tests, $crm, $cases, $texts ): void {
			$subject = new Subject( $crm, $cases['hubspot'], [ 'options' => [ 'search_lag_ms' => 1500 ] ] );
			$subject->seed( 20 );
			$full    = $subject->pull();
			$changed = $subject->touch( 4 );
			$early   = $subject->pull( watermark: $full['watermark'] );
			$tests->same( 'not yet', [], array_values( array_intersect( $changed, $texts( $early['records'] ) ) ) );
			usleep( 1_700_000 );
			$late = $subject->pull( watermark: $early['watermark'] );
			$tests->same( 'then', [], array_values( array_diff( $changed, $texts( $late['records'] ) ) ) );
		}
	);

	$each(
		'A4 as many rows as the CRM has, those of 13 years ago too, though rows go while pages are read',
		static function ( array $case ) use ( $tests, $crm, $texts ): void {
			$subject = new Subject( $crm, $case );
			$subject->put( array_map( static fn( int $n ): array => [ 'name' => "Alt $n", 'created_at' => '2013-05-06T07:08:09Z', 'updated_at' => '2013-05-06T07:08:09Z' ], range( 1, 40 ) ) );
			$subject->seed( 210 );
			$tests->same( 'all of them', 250, count( $subject->pull()['records'] ) );
			$rows = array_values( $subject->truth() );
			$got  = $subject->pull(
				options: [ 'page_size' => 50 ],
				each: static function ( int $number ) use ( $subject, $rows ): void {
					if ( 1 === $number ) {
						$subject->remove( array_column( array_slice( $rows, 0, 9 ), 'id' ) );
					}
				}
			);
			$tests->same( 'none that is still there is passed over', [], array_values( array_diff( $subject->ids(), $texts( $got['records'] ) ) ) );
		}
	);

	$tests->test(
		'A5 25,001 changed rows of HubSpot, whose search ends at 10,000',
		static function () use ( $tests, $crm, $cases, $same_time, $texts ): void {
			$subject = new Subject( $crm, $cases['hubspot'] );
			foreach ( range( 1, 5 ) as $part ) {
				$rows = $same_time( 5 === $part ? 5001 : 5000, '2026-10-01T10:00:00Z' );
				$subject->put( array_map( static fn( array $row ): array => [ 'email' => "$part." . $row['email'] ] + $row, $rows ) );
			}
			$got = $subject->pull( watermark: '2026-10-01T09:00:00Z' );
			$tests->same( 'each once', 25_001, $got['read'] );
			$tests->same_ids( 'ids', $subject->ids(), $texts( $got['records'] ) );
			$searches = array_filter( $subject->requests(), static fn( $one ) => str_ends_with( $one['path'], '/search' ) );
			$tests->same( 'by search alone', true, count( $searches ) >= 126 );
		}
	);

	$each(
		'A6 the site is in UTC+13, and a zone changes its clocks: what changed after a time is read, what changed before is not',
		static function ( array $case ) use ( $tests, $crm, $texts ): void {
			$zone = date_default_timezone_get();
			date_default_timezone_set( 'Pacific/Apia' );
			try {
				// The night in which Europe's clocks go back: 00:30 to 02:20 UTC, every ten minutes.
				$rows = [];
				foreach ( range( 0, 11 ) as $n ) {
					$time   = gmdate( 'Y-m-d\TH:i:s\Z', 1_761_438_600 + 600 * $n );
					$rows[] = [ 'name' => "Nacht $n", 'created_at' => $time, 'updated_at' => $time ];
				}
				$subject = new Subject( $crm, $case );
				$ids     = $subject->put( $rows );
				// Some filters are "later than".
				$got = $subject->pull( watermark: gmdate( 'Y-m-d\TH:i:s\Z', strtotime( $rows[6]['updated_at'] ) - 1 ) );
				$tests->same( 'none of the later ones is missed', [], array_values( array_diff( array_slice( $ids, 6 ), $texts( $got['records'] ) ) ) );
				$full = $subject->pull();
				$next = $subject->pull( watermark: $full['watermark'] );
				$tests->same( 'the newest is in the overlap', [], array_values( array_diff( [ $ids[11] ], $texts( $next['records'] ) ) ) );
				if ( null === $subject->cannot( 'since' ) ) {
					$early = array_slice( $ids, 0, $case['clock'] ?? 5 );
					$tests->same( 'none of the earlier ones is read', [], array_values( array_intersect( $early, $texts( $next['records'] ) ) ) );
				}
				foreach ( $full['records'] as $id => $record ) {
					$made = $subject->truth()[ $id ]['created_at'];
					$tests->same( "created_at of $id is the same moment", strtotime( $made ), strtotime( (string) $record['created_at'] ) );
				}
			} finally {
				date_default_timezone_set( $zone );
			}
		}
	);

	foreach ( [ 'hubspot', 'salesforce', 'zoho', 'odoo' ] as $name ) {
		$tests->test(
			"A25 900 fields are read in parts and put together ($name)",
			static function () use ( $tests, $crm, $cases, $name ): void {
				$case   = $cases[ $name ];
				$custom = array_map( static fn( int $n ): string => sprintf( $case['custom_field'] ?? 'property_number_%03d', $n ), range( 1, 900 ) );
				$subject = new Subject( $crm, $case, [ 'custom_fields' => $custom ] );
				$subject->put( array_map( static fn( int $n ): array => [ 'name' => "Breit $n" ] + array_map( static fn( string $field ): string => "$field of $n", array_combine( $custom, $custom ) ), range( 1, 12 ) ) );
				$mapping = [ 'leads' => array_combine( array_map( 'strtolower', $custom ), $custom ) ];
				$got     = $subject->pull( $subject->sync( [ 'mapping' => $mapping ] ), options: [ 'page_size' => 5 ] );
				$tests->same_ids( 'rows', $subject->ids(), array_map( 'strval', array_keys( $got['records'] ) ) );
				foreach ( $got['records'] as $id => $record ) {
					$row    = $subject->truth()[ $id ];
					$wrong  = array_filter( $custom, static fn( string $field ): bool => ( $record[ strtolower( $field ) ] ?? null ) !== $row[ $field ] );
					$tests->same( "fields of $id that are missing or wrong", [], array_values( $wrong ) );
					$tests->same( "name of $id", $row['name'], $record['name'] );
				}
				foreach ( $subject->requests() as $request ) {
					$tests->yes( 'no address is too long', strlen( $request['path'] . $request['query'] ) < 8000, strlen( $request['query'] ) );
				}
			}
		);
	}

	foreach ( [ 'dynamics', 'suitecrm' ] as $name ) {
		$tests->test(
			"A25 more fields than one request can name are refused in plain words where nothing is read by id ($name)",
			static function () use ( $tests, $crm, $cases, $name ): void {
				$custom  = array_map( static fn( int $n ): string => sprintf( 'property_number_%03d', $n ), range( 1, 900 ) );
				$subject = new Subject( $crm, $cases[ $name ], [ 'custom_fields' => $custom ] );
				$subject->seed( 3 );
				$words = '';
				try {
					$subject->pull( $subject->sync( [ 'mapping' => [ 'leads' => array_combine( $custom, $custom ) ] ] ) );
				} catch ( \TenantCRMSync\ConfigException $thrown ) {
					$words = $thrown->getMessage();
				}
				$tests->yes( 'says what to do', str_contains( $words, 'map fewer' ), $words );
			}
		);
	}

	$tests->test(
		'A25 a field that is new while the CRM is read arrives with the next run',
		static function () use ( $tests, $crm, $cases ): void {
			$subject = new Subject( $crm, $cases['hubspot'] );
			$subject->seed( 120 );
			$sync = $subject->sync( [ 'mapping' => [ 'leads' => [ 'shoe_size' => 'shoe_size' ] ] ] );
			$id   = '';
			$full = $subject->pull(
				$sync,
				options: [ 'page_size' => 50 ],
				each: static function ( int $number ) use ( $subject, $crm, &$id ): void {
					if ( 1 === $number ) {
						$crm->tenant( $subject->tenant, $subject->key, [ 'custom_fields' => [ 'shoe_size' ] ] );
						$id = $subject->put( [ [ 'name' => 'Mit Feld', 'shoe_size' => '44' ] ] )[0];
					}
				}
			);
			$tests->same( 'nothing is dropped', [], $full['refused'] );
			$next = $subject->pull( $sync, $full['watermark'] );
			$tests->same( 'the field', '44', $next['records'][ $id ]['shoe_size'] ?? null );
			$tests->same( 'all rows', 121, count( $full['records'] + $next['records'] ) );
		}
	);
};
