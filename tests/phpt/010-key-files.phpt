--TEST--
Key files: mode, owner, kind and content are checked, and the remedy is said
--FILE--
<?php
require __DIR__ . '/inc.php';
mkdir( folder() . '/host.key.d', 0700 );
$good = base64_encode( random_bytes( 32 ) );
$try  = static function ( string $file, array $ini = [] ): string {
	$got = php(
		'<?php try { echo TenantCRMSync::encrypt_credential( "acme", "the key", "api_key", "https://crm.example" ); } catch ( TenantCRMSync\CredentialException $e ) { echo "REFUSED ", $e->getMessage(), " | ", TenantCRMSync::status()["key_error"], " | ", TenantCRMSync::status()["keys"]; }',
		$ini + [ 'tenant_crm_sync.key_file' => $file ]
	);
	return $got['out'];
};
foreach ( [ 0600, 0640, 0400, 0440 ] as $mode ) {
	check( sprintf( 'mode %04o', $mode ), false, str_contains( $try( host_keys( [ $good ], $mode ) ), 'REFUSED' ) );
}
foreach ( [ 0644, 0660, 0604, 0620, 0602, 0666 ] as $mode ) {
	$said = $try( host_keys( [ $good ], $mode ) );
	check_contains( sprintf( 'mode %04o', $mode ), 'REFUSED', $said );
	check_contains( sprintf( 'mode %04o: remedy', $mode ), 'chmod', $said );
	check_contains( 'status() says it too', '| 0', $said );
	check( 'no key in it', false, str_contains( $said, $good ) || str_contains( $said, 'the key' ) );
}
$file = host_keys( [ $good ] );
symlink( $file, folder() . '/link.key' );
check_contains( 'a link', 'symbolic link', $try( folder() . '/link.key', [ 'tenant_crm_sync.key_dir' => "$file.d" ] ) );
check_contains( 'a folder', 'REFUSED', $try( folder() ) );
check_contains( 'nothing', 'REFUSED', $try( folder() . '/none.key' ) );
foreach ( [ 'short' => base64_encode( 'short' ), 'not base64' => str_repeat( '?', 44 ), 'long' => base64_encode( random_bytes( 33 ) ), 'words' => 'my password' ] as $name => $line ) {
	$said = $try( host_keys( [ $line ], 0600 ) );
	check_contains( "$name", 'REFUSED', $said );
	check( "$name is not shown", false, str_contains( $said, $line ) );
}
check_contains( 'comments only', 'REFUSED', $try( host_keys( [ '# nothing' ], 0600 ) ) );
check( 'several keys, blanks, comments', false, str_contains( $try( host_keys( [ '', "  $good  ", '# second', base64_encode( random_bytes( 32 ) ) ] ) ), 'REFUSED' ) );

// The folder of the tenants' keys.
$file = host_keys( [ $good ] );
$dir  = folder() . '/tenants';
check_contains( 'no folder', 'install -d -m 0700', $try( $file, [ 'tenant_crm_sync.key_dir' => $dir ] ) );
mkdir( $dir );
foreach ( [ 0777, 0770, 0702 ] as $mode ) {
	chmod( $dir, $mode );
	check_contains( sprintf( 'a folder that others may change: %04o', $mode ), 'chmod 0700', $try( $file, [ 'tenant_crm_sync.key_dir' => $dir ] ) );
}
chmod( $dir, 0700 );
check( 'a folder of our own', false, str_contains( $try( $file, [ 'tenant_crm_sync.key_dir' => $dir ] ), 'REFUSED' ) );
$modes = [];
foreach ( new RecursiveIteratorIterator( new RecursiveDirectoryIterator( $dir, FilesystemIterator::SKIP_DOTS ) ) as $found ) {
	$modes[] = sprintf( '%04o', $found->getPerms() & 07777 );
	check( 'no plain host key, no credential', false, str_contains( (string) file_get_contents( $found->getPathname() ), $good ) || str_contains( (string) file_get_contents( $found->getPathname() ), 'the key' ) );
}
check( 'its files are nobody else\'s', [ '0600' ], array_values( array_unique( $modes ) ) );
done();
--EXPECT--
50 checks hold
