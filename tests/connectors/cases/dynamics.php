<?php
/**
 * Microsoft Dynamics 365: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

$app = [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret' ];

return [
	'connector'    => 'dynamics',
	'tenant'       => [ 'oauth' => $app ],
	'settings'     => $app + [ 'auth' => 'app', 'directory' => 'contoso', 'login_endpoint' => '{url}' ],
	'bad_settings' => [ 'client_secret' => 'wr0ng' ],
	'oauth'        => [],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'no_such_column' => 1 ],
	'ways'         => [
		'a person agreed' => [
			'tenant'   => [ 'oauth' => [ 'refresh_token' => 'r1' ] ],
			'settings' => [ 'auth' => 'oauth', 'refresh_token' => 'r1' ],
		],
	],
	'upsert_by'    => 'email',
	'unknown_id'   => '0b2a5a1c-1111-4222-8333-444455556666',
	'described'    => [ 'emailaddress1', 'lastname' ],
];
