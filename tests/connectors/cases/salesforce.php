<?php
/**
 * Salesforce: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

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
	'upsert_by'    => 'email',
	'unknown_id'   => '00QAA0000000ZZZAAA',
	'described'    => [ 'Email', 'LastName', 'SystemModstamp' ],
];
