<?php
/** AWS Secrets Manager: signatures, identities, fields, and what is said. moto checks signatures and rights from the first request of ours on. */

declare(strict_types=1);

namespace TenantCRM\Tests;

$crm->tenant( 'north', key_of( 'north' ) );
$crm->call( 'POST', '/seed', [ 'tenant' => 'north', 'object' => 'leads', 'count' => 5, 'seed' => 2 ] );
$one   = static fn( string $xml, string $name ): string => preg_match( "#<$name>([^<]*)</$name>#", $xml, $found ) ? html_entity_decode( $found[1] ) : throw new \RuntimeException( "no $name in $xml" );
$user  = static function ( string $name, ?string $policy ) use ( $managers, $one ): array {
	$managers->query( 'iam', '2010-05-08', 'CreateUser', [ 'UserName' => $name ] );
	if ( null !== $policy ) {
		$managers->query( 'iam', '2010-05-08', 'PutUserPolicy', [ 'UserName' => $name, 'PolicyName' => 'p', 'PolicyDocument' => $policy ] );
	}
	$keys = $managers->query( 'iam', '2010-05-08', 'CreateAccessKey', [ 'UserName' => $name ] );
	return [ $one( $keys, 'AccessKeyId' ), $one( $keys, 'SecretAccessKey' ) ];
};
$reads = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"*"}]}';
$good  = $user( 'portal', $reads );
$weak  = $user( 'nobody', null );
$managers->query( 'iam', '2010-05-08', 'CreateRole', [ 'RoleName' => 'portal-role', 'AssumeRolePolicyDocument' => '{"Version":"2012-10-17","Statement":[]}' ] );
$managers->query( 'iam', '2010-05-08', 'PutRolePolicy', [ 'RoleName' => 'portal-role', 'PolicyName' => 'p', 'PolicyDocument' => $reads ] );
$role  = $managers->query( 'sts', '2011-06-15', 'AssumeRole', [ 'RoleArn' => 'arn:aws:iam::123456789012:role/portal-role', 'RoleSessionName' => 'i-1' ] );
$managers->secretsmanager( 'CreateSecret', [ 'Name' => 'crm/north/key', 'SecretString' => json_encode( [ 'api_key' => key_of( 'north' ) ] ) ] );
$managers->secretsmanager( 'CreateSecret', [ 'Name' => 'crm/north/text', 'SecretString' => key_of( 'north' ) ] );
$managers->check_signatures( true );

$file  = private_file( 'credentials', "[default]\naws_access_key_id = {$weak[0]}\naws_secret_access_key = {$weak[1]}\n\n[portal]\n# ours\naws_access_key_id={$good[0]}\naws_secret_access_key={$good[1]}\n[wrong]\naws_access_key_id={$good[0]}\naws_secret_access_key=" . strrev( $good[1] ) . "\n" );
$aws   = $base + [ 'aws_region' => 'eu-central-1', 'aws_sm_path' => 'crm/{tenant}/*', 'aws_endpoint' => (string) getenv( 'TCS_MOTO' ), 'aws_credentials_file' => $file, 'aws_profile' => 'portal' ];
$north = [ 'api_endpoint' => $crm->plain, 'api_key' => 'aws-sm://crm/north/key#api_key' ];
$crm->requests();

