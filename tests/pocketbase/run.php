<?php
/**
 * A connector that is one JSON file, against the server it is for: full and incremental pull, the verbs, and what is said when
 * something is wrong. Started by ./run; PocketBase.php says what is really there. Prints "N passed, N failed".
 */

declare(strict_types=1);

use TenantCRM\Tests\PocketBase;

require __DIR__ . '/PocketBase.php';

/** What is compared: the connector maps nothing away. */
const FIELDS = [ 'id', 'name', 'email', 'phone', 'company', 'updated' ];
const ROWS   = 1200;

$held   = 0;
$failed = 0;

function check( string $what, mixed $expected, mixed $actual ): void {
	global $held, $failed;
	if ( $expected === $actual ) {
		++$held;
		return;
	}
	++$failed;
	$shown = static fn( mixed $value ): string => substr( (string) preg_replace( '/\s+/', ' ', var_export( $value, true ) ), 0, 500 );
	echo "FAILED $what\n  expected {$shown( $expected )}\n  actual   {$shown( $actual )}\n";
}

function check_contains( string $what, string $part, string $text ): void {
	check( $what, true, str_contains( $text, $part ) ? true : $text );
}

/** What the call throws. */
function thrown( string $what, callable $call ): \TenantCRMSync\Exception {
	try {
		$result = $call();
	} catch ( \TenantCRMSync\Exception $thrown ) {
		return $thrown;
	}
	check( $what, 'an exception', $result );
	return new \TenantCRMSync\Exception();
}

/** @param array<string, mixed> $row */
function part( array $row ): array {
	$part = [];
	foreach ( FIELDS as $field ) {
		$part[ $field ] = $row[ $field ] ?? null;
	}
	return $part;
}

/** @return array{rows: array<string, array<string, mixed>>, watermark: string, batches: int, read: int} */
function pull( TenantCRMSync $sync, ?string $watermark = null, ?callable $each = null ): array {
	$got = [ 'rows' => [], 'watermark' => (string) $watermark, 'batches' => 0, 'read' => 0 ];
	foreach ( $sync->pull( 'leads', $watermark, [ 'page_size' => 250 ] ) as $batch ) {
		check( 'no row is refused', [], $batch->refused() );
		$ids = $batch->ids();
		foreach ( $batch->rows() as $position => $row ) {
			$got['rows'][ $ids[ $position ] ] = part( $row );
			++$got['read'];
		}
		$got['watermark'] = $batch->watermark();
		++$got['batches'];
		if ( null !== $each ) {
			$each( $got['batches'], $ids );
		}
	}
	ksort( $got['rows'], SORT_STRING );
	return $got;
}

/** @return array<string, array<string, mixed>> */
function truth( PocketBase $crm ): array {
	$rows = array_map( part( ... ), $crm->leads() );
	ksort( $rows, SORT_STRING );
	return $rows;
}

$crm = new PocketBase( (string) getenv( 'POCKETBASE_URL' ), (string) getenv( 'POCKETBASE_USER' ), (string) getenv( 'POCKETBASE_PASSWORD' ) );
$crm->set_up();
$connection = static fn( array $more = [] ): TenantCRMSync => TenantCRMSync::with_settings(
	'acme',
	$more + [ 'connector' => 'pocketbase', 'api_endpoint' => $crm->url, 'api_key' => $crm->token, 'throw' => true ]
);
$sync = $connection();

// --- Nothing there yet ---
$empty = pull( $sync );
check( 'an empty collection gives no rows', [], $empty['rows'] );

// --- A full pull ---
$names = [ 'Zoë Müller', 'Наталья Иванова', 'O"Brien \\ Söhne', "D'Arcy && Co", '田中 さくら', '{"since"} %2B+&=?', '👍🏽 <b>bold</b>' ];
$crm->add(
	array_map(
		static fn( int $n ): array => [
			'name'    => $names[ $n % count( $names ) ] . " $n",
			'email'   => "lead.$n@example.test",
			'phone'   => sprintf( '+49 30 %07d', $n ),
			'company' => 0 === $n % 3 ? '' : "Company $n",
		],
		range( 1, ROWS )
	)
);
$truth = truth( $crm );
check( 'all rows were seeded', ROWS, count( $truth ) );
$full = pull( $sync );
check( 'a full pull gives what PocketBase lists', true, $full['rows'] === $truth );
check( 'each row once', ROWS, $full['read'] );
check( 'in pages', true, $full['batches'] >= 5 );

