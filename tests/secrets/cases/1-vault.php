<?php
/** OpenBao: reading, keeping, reading anew, whose secrets, and what is said. */

declare(strict_types=1);

namespace TenantCRM\Tests;

$crm->tenant( 'acme', key_of( 'acme' ) );
$crm->call( 'POST', '/seed', [ 'tenant' => 'acme', 'object' => 'leads', 'count' => 35, 'seed' => 1 ] );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme' ), 'number' => 7, 'list' => [ 'x' ], 'empty' => '' ] );
$managers->put( 'crm/other', [ 'api_key' => key_of( 'other' ) ] );
$acme   = [ 'api_endpoint' => $crm->plain, 'api_key' => 'vault://secret/crm/acme#api_key' ];
$worker = new Worker( $vault );
$crm->requests();

$got = $worker->ask( 'fetch', 'acme', $acme );
Checks::same( 'a key in Vault: rows', 35, $got['rows'] ?? $got );
Checks::same( 'a key in Vault: it is what the CRM gets', [ key_of( 'acme' ) ], $seen() );
Checks::same( 'a dump of the object shows nothing', false, str_contains( $got['dump'], key_of( 'acme' ) ) );

// It is kept: what changes in Vault alone is not seen before its time.
$managers->put( 'crm/acme', [ 'api_key' => 'not-yet' ] );
Checks::same( 'kept: rows', 35, $worker->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
Checks::same( 'kept: the same key, one request', [ key_of( 'acme' ) ], $seen() );

// The CRM refuses what is kept: it is read anew, and the request is repeated once.
usleep( 1_100_000 );
$crm->tenant( 'acme', key_of( 'acme-2' ) );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-2' ) ] );
Checks::same( '401: a write arrives with the new key', true, $worker->ask( 'create', 'acme', $acme )['made'] ?? null );
Checks::same( '401: one refusal, one repetition', [ key_of( 'acme' ), key_of( 'acme-2' ) ], $seen() );
Checks::same( '401: then the new one is kept', 36, $worker->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
Checks::same( '401: and used at once', [ key_of( 'acme-2' ) ], $seen() );

// Nobody put a new one: it is tried once more, and then said.
$crm->tenant( 'acme', key_of( 'acme-3' ) );
$got = $worker->ask( 'fetch', 'acme', $acme );
Checks::same( 'a wrong key in Vault: fails', false, $got['rows'] ?? $got );
Checks::same( 'a wrong key in Vault: status', 401, $got['error']['status'] ?? null );
Checks::same( 'a wrong key in Vault: two requests, no more', 2, count( $seen() ) );

// In the middle of a pull.
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-3' ) ] );
usleep( 1_100_000 );
$got = $worker->ask( 'pull', 'acme', $acme );
Checks::same( 'a pull begins', [ 'first' => true ], $got );
$crm->tenant( 'acme', key_of( 'acme-4' ) );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ) ] );
usleep( 1_100_000 );
Checks::same( 'a key that changes in the middle of a pull: all rows', [ 'rows' => 36 ], $worker->ask( 'go', '', [] ) );
Checks::same( 'a key that changes in the middle of a pull: the new one was used', true, in_array( key_of( 'acme-4' ), $seen(), true ) );

// A bounded time.
$brief = new Worker( [ 'secret_seconds' => 1 ] + $vault );
Checks::same( 'kept for a second', 36, $brief->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
$managers->put( 'crm/acme', [ 'api_key' => 'wrong' ] );
usleep( 1_200_000 );
Checks::same( 'after a second it is read anew', false, $brief->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
Checks::same( 'after a second: what was sent', 'wrong', $seen()[1] ?? null );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ) ] );