$worker = new Worker( $aws );
$got    = $worker->ask( 'fetch', 'north', $north );
Checks::same( 'AWS, a field of JSON, keys of a profile', 5, $got['rows'] ?? $got );
Checks::same( 'AWS: it is what the CRM gets', [ key_of( 'north' ) ], $seen() );
Checks::same( 'AWS, a whole text', 5, $worker->ask( 'fetch', 'north', [ 'api_key' => 'aws-sm://crm/north/text' ] + $north )['rows'] ?? null );
$got = ( new Worker( [ 'aws_profile' => 'wrong' ] + $aws ) )->ask( 'fetch', 'north', $north );
Checks::has( 'AWS, a signature with another secret', "AWS refuses this host's own keys (SignatureDoesNotMatch)", $got['error']['message'] ?? json_encode( $got ) );
Checks::same( 'AWS, a signature with another secret: no key is shown', false, str_contains( json_encode( $got ), $good[1] ) || str_contains( json_encode( $got ), strrev( $good[1] ) ) );
$got = ( new Worker( [ 'aws_profile' => 'default' ] + $aws ) )->ask( 'fetch', 'north', $north );
Checks::has( 'AWS, no rights', 'its identity needs secretsmanager:GetSecretValue', $got['error']['message'] ?? json_encode( $got ) );
Checks::has( 'AWS, no such profile', 'has no profile [ghost]', ( new Worker( [ 'aws_profile' => 'ghost' ] + $aws ) )->ask( 'fetch', 'north', $north )['error']['message'] ?? '' );
Checks::has( 'AWS, no such secret', 'there is no secret aws-sm://crm/north/none', $worker->ask( 'fetch', 'north', [ 'api_key' => 'aws-sm://crm/north/none' ] + $north )['error']['message'] ?? '' );
Checks::has( 'AWS, no such field', 'has no field token, it has: api_key', $worker->ask( 'fetch', 'north', [ 'api_key' => 'aws-sm://crm/north/key#token' ] + $north )['error']['message'] ?? '' );
Checks::has( "AWS, another tenant's", 'references begin with aws-sm://crm/south/ (tenant_crm_sync.aws_sm_path)', $worker->ask( 'fetch', 'south', $north )['error']['message'] ?? '' );
$seen();

usleep( 1_100_000 );
$crm->tenant( 'north', key_of( 'north-2' ) );
$managers->rotate( 'crm/north/key', json_encode( [ 'api_key' => key_of( 'north-2' ) ] ) );
Checks::same( 'AWS, 401: the new one', 5, $worker->ask( 'fetch', 'north', $north )['rows'] ?? null );
Checks::same( 'AWS, 401: one refusal, one repetition', [ key_of( 'north' ), key_of( 'north-2' ) ], $seen() );

// The instance's role: its keys end, and come with a session.
$by  = [ 'aws_metadata_endpoint' => (string) getenv( 'TCS_IMDS' ) ] + array_diff_key( $aws, [ 'aws_credentials_file' => 0, 'aws_profile' => 0 ] );
Checks::has( 'no role is attached', "this host's instance role gives no keys", ( new Worker( $by ) )->ask( 'fetch', 'north', $north )['error']['message'] ?? '' );
$imds = static fn( string $end ): int|false => file_put_contents( "$work/imds.json", json_encode( [ 'AccessKeyId' => $one( $role, 'AccessKeyId' ), 'SecretAccessKey' => $one( $role, 'SecretAccessKey' ), 'Token' => $one( $role, 'SessionToken' ), 'Expiration' => $end ] ) );
$imds( gmdate( 'Y-m-d\TH:i:s\Z', time() + 3600 ) );
$worker = new Worker( $by + [ 'secret_seconds' => 0 ] );
$got    = $worker->ask( 'fetch', 'north', $north );
Checks::same( 'the role of the instance', 5, $got['rows'] ?? $got );
Checks::same( 'its keys are kept', 5, $worker->ask( 'fetch', 'north', $north )['rows'] ?? null );
Checks::same( 'its keys are kept: asked once', 1, strlen( (string) file_get_contents( "$work/imds.json.asked" ) ) );
$imds( gmdate( 'Y-m-d\TH:i:s\Z', time() + 60 ) );
$worker = new Worker( $by + [ 'secret_seconds' => 0 ] );
$worker->ask( 'fetch', 'north', $north );
Checks::same( 'keys that end soon', 5, $worker->ask( 'fetch', 'north', $north )['rows'] ?? null );
Checks::same( 'keys that end soon are got anew', 3, strlen( (string) file_get_contents( "$work/imds.json.asked" ) ) );

// Nothing of any of this was logged by any worker.
$logs = implode( '', array_map( 'file_get_contents', glob( "$work/worker-*.log" ) ) );
foreach ( [ key_of( 'acme' ), key_of( 'acme-2' ), key_of( 'acme-4' ), key_of( 'north' ), key_of( 'north-2' ), $good[1], $one( $role, 'SecretAccessKey' ), (string) getenv( 'TCS_BAO_TOKEN' ) ] as $number => $secret ) {
	Checks::same( "secret $number is in no log", false, str_contains( $logs, $secret ) );
}
Checks::same( 'there are logs', true, str_contains( $logs, 'CRM API request failed for tenant acme' ) );