// --- What changed since ---
// Beyond the overlap that the connector asks for, or rows of the seeding would rightly be read again.
sleep( 3 );
$ids = array_keys( $truth );
foreach ( [ 0, 1, 250, 599, 600, 1198, 1199 ] as $position ) {
	$crm->change( $ids[ $position ], [ 'phone' => "changed $position" ] );
}
$crm->add( [ [ 'name' => 'New 1' ], [ 'name' => 'New 2', 'email' => 'new@example.test' ], [ 'name' => 'New 3' ] ] );
$now  = truth( $crm );
$news = pull( $sync, $full['watermark'] );
check( 'changed and new rows are pulled, others not', array_keys( array_filter( $now, static fn( $row, $id ) => $row !== ( $truth[ $id ] ?? null ), ARRAY_FILTER_USE_BOTH ) ), array_keys( $news['rows'] ) );
check( 'their number', 10, count( $news['rows'] ) );
check( 'with them the portal has what PocketBase has', true, array_replace( $full['rows'], $news['rows'] ) == $now );

sleep( 3 );
$again = pull( $sync, $news['watermark'] );
check( 'nothing new: at most what the overlap reads again', [], array_diff_key( $again['rows'], $news['rows'] ) );

// --- Changes while pages are read ---
$portal  = [];
$changed = '';
$during  = pull(
	$sync,
	null,
	static function ( int $batches, array $ids ) use ( $crm, &$changed ): void {
		if ( 1 === $batches ) {
			// A row of a page that is already here.
			$changed = $ids[0];
			$crm->change( $changed, [ 'phone' => 'while reading' ] );
		}
	}
);
$portal = array_replace( $during['rows'], pull( $sync, $during['watermark'] )['rows'] );
check( 'a row changed while pages were read arrives by the next pull', 'while reading', $portal[ $changed ]['phone'] ?? null );
ksort( $portal, SORT_STRING );
check( 'and nothing else is lost', true, truth( $crm ) === $portal );

// --- The verbs ---
$id = $ids[7];
check( 'get', truth( $crm )[ $id ], part( $sync->get_record( 'leads', $id ) ) );

$made = $sync->create_record( 'leads', [ 'name' => 'Żółw "quoted" \\ && id > ""', 'email' => 'made@example.test', 'phone' => '+1', 'company' => 'Ñ' ] );
$truth = truth( $crm );
check( 'create answers with the record', $truth[ $made['id'] ?? '' ] ?? 'not there', part( $made ) );
check( 'create stored what was given', 'Żółw "quoted" \\ && id > ""', $truth[ $made['id'] ?? '' ]['name'] ?? null );

$sync->update_record( 'leads', $made['id'], [ 'phone' => '+2', 'company' => '' ] );
$row = truth( $crm )[ $made['id'] ];
check( 'update changes what was given and nothing else', [ '+2', '', 'made@example.test' ], [ $row['phone'], $row['company'], $row['email'] ] );

check( 'delete', true, $sync->delete_record( 'leads', $made['id'] ) );
check( 'delete deleted that row alone', array_values( array_diff( array_keys( $truth ), [ $made['id'] ] ) ), array_keys( truth( $crm ) ) );
check( 'a second delete finds it gone and is content', true, $sync->delete_record( 'leads', $made['id'] ) );

// --- What is said when something is wrong ---
$error = thrown( 'get of a missing lead', static fn() => $sync->get_record( 'leads', $made['id'] ) );
check( 'get of a missing lead: status', 404, $error->status );

$before = count( truth( $crm ) );
$error  = thrown( 'a lead that PocketBase refuses', static fn() => $sync->create_record( 'leads', [ 'email' => 'no address' ] ) );
check( 'a refused lead: status', 400, $error->status );
check_contains( 'a refused lead: PocketBase\'s reason', 'Must be a valid email address', $error->getMessage() . $error->body );
check( 'a refused lead is not there', $before, count( truth( $crm ) ) );

foreach ( [ 'a key that is none' => 'nonsense', 'a token with one letter changed' => strtr( substr( $crm->token, 0, -1 ), '.', '-' ) . 'x' ] as $what => $key ) {
	$error = thrown( $what, static fn() => pull( $connection( [ 'api_key' => $key ] ) ) );
	check( "$what: status", 403, $error->status );
	check( "$what: says what is wrong and for whom", 1, preg_match( '/(key|token|credential|sign)/i', $error->getMessage() ) );
	check_contains( "$what: names the tenant", 'acme', $error->getMessage() );
	check( "$what: the key is in no message", false, str_contains( $error->getMessage() . $error->body . $error->getTraceAsString(), $key ) );
}

echo "$held passed, $failed failed\n";
exit( 0 === $failed && $held > 0 ? 0 : 1 );
