<?php
/**
 * A connector that is one JSON file, against the server it is for: full and incremental pull, the verbs, and what is said when
 * something is wrong. Started by ./run; PocketBase.php says what is really there. Prints "N passed, N failed".
 */

declare(strict_types=1);

use TenantCRM\Tests\PocketBase;

require __DIR__ . '/PocketBase.php';

/** What is compared; empty texts are what PocketBase has for nothing. */
const FIELDS = [ 'id', 'name', 'email', 'phone', 'company' ];
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

/**
 * The call is refused, for this reason.
 *
 * @return array<string, mixed> What is said of it.
 */
function refused( string $what, string $reason, TenantCRMSync $sync, callable $call ): array {
	try {
		check( "$what: is refused", false, $call() );
		$said = $sync->last_error() ?? [];
	} catch ( \TenantCRMSync\Exception $thrown ) {
		$said = [ 'message' => $thrown->getMessage(), 'body' => $thrown->body, 'reason' => $thrown->reason ?? null ];
	}
	check( "$what: reason", $reason, $said['reason'] ?? null );
	return $said;
}

/** @param array<string, mixed> $row */
function part( array $row ): array {
	$part = [];
	foreach ( FIELDS as $field ) {
		$part[ $field ] = $row[ $field ] ?? null;
	}
	return $part;
}

