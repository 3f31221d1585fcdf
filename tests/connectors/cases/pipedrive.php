<?php
/**
 * Pipedrive, whose leads have no address of their own and need a person: see lib/Verbs.php for what each member is for.
 */

declare(strict_types=1);

return [
	'connector'      => 'pipedrive',
	'settings'       => [ 'api_key' => '{key}' ],
	'bad_settings'   => [ 'api_key' => 'wr0ng' ],
	'oauth'          => [
		'tenant'   => [ 'oauth' => [ 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ] ],
		'settings' => [ 'auth' => 'oauth', 'token_endpoint' => '{url}', 'client_id' => 'app-{tenant}', 'client_secret' => 's3cret', 'refresh_token' => 'r1' ],
	],
	'same'           => [ 'name' => 'name', 'person' => 'person_id' ],
	'record'         => static function ( int $number, \TenantCRM\Tests\Connectors\Subject $subject ): array {
		$person = $subject->put( [ [ 'id' => 1000 + $number, 'name' => "Person $number" ] ], 'contacts' )[0];
		return [ 'name' => "Zoë Müller $number", 'person' => $person ];
	},
	'change'         => [ 'name' => 'Another title' ],
	'bad_record'     => [ 'person' => '999999' ],
	'unknown_id'     => '0b2a5a1c-1111-4222-8333-444455556666',
	'described'      => [ 'title', 'owner_id', 'person_id' ],
	// Only of deals is there a list.
	'deleted_object' => 'deals',
];
