--TEST--
last_error(), the line in the log, and exceptions: file, line, trace, status, retry_after, a redacted body
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'none' ] );
$sync = sync();
check( 'nothing yet', null, $sync->last_error() );
answer( '{"error":"bad token ' . KEY . '","password":"hunter2","why":"é"}', 403 );
check( 'false', false, $sync->fetch_leads( '2026-01-01 personal' ) );
$error = $sync->last_error();
check( 'its keys', [ 'kind', 'message', 'tenant', 'operation', 'status', 'reason', 'retry_after', 'attempts', 'body' ], array_keys( $error ) );
check( 'what is known', [ 'http', 'acme', 'GET ' . crm()->plain . '/api/v1/leads', 403, null, 1 ], [ $error['kind'], $error['tenant'], $error['operation'], $error['status'], $error['retry_after'], $error['attempts'] ] );
check_contains( 'the body', '"why":"é"', $error['body'] );
check( 'redacted', [ false, false ], [ str_contains( $error['body'], KEY ), str_contains( $error['body'], 'hunter2' ) ] );
$log = logged();
check( 'one line', 1, substr_count( $log, "\n" ) );
check_contains( 'it names tenant and place', 'CRM API request failed for tenant acme: GET ' . crm()->plain . '/api/v1/leads: HTTP 403', $log );
check( 'no query, no key', [ false, false ], [ str_contains( $log, 'personal' ), str_contains( $log, KEY ) ] );
answer( '{"data":[]}' );
$sync->fetch_leads();
check( 'forgotten after a success', [ null, '' ], [ $sync->last_error(), logged() ] );
answer( "line\r\nbreak \x00 and <script>alert(1)</script> " . str_repeat( 'long ', 1000 ), 400 );
$sync->fetch_leads();
$log = logged();
check( 'still one line', 1, substr_count( $log, "\n" ) );
check( 'and not too long', true, strlen( $log ) < 1000 );
check( 'the body is an excerpt', true, strlen( $sync->last_error()['body'] ) <= 503 );

function deep( TenantCRMSync $sync ) {
	return $sync->create_lead( [ 'name' => 'x' ] );
}
$sync->throw_errors();
answer( '{"message":"name is taken"}', 422 );
$thrown = check_throws( 'it throws', 'TenantCRMSync\HttpException', 'CRM tenant acme: POST ' . crm()->plain . '/api/v1/leads: HTTP 422', fn() => deep( $sync ) );
check( 'where', [ __FILE__, 'create_lead', 'deep' ], [ $thrown->getFile(), $thrown->getTrace()[0]['function'], $thrown->getTrace()[1]['function'] ] );
check( 'the line', true, $thrown->getLine() === ( new ReflectionFunction( 'deep' ) )->getStartLine() + 1 );
check( 'properties', [ 422, 'acme', 'http', 422, null, 1, '{"message":"name is taken"}' ], [ $thrown->getCode(), $thrown->tenant, $thrown->kind, $thrown->status, $thrown->retry_after, $thrown->attempts, $thrown->body ] );
check( 'its family', [ true, true, true ], [ $thrown instanceof TenantCRMSync\Exception, $thrown instanceof RuntimeException, $thrown instanceof TenantCRMSync\HttpException ] );
check( 'last_error() as well', 422, $sync->last_error()['status'] );
check( 'no line in the log', '', logged() );

answer( 'slow down', 429, [ 'Retry-After' => '77' ] );
$thrown = check_throws( 'too fast', 'TenantCRMSync\RateLimitException', 'HTTP 429', fn() => $sync->fetch_leads() );
check( 'how long', [ 77.0, 'rate_limited', true ], [ $thrown->retry_after, $thrown->kind, $thrown instanceof TenantCRMSync\HttpException ] );
wire();
$thrown = check_throws( 'and nobody asks before that', 'TenantCRMSync\RateLimitException', 'not sent: the CRM has asked to wait until ', fn() => sync( 'acme', [ 'throw' => true ] )->fetch_leads() );
check( 'nothing was sent', [ [], 0, true, 'rate_limited' ], [ wire(), $thrown->attempts, $thrown->retry_after > 70 && $thrown->retry_after <= 77, $thrown->reason ] );

