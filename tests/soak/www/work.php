<?php
/**
 * One request of the soak: ?do=… says what is done. Answers with how many calls that were, and with what did not come out as it should.
 */

require __DIR__ . '/settings.php';
require __DIR__ . '/FileStore.php';

$sync   = new TenantCRMSync( 'soak' );
$calls  = 0;
$errors = array();
$expect = static function ( bool $holds, string $what ) use ( $sync, &$calls, &$errors ): void {
	++$calls;
	if ( ! $holds ) {
		$errors[] = $what . ': ' . json_encode( $sync->last_error(), JSON_PARTIAL_OUTPUT_ON_ERROR );
	}
};

$what = array(
	'pull'   => static function () use ( $sync, $expect ): void {
		$rows = 0;
		foreach ( $sync->pull( 'leads', null, array( 'page_size' => 50 ) ) as $batch ) {
			$rows += count( $batch->rows() );
			$batch->fingerprints();
			// Rows that go while a pull is under way leave its last page empty.
			count( $batch ) > 0 && $batch->snapshot( 0 );
		}
		$expect( $rows >= 300, "a pull of $rows rows" );
	},
	'many'   => static function () use ( $sync, $expect ): void {
		$pulls = TenantCRMSync::pull_many();
		foreach ( array( 'a', 'b', 'c' ) as $key ) {
			$pulls->add( $key, clone $sync, 'leads', null, array( 'page_size' => 100 ) );
		}
		$rows = 0;
		foreach ( $pulls as $item ) {
			$rows += is_countable( $item ) ? count( $item ) : 0;
		}
		$expect( $rows >= 900, "three pulls of $rows rows" );
	},
	'write'  => static function () use ( $sync, $expect ): void {
		$made = $sync->create_lead( array( 'name' => 'Zoë', 'email' => bin2hex( random_bytes( 6 ) ) . '@example.test' ) );
		$expect( isset( $made['id'] ), 'a create' );
		$expect( 'Chloë' === ( $sync->update_lead( $made['id'], array( 'name' => 'Chloë' ) )['name'] ?? null ), 'an update' );
		$expect( 'Chloë' === ( $sync->get_lead( $made['id'] )['name'] ?? null ), 'a look' );
		$expect( false !== $sync->delete_lead( $made['id'] ), 'a delete' );
	},
	'fail'   => static function () use ( $sync, $expect ): void {
		$expect( false === @$sync->get_lead( 'none' ) && 404 === $sync->last_error()['status'], 'a look at nobody' );
		try {
			( clone $sync )->throw_errors()->update_lead( 'none', array( 'name' => 'x' ) );
			$expect( false, 'a change of nobody' );
		} catch ( TenantCRMSync\HttpException $e ) {
			$expect( str_contains( $e->getMessage(), '404' ), $e->getMessage() );
		}
	},
	'count'  => static function () use ( $expect ): void {
		$limiter = TenantCRMSync::limiter( 'soak ' . mt_rand( 1, 50 ), 1000, 1.0 );
		for ( $number = 0; $number < 50; $number++ ) {
			$expect( $limiter->admit() >= 0.0, 'a decision' );
		}
	},
	'token'  => static function () use ( $expect ): void {
		TenantCRMSync::use_token_store( new FileStore( dirname( __DIR__ ) . '/tmp/token' ) );
		$sync = new TenantCRMSync( 'tokens' );
		$expect( is_array( $sync->fetch_records( 'leads' ) ), 'a call with a token: ' . json_encode( $sync->last_error() ) );
	},
	'pure'   => static function () use ( $expect ): void {
		$secret = 'whsec_' . base64_encode( str_repeat( 's', 24 ) );
		$sync   = TenantCRMSync::with_settings( 'soak', array( 'api_key' => 'k', 'webhook_secret' => $secret, 'api_endpoint' => get_tenant_crm_settings( 'soak' )['api_endpoint'] ) );
		$time   = (string) time();
		$body   = '{"type":"lead.updated","timestamp":"2026-11-24T10:00:00Z","data":{"id":"1"}}';
		$signed = array( 'webhook-id' => 'm', 'webhook-timestamp' => $time, 'webhook-signature' => 'v1,' . base64_encode( hash_hmac( 'sha256', "m.$time.$body", str_repeat( 's', 24 ), true ) ) );
		for ( $number = 0; $number < 20; $number++ ) {
			$sealed = TenantCRMSync::encrypt_credential( 'soak', "key $number", 'api_key', 'https://crm.example.test' );
			$expect( TenantCRMSync::rotate_credential( 'soak', $sealed ) !== '', 'a rotation' );
			$expect( array( 'a' => 2 ) === TenantCRMSync::merge( array( 'a' => 1 ), array( 'a' => 2 ), array( 'a' => 1 ) )['to_portal'], 'a merge' );
			$expect( false !== $sync->verify_webhook( 'POST', 'https://portal.example.test/hook', $signed, $body ), 'a webhook' );
			$expect( false === $sync->verify_webhook( 'POST', 'https://portal.example.test/hook', $signed, "$body " ), 'a forged webhook' );
		}
	},
);
$what[ $_GET['do'] ]();
TenantCRMSync::attempts();
header( 'Content-Type: application/json' );
echo json_encode( array( 'calls' => $calls, 'errors' => $errors ) );