// Whose.
$refusals = [
	"another tenant's"           => [ 'vault://secret/crm/other#api_key', 'vault://secret/crm/acme# (tenant_crm_sync.vault_path)' ],
	'below its own'              => [ 'vault://secret/crm/acme/more#api_key', 'not a secret of tenant "acme"' ],
	'another mount'              => [ 'vault://sys/crm/acme#api_key', 'not a secret of tenant "acme"' ],
	'steps'                      => [ 'vault://secret/crm/other/../acme#api_key', 'no usable path' ],
	'encoded steps'              => [ 'vault://secret/crm/other%2F..%2Facme#api_key', 'no usable path' ],
	'a query'                    => [ 'vault://secret/crm/acme?version=1#api_key', 'no usable path' ],
	'no field'                   => [ 'vault://secret/crm/acme', 'needs a mount, a path and a field' ],
	'another manager'            => [ 'aws-sm://crm/acme#api_key', 'this host has no tenant_crm_sync.aws_region' ],
];
foreach ( $refusals as $what => [ $reference, $words ] ) {
	$got = $worker->ask( 'fetch', 'acme', [ 'api_key' => $reference ] + $acme );
	Checks::same( "$what: refused", 'credential', $got['error']['kind'] ?? $got );
	Checks::has( "$what: in plain words", $words, $got['error']['message'] );
	$got = $worker->ask( 'seal', 'acme', $acme, $reference );
	Checks::same( "$what: not stored either", 'TenantCRMSync\CredentialException', $got['class'] ?? $got );
}
Checks::same( 'a reference is stored as it is', [ 'stored' => $acme['api_key'] ], $worker->ask( 'seal', 'acme', $acme, $acme['api_key'] ) );
Checks::same( 'a rotation of host keys leaves it', [ 'stored' => $acme['api_key'] ], $worker->ask( 'rotate', 'acme', $acme, $acme['api_key'] ) );
$got = $worker->ask( 'fetch', 'crm/acme', [ 'api_key' => 'vault://secret/crm/crm=2Facme#api_key' ] + $acme );
Checks::has( 'a tenant with a slash in its id has a place of its own', 'there is no secret vault://secret/crm/crm=2Facme', $got['error']['message'] ?? '' );
$all = new Worker( [ 'vault_path' => 'secret/crm/*' ] + $vault );
Checks::has( 'a template without {tenant} lets nobody in', 'must contain {tenant} once', $all->ask( 'fetch', 'acme', $acme )['error']['message'] ?? '' );
Checks::same( 'of all of that the CRM saw nothing', [], $seen() );

// What is said.
$said = [
	'a missing secret' => [ 'ghost', 'vault://secret/crm/ghost#api_key', 'there is no secret vault://secret/crm/ghost in Vault' ],
	'a missing field'  => [ 'acme', 'vault://secret/crm/acme#token', 'vault://secret/crm/acme has no field token, it has: api_key' ],
];
foreach ( $said as $what => [ $tenant, $reference, $words ] ) {
	$got = $worker->ask( 'fetch', $tenant, [ 'api_key' => $reference ] + $acme );
	Checks::has( $what, $words, $got['error']['message'] ?? '' );
	Checks::same( "$what: no value is shown", false, str_contains( json_encode( $got ), key_of( 'acme-4' ) ) );
}
$managers->bao( 'PUT', 'sys/policies/acl/nothing', [ 'policy' => 'path "secret/data/else" { capabilities = ["read"] }' ] );
$weak = $managers->bao( 'POST', 'auth/token/create', [ 'policies' => [ 'nothing' ], 'no_default_policy' => true ] )['auth']['client_token'];
$poor = new Worker( [ 'vault_token_file' => private_file( 'weak-token', $weak ) ] + $vault );
$got  = $poor->ask( 'fetch', 'acme', $acme );
Checks::has( 'a token without rights', 'its policy needs the capability read on secret/data/crm/acme', $got['error']['message'] ?? '' );
$loose = private_file( 'loose-token', (string) getenv( 'TCS_BAO_TOKEN' ) );
chmod( $loose, 0644 );
Checks::has( 'a token file that others can read is not used', 'has mode 0644', ( new Worker( [ 'vault_token_file' => $loose ] + $vault ) )->ask( 'fetch', 'acme', $acme )['error']['message'] ?? '' );
$got = ( new Worker( [ 'vault_ca_file' => $crm->ca ] + $vault ) )->ask( 'fetch', 'acme', $acme );
Checks::same( 'a Vault whose certificate nobody knows is not asked', 'tls', $got['error']['kind'] ?? $got );
$got = ( new Worker( [ 'vault_addr' => 'https://127.0.0.1:1' ] + $vault ) )->ask( 'fetch', 'acme', $acme );
Checks::same( 'a Vault that is away is no wrong credential', 'connect', $got['error']['kind'] ?? $got );
$got = ( new Worker( [ 'vault_addr' => 'http://127.0.0.1:1', 'allow_http' => 0 ] + $vault ) )->ask( 'fetch', 'acme', [ 'api_endpoint' => $crm->tls ] + $acme );
Checks::has( 'a Vault without TLS is not asked', 'is not encrypted', $got['error']['message'] ?? '' );

