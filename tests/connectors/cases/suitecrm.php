<?php
/**
 * SuiteCRM, which looks at no value but refuses fields that it does not know: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

$client = [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret' ];

return [
	'connector'    => 'suitecrm',
	'tenant'       => [ 'oauth' => $client ],
	'settings'     => $client,
	'bad_settings' => [ 'client_secret' => 'wr0ng' ],
	'oauth'        => [],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'status' => 'status', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'status' => 'new', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'no_such_field' => 'x' ],
	'unknown_id'   => '00000000-0000-4000-8000-987654321000',
	'described'    => [ 'email1', 'first_name', 'last_name', 'date_modified' ],
];
