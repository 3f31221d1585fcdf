<?php
/**
 * The PHP class at work for the contract suite: pulls, reads and writes with one connector against what TCS_PLAN names, all
 * that the connector says it can. Prints one line for each test; what Prism makes of the requests is judged elsewhere.
 */

declare(strict_types=1);

$plan    = json_decode( (string) getenv( 'TCS_PLAN' ), true, 64, JSON_THROW_ON_ERROR );
$proxied = 'proxy' === $plan['mode'];
$made    = [];

/** A test: `ok NAME`, or `FAILED NAME` and behind a tab what was thrown or found instead. */
function test( string $name, callable $holds ): void {
	try {
		$found = $holds();
		$line  = true === $found ? "ok $name" : "FAILED $name\tfound " . json_encode( $found, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
	} catch ( Throwable $thrown ) {
		$line = "FAILED $name\t" . get_class( $thrown ) . ': ' . $thrown->getMessage();
	}
	echo strtr( $line, "\r\n", '  ' ), "\n";
}

/** What the sandbox's control port says. @param array<string, mixed>|null $body */
function control( string $method, string $path, ?array $body = null ): mixed {
	$http = [ 'method' => $method, 'header' => [ 'Content-Type: application/json', 'Connection: close' ], 'timeout' => 60 ];
	if ( null !== $body ) {
		$http['content'] = json_encode( $body, JSON_THROW_ON_ERROR );
	}
	$got = file_get_contents( $GLOBALS['plan']['control'] . $path, false, stream_context_create( [ 'http' => $http ] ) );
	return json_decode( (string) $got, true, 512, JSON_THROW_ON_ERROR );
}

function client( string $key ): TenantCRMSync {
	$plan     = $GLOBALS['plan'];
	$settings = [ 'connector' => $plan['connector'], 'api_endpoint' => $plan['origin'], 'api_key' => $key, 'timeout' => 30.0 ];
	return TenantCRMSync::with_settings( $plan['tenant'], $settings )->throw_errors();
}

/**
 * Ids, and the last watermark. A mock's pages never end: there one is enough.
 *
 * @param iterable<\TenantCRMSync\Batch> $pull
 * @return array{list<string>, ?string, int}
 */
function walk( iterable $pull ): array {
	$ids       = [];
	$watermark = null;
	$refused   = 0;
	foreach ( $pull as $batch ) {
		array_push( $ids, ...$batch->ids() );
		$refused  += count( $batch->refused() );
		$watermark = $batch->watermark();
		if ( ! $GLOBALS['proxied'] ) {
			break;
		}
	}
	return [ $ids, $watermark, $refused ];
}

/** @return list<string> The ids that the sandbox holds. */
function held( string $object ): array {
	$rows = control( 'GET', '/rows?tenant=' . rawurlencode( $GLOBALS['plan']['tenant'] ) . "&object=$object" );
	return array_map( static fn( array $row ): string => (string) $row['id'], $rows );
}

/** @param array<string, mixed> $can What the connector says of this object. */
function reads( TenantCRMSync $sync, string $object, array $can ): void {
	$watermark = null;
	test(
		"$object: full pull",
		static function () use ( $sync, $object, &$watermark ) {
			[ $ids, $watermark, $refused ] = walk( $sync->pull( $object, null, [ 'page_size' => 10 ] ) );
			if ( ! $GLOBALS['proxied'] ) {
				return [] !== $ids || compact( 'ids', 'refused' );
			}
			$held = held( $object );
			sort( $ids );
			sort( $held );
			return ( $ids === $held && 0 === $refused ) ?: compact( 'ids', 'held', 'refused' );
		}
	);
	if ( $can['since'] ) {
		test(
			"$object: incremental pull",
			static function () use ( $sync, $object, $watermark ) {
				if ( ! $GLOBALS['proxied'] ) {
					walk( $sync->pull( $object, $watermark ) );
					return true;
				}
				$touched   = control( 'POST', '/touch', [ 'tenant' => $GLOBALS['plan']['tenant'], 'object' => $object, 'count' => 3 ] )['ids'];
				[ $found ] = walk( $sync->pull( $object, $watermark, [ 'page_size' => 2 ] ) );
				$missing   = array_diff( array_map( 'strval', $touched ), $found );
				return ( [] === $missing && count( $found ) < count( held( $object ) ) ) ?: compact( 'missing', 'found' );
			}
		);
	}
	if ( $can['fields'] && $GLOBALS['proxied'] ) {
		test( "$object: describe", static fn() => count( $sync->describe( $object ) ) > 3 );
	}
}

/**
 * @param array<string, mixed> $can
 * @param array<string, mixed> $create
 * @param array<string, mixed> $update
 */
function writes( TenantCRMSync $sync, string $object, array $can, array $create, array $update ): void {
	$id = null;
	test(
		"$object: create",
		static function () use ( $sync, $object, $create, &$id ) {
			$answer = $sync->create_record( $object, $create );
			$id     = $answer['id'] ?? null;
			return ( null !== $id && ( ! $GLOBALS['proxied'] || $answer['name'] === $create['name'] ) ) ?: $answer;
		}
	);
	if ( null === $id ) {
		return;
	}
	$GLOBALS['made'][ $object ] = $id;
	if ( $can['update'] ) {
		test(
			"$object: update",
			static function () use ( $sync, $object, $update, $id ) {
				$sync->update_record( $object, $id, $update );
				$read = $sync->get_record( $object, $id );
				return ( ! $GLOBALS['proxied'] || $update === array_intersect_key( array_replace( $update, array_intersect_key( $read, $update ) ), $update ) ) ?: $read;
			}
		);
	}
	if ( $can['by_ids'] && $GLOBALS['proxied'] ) {
		test(
			"$object: several by their ids",
			static function () use ( $sync, $object, $id ) {
				$wanted = [ (string) $id, held( $object )[0] ];
				$found  = array_map( static fn( array $record ): string => (string) $record['id'], $sync->get_records( $object, $wanted ) );
				sort( $found );
				sort( $wanted );
				return $found === array_values( array_unique( $wanted ) ) ?: $found;
			}
		);
	}
	test(
		"$object: create many",
		static function () use ( $sync, $object, $create ) {
			// Others by name and address: a CRM may refuse twins.
			$other   = static fn( string $word ): array => array_replace( $create, [ 'name' => "$create[name] $word" ], isset( $create['email'] ) ? [ 'email' => "$word.$create[email]" ] : [] );
			$refused = $GLOBALS['proxied'] && isset( $create['email'] );
			$list    = $refused ? [ $other( 'two' ), [ 'email' => 'no address' ] + $other( 'bad' ), $other( 'three' ) ] : [ $other( 'two' ), $other( 'three' ) ];
			$done    = $sync->create_records( $object, $list );
			return array_column( $done, 'ok' ) === ( $refused ? [ true, false, true ] : [ true, true ] ) ?: $done;
		}
	);
}

/** @param array<string, mixed> $can */
function removes( TenantCRMSync $sync, string $object, array $can ): void {
	$id = $GLOBALS['made'][ $object ] ?? null;
	if ( null === $id || ! $can['delete'] ) {
		return;
	}
	test( "$object: delete", static fn() => $sync->delete_record( $object, $id ) );
	if ( ! $GLOBALS['proxied'] ) {
		return;
	}
	test(
		"$object: a deleted record is missing",
		static function () use ( $sync, $object, $id ) {
			try {
				return $sync->get_record( $object, $id );
			} catch ( \TenantCRMSync\HttpException $missing ) {
				return 404 === $missing->status ?: $missing->status;
			}
		}
	);
	test( "$object: deleted twice is deleted", static fn() => $sync->delete_record( $object, $id ) );
	if ( $can['deleted'] ) {
		test( "$object: feed of deletes", static fn() => in_array( (string) $id, walk( $sync->pull_deleted( $object ) )[0], true ) );
	}
}

if ( ! extension_loaded( 'tenant_crm_sync' ) ) {
	fwrite( STDERR, "the extension tenant_crm_sync is not loaded\n" );
	exit( 2 );
}
$sync = client( $plan['key'] );
$can  = TenantCRMSync::connectors()[ $plan['connector'] ]['objects'];
test( 'the connection works', static fn() => ( $told = $sync->test_connection() )['ok'] ?: $told );
if ( $proxied ) {
	test( 'a wrong key is told', static fn() => 'key' === ( $told = client( 'wrong' )->test_connection() )['problem'] ?: $told );
}
// A connector whose paths are open to any name is taken at its leads.
$can += [ 'leads' => $can['*'] ?? null ];
// What this CRM has not, or its connector cannot list, is no part of the plan.
$plan['objects'] = array_filter( $plan['objects'], static fn( array $one ): bool => $can[ $one['object'] ]['full'] ?? false );
foreach ( $plan['objects'] as $one ) {
	reads( $sync, $one['object'], $can[ $one['object'] ] );
	$linked = static function ( mixed $value ) {
		return is_string( $value ) && preg_match( '/^\{id:(\w+)\}$/D', $value, $found ) ? (string) ( $GLOBALS['made'][ $found[1] ] ?? '1' ) : $value;
	};
	if ( ! $can[ $one['object'] ]['create'] ) {
		continue;
	}
	writes( $sync, $one['object'], $can[ $one['object'] ], array_map( $linked, $one['create'] ), $one['update'] );
}
// The last ones first: what others are linked to stays as long as they do.
foreach ( array_reverse( $plan['objects'] ) as $one ) {
	removes( $sync, $one['object'], $can[ $one['object'] ] );
}