tenant( 'other', [ 'paging' => 'none' ], 'another-key' );
$other = sync( 'other', [ 'throw' => true, 'api_key' => 'another-key' ] );
check( 'nobody else waits', [], $other->fetch_leads() );
answer( 'slow down', 429, [ 'Retry-After' => gmdate( 'D, d M Y H:i:s', time() + 100 ) . ' GMT' ], id: 'other' );
$thrown = check_throws( 'too fast', 'TenantCRMSync\RateLimitException', 'HTTP 429', fn() => $other->fetch_leads() );
check( 'a date is seconds', true, $thrown->retry_after > 95 && $thrown->retry_after <= 101 );

tenant( 'third', [ 'paging' => 'none' ], 'third-key' );
$sync = sync( 'third', [ 'throw' => true, 'api_key' => 'third-key' ] );
answer( 'hello', id: 'third' );
$thrown = check_throws( 'no JSON', 'TenantCRMSync\DecodeException', 'the answer is not JSON: Syntax error', fn() => $sync->fetch_leads() );
check( 'properties', [ 'decode', 200 ], [ $thrown->kind, $thrown->status ] );
check_throws( 'no JSON to send', 'TenantCRMSync\ConfigException', 'the data cannot be written as JSON: Inf and NaN cannot be JSON encoded', fn() => $sync->create_lead( [ INF ] ) );
check( 'kind', 'encode', $sync->last_error()['kind'] );
$refused = sync( 'acme', [ 'throw' => true, 'api_endpoint' => 'http://127.0.0.1:1', 'timeout' => 0.5 ] );
$thrown  = check_throws( 'no connection', 'TenantCRMSync\TransportException', '127.0.0.1:1', fn() => $refused->fetch_leads() );
check( 'properties', [ 'connect', null, 0 ], [ $thrown->kind, $thrown->status, $thrown->getCode() ] );
crm()->faults( 'third', [ [ 'kind' => 'stall', 'ms' => 3000, 'times' => null ] ] );
$start  = microtime( true );
$thrown = check_throws( 'no answer in time', 'TenantCRMSync\TransportException', 'no complete answer within 0.3 s', fn() => sync( 'third', [ 'throw' => true, 'timeout' => 0.3, 'api_key' => 'third-key' ] )->fetch_leads() );
check( 'in time', true, microtime( true ) - $start < 2.5 );
check( 'kind', 'timeout', $thrown->kind );

// A script can throw and extend them as well.
$own = new TenantCRMSync\RateLimitException( 'mine', 5, new LogicException( 'inner' ) );
check( 'made by a script', [ 'mine', 5, 'inner', '', null, 0 ], [ $own->getMessage(), $own->getCode(), $own->getPrevious()->getMessage(), $own->tenant, $own->retry_after, $own->attempts ] );
class OwnException extends TenantCRMSync\TransportException {}
check_throws( 'extended', 'OwnException', 'mine', fn() => throw new OwnException( 'mine' ) );
$families = [];
foreach ( [ 'Config', 'Credential', 'Egress', 'Transport', 'Http', 'RateLimit', 'Decode' ] as $name ) {
	$families[ $name ] = is_subclass_of( "TenantCRMSync\\{$name}Exception", 'TenantCRMSync\Exception' );
}
check( 'one family', array_fill_keys( array_keys( $families ), true ), $families );
$uncaught = php( '<?php $sync = TenantCRMSync::with_settings( "acme", [ "api_key" => "' . KEY . '", "api_endpoint" => "http://127.0.0.1:1", "throw" => true, "timeout" => 0.2 ] ); $sync->fetch_leads();', [ 'zend.exception_ignore_args' => 0 ] );
check_contains( 'uncaught', 'PHP Fatal error', 'PHP ' . $uncaught['out'] );
check( 'no key', false, str_contains( $uncaught['out'], 'k3y-of' ) );
check( 'code 255', 255, $uncaught['code'] );
done();
--EXPECT--
51 checks hold
