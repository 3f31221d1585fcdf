<?php
/**
 * Odoo, whose stages are records: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

return [
	'connector'    => 'odoo',
	'settings'     => [ 'api_key' => '{key}' ],
	'bad_settings' => [ 'api_key' => 'wr0ng' ],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'no_such_field' => 'x' ],
	'unknown_id'   => '987654321',
	'described'    => [ 'email_from', 'name', 'write_date' ],
];
