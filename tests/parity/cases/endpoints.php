<?php
/** Endpoints as people write them: `/api/v1/leads` is resolved against them by RFC 3986. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

$endpoints = [
	'a trailing slash'        => '{plain}/',
	'a path'                  => '{plain}/crm/v2',
	'a path and a slash'      => '{plain}/crm/v2/',
	'a query'                 => '{plain}?tenant=1',
	'a path and a query'      => '{plain}/crm?tenant=1',
	'a fragment'              => '{plain}/#top',
	'a user and password'     => 'http://ann:secret@127.0.0.1:{plain_port}',
	'a scheme in capitals'    => 'HTTP://127.0.0.1:{plain_port}',
	'a name'                  => 'http://localhost:{plain_port}',
	'a name in capitals'      => 'http://LOCALHOST:{plain_port}',
	'two slashes in the path' => '{plain}//crm',
	'dots in the path'        => '{plain}/../..',
];
$cases = [];
foreach ( $endpoints as $name => $endpoint ) {
	$cases[ "endpoint: $name" ] = [ 'settings' => [ 'api_endpoint' => $endpoint ], 'rows' => [ [ 'id' => 1, 'updated_at' => null ] ] ];
}
$broken = [
	'no scheme'               => '127.0.0.1:{plain_port}',
	'no scheme, but a name'   => 'crm.invalid',
	'no scheme, but slashes'  => '//127.0.0.1:{plain_port}',
	'a path only'             => '/crm',
	'words'                   => 'our crm',
	'another scheme'          => 'ftp://127.0.0.1:{plain_port}',
	'a file'                  => 'file:///etc/passwd',
	'a port that is none'     => 'http://127.0.0.1:70000',
	'no host'                 => 'http://',
	'a space in the name'     => 'http://crm example.invalid',
];
$said = [
	'no scheme'              => 'without a scheme curl guesses http: the key would travel unencrypted',
	'no scheme, but slashes' => 'without a scheme curl guesses http: the key would travel unencrypted',
	'a port that is none'    => 'the constructor only looks the settings up; what is wrong with them is told by the call: false and a line in the log',
	'a space in the name'    => 'the constructor only looks the settings up; what is wrong with them is told by the call: false and a line in the log',
	'no host'                => 'the constructor only looks the settings up; what is wrong with them is told by the call: false and a line in the log',
];
foreach ( $broken as $name => $endpoint ) {
	$cases[ "endpoint: $name" ] = [ 'settings' => [ 'api_endpoint' => $endpoint ], 'slow' => true ] + ( isset( $said[ $name ] ) ? [ 'why' => $said[ $name ] ] : [] );
}
$keys = [
	'spaces around it' => ' key ',
	'a line break'     => "key\r\nX-Evil: 1",
	'a final line feed' => "key\n",
	'non-ASCII'        => 'schlüssel',
	'a NUL'            => "key\0",
	'an integer'       => 12345,
];
foreach ( $keys as $name => $key ) {
	$cases[ "key: $name" ] = [ 'settings' => [ 'api_key' => $key ] ];
}
return $cases;
