--TEST--
Several hosts: without Redis nothing waits or fails; what is configured and cannot be used is told in plain words, without the password
--FILE--
<?php
require __DIR__ . '/inc.php';
$limits = folder() . '/limits';
$asked  = '<?php
$started = microtime( true );
$woken   = [ TenantCRMSync::wake(), TenantCRMSync::wake( "jobs" ), TenantCRMSync::wait_for_wake( 5.0 ), TenantCRMSync::wait_for_wake( 5, "jobs" ) ];
$status  = TenantCRMSync::status();
$limiter = TenantCRMSync::limiter( "name", 64, 60.0, 32 );
$waits   = [];
for ( $i = 0; $i < 40; $i++ ) { $waits[] = $limiter->admit(); }
ob_start();
phpinfo( INFO_MODULES );
echo json_encode( [ $woken, microtime( true ) - $started, $status["redis"], $status["limit_error"], count( array_keys( $waits, 0.0, true ) ), max( $waits ), ob_get_clean() ] );';
$ask = static function ( array $ini ) use ( $asked, $limits ): array {
	$ran = php( $asked, $ini + [ 'tenant_crm_sync.limit_file' => $limits . count( $ini ) . md5( serialize( $ini ) ) ] );
	check( 'it ends well', 0, $ran['code'] );
	return json_decode( $ran['out'], true ) ?? [ $ran['out'] ];
};

list( $woken, $seconds, $redis, $error, $admitted, , $info ) = $ask( [] );
check( 'nobody can be told, and nobody waits', [ false, false, null, null ], $woken );
check( 'at once', true, $seconds < 4.0 );
check( 'no Redis is configured', [ null, null ], [ $redis, $error ] );
check( 'this host counts alone', 32, $admitted );
check_contains( 'phpinfo() shows none', "tenant_crm_sync.redis_url => no value => no value\n", $info );

list( $woken, $seconds, $redis, $error, $admitted, $wait, $info ) = $ask( [ 'tenant_crm_sync.redis_url' => '"redis://someone:s3cret@127.0.0.1:1/2"', 'tenant_crm_sync.hosts' => 2 ] );
check( 'a Redis that is away: the same', [ false, false, null, null ], $woken );
check( 'no time is lost', true, $seconds < 4.0 );
check_contains( 'it is said', 'Redis at redis://127.0.0.1:1/2 cannot be used: Connection refused', $redis );
check( 'the counters are in order', null, $error );
check( 'it may only be slow: nothing goes yet, but soon', [ 0, true ], [ $admitted, $wait > 0.0 && $wait <= 1.5 ] );
check_contains( 'phpinfo() says it', 'Limits => Redis at redis://127.0.0.1:1/2 cannot be used: Connection refused', $info );
check_contains( 'and shows where it is', "tenant_crm_sync.redis_url => redis://127.0.0.1:1/2 => redis://127.0.0.1:1/2\n", $info );
check( 'and no password', false, str_contains( $info, 's3cret' ) );

list( $woken, , $redis, $error, $admitted, , $info ) = $ask( [ 'tenant_crm_sync.redis_url' => '"redis://someone:s3cret@127.0.0.1/two"', 'tenant_crm_sync.hosts' => 4 ] );
check( 'an address that is none', [ [ false, false, null, null ], null ], [ $woken, $redis ] );
check_contains( 'is said to be none', 'tenant_crm_sync.redis_url cannot be used: the database behind the host is no number; write it as redis://', $error );
check( 'this host goes on with its part', 8, $admitted );
check_contains( 'phpinfo() shows nothing of it', "tenant_crm_sync.redis_url => (set, and cannot be used) => (set, and cannot be used)\n", $info );
check( 'nor of its password', false, str_contains( $info, 's3cret' ) );

list( , , , $error, $admitted ) = $ask( [ 'tenant_crm_sync.redis_url' => '"rediss://127.0.0.1"', 'tenant_crm_sync.ca_file' => folder() . '/none.pem', 'tenant_crm_sync.hosts' => 32 ] );
check_contains( 'authorities that cannot be read', 'tenant_crm_sync.ca_file ' . folder() . '/none.pem', $error );
check( 'of many hosts each has a small part', 1, $admitted );
check_throws( 'a name is text', 'TypeError', 'must be of type string, array given', static fn() => TenantCRMSync::wake( [] ) );
check_throws( 'a time is a number', 'TypeError', 'must be of type float, string given', static fn() => TenantCRMSync::wait_for_wake( 'soon' ) );
done();
--EXPECT--
28 checks hold
