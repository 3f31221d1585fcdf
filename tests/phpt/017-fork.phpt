--TEST--
Forked processes: each has its own engine, a pull is not shared, the parent goes on
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
seed( 60 );
$sync = sync();
check( 'before the fork', 60, count( $sync->fetch_leads() ?: [] ) ?: 0 );
// The default page of the sandbox has 100 rows.
$pull = $sync->pull( 'leads', null, [ 'page_size' => 10 ] );
$pull->rewind();
$children = [];
for ( $number = 0; $number < 8; $number++ ) {
	$pid = pcntl_fork();
	if ( 0 === $pid ) {
		$ok = [];
		try {
			$pull->next();
			$ok[] = false;
		} catch ( TenantCRMSync\ConfigException $thrown ) {
			$ok[] = str_contains( $thrown->getMessage(), 'forked process' );
		}
		$ok[] = 60 === count( $sync->fetch_leads() );
		$ok[] = 60 === count( ( clone $sync )->fetch_leads() );
		$rows = 0;
		foreach ( $sync->pull( 'leads', null, [ 'page_size' => 20 ] ) as $batch ) {
			$rows += count( $batch );
		}
		$ok[] = 60 === $rows;
		// Some leave by a signal, as killed workers do.
		if ( 0 === $number % 4 ) {
			pcntl_signal( SIGTERM, SIG_DFL );
			file_put_contents( folder() . "/child-$number", (string) array_sum( $ok ) );
			exec( 'kill -9 ' . getmypid() );
		}
		file_put_contents( folder() . "/child-$number", (string) array_sum( $ok ) );
		exit( 0 );
	}
	$children[ $number ] = $pid;
}
$start = microtime( true );
foreach ( $children as $number => $pid ) {
	pcntl_waitpid( $pid, $status );
	check( "child $number: all four", '4', (string) @file_get_contents( folder() . "/child-$number" ) );
}
check( 'none hangs', true, microtime( true ) - $start < 30 );
$ids = $pull->current()->ids();
for ( $pull->next(); $pull->valid(); $pull->next() ) {
	$ids = [ ...$ids, ...$pull->current()->ids() ];
}
check( 'the parent\'s pull goes on', array_map( 'strval', range( 1, 60 ) ), $ids );
check( 'and its calls', 60, count( $sync->fetch_leads() ) );
$requests    = crm()->requests();
$connections = array_unique( array_column( $requests, 'connection' ) );
check( 'the parent had one connection, each child its own', true, count( $connections ) <= 1 + 8 * 2 + 1 ? true : count( $connections ) );

// Forked before anything: nothing was started that could be inherited.
$got = php(
	'<?php $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ] );
	$pid = pcntl_fork(); $n = count( $sync->fetch_leads() ); if ( 0 === $pid ) { exit( $n ); } pcntl_waitpid( $pid, $status ); echo $n, " ", pcntl_wexitstatus( $status );'
);
check( 'forked first', '60 60', $got['out'] );
done();
--EXPECT--
14 checks hold
