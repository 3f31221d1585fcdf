--TEST--
max_execution_time and memory_limit: waiting does not count, a fatal error in the middle breaks nothing
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
seed( 300 );
$prelude = '<?php $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] ); ';
crm()->faults( 'acme', [ [ 'kind' => 'stall', 'ms' => 2500, 'times' => 1 ] ] );
$got = php( $prelude . 'set_time_limit( 1 ); echo count( $sync->fetch_leads() );' );
check( 'waiting is not counted', '300', $got['out'] );
$got = php( $prelude . 'set_time_limit( 1 ); register_shutdown_function( function () use ( $sync ) { set_time_limit( 5 ); echo " shutdown ", count( $sync->fetch_leads() ); } ); while ( true ) { $sync->fetch_leads(); }' );
check_contains( 'work is', 'Maximum execution time of 1 second exceeded', $got['out'] );
check_contains( 'and afterwards calls still work', ' shutdown 300', $got['out'] );

// Memory runs out while arrays are built: the error of PHP, and a shutdown function that still works.
seed( 6000 );
$got = php( $prelude . 'register_shutdown_function( function () use ( $sync ) { ini_set( "memory_limit", "256M" ); $n = 0; foreach ( $sync->pull( "leads" ) as $batch ) { $n += count( $batch ); } echo " shutdown ", $n; } ); $sync->fetch_leads(); echo "not reached";', [ 'memory_limit' => '4M' ] );
check_contains( 'memory', 'Allowed memory size of 4194304 bytes exhausted', $got['out'] );
check_contains( 'afterwards', ' shutdown 6300', $got['out'] );
check( 'not reached', false, str_contains( $got['out'], 'not reached' ) );
$got = php( $prelude . 'register_shutdown_function( function () use ( $sync ) { ini_set( "memory_limit", "256M" ); echo " shutdown ", count( $sync->fetch_leads() ); } ); foreach ( $sync->pull( "leads" ) as $batch ) { $batch->rows(); } echo "not reached";', [ 'memory_limit' => '4M' ] );
check_contains( 'the same in a batch', 'Allowed memory size of 4194304 bytes exhausted', $got['out'] );
check_contains( 'afterwards', ' shutdown 6300', $got['out'] );

// A fatal error inside the settings function, and in the data that is encoded.
$got = php( '<?php function get_tenant_crm_settings( $id ) { trigger_error( "broken", E_USER_ERROR ); } register_shutdown_function( function () { echo " shutdown"; } ); new TenantCRMSync( "x" ); echo "not reached";' );
check( 'E_USER_ERROR in the settings function', [ true, true, false ], [ str_contains( $got['out'], 'broken' ), str_contains( $got['out'], ' shutdown' ), str_contains( $got['out'], 'not reached' ) ] );
$got = php( $prelude . 'class Bad implements JsonSerializable { function jsonSerialize(): mixed { trigger_error( "broken", E_USER_ERROR ); } } register_shutdown_function( function () use ( $sync ) { echo " shutdown ", count( $sync->fetch_leads() ); } ); $sync->create_lead( [ new Bad() ] ); echo "not reached";', [ 'memory_limit' => '256M' ] );
check( 'E_USER_ERROR in the data', [ true, true, false ], [ str_contains( $got['out'], 'broken' ), str_contains( $got['out'], ' shutdown 6300' ), str_contains( $got['out'], 'not reached' ) ] );
done();
--EXPECT--
10 checks hold
