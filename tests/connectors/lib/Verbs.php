<?php
/**
 * What is tested of every connector: the reads and writes, and what happens if something is wrong. Where a CRM cannot do one, that
 * it says why and that the refusal is plain. What is particular to a CRM is in cases/.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Connectors;

use TenantCRM\Tests\Sandbox;

final class Verbs {

	/** More than two pages of a small size. */
	private const ROWS = 130;
	private const PAGE = 50;

	/** @param array<string, mixed> $case */
	public function __construct( private Tests $tests, private Sandbox $crm, private array $case ) {}

	public function run(): void {
		foreach ( [ 'full_pull', 'other_objects', 'incremental_pull', 'get', 'named', 'create', 'update', 'delete', 'upsert', 'batches', 'bad_record', 'deleted', 'rate_limit', 'expired_token', 'bad_key', 'wrong_tenant', 'describe', 'probe', 'other_ways' ] as $name ) {
			$this->tests->test( str_replace( '_', ' ', $name ), $this->$name( ... ) );
		}
	}

	/** @param array<string, mixed> $more */
	private function subject( array $more = [] ): Subject {
		return new Subject( $this->crm, $this->case, $more );
	}

	private function full_pull(): void {
		$subject = $this->subject();
		$got     = $subject->pull();
		$this->tests->same( 'an empty CRM has no rows', [], $got['records'] );
		$subject->seed( self::ROWS );
		$got   = $subject->pull( options: [ 'page_size' => self::PAGE ] );
		$truth = $subject->truth();
		$this->tests->same_ids( 'ids', self::texts( $truth ), self::texts( $got['records'] ) );
		$this->tests->same( 'each once', self::ROWS, $got['read'] );
		$this->tests->same( 'none refused', [], $got['refused'] );
		$this->tests->yes( 'in pages', $got['batches'] >= 3, $got['batches'] );
		foreach ( $truth as $id => $row ) {
			$record = $got['records'][ $id ] ?? [];
			foreach ( $this->case['same'] as $name => $field ) {
				$this->tests->same( "$name of $id", self::plain( $row[ $field ] ?? null ), self::plain( $record[ $name ] ?? null ) );
			}
			$made = $record['created_at'] ?? null;
			$this->tests->yes( "created_at of $id is a time in UTC", is_string( $made ) && str_ends_with( $made, 'Z' ) && false !== strtotime( $made ), $made );
		}
	}

	private function other_objects(): void {
		foreach ( [ 'contacts', 'companies', 'deals', 'tickets' ] as $object ) {
			$subject = $this->subject();
			$why     = $subject->cannot( 'full', $object );
			if ( null !== $why ) {
				$this->refuses( 'full', $why, fn() => $subject->pull( object: $object ) );
				continue;
			}
			$subject->seed( 20, $object );
			$got = $subject->pull( object: $object, options: [ 'page_size' => 8 ] );
			$this->tests->same_ids( $object, $subject->ids( $object ), self::texts( $got['records'] ) );
			foreach ( $subject->truth( $object ) as $id => $row ) {
				$this->tests->same( "name of $object/$id", self::plain( $row['name'] ), self::plain( $got['records'][ $id ]['name'] ?? null ) );
			}
		}
	}

	private function incremental_pull(): void {
		$subject = $this->subject();
		$subject->seed( self::ROWS );
		$full = $subject->pull();
		$why  = $subject->cannot( 'since' );
		// Rows of the seeding are years old: the overlap reads none of them but the newest again.
		$changed = $subject->touch( 7 );
		$changed = array_merge( $changed, $subject->put( [ [ 'name' => 'Neu Hier', 'email' => 'neu@example.test', 'status' => 'new' ] ] ) );
		$news    = $subject->pull( watermark: $full['watermark'] );
		$this->tests->same( 'nothing is missed', [], array_values( array_diff( $changed, self::texts( $news['records'] ) ) ) );
		if ( null === $why ) {
			$this->tests->yes( 'hardly anything is read again', count( $news['records'] ) <= 12, count( $news['records'] ) );
			$again = $subject->pull( watermark: $news['watermark'] );
			$this->tests->same( 'then only what the overlap covers', [], array_values( array_diff( self::texts( $again['records'] ), $changed ) ) );
		} else {
			$this->tests->yes( 'says why all is read', strlen( $why ) > 10, $why );
		}
	}

	private function get(): void {
		$subject = $this->subject();
		$subject->seed( 3 );
		$sync   = $subject->sync();
		$pulled = $subject->pull()['records'];
		foreach ( $pulled as $id => $record ) {
			$this->tests->same( "record $id is the one of a pull", $record, $sync->get_record( 'leads', (string) $id ) );
		}
		$this->tests->same( 'none of an unknown id', false, $sync->get_record( 'leads', $this->case['unknown_id'] ) );
		$this->tests->same( 'reason', 'missing', $sync->last_error()['reason'] ?? null );
	}

	private function named(): void {
		$subject = $this->subject();
		$subject->seed( 12 );
		$prints = [];
		$pulled = $subject->pull( each: static function ( int $number, \TenantCRMSync\Batch $batch ) use ( &$prints ): void {
			$prints += array_combine( $batch->ids(), array_map( null, $batch->fingerprints(), array_map( $batch->snapshot( ... ), array_keys( $batch->ids() ) ) ) );
		} );
		$ids    = array_slice( self::texts( $pulled['records'] ), 2, 3 );
		$found  = [];
		$subject->requests();
		$got    = $subject->pull( options: [ 'ids' => [ ...$ids, $this->case['unknown_id'], $ids[0] ] ], each: static function ( int $number, \TenantCRMSync\Batch $batch ) use ( &$found ): void {
			$found += array_combine( $batch->ids(), array_map( null, $batch->fingerprints(), array_map( $batch->snapshot( ... ), array_keys( $batch->ids() ) ) ) );
		} );
		$this->tests->same_ids( 'those that are named, and of an unknown one nothing', $ids, self::texts( $got['records'] ) );
		$this->tests->same( 'none is refused', [], $got['refused'] );
		foreach ( $ids as $id ) {
			$this->tests->same( "record $id is the one of a pull", $pulled['records'][ $id ], $got['records'][ $id ] );
			$this->tests->same( "fingerprint and snapshot of $id, too", $prints[ $id ], $found[ $id ] );
		}
		$asked = count( array_filter( $subject->requests(), static fn( $one ) => ! str_contains( $one['path'], 'token' ) ) );
		// What is not there may make the CRM refuse them all: then they are asked for one by one.
		$this->tests->yes( 'in few requests', $asked <= 5, $asked );
	}

	private function create(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$made    = $sync->create_record( 'leads', $this->record( $subject, 1 ) );
		$this->tests->yes( 'is made', is_array( $made ), $sync->last_error() );
		$id = (string) ( is_array( $made ) ? $made['id'] ?? '' : '' );
		$this->tests->same( 'the id is the CRM\'s', $subject->ids(), [ $id ] );
		$this->same_fields( $subject, $id, $this->record( $subject, 1 ) );
	}

	private function update(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$id      = $this->made( $subject, $sync, 1 );
		$done    = $sync->update_record( 'leads', $id, $this->case['change'] );
		$this->tests->yes( 'is changed', false !== $done, $sync->last_error() );
		$this->same_fields( $subject, $id, $this->case['change'] + $this->record( $subject, 1 ) );
		$this->tests->same( 'still one', [ $id ], $subject->ids() );
		$this->tests->same( 'an unknown one is not made', false, $sync->update_record( 'leads', $this->case['unknown_id'], $this->case['change'] ) );
		$this->tests->same( 'reason', 'missing', $sync->last_error()['reason'] ?? null );
		$this->tests->same( 'none was made', [ $id ], $subject->ids() );
	}

	private function delete(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$id      = $this->made( $subject, $sync, 1 );
		$this->tests->same( 'is deleted', true, $sync->delete_record( 'leads', $id ) );
		$this->tests->same( 'is gone', [], $subject->ids() );
		$this->tests->same( 'once more is as good', true, $sync->delete_record( 'leads', $id ) );
		$this->tests->same( 'cannot be read', false, $sync->get_record( 'leads', $id ) );
	}

	private function upsert(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$record  = $this->record( $subject, 1 );
		$why     = $subject->cannot( 'upsert' );
		$key     = $this->case['upsert_by'] ?? 'email';
		if ( null !== $why ) {
			$this->refuses( 'upsert', $why, static fn() => $sync->upsert_record( 'leads', $key, $record ), $sync );
			return;
		}
		$first = $sync->upsert_record( 'leads', $key, $record );
		$this->tests->yes( 'is made', false !== $first, $sync->last_error() );
		$second = $sync->upsert_record( 'leads', $key, $this->case['change'] + $record );
		$this->tests->yes( 'is changed', false !== $second, $sync->last_error() );
		$this->tests->same( 'is one', 1, count( $subject->ids() ) );
		$this->same_fields( $subject, $subject->ids()[0] ?? '', $this->case['change'] + $record );
	}

	private function batches(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$records = array_map( fn( $number ) => $this->record( $subject, $number ), range( 1, 12 ) );
		$results = $sync->create_records( 'leads', $records );
		$this->tests->same( 'all are made', [ true ], array_values( array_unique( array_column( $results, 'ok' ) ) ) );
		$ids = array_map( 'strval', array_column( $results, 'id' ) );
		$this->tests->same_ids( 'ids', $subject->ids(), $ids );
		foreach ( $ids as $position => $id ) {
			$this->same_fields( $subject, $id, $records[ $position ] );
		}
		$changes = array_map( fn( $id ) => [ 'id' => $id ] + $this->case['change'], $ids );
		$results = $sync->update_records( 'leads', $changes );
		$this->tests->same( 'all are changed', [ true ], array_values( array_unique( array_column( $results, 'ok' ) ) ) );
		$this->same_fields( $subject, $ids[11] ?? '', $this->case['change'] );
		$results = $sync->delete_records( 'leads', array_slice( $ids, 0, 5 ) );
		$this->tests->same( 'all are deleted', array_fill( 0, 5, true ), array_column( $results, 'ok' ) );
		$this->tests->same_ids( 'others stay', array_slice( $ids, 5 ), $subject->ids() );
		$results = $sync->delete_records( 'leads', array_slice( $ids, 4, 3 ) );
		$this->tests->same( 'one that was gone before is no failure', array_fill( 0, 3, true ), array_column( $results, 'ok' ) );
		$this->tests->same( 'and holds up no other', 5, count( $subject->ids() ) );
	}

	private function bad_record(): void {
		$subject    = $this->subject();
		$sync       = $subject->sync();
		$records    = array_map( fn( $number ) => $this->record( $subject, $number ), range( 1, 10 ) );
		$records[6] = $this->case['bad_record'] + $records[6];
		$results    = $sync->create_records( 'leads', $records );
		$this->tests->same( 'one of ten is refused', [ 6 ], array_keys( array_filter( $results, static fn( $result ) => ! $result['ok'] ) ) );
		$this->tests->same( 'the others are there', 9, count( $subject->ids() ) );
		$this->tests->one_of( 'reason', [ 'invalid', 'duplicate', 'conflict', 'failed' ], $results[6]['reason'] ?? null );
		$this->tests->yes( 'in plain words', is_string( $results[6]['message'] ?? null ) && strlen( $results[6]['message'] ) > 5, $results[6] ?? null );
	}

	private function deleted(): void {
		$subject = $this->subject();
		$object  = $this->case['deleted_object'] ?? 'leads';
		$why     = $subject->cannot( 'deleted', $object );
		$mark    = null;
		if ( null !== $why ) {
			$this->refuses( 'deleted', $why, static fn() => $subject->pull_deleted( $mark, $object ) );
			return;
		}
		$subject->seed( 12, $object );
		$before = $subject->truth( $object );
		$none   = $subject->pull_deleted( $mark, $object );
		$this->tests->same( 'none yet', [], $none );
		$gone = array_slice( array_values( $before ), 3, 4 );
		$subject->remove( array_column( $gone, 'id' ), $object );
		$found = $subject->pull_deleted( $mark, $object );
		$this->tests->same_ids( 'the deleted ones', array_map( 'strval', array_column( $gone, 'id' ) ), $found );
	}

	private function rate_limit(): void {
		$subject = $this->subject();
		$subject->seed( self::ROWS );
		$sync = $subject->sync( [ 'timeout' => 5 ] );
		// The token is got before the limit holds.
		$sync->get_record( 'leads', $subject->ids()[0] );
		$subject->behaviour( [ 'limit' => [ 'requests' => 1, 'per_ms' => 3_600_000, 'retry_after' => 'seconds' ] ] );
		$sync->get_record( 'leads', $subject->ids()[0] );
		$this->tests->same( 'is refused', false, $sync->get_record( 'leads', $subject->ids()[0] ) );
		$this->tests->one_of( 'reason', [ 'rate_limited', 'quota' ], $sync->last_error()['reason'] ?? null );
		$this->tests->same( 'kind', 'rate_limited', $sync->last_error()['kind'] ?? null );
		try {
			$subject->pull( $sync, options: [ 'page_size' => self::PAGE ] );
			$this->tests->yes( 'a pull says so', false );
		} catch ( \TenantCRMSync\RateLimitException $thrown ) {
			$this->tests->yes( 'a pull says so, and for how long', null === $thrown->retry_after || $thrown->retry_after >= 0 );
		}
		$subject->behaviour( [ 'limit' => null ] );
		$subject->requests();
		// Nobody asks before the time that the CRM has named, unless it is so short that it is waited for.
		$record = $sync->get_record( 'leads', $subject->ids()[0] );
		$sent   = count( $subject->requests() );
		$until  = $sync->last_error()['retry_after'] ?? 0.0;
		$this->tests->yes( 'the CRM is left alone until then', false === $record ? 0 === $sent && $until > 0.0 : 1 === $sent );
		$other = $this->subject();
		$other->seed( self::ROWS );
		$this->tests->same( 'nobody else waits for that', self::ROWS, count( $other->pull()['records'] ) );
	}

	private function expired_token(): void {
		$oauth = $this->case['oauth'] ?? null;
		if ( null === $oauth ) {
			$methods = array_column( $this->subject()->known()['auth'], 'oauth2' );
			$this->tests->same( 'no way of authorisation has tokens that expire', [], array_values( array_filter( $methods ) ) );
			return;
		}
		$subject = $this->subject( $oauth['tenant'] ?? [] );
		$subject->seed( self::ROWS );
		$sync = $subject->sync( $oauth['settings'] ?? [] );
		$this->tests->yes( 'the first token is good', false !== $sync->get_record( 'leads', $subject->ids()[0] ), $sync->last_error() );
		$this->crm->call( 'POST', '/oauth/expire', [ 'tenant' => $subject->tenant ] );
		$this->tests->yes( 'a second one is got', false !== $sync->get_record( 'leads', $subject->ids()[0] ), $sync->last_error() );
		$renewals = fn(): int => $this->crm->call( 'GET', "/oauth?tenant=$subject->tenant" )['issued'];
		$this->tests->same( 'two tokens so far', 2, $renewals() );
		$got = $subject->pull(
			$sync,
			options: [ 'page_size' => self::PAGE ],
			each: function ( int $number ) use ( $subject ): void {
				if ( 1 === $number ) {
					$this->crm->call( 'POST', '/oauth/expire', [ 'tenant' => $subject->tenant ] );
				}
			}
		);
		$this->tests->same( 'a pull goes on with a third', self::ROWS, count( $got['records'] ) );
		$this->tests->same( 'three in all', 3, $renewals() );
	}

	private function bad_key(): void {
		$subject = $this->subject();
		$subject->seed( 3 );
		$sync = $subject->sync( $this->case['bad_settings'] );
		$this->tests->same( 'is refused', false, $sync->get_record( 'leads', $subject->ids()[0] ) );
		$error = $sync->last_error() ?? [];
		$this->tests->yes( 'as a matter of the credential', in_array( $error['reason'] ?? '', [ 'unauthorized', 'expired' ], true ) || 'credential' === ( $error['kind'] ?? '' ), $error );
		$this->tests->yes( 'the key is not told', ! str_contains( json_encode( $error, JSON_THROW_ON_ERROR ), 'wr0ng' ), $error );
		$this->refuses( 'a pull', '', fn() => $subject->pull( $sync ) );
	}

	private function wrong_tenant(): void {
		$ours   = $this->subject();
		$theirs = $this->subject();
		$ours->put( [ [ 'name' => 'Unser Kunde', 'email' => 'unser@example.test', 'status' => 'new' ] ] );
		$theirs->seed( 30 );
		$got = $ours->pull();
		$this->tests->same( 'only our rows', [ 'Unser Kunde' ], array_column( $got['records'], 'name' ) );
		$last = $theirs->ids()[29];
		$sync = $ours->sync();
		$this->tests->same( 'their records are not there for us', false, $sync->get_record( 'leads', $last ) );
		$this->tests->same( 'reason', 'missing', $sync->last_error()['reason'] ?? null );
		$sync->update_record( 'leads', $last, $this->case['change'] );
		$sync->delete_record( 'leads', $last );
		$this->tests->same( 'and are not touched', 30, count( $theirs->ids() ) );
		$secrets = array_filter( $ours->known()['fields'], static fn( array $field ): bool => $field['secret'] );
		$field   = (string) array_key_first( array_intersect_key( $ours->settings(), $secrets ) );
		$seal    = fn( Subject $for ): string => \TenantCRMSync::encrypt_credential( $for->tenant, $ours->settings()[ $field ], $field, $this->crm->tls );
		$this->tests->same( "our sealed $field opens for us", 1, count( $ours->pull( $ours->sync( [ $field => $seal( $ours ) ] ) )['records'] ) );
		$sync = $ours->sync( [ $field => $seal( $theirs ) ] );
		$this->tests->same( 'one that is sealed for another tenant does not', false, $sync->get_record( 'leads', $ours->ids()[0] ) );
		$this->tests->same( 'kind', 'credential', $sync->last_error()['kind'] ?? null );
	}

	private function describe(): void {
		$subject = $this->subject();
		$sync    = $subject->sync();
		$why     = $subject->cannot( 'fields' );
		if ( null !== $why ) {
			$this->refuses( 'describe', $why, static fn() => $sync->describe( 'leads' ), $sync );
			return;
		}
		$fields = $sync->describe( 'leads' );
		$this->tests->yes( 'fields are told', is_array( $fields ), $sync->last_error() );
		$names = array_column( is_array( $fields ) ? $fields : [], 'name' );
		$this->tests->same( 'with their names', [], array_values( array_diff( $this->case['described'], $names ) ) );
	}

	private function probe(): void {
		$good = $this->subject()->sync()->test_connection();
		$this->tests->same( 'a good connection', true, $good['ok'] ?? null );
		$bad = $this->subject()->sync( $this->case['bad_settings'] )->test_connection();
		$this->tests->same( 'a bad key', false, $bad['ok'] ?? null );
		$this->tests->yes( 'in plain words', strlen( (string) ( $bad['message'] ?? '' ) ) > 10, $bad );
	}

	/** Other ways of authorisation, other versions of the API. */
	private function other_ways(): void {
		foreach ( $this->case['ways'] ?? [] as $title => $way ) {
			$subject = $this->subject( $way['tenant'] ?? [] );
			$subject->seed( 5 );
			$sync = $subject->sync( $way['settings'] );
			$got  = $subject->pull( $sync );
			$this->tests->same_ids( "$title: rows", $subject->ids(), self::texts( $got['records'] ) );
			$this->tests->yes( "$title: a new record", is_array( $sync->create_record( 'leads', $this->record( $subject, 1 ) ) ), $sync->last_error() );
			$changed = $subject->pull( $sync, '2026-01-01T00:00:00Z' );
			$this->tests->yes( "$title: what changed", count( $changed['records'] ) >= 1 );
			$this->tests->same( "$title: it can be tried", true, $sync->test_connection()['ok'] );
			if ( null === $subject->cannot( 'fields' ) ) {
				$this->tests->yes( "$title: fields", is_array( $sync->describe( 'leads' ) ), $sync->last_error() );
			}
		}
	}

	// ------------------------------------------------------------------------------------------------------ what they share

	/** A new record's neutral fields. @return array<string, mixed> */
	private function record( Subject $subject, int $number ): array {
		return ( $this->case['record'] )( $number, $subject );
	}

	private function made( Subject $subject, \TenantCRMSync $sync, int $number ): string {
		$made = $sync->create_record( 'leads', $this->record( $subject, $number ) );
		if ( ! is_array( $made ) ) {
			throw new \RuntimeException( 'no record was made: ' . json_encode( $sync->last_error() ) );
		}
		return (string) $made['id'];
	}

	/** The CRM's row has these neutral fields. @param array<string, mixed> $record */
	private function same_fields( Subject $subject, string $id, array $record ): void {
		$row = $subject->truth()[ $id ] ?? [];
		foreach ( $this->case['same'] as $name => $field ) {
			if ( array_key_exists( $name, $record ) ) {
				$this->tests->same( "$name of $id", self::plain( $record[ $name ] ), self::plain( $row[ $field ] ?? null ) );
			}
		}
	}

	/** The call throws, or is false, with the connector's reason in its words. */
	private function refuses( string $what, string $why, callable $call, ?\TenantCRMSync $sync = null ): void {
		try {
			$got   = $call();
			$words = false === $got && null !== $sync ? (string) ( $sync->last_error()['message'] ?? '' ) : null;
		} catch ( \TenantCRMSync\Exception $thrown ) {
			$words = $thrown->getMessage();
		}
		$this->tests->yes( "$what is refused", null !== $words );
		$this->tests->yes( "$what: the refusal says why ($why)", '' === $why || str_contains( (string) $words, $why ), $words );
	}

	/** CRMs give numbers as text, and nothing as an empty text. */
	private static function plain( mixed $value ): mixed {
		return match ( true ) {
			null === $value, '' === $value => null,
			is_int( $value ) => (string) $value,
			is_string( $value ) => trim( (string) preg_replace( '/\s+/u', ' ', $value ) ),
			default => $value,
		};
	}

	/** @param array<string, mixed> $by_id @return list<string> PHP turns keys of digits into numbers. */
	private static function texts( array $by_id ): array {
		return array_map( 'strval', array_keys( $by_id ) );
	}
}
