<?php
/**
 * One side, from a fresh site to the end, in a process of its own: `php side.php SIDE`. Prints a JSON object of what was seen at each stage
 * and judges nothing: that is main.php's.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

require __DIR__ . '/leads.php';
require __DIR__ . '/sides.php';
require __DIR__ . '/Site.php';
require __DIR__ . '/Crm.php';

ini_set( 'display_errors', 'stderr' );
$name   = $argv[1];
$side   = SIDES[ $name ];
$event  = 'own' === $name ? 'crm_test_event' : 'tenant_crm_sync_event';
$plugin = "{$side['plugin']}/{$side['plugin']}.php";
$url    = getenv( 'TCS_SANDBOX_URL' ) . '/';
$site   = new Site( "{$name}_", $side['extension'] );
$crm    = new Crm( $name );
$seen   = [];
register_shutdown_function( [ $site, 'close' ] );

$press = static function ( array $tenants ) use ( $site ): array {
	return array_combine( $tenants, array_map( static fn( string $tenant ): string => $site->press( $tenant ), $tenants ) );
};
$event_now = static fn(): ?array => json_decode( $site->call( 'event', $event ), true );
$cron      = static function ( string ...$more ) use ( $site, $event, $event_now ): array {
	$site->call( 'due', $event, ...$more );
	$site->cron();
	return [ 'posts' => $site->posts(), 'hours_to_next' => (int) round( ( $event_now()['at'] - time() ) / 3600 ) ];
};

$site->install();
$site->call( 'activate', $plugin );
$seen['activated'] = array_diff_key( (array) $event_now(), [ 'at' => 0 ] );
if ( $side['ours'] ) {
	$site->activate_ours();
}
foreach ( TENANTS as $tenant ) {
	$site->tenant( $tenant, $crm->key( $tenant ), $url );
}
$site->tenant( UNKNOWN );

$crm->fill();
$seen['demand'] = [ 'said' => $press( TENANTS ), 'posts' => $site->posts() ];
$crm->change();
$seen['demand_changed'] = [ 'said' => $press( TENANTS ), 'posts' => $site->posts() ];
$seen['log']            = $site->log();

$crm->fill();
$site->call( 'empty' );
$seen['cron'] = $cron();
$crm->change();
$seen['cron_changed'] = $cron();
$seen['cron_again']   = $cron();
$seen['cron_log']     = $site->log();
$seen['requests']     = $crm->requests();

// A key that the CRM refuses, and a tenant that nobody set up.
$site->call( 'key', TENANTS[0], 'no-such-key', $url );
$seen['refused']  = [ 'said' => $press( [ TENANTS[0], UNKNOWN ] ) ] + $cron();
$seen['refused_log'] = $site->log();
$site->call( 'key', TENANTS[0], $crm->key( TENANTS[0] ), $url );

if ( 'beside' === $name ) {
	$seen['plugin'] = json_decode( $site->call( 'plugin' ), true );
	$seen['sync']   = [ 'runs' => $site->sync_all(), 'posts' => $site->posts() ];
	$seen['resync'] = [ 'runs' => $site->sync_all(), 'posts' => $site->posts() ];
	// The article's job and our own, in one run of WP-Cron.
	$seen['both']   = $cron( 'tenant_crm_sync_tick' );
}

$site->call( 'deactivate', $plugin );
$seen['deactivated'] = $event_now();
if ( 'beside' === $name ) {
	try {
		$site->call( 'activate', $plugin );
		$seen['activated_again'] = array_diff_key( (array) $event_now(), [ 'at' => 0 ] );
	} catch ( \RuntimeException $e ) {
		$seen['activated_again'] = preg_match( '/PHP Fatal error.*/', $e->getMessage(), $match ) ? $match[0] : $e->getMessage();
	}
}
echo json_encode( $seen, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE );
