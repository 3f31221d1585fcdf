<?php
/**
 * FAULTS A19: WP-Cron is off. Site Health says so, the system's timer drains the queue: its unit files are sound, and what they start works.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Queue;

use TenantCRM\Runs;
use TenantCRM\SiteHealth;
use TenantCRM\Tests\Fpm\Checks;
use TenantCRM\Wakers;

return static function ( Checks $checks, Site $site ): void {
	$checks->group( 'FAULTS A19: WP-Cron is off, the timer of the system works' );
	$folder  = getenv( 'TCS_WWW' ) . '/wp-content/plugins/tenant-crm-sync/bin/systemd';
	$service = (string) file_get_contents( "$folder/tenant-crm-sync.service" );
	$timer   = (string) file_get_contents( "$folder/tenant-crm-sync.timer" );
	foreach ( array( 'service' => $service, 'timer' => $timer ) as $name => $unit ) {
		$odd = preg_grep( '/^(?:#.*|\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=.*)?$/', explode( "\n", $unit ), PREG_GREP_INVERT );
		$checks->same( "the $name is made of sections, settings and comments", array(), $odd );
	}
	// Where systemd is: a template is verified through an instance.
	if ( '' !== trim( (string) shell_exec( 'command -v systemd-analyze' ) ) ) {
		$copy = getenv( 'TCS_STACK' ) . '/tmp/units';
		@mkdir( $copy );
		file_put_contents( "$copy/tenant-crm-sync@portal.service", $service );
		file_put_contents( "$copy/tenant-crm-sync@portal.timer", $timer );
		exec( "systemd-analyze verify $copy/tenant-crm-sync@portal.timer $copy/tenant-crm-sync@portal.service 2>&1", $output, $code );
		$checks->same( 'systemd-analyze verify has nothing to say', array( 0, array() ), array( $code, $output ) );
		array_map( 'unlink', (array) glob( "$copy/*" ) );
		rmdir( $copy );
	}

	Wakers::forget();
	$checks->same( 'nobody was seen: Site Health is critical', array( true, 'critical' ), array( DISABLE_WP_CRON, SiteHealth::result( 'workers' )['status'] ) );
	$tenant = $site->tenant( 'timer', 300 );
	$run    = $site->click( $tenant );
	preg_match( '/^ExecStart=(.*)$/m', $service, $found );
	$command = strtr( $found[1], array( '/usr/bin/php' => escapeshellarg( PHP_BINARY ), '${WORDPRESS}' => (string) getenv( 'TCS_WWW' ), '${URL}' => (string) getenv( 'TCS_URL' ), '--seconds=50' => '--seconds=2' ) );
	exec( "$command 2>&1", $output, $code );
	$checks->same( 'what the service starts ends well', 0, $code );
	wp_cache_flush();
	$checks->same( 'the queue is drained', array( 'done', 300, 0 ), array( Runs::get( $run )['state'], Runs::get( $run )['created'], $site->number( 'SELECT COUNT(*) FROM {jobs}' ) ) );
	$checks->same( 'Site Health is good', 'good', SiteHealth::result( 'workers' )['status'] );
};
