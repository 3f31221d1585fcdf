<?php
/**
 * The CRM's name stops resolving while workers are at it, and comes back. Needs root and mounts: the workers see an /etc/hosts of their own, in a
 * namespace of theirs. Where that is not allowed, as in `nowhere`.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$stack  = (string) getenv( 'TCS_STACK' );
	$hosts  = "$stack/chaos/hosts";
	$known  = "127.0.0.1 localhost\n127.0.0.1 crm.chaos.test\n";
	$within = array( 'unshare', '--mount', 'sh', '-c', "mount --bind $stack/chaos/hosts /etc/hosts && mount --bind $stack/chaos/resolv.conf /etc/resolv.conf && exec \"\$@\"", 'sh' );
	file_put_contents( $hosts, $known );
	// Nobody there: whom the file does not name, nobody does.
	file_put_contents( "$stack/chaos/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" );
	exec( implode( ' ', array_map( 'escapeshellarg', array( ...$within, 'true' ) ) ) . ' 2>&1', $output, $code );
	if ( 0 !== posix_getuid() || 0 !== $code ) {
		return ( require __DIR__ . '/nowhere.php' )( $checks, $site );
	}
	$site->add(
		array(
			'named'   => array( 'leads' => 60, 'url' => Proxy::url( 'crm.chaos.test' ) ),
			'written' => array( 'leads' => 10, 'direction' => 'both', 'url' => Proxy::url( 'crm.chaos.test' ) ),
		)
	);
	$workers = array( Process::worker( within: $within ), Process::worker( within: $within ) );
	for ( $time = 0; $time < ( IS_SHORT ? 2 : 5 ); $time++ ) {
		$site->click();
		$site->touch();
		usleep( mt_rand( 200000, 800000 ) );
		// In place: the mount is of this very file.
		file_put_contents( $hosts, "127.0.0.1 localhost\n" );
		$site->fault( 'times the name was unknown' );
		$site->click();
		list( $code, $said ) = Process::command( array( 'tenant', 'test', 'named' ), within: $within )->end();
		$checks->is( 'it is said that the name is unknown', 1 === $code && 1 === preg_match( '/crm\.chaos\.test.*(?:resolv|lookup|unknown|DNS|name)|(?:resolv|lookup|DNS|name).*crm\.chaos\.test/i', $said ), $said );
		usleep( mt_rand( 100000, 900000 ) );
		file_put_contents( $hosts, $known );
		$site->let_time_pass();
	}
	usleep( 1500000 );
	foreach ( $workers as $worker ) {
		list( , $said ) = $worker->stop();
		$checks->is( 'a worker lived through all of it', 1 === preg_match( '/ 0 failed\n$/', $said ), $said );
	}
	$site->within = $within;
	return array();
};
