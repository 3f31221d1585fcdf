<?php
/**
 * Salesforce: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

$key    = (string) shell_exec( 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null' );
$public = getenv( 'TCS_FOLDER' ) . '/salesforce.pem';
file_put_contents( $public, $key );
$public = (string) shell_exec( 'openssl pkey -pubout -in ' . escapeshellarg( $public ) );

return [
	'connector'    => 'salesforce',
	'settings'     => [ 'auth' => 'key', 'api_key' => '{key}' ],
	'bad_settings' => [ 'api_key' => 'wr0ng' ],
	'oauth'        => [
		'tenant'   => [ 'oauth' => [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ] ],
		'settings' => [ 'auth' => 'oauth', 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ],
	],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'status' => 'status', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'status' => 'new', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'email' => 'no address' ],
	'ways'         => [
		'a certificate'      => [
			'tenant'   => [ 'oauth' => [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'public_key_pem' => $public, 'subject' => 'portal@crm.test' ] ],
			'settings' => [ 'auth' => 'jwt', 'client_id' => 'app-{tenant}', 'username' => 'portal@crm.test', 'private_key' => $key ],
		],
		'client credentials' => [
			'tenant'   => [ 'oauth' => [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret' ] ],
			'settings' => [ 'auth' => 'client_credentials', 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret' ],
		],
	],
	'upsert_by'    => 'email',
	'unknown_id'   => '00QAA0000000ZZZAAA',
	'described'    => [ 'Email', 'LastName', 'SystemModstamp' ],
];
