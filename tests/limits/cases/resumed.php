<?php
/** FAULTS A15: a 429 in the middle of a pull does not stop progress: the next pull begins with the page that was refused. */

declare(strict_types=1);

namespace TenantCRM\Tests\Limits;

use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Tests\Fpm\Sandbox;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$seconds = 4;
	$pull    = static function ( array $at, ?string $watermark ): array {
		$got = array( 'ids' => array(), 'pages' => 0, 'watermark' => $watermark, 'is_last' => false, 'error' => null );
		try {
			// The call does not wait as long as the CRM asks for.
			foreach ( \TenantCRMSync::with_settings( $at['id'], $at['settings'] )->pull( 'leads', $watermark, array( 'page_size' => 50 ) ) as $batch ) {
				array_push( $got['ids'], ...$batch->ids() );
				++$got['pages'];
				$got['watermark'] = $batch->watermark();
				$got['is_last']   = $batch->is_last();
			}
		} catch ( \TenantCRMSync\RateLimitException $error ) {
			$got['error'] = $error->retry_after;
		}
		return $got;
	};

	$tenants = array();
	foreach ( array( 'page', 'cursor', 'link' ) as $paging ) {
		$id  = "resumed-$paging";
		$key = 'key-' . bin2hex( random_bytes( 12 ) );
		$sandbox->call( 'POST', '/tenants', array( 'id' => $id, 'key' => $key, 'paging' => $paging ) );
		$sandbox->call( 'POST', '/seed', array( 'tenant' => $id, 'object' => 'leads', 'count' => 330 ) );
		$refusal = array( 'kind' => 'status', 'status' => 429, 'headers' => array( 'Retry-After' => (string) $seconds ), 'after' => 3 );
		$sandbox->call( 'POST', '/faults', array( 'tenant' => $id, 'faults' => array( $refusal ) ) );
		$at                 = array( 'id' => $id, 'settings' => array( 'api_key' => $key, 'api_endpoint' => (string) getenv( 'TCS_SANDBOX_URL' ), 'timeout' => $seconds - 1.0 ) );
		$first              = $pull( $at, null );
		$tenants[ $paging ] = array( $at, $first );
		$checks->same( "A15, pages by $paging: 429 after page 3, and when to come back", array( 3, (float) $seconds ), array( $first['pages'], $first['error'] ) );
		$early = $pull( $at, $first['watermark'] );
		$checks->is( "$paging: before that nothing is sent", 0 === $early['pages'] && $early['error'] > 0.0 && $early['error'] <= $seconds, (string) json_encode( $early['error'] ) );
	}
	usleep( $seconds * 1000000 + 100000 );
	foreach ( $tenants as $paging => list( $at, $first ) ) {
		$second = $pull( $at, $first['watermark'] );
		$checks->same( "$paging: the next pull begins at page 4 and comes to the end", array( 4, true, null ), array( $second['pages'], $second['is_last'], $second['error'] ) );
		$ids = array_merge( $first['ids'], $second['ids'] );
		$checks->same( "$paging: every lead, none twice", array( 330, 330 ), array( count( $ids ), count( array_unique( $ids ) ) ) );
		$checks->same( "$paging: the CRM was asked for seven pages, and for one of them twice", 8, count( $sandbox->call( 'GET', '/requests?tenant=' . $at['id'] ) ) );
	}
};
