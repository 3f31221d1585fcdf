<?php
/**
 * HubSpot, where leads are contacts: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

return [
	'connector'    => 'hubspot',
	// What the connector reads and writes stands in another table of the sandbox.
	'tables'       => [ 'leads' => 'contacts' ],
	'settings'     => [ 'api_key' => '{key}' ],
	'bad_settings' => [ 'api_key' => 'wr0ng' ],
	'oauth'        => [
		'tenant'   => [ 'oauth' => [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ] ],
		'settings' => [ 'auth' => 'oauth', 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ],
	],
	// Neutral field => the sandbox's field.
	'same'         => [ 'name' => 'name', 'email' => 'email', 'phone' => 'phone', 'company' => 'company', 'status' => 'status', 'owner' => 'owner', 'notes' => 'notes' ],
	'record'       => static fn( int $number ): array => [ 'name' => "Zoë Müller $number", 'email' => "zoe.$number@example.test", 'phone' => "+49 30 $number", 'company' => 'Müller & Söhne', 'status' => 'new', 'notes' => "a \"quoted\" line\nand another" ],
	'change'       => [ 'phone' => '+49 89 4711', 'notes' => 'changed' ],
	'bad_record'   => [ 'email' => 'no address' ],
	'ways'         => [ 'dated paths' => [ 'settings' => [ 'api_path' => 'objects/2026-09' ] ] ],
	'upsert_by'    => 'email',
	'unknown_id'   => '987654321',
	'described'    => [ 'email', 'firstname', 'lastname', 'hs_lead_status', 'lastmodifieddate' ],
];