// A secret that says which address it is for.
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ), 'api_endpoint' => 'https://crm.example' ] );
$bound = new Worker( $vault );
Checks::has( 'a secret for another address is not sent', 'is for another address than ' . $crm->plain, $bound->ask( 'fetch', 'acme', $acme )['error']['message'] ?? '' );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ), 'api_endpoint' => $crm->plain . '/anything' ] );
Checks::same( 'a secret for this address is', 36, ( new Worker( $vault ) )->ask( 'fetch', 'acme', $acme )['rows'] ?? null );

// PHP cannot name an address.
$names = [ 'vault_addr', 'vault_path', 'vault_token_file', 'vault_namespace', 'aws_endpoint', 'aws_sm_path', 'aws_metadata_endpoint', 'secret_seconds' ];
Checks::same( 'ini_set() changes none of it', array_fill( 0, count( $names ), false ), $worker->ask( 'ini', 'acme', [], $names )['set'] ?? null );
$trap   = stream_socket_server( 'tcp://127.0.0.1:0' );
$evil   = 'http://' . stream_socket_get_name( $trap, false );
$got    = ( new Worker( $vault ) )->ask( 'fetch', 'acme', $acme + [ 'vault_addr' => $evil, 'vault_path' => 'secret/{tenant}', 'tenant_crm_sync.vault_addr' => $evil, 'vault_namespace' => 'x' ] );
Checks::same( "a tenant's settings change none of it", 36, $got['rows'] ?? $got );
Checks::same( 'and nobody came to the address in them', false, @stream_socket_accept( $trap, 0 ) );

// A namespace, and an AppRole whose tokens end.
$managers->bao( 'POST', 'sys/namespaces/north' );
$managers->bao( 'POST', 'sys/mounts/secret', [ 'type' => 'kv', 'options' => [ 'version' => '2' ] ], 'north' );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ) ], 'north' );
$managers->put( 'crm/acme', [ 'api_key' => 'of the root' ] );
Checks::same( 'a namespace', 36, ( new Worker( [ 'vault_namespace' => 'north' ] + $vault ) )->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
$managers->put( 'crm/acme', [ 'api_key' => key_of( 'acme-4' ) ] );
$managers->bao( 'POST', 'sys/auth/approle', [ 'type' => 'approle' ] );
$managers->bao( 'PUT', 'sys/policies/acl/portal', [ 'policy' => 'path "secret/data/crm/*" { capabilities = ["read"] }' ] );
$managers->bao( 'POST', 'auth/approle/role/portal', [ 'token_policies' => 'portal', 'token_ttl' => '1h' ] );
$role   = $managers->bao( 'GET', 'auth/approle/role/portal/role-id' )['data']['role_id'];
$secret = $managers->bao( 'POST', 'auth/approle/role/portal/secret-id' )['data'];
$by     = [ 'vault_role_id' => $role, 'vault_secret_id_file' => private_file( 'secret-id', $secret['secret_id'] ), 'secret_seconds' => 0 ];
$worker = new Worker( $by + array_diff_key( $vault, [ 'vault_token_file' => 0 ] ) );
Checks::same( 'an AppRole', 36, $worker->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
$logins = static fn(): int => count( $managers->bao( 'LIST', 'auth/token/accessors' )['data']['keys'] );
$before = $logins();
Checks::same( 'its token is used again', 36, $worker->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
Checks::same( 'its token is used again: no login', $before, $logins() );
$managers->bao( 'PUT', 'sys/leases/revoke-prefix/auth/approle/login' );
Checks::same( 'a token that was revoked is got anew', 36, $worker->ask( 'fetch', 'acme', $acme )['rows'] ?? null );
$managers->bao( 'POST', 'auth/approle/role/portal/secret-id/destroy', [ 'secret_id' => $secret['secret_id'] ] );
$managers->bao( 'PUT', 'sys/leases/revoke-prefix/auth/approle/login' );
$got = $worker->ask( 'fetch', 'acme', $acme );
Checks::has( 'a secret id that ended', "Vault refuses this host's AppRole", $got['error']['message'] ?? json_encode( $got ) );
Checks::same( 'a secret id that ended: it is not shown', false, str_contains( json_encode( $got ), $secret['secret_id'] ) );
Checks::has( 'no identity at all', 'this host has no identity for Vault', ( new Worker( array_diff_key( $vault, [ 'vault_token_file' => 0 ] ) ) )->ask( 'fetch', 'acme', $acme )['error']['message'] ?? '' );

$managers->bao( 'PUT', 'sys/seal' );
Checks::has( 'a sealed Vault', 'Vault is sealed', ( new Worker( [ 'timeout_ms' => 2000 ] + $vault ) )->ask( 'fetch', 'acme', $acme )['error']['message'] ?? '' );
