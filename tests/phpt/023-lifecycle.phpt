--TEST--
Fibers, destructors, interleaved pulls, opcache with JIT, a bomb of gzip, HTTP/2: what long-lived scripts do
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
seed( 300 );
$sync = sync();

// Fibers that stop inside the settings function, and inside the data.
if ( true ) {
	function get_tenant_crm_settings( $id ) {
		Fiber::suspend( 'settings' );
		return [ 'api_key' => KEY, 'api_endpoint' => crm()->plain ];
	}
}
class Waits implements JsonSerializable {
	public function jsonSerialize(): mixed {
		return Fiber::suspend( 'data' );
	}
}
$fiber = new Fiber( fn() => ( new TenantCRMSync( 'acme' ) )->create_lead( [ 'name' => new Waits() ] ) );
check( 'in the settings function', 'settings', $fiber->start() );
check( 'others go on', 100, count( $sync->fetch_leads() ) );
check( 'in the data', 'data', $fiber->resume() );
$fiber->resume( 'Fay' );
check( 'the end', 'Fay', $fiber->getReturn()['name'] );
$left = new Fiber( fn() => $sync->create_lead( [ 'name' => new Waits() ] ) );
$left->start();
unset( $left );
gc_collect_cycles();
check( 'one that is left behind', 100, count( $sync->fetch_leads() ) );

// What throws while arguments are converted.
class Silent {
	public function __toString(): string {
		throw new DomainException( 'no text' );
	}
}
$thrown = check_throws( 'an id', 'DomainException', 'no text', fn() => $sync->get_lead( new Silent() ) );
check( 'nothing before it', null, $thrown->getPrevious() );
check_throws( 'an object type', 'DomainException', 'no text', fn() => $sync->fetch_records( new Silent() ) );

// Two pulls at once, with calls between.
[ $a, $b ] = [ $sync->pull( 'leads', null, [ 'page_size' => 50 ] ), $sync->pull( 'leads', null, [ 'page_size' => 70 ] ) ];
$rows      = [ 0, 0 ];
for ( $a->rewind(), $b->rewind(); $a->valid() || $b->valid(); ) {
	foreach ( [ $a, $b ] as $which => $pull ) {
		if ( $pull->valid() ) {
			$rows[ $which ] += count( $pull->current()->rows() );
			$sync->get_lead( 1 );
			$pull->next();
		}
	}
}
check( 'each has all', [ 301, 301 ], $rows );
$some = iterator_to_array( new LimitIterator( new IteratorIterator( $sync->pull( 'leads', null, [ 'page_size' => 10 ] ) ), 2, 3 ), false );
check( 'through SPL', [ 21, 31, 41 ], array_map( static fn( $batch ) => (int) $batch->ids()[0], $some ) );
$batch            = $some[0];
$first            = $batch->rows();
$first[0]['name'] = 'changed';
check( 'rows are the script\'s own', false, 'changed' === $batch->rows()[0]['name'] );

// A small answer that grows to 100 MB.
answer( gzencode( '{"data":["' . str_repeat( '0', 100 << 20 ) . '"]}', 9 ), 200, [ 'Content-Encoding' => 'gzip' ], 1 );
check( 'bounded', [ false, 'too_large', 1 ], [ $sync->fetch_leads(), $sync->last_error()['kind'], $sync->last_error()['attempts'] ] );

// Over TLS and HTTP/2, with the JIT, in destructors and after exit().
$code = '<?php class Last extends TenantCRMSync { function __destruct() { echo " destructor ", count( $this->fetch_leads() ); } }
	$settings = [ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->tls, true ) . ' ];
	$kept = Last::with_settings( "acme", $settings ); $sync = TenantCRMSync::with_settings( "acme", $settings ); $n = 0;
	for ( $i = 0; $i < 300; $i++ ) { $n += count( $sync->fetch_leads() ); }
	foreach ( $sync->pull( "leads", null, [ "page_size" => 7 ] ) as $batch ) { foreach ( $batch->rows() as $row ) { $n += is_array( $row ) ? 1 : 0; } }
	function use_it( $sync ) { foreach ( $sync->pull( "leads" ) as $batch ) { exit( 4 ); } }
	echo $n; use_it( $sync );';
$jit = opcache() + [ 'opcache.jit' => 'tracing', 'opcache.jit_buffer_size' => '32M' ];
foreach ( [ 'plain' => [], 'JIT' => $jit ] as $name => $ini ) {
	crm()->requests();
	$got = php( $code, $ini + [ 'tenant_crm_sync.ca_file' => crm()->ca ] );
	check( $name, [ '30301 destructor 100', 4 ], [ $got['out'], $got['code'] ] );
	$requests = crm()->requests();
	check( "$name: HTTP/2", [ 'HTTP/2' ], array_values( array_unique( array_column( $requests, 'protocol' ) ) ) );
	check( "$name: one connection", 1, count( array_unique( array_column( $requests, 'connection' ) ) ) );
}
done();
--EXPECT--
20 checks hold
