--TEST--
Webhooks: what the CRM signed is read, anything else is refused with the same words, and no secret shows
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
$secret  = random_bytes( 24 );
$sync    = sync( 'acme', [ 'webhook_secret' => 'whsec_' . base64_encode( $secret ) ] );
$url     = 'https://portal.example.test/wp-json/tenant-crm-sync/v1/webhook/opaque?x=1';
$body    = '{"type":"lead.updated","timestamp":"2026-11-24T10:00:00Z","data":{"id":"00QAbC","name":"Zo\u00eb"}}';
$headers = static function ( string $body, string $id = 'msg_1', ?int $time = null ) use ( $secret ): array {
	$time ??= time();
	return [
		'Webhook-Id'        => $id,
		'WEBHOOK-TIMESTAMP' => (string) $time,
		'webhook-signature' => 'v1,AAAA v1,' . base64_encode( hash_hmac( 'sha256', "$id.$time.$body", $secret, true ) ),
	];
};

$found = $sync->verify_webhook( 'POST', $url, $headers( $body ), $body );
check( 'what it is about', [ [ 'leads', 'update', [ '00QAbC' ] ] ], array_map( static fn( $event ) => [ $event['object'], $event['action'], $event['ids'] ], $found['events'] ) );
check( 'how it was proved', [ 'hmac', true ], [ $found['scheme'], $found['identified'] ] );
check( 'no failure', null, $sync->last_error() );
$again = $sync->verify_webhook( 'POST', $url, array_map( static fn( $value ) => [ $value ], $headers( $body ) ), $body );
check( 'the same message has the same key, in PSR-7 form too', $found['replay_key'], $again['replay_key'] );
check( 'another message has another', false, $found['replay_key'] === $sync->verify_webhook( 'POST', $url, $headers( $body, 'msg_2' ), $body )['replay_key'] );

$refused = [
	'one byte more'  => [ $headers( $body ), $body . ' ' ],
	'another id'     => [ [ 'Webhook-Id' => 'msg_3' ] + $headers( $body ), $body ],
	'no signature'   => [ array_slice( $headers( $body ), 0, 2 ), $body ],
	'old'            => [ $headers( $body, 'msg_1', time() - 3600 ), $body ],
	'from tomorrow'  => [ $headers( $body, 'msg_1', time() + 86400 ), $body ],
	'not JSON'       => [ $headers( '{' ), '{' ],
	'nothing'        => [ [], '' ],
	'bytes'          => [ [ 'webhook-signature' => "v1,\xff\x00" ] + $headers( $body ), "\xff\x00" ],
];
$words = [];
foreach ( $refused as $name => [ $given, $sent ] ) {
	check( $name, false, $sync->verify_webhook( 'POST', $url, $given, $sent ) );
	$error            = $sync->last_error();
	$words[ $error['message'] ] = true;
	check( "$name: no secret", false, str_contains( json_encode( $error, JSON_INVALID_UTF8_SUBSTITUTE ), base64_encode( $secret ) ) );
}
check( 'the same words for all', 1, count( $words ) );
check( 'another tenant with another secret', false, sync( 'other', [ 'webhook_secret' => 'whsec_' . base64_encode( random_bytes( 24 ) ) ] )->verify_webhook( 'POST', $url, $headers( $body ), $body ) );
check( 'without a secret nothing is believed', false, sync( 'acme' )->verify_webhook( 'POST', $url, $headers( $body ), $body ) );

// HubSpot: method, URL, body and time are signed.
$hubspot = TenantCRMSync::with_settings( 'acme', [ 'connector' => 'hubspot', 'api_key' => 'k', 'webhook_secret' => 'client secret' ] );
$body    = '[{"eventId":1,"subscriptionId":12,"portalId":62515,"occurredAt":1764000000000,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":123,"propertyName":"email","propertyValue":"a@b.test"}]';
$time    = (string) ( 1000 * time() );
$sign    = static fn( string $url ): array => [ 'X-HubSpot-Request-Timestamp' => $time, 'X-HubSpot-Signature-v3' => base64_encode( hash_hmac( 'sha256', "POST$url$body$time", 'client secret', true ) ) ];
$found   = $hubspot->verify_webhook( 'POST', $url, $sign( $url ), $body );
check( 'HubSpot', [ 'update', [ '123' ], '62515' ], [ $found['events'][0]['action'], $found['events'][0]['ids'], $found['events'][0]['account'] ] );
check( 'which fields', [ 'email' ], $found['events'][0]['fields'] );
check( 'HubSpot, another URL', false, $hubspot->verify_webhook( 'POST', "$url&y=2", $sign( $url ), $body ) );

// What the CRM is asked to send.
$about = TenantCRMSync::connectors();
check( 'who can be asked, and what is made up for it', [ [ 'webhook_user', 'webhook_password' ], [ 'webhook_secret' ], null ], [ $about['pipedrive']['webhook_secrets'], $about['zoho']['webhook_secrets'], $about['hubspot']['webhook_secrets'] ] );
check( 'whose events name accounts', [ true, false ], [ $about['hubspot']['webhook_accounts'], $about['zoho']['webhook_accounts'] ] );
check_throws( 'one that cannot', 'TenantCRMSync\ConfigException', 'enter the address there', static fn() => sync()->throw_errors()->subscribe_webhook( 'leads', 'https://portal.example.test/hook' ) );
tenant( 'pipe', [ 'dialect' => 'pipedrive' ] );
$pipe = TenantCRMSync::with_settings( 'pipe', [ 'connector' => 'pipedrive', 'api_key' => KEY, 'api_endpoint' => crm()->plain, 'webhook_user' => 'u', 'webhook_password' => 'made up' ] )->throw_errors();
$made = $pipe->subscribe_webhook( 'contacts', 'https://portal.example.test/hook' );
check( 'made', [ '1', null, '1' ], [ $made['id'], $made['expires_at'], $made['account'] ] );
$seen = crm()->call( 'GET', '/webhooks?tenant=pipe' )[0];
check( 'as it was asked for', [ 'https://portal.example.test/hook', 'person', 'u', 'made up' ], [ $seen['subscription_url'], $seen['event_object'], $seen['http_auth_user'], $seen['http_auth_password'] ] );
check_throws( 'about nothing that it knows', 'TenantCRMSync\ConfigException', 'no webhooks about', static fn() => $pipe->subscribe_webhook( 'tickets', 'https://portal.example.test/hook' ) );
$thrown = check_throws( 'an address that is none', 'TenantCRMSync\HttpException', 'URL', static fn() => $pipe->subscribe_webhook( 'leads', 'the-secret-address' ) );
check( 'and in no trace', false, str_contains( (string) $thrown, 'the-secret-address' ) );
check( 'ended, and ended before', [ true, true ], [ $pipe->unsubscribe_webhook( '1' ), $pipe->unsubscribe_webhook( '1' ) ] );
check( 'it is', [], crm()->call( 'GET', '/webhooks?tenant=pipe' ) );
done();
--EXPECT--
40 checks hold
