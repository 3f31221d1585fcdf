--TEST--
exec and preloading: what a process starts gets none of its sockets and files, it goes on by itself; a class of the site that is preloaded works
--INI--
tenant_crm_sync.allow_http=1
tenant_crm_sync.allow_private_networks=1
--FILE--
<?php
require __DIR__ . '/inc.php';
tenant( 'acme', [ 'paging' => 'cursor' ] );
seed( 5 );
// Whoever starts the tests may have left sockets open: those are not ours.
$ours = static function (): array {
	exec( 'cd /proc/self/fd && for fd in *; do readlink "$fd"; done', $lines );
	return array_values( preg_grep( '/^socket:|limits|eventfd|eventpoll/', $lines ) );
};
$others = $ours();
$sync   = sync();
check( 'before', 5, count( $sync->fetch_leads() ) );
check( 'no socket, and no file of ours, is handed on', $others, $ours() );
check( 'popen', "said\n", stream_get_contents( popen( 'echo said', 'r' ) ) );
check( 'after', 5, count( $sync->fetch_leads() ) );

// The same process becomes another program, which begins anew.
$settings = '[ "api_key" => ' . var_export( KEY, true ) . ', "api_endpoint" => ' . var_export( crm()->plain, true ) . ' ]';
$second   = folder() . '/second.php';
file_put_contents( $second, "<?php echo getmypid() === (int) \$argv[1] ? 'the same ' : 'another ', count( TenantCRMSync::with_settings( 'acme', $settings )->fetch_leads() );" );
$arguments = [ '-n', '-d', 'extension=' . getenv( 'TCS_EXTENSION' ), '-d', 'tenant_crm_sync.allow_http=1', '-d', 'tenant_crm_sync.allow_private_networks=1', $second ];
$got       = php( "<?php echo count( TenantCRMSync::with_settings( 'acme', $settings )->fetch_leads() ), ' '; flush(); pcntl_exec( PHP_BINARY, array_merge( " . var_export( $arguments, true ) . ', [ (string) getmypid() ] ) );' );
check( 'pcntl_exec', [ '5 the same 5', 0 ], [ $got['out'], $got['code'] ] );

// Preloading runs before any request, as another user where PHP starts as root.
chmod( folder(), 0711 );
$preload = folder() . '/preload.php';
file_put_contents( $preload, '<?php class SiteSync extends TenantCRMSync { public function leads(): int { return count( $this->fetch_leads() ); } }' );
chmod( $preload, 0644 );
$opcache = opcache() + [ 'opcache.preload' => $preload ] + ( 0 === fileowner( '/proc/self' ) ? [ 'opcache.preload_user' => 'www-data' ] : [] );
$code    = "<?php echo json_encode( opcache_get_status( false )['preload_statistics']['classes'] ), ' ', SiteSync::with_settings( 'acme', $settings )->leads();";
$got     = php( $code, $opcache );
check( 'a preloaded class', [ '["SiteSync"] 5', 0 ], [ $got['out'], $got['code'] ] );
// Whatever preloading itself asks for, no process starts with half an engine.
file_put_contents( $preload, "\ntry { TenantCRMSync::with_settings( 'acme', $settings )->fetch_leads(); } catch ( Throwable ) { \$GLOBALS['x'] = 1; }", FILE_APPEND );
$got = php( $code, $opcache );
check( 'a call while preloading', true, str_ends_with( $got['out'], '["SiteSync"] 5' ) && 0 === $got['code'] ? true : $got );
done();
--EXPECT--
7 checks hold
