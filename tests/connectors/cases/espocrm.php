<?php
/**
 * EspoCRM, whose statuses are a list of its own: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

return [
	'connector'    => 'espocrm',
	'settings'     => [ 'api_key' => '{key}' ],
	'bad_settings' => [ 'api_key' => 'wr0ng' ],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'status' => 'New', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'email' => 'no address' ],
	'unknown_id'   => '0123456789abcdef0',
	'described'    => [ 'emailAddress', 'firstName', 'lastName', 'status', 'modifiedAt' ],
];
