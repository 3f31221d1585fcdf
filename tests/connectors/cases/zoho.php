<?php
/**
 * Zoho CRM: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

$oauth = [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ];

return [
	'connector'    => 'zoho',
	'tenant'       => [ 'oauth' => $oauth ],
	'settings'     => $oauth,
	'bad_settings' => [ 'refresh_token' => 'wr0ng' ],
	'oauth'        => [],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'status' => 'status', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'status' => 'new', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'email' => 'no address' ],
	'upsert_by'    => 'email',
	'unknown_id'   => '5725767000000999999',
	'described'    => [ 'Email', 'Last_Name', 'Lead_Status' ],
];