/** @return array{rows: array<string, array<string, mixed>>, watermark: ?string, batches: int, read: int} */
function pull( TenantCRMSync $sync, ?string $watermark = null, ?callable $each = null ): array {
	$got = [ 'rows' => [], 'watermark' => $watermark, 'batches' => 0, 'read' => 0 ];
	foreach ( $sync->pull( 'leads', $watermark, [ 'page_size' => 250 ] ) as $batch ) {
		check( 'no row is refused', [], $batch->refused() );
		$ids = $batch->ids();
		foreach ( $batch->records() as $position => $row ) {
			$got['rows'][ $ids[ $position ] ] = part( $row ) + [ 'updated' => $batch->updated_at()[ $position ] ];
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
	$rows = array_map( static fn( array $row ): array => part( $row ) + [ 'updated' => $row['updated'] ], $crm->leads() );
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
// The next pull starts before the newest row, by the connector's overlap and as long as this pull takes: were all rows as new as
// that, it would rightly read all again.
sleep( 8 );
$crm->add( [ [ 'name' => 'Newest' ] ] );
$truth = truth( $crm );
check( 'all rows were seeded', ROWS + 1, count( $truth ) );
$full = pull( $sync );
check( 'a full pull gives what PocketBase lists', true, $full['rows'] === $truth );
check( 'each row once', ROWS + 1, $full['read'] );
check( 'in pages', true, $full['batches'] >= 5 );

// --- What changed since ---
$ids = array_keys( $truth );
foreach ( [ 0, 1, 250, 599, 600, 1198, 1199 ] as $position ) {
	$crm->change( $ids[ $position ], [ 'phone' => "changed $position" ] );
}
$crm->add( [ [ 'name' => 'New 1' ], [ 'name' => 'New 2', 'email' => 'new@example.test' ], [ 'name' => 'New 3' ] ] );
$now   = truth( $crm );
$news  = pull( $sync, $full['watermark'] );
$fresh = array_filter( $now, static fn( array $row, string $id ): bool => $row !== ( $truth[ $id ] ?? null ), ARRAY_FILTER_USE_BOTH );
check( 'ten rows are new or changed', 10, count( $fresh ) );
check( 'all of them are pulled', [], array_diff_key( $fresh, $news['rows'] ) );
check( 'others are not, but for the newest before', [ 'Newest' ], array_values( array_column( array_diff_key( $news['rows'], $fresh ), 'name' ) ) );
check( 'with them the portal has what PocketBase has', true, array_replace( $full['rows'], $news['rows'] ) == $now );

$again = pull( $sync, $news['watermark'] );
check( 'nothing new: at most what the overlap reads again', [], array_diff_key( $again['rows'], $news['rows'] ) );

// --- Changes while pages are read ---
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
check( 'get', part( truth( $crm )[ $id ] ), part( (array) $sync->get_record( 'leads', $id ) ) );

$made = (array) $sync->create_record( 'leads', [ 'name' => 'Żółw "quoted" \\ && id > ""', 'email' => 'made@example.test', 'phone' => '+1', 'company' => 'Ñ' ] );
check( 'create is not refused', null, $sync->last_error() );
$truth = truth( $crm );
$new   = (string) ( $made['id'] ?? '' );
check( 'create answers with the record', part( $truth[ $new ] ?? [] ), part( $made ) );
check( 'create stored what was given', 'Żółw "quoted" \\ && id > ""', $truth[ $new ]['name'] ?? null );

$sync->update_record( 'leads', $new, [ 'phone' => '+2', 'company' => '' ] );
$row = truth( $crm )[ $new ];
check( 'update changes what was given and nothing else', [ '+2', '', 'made@example.test' ], [ $row['phone'], $row['company'], $row['email'] ] );

check( 'delete', true, $sync->delete_record( 'leads', $new ) );
check( 'delete deleted that row alone', array_values( array_diff( array_keys( $truth ), [ $new ] ) ), array_keys( truth( $crm ) ) );
check( 'a second delete finds it gone and is content', true, $sync->delete_record( 'leads', $new ) );

// --- The fields and the connection ---
$fields = array_column( (array) $sync->describe( 'leads' ), null, 'name' );
check( 'describe names the fields', [], array_values( array_diff( [ 'id', 'name', 'email', 'updated' ], array_keys( $fields ) ) ) );
check( 'a time that PocketBase sets is read-only', [ true, false ], [ $fields['updated']['read_only'] ?? null, $fields['email']['read_only'] ?? null ] );
check( 'the connection is good', true, $sync->test_connection()['ok'] ?? null );

// --- What is said when something is wrong ---
refused( 'get of a missing lead', 'missing', $sync, static fn() => $sync->get_record( 'leads', $new ) );

$before = count( truth( $crm ) );
$error  = refused( 'a lead without a name', 'invalid', $sync, static fn() => $sync->create_record( 'leads', [ 'email' => 'no address' ] ) );
check_contains( 'PocketBase\'s words are told', 'Failed to create record', $error['message'] );
check_contains( 'and its reason is in the body', 'Must be a valid email address', (string) $error['body'] );
$results = $sync->create_records( 'leads', [ [ 'name' => 'Good 1' ], [ 'name' => 'Bad', 'email' => 'no address' ], [ 'name' => 'Good 2' ] ] );
check( 'one bad record of three does not hold up the others', [ true, false, true ], array_column( $results, 'ok' ) );
check( 'the refused ones are not there', $before + 2, count( truth( $crm ) ) );

// Not the last letter: some of its bits mean nothing.
$forged = substr_replace( $crm->token, 'x' === $crm->token[-9] ? 'y' : 'x', -9, 1 );
foreach ( [ 'a key that is none' => 'nonsense', 'a token with one letter changed' => $forged ] as $what => $key ) {
	$wrong = $connection( [ 'api_key' => $key ] );
	foreach ( [ 'get' => static fn() => $wrong->get_record( 'leads', $id ), 'pull' => static fn() => pull( $wrong ) ] as $verb => $call ) {
		$error = refused( "$what, $verb", 'unauthorized', $wrong, $call );
		check_contains( "$what, $verb: names the tenant", 'acme', (string) ( $error['message'] ?? '' ) );
		check( "$what, $verb: says what to do", 1, preg_match( '/token|key/i', (string) ( $error['message'] ?? '' ) ) );
		check( "$what, $verb: the key is in no message", false, str_contains( json_encode( $error, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES ), $key ) );
	}
	$probe = $wrong->test_connection();
	check( "$what: the probe fails", false, $probe['ok'] ?? null );
	check( "$what: the probe says why", 1, preg_match( '/token|key/i', (string) ( $probe['message'] ?? '' ) ) );
}

echo "$held passed, $failed failed\n";
exit( 0 === $failed && $held > 0 ? 0 : 1 );
