<?php
/**
 * Dolibarr, where leads are third parties that are prospects: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

return [
	'connector'    => 'dolibarr',
	// The sandbox's database is in Paris.
	'settings'     => [ 'api_key' => '{key}', 'zone' => 'Europe/Paris' ],
	'bad_settings' => [ 'api_key' => 'wr0ng' ],
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'email' => 'no address' ],
	'unknown_id'   => '987654321',
	// In the hour that Paris has twice, a filter without a zone reads an hour more: of these rows, all.
	'clock'        => 0,
	'described'    => [],
];
